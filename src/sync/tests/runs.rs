//! Whole runs, one behaviour each.

use std::time::Duration;

use super::cloud::{Fate, fingerprint};
use super::ledger::{Bench, der, serial, sn};
use crate::cloud::ErrorClass;
use crate::domain::code::Code;
use crate::domain::outbox::{Operation, Sent};
use crate::domain::record::Record;
use crate::domain::registration::{CloudCertificate, CloudStatus, Registering, SnValue};
use crate::domain::state::{RegistrationState, UnitState};
use crate::{DifferenceKind, Event, Halt, Outcome, Stop};

fn register(cert: u32, unit: u32) -> String {
    format!("register {} for {}", sn(cert), serial(unit))
}

#[test]
fn what_is_proven_is_registered_once() {
    let bench = Bench::new(30);
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (30, None));
    assert_eq!(told.events.len(), 30);
    assert!(bench.cloud.sky.borrow().most_at_once > 4, "one after another");
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(calls, (1..=30).map(|n| register(n, n)).collect::<Vec<_>>());
    assert_eq!(bench.state(7), UnitState::Registered);

    let head = bench.head();
    let again = bench.run();
    assert_eq!((again.summary.registered, again.summary.pending, again.stop), (0, 0, None));
    assert_eq!((bench.calls().len(), bench.cloud.sky.borrow().reads, bench.head()), (30, 0, head));
    bench.assert_it_verifies();
}

#[test]
fn whatever_fails_each_certificate_stands_there_once_in_the_end() {
    let mut bench = Bench::new(60);
    for seed in 1..=4 {
        bench.cloud.sky.borrow_mut().seed = seed;
        let told = bench.run();
        assert_eq!(told.stop, None);
    }
    bench.cloud.sky.borrow_mut().seed = 0;
    bench.run();
    assert_eq!(bench.cloud.sky.borrow().certificates.len(), 60);
    for number in 1..=60 {
        assert_eq!(bench.registration(number), RegistrationState::Registered, "{number}");
    }
    bench.settings.full = true;
    let told = bench.run();
    assert_eq!(told.summary.different(), 0, "{:?}", told.events);
    bench.assert_it_verifies();
}

#[test]
fn what_was_sent_is_looked_up_before_anything_else() {
    for (fate, calls) in [(Fate::LostAfter, 1), (Fate::LostBefore, 2)] {
        let bench = Bench::new(1);
        bench.cloud.sky.borrow_mut().fates.push_back(fate);
        let told = bench.run();
        assert_eq!(bench.calls().len(), calls, "{fate:?}");
        assert_eq!(bench.cloud.sky.borrow().certificates.len(), 1);
        let found = told.summary.already_registered == 1;
        assert_eq!(found, fate == Fate::LostAfter, "{:?}", told.summary);
        assert_eq!(bench.registration(1), RegistrationState::Registered);
    }
}

#[test]
fn what_was_found_sent_at_start_up_is_looked_up_not_before_the_call_s_limit() {
    let mut bench = Bench::new(1);
    let row = bench.reader.outbox(0, 9).unwrap().remove(0);
    let (row, certificate_sn) = (row.id, row.sn);
    bench.record(Record::Sent(Sent { row, certificate_sn, operation: Operation::Register }));
    bench.cloud.call_limit = Duration::from_millis(150);
    let begun = std::time::Instant::now();
    let told = bench.run();
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert_eq!(bench.cloud.sky.borrow().reads, 1);
    assert_eq!((told.summary.registered, bench.calls().len()), (1, 1));
}

#[test]
fn another_certificate_under_one_of_our_serial_numbers_is_a_conflict_and_stops_nothing() {
    let bench = Bench::new(3);
    let foreign = CloudCertificate {
        sn: sn(2).to_string(),
        fingerprint: Some(fingerprint(b"foreign")),
        ca: bench.cloud.authority(super::cloud::ca()).sn,
        client_id: "someone".to_owned(),
        status: Some(CloudStatus::Active),
        automatic: false,
    };
    let key = SnValue::from(&sn(2));
    bench.cloud.sky.borrow_mut().certificates.insert(key.clone(), foreign);
    let told = bench.run();
    assert_eq!((told.summary.registered, told.summary.conflict), (2, 1));
    assert!(told.summary.has_failures());
    assert_eq!(bench.registration(2), RegistrationState::Conflict);
    let again = bench.run();
    assert_eq!((again.summary.conflict, again.summary.pending), (1, 0), "it stays told");
    // Once it is removed there, the place is free.
    bench.cloud.sky.borrow_mut().certificates.remove(&key);
    assert_eq!(bench.run().summary.registered, 1);
    bench.assert_it_verifies();
}

#[test]
fn what_the_cloud_never_takes_is_parked_and_starves_nobody() {
    let mut bench = Bench::new(5);
    bench.cloud.sky.borrow_mut().fates.push_back(Fate::Refused(ErrorClass::ItemNever));
    let told = bench.run();
    assert_eq!((told.summary.registered, told.summary.rejected), (4, 1));
    let again = bench.run();
    assert_eq!((again.summary.rejected, bench.calls().len()), (1, 5), "not tried again");
    bench.settings.rules.retry_rejected = true;
    assert_eq!(bench.run().summary.registered, 1);
}

#[test]
fn what_can_t_succeed_stops_the_run_and_marks_nothing() {
    for class in [ErrorClass::StopRun, ErrorClass::Configuration] {
        let mut bench = Bench::new(40);
        bench.settings.rate_per_second = 1;
        bench.cloud.sky.borrow_mut().fates.push_back(Fate::Refused(class));
        let told = bench.run();
        let wanted = format!("register: {class:?}");
        assert!(matches!(told.stop, Some(Stop::Cloud(fault)) if fault.detail == wanted));
        assert!(bench.calls().len() < 12, "{:?}", bench.calls());
        let first = bench.reader.outbox(0, 1).unwrap().remove(0);
        assert_eq!(first.sn, sn(1));
        assert_eq!(bench.state(1), UnitState::Proven);
        bench.halt = Halt::default();
        let told = bench.run();
        assert_eq!((told.stop, told.summary.pending), (None, 0));
    }
}

#[test]
fn a_cloud_that_is_not_ready_is_waited_for() {
    let bench = Bench::new(6);
    let not_ready = Fate::Refused(ErrorClass::NotReady);
    bench.cloud.sky.borrow_mut().fates.extend([not_ready; 3]);
    let told = bench.run();
    assert_eq!((told.summary.registered, told.stop), (6, None));
    assert_eq!(bench.cloud.sky.borrow().not_ready, 0);
    let pauses = told.events.iter().filter(|event| matches!(event, Event::Paused { .. })).count();
    assert_eq!(pauses, 1, "one polls for all");
}

#[test]
fn an_old_certificate_is_revoked_before_the_new_one_is_registered() {
    let bench = Bench::new(1);
    bench.cloud.sky.borrow_mut().fates.push_back(Fate::LostAfter);
    bench.cloud.sky.borrow_mut().read_fates.extend([Fate::LostBefore; 6]);
    let told = bench.run();
    assert_eq!((told.summary.deferred, bench.registration(1)), (1, RegistrationState::Unclear));
    bench.act(Record::ReworkAllowed, 1);
    bench.prove(1, 2);
    let told = bench.run();
    let revoke = format!("REVOKED {}", sn(1));
    assert_eq!(bench.calls(), [register(1, 1), revoke, register(2, 1)]);
    assert_eq!((told.summary.already_registered, told.summary.registered), (1, 1));
    assert_eq!(told.summary.revoked, 1);
    assert_eq!(bench.registration(1), RegistrationState::Revoked);
    assert_eq!(bench.state(1), UnitState::Registered);
    bench.assert_it_verifies();
}

#[test]
fn an_unclear_registration_that_never_arrived_needs_no_revoke() {
    let bench = Bench::new(1);
    bench.cloud.sky.borrow_mut().fates.push_back(Fate::LostBefore);
    bench.cloud.sky.borrow_mut().read_fates.extend([Fate::LostBefore; 6]);
    bench.run();
    bench.act(Record::UnitVoided, 1);
    let told = bench.run();
    assert_eq!(bench.calls(), [register(1, 1)], "nothing more is sent");
    assert_eq!(told.summary.pending, 0);
    assert_eq!(bench.registration(1), RegistrationState::Withdrawn);
    assert_eq!(bench.reader.outbox(0, 9).unwrap(), []);
    bench.assert_it_verifies();
}

#[test]
fn without_the_revoker_s_credentials_those_rows_wait_and_say_so() {
    let mut bench = Bench::new(3);
    bench.run();
    bench.act(Record::UnitVoided, 1);
    bench.act(Record::ReworkAllowed, 2);
    bench.prove(2, 4);
    bench.prove(5, 5);
    bench.has_revoker = false;
    let told = bench.run();
    assert_eq!((told.summary.waiting_for_revoker, told.summary.deferred), (2, 1));
    assert_eq!((told.summary.registered, told.summary.pending), (1, 0));
    let codes: Vec<_> = told
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Registration { code, .. } | Event::Status { code, .. } => *code,
            _ => None,
        })
        .collect();
    assert_eq!(codes, [Code::CloudRevoker; 3]);
    bench.has_revoker = true;
    let told = bench.run();
    assert_eq!((told.summary.revoked, told.summary.registered), (2, 1));
    assert_eq!(bench.cloud.status(&sn(1).to_string()), Some(CloudStatus::Revoked));
}

#[test]
fn a_unit_in_rework_is_deactivated() {
    let bench = Bench::new(1);
    bench.run();
    bench.act(Record::ReworkAllowed, 1);
    assert_eq!(bench.run().summary.deactivated, 1);
    assert_eq!(bench.cloud.status(&sn(1).to_string()), Some(CloudStatus::Inactive));
    bench.act(Record::UnitScrapped, 1);
    assert_eq!(bench.run().summary.revoked, 1);
    assert_eq!(bench.registration(1), RegistrationState::Revoked);
}

#[test]
fn a_limit_registers_so_many_and_leaves_the_rest_pending() {
    let mut bench = Bench::new(5);
    bench.settings.limit = Some(2);
    let told = bench.run();
    assert_eq!((told.summary.registered, told.summary.pending, told.stop), (2, 3, None));
}

#[test]
fn a_deadline_ends_the_run_cleanly() {
    let mut bench = Bench::new(4);
    bench.settings.deadline = Some(Duration::from_millis(50));
    bench.settings.patience = Duration::from_secs(3600);
    bench.cloud.sky.borrow_mut().fates.extend([Fate::Refused(ErrorClass::Throttled); 4]);
    let told = bench.run();
    assert_eq!(told.stop, Some(Stop::Deadline));
    assert_eq!((told.summary.registered, told.summary.pending), (0, 4));
    assert_eq!(bench.reader.outbox(0, 9).unwrap().len(), 4);
}

#[test]
fn a_run_that_is_told_to_stop_lands() {
    let bench = Bench::new(4);
    bench.halt.stop();
    let told = bench.run();
    assert_eq!((told.stop, told.summary.pending), (Some(Stop::Told), 4));
    assert!(bench.calls().is_empty());
}

#[test]
fn a_dry_run_changes_nothing_anywhere() {
    let mut bench = Bench::new(3);
    let row = bench.reader.outbox(0, 1).unwrap().remove(0);
    let (row, certificate_sn) = (row.id, row.sn);
    bench.record(Record::Sent(Sent { row, certificate_sn, operation: Operation::Register }));
    let head = bench.head();
    bench.settings.dry_run = true;
    bench.settings.full = true;
    let told = bench.run();
    assert_eq!((bench.calls().len(), bench.head()), (0, head));
    let planned: Vec<_> = told
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Planned { deed, .. } => Some(*deed),
            _ => None,
        })
        .collect();
    assert_eq!(planned, ["register"; 3]);
}

#[test]
fn a_full_run_tells_every_difference() {
    let mut bench = Bench::new(6);
    bench.run();
    bench.settings.full = true;
    bench.settings.exclusive = true;
    assert_eq!(bench.run().summary.different(), 0);
    {
        let mut sky = bench.cloud.sky.borrow_mut();
        let key = |number: u32| SnValue::from(&sn(number));
        sky.certificates.remove(&key(1));
        sky.certificates.get_mut(&key(2)).unwrap().status = Some(CloudStatus::Inactive);
        sky.certificates.get_mut(&key(3)).unwrap().fingerprint = Some(fingerprint(b"other"));
        let mut foreign = sky.certificates[&key(4)].clone();
        foreign.sn = "0abcdef".to_owned();
        foreign.fingerprint = Some(fingerprint(b"foreign"));
        sky.certificates.insert("abcdef".parse().unwrap(), foreign);
    }
    let told = bench.run();
    let mut kinds: Vec<_> = told
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Difference(difference) => Some(difference.kind),
            _ => None,
        })
        .collect();
    kinds.sort();
    let wanted = [
        DifferenceKind::MissingInCloud,
        DifferenceKind::ForeignInCloud,
        DifferenceKind::DuplicateClientId,
        DifferenceKind::StatusDiffers,
        DifferenceKind::CertificateDiffers,
    ];
    assert_eq!(kinds, wanted);
    bench.settings.exclusive = false;
    let told = bench.run();
    assert_eq!(told.summary.of_others, Some(1), "other stations may issue with this CA");
    assert_eq!(told.summary.different(), 2, "the status is known, and what was missing is back");
    bench.assert_it_verifies();
}

#[test]
fn in_automatic_mode_nothing_is_uploaded_and_a_void_one_is_revoked() {
    let mut bench = Bench::new(3);
    bench.settings.rules.registering = Registering::Automatic;
    bench.cloud.sky.borrow_mut().automatic = true;
    let connected = |number: u32| CloudCertificate {
        sn: sn(number).to_string(),
        fingerprint: Some(fingerprint(&der(number))),
        ca: bench.cloud.authority(super::cloud::ca()).sn,
        client_id: String::new(),
        status: Some(CloudStatus::Active),
        automatic: true,
    };
    for number in [1, 3] {
        let key = SnValue::from(&sn(number));
        bench.cloud.sky.borrow_mut().certificates.insert(key, connected(number));
    }
    bench.act(Record::UnitVoided, 3);
    let told = bench.run();
    assert_eq!(bench.calls(), [format!("REVOKED {}", sn(3))]);
    assert_eq!((bench.state(1), bench.state(2)), (UnitState::Registered, UnitState::Proven));
    assert_eq!((told.summary.revoked, told.summary.waiting_for_device), (1, 1));
    assert_eq!(told.summary.pending, 0);
    bench.assert_it_verifies();
}

#[test]
fn the_line_s_own_registration_event_has_the_contract_s_fields() {
    let bench = Bench::new(1);
    let told = bench.run();
    let json = serde_json::to_value(&told.events[0]).unwrap();
    let wanted = serde_json::json!({
        "event": "registration",
        "serial": serial(1),
        "certificate_sn": sn(1),
        "outcome": "registered",
        "tries": 1,
    });
    assert_eq!(json, wanted);
    let Event::Registration { outcome, .. } = &told.events[0] else { panic!("{json}") };
    assert_eq!(*outcome, Outcome::Registered);
    let summary = serde_json::to_value(Event::Summary(told.summary)).unwrap();
    for field in [
        "registered",
        "already_registered",
        "conflict",
        "rejected",
        "deferred",
        "pending",
        "requests",
        "throttled",
        "duration_ms",
    ] {
        assert!(summary[field].is_u64(), "{field}: {summary}");
    }
}
