//! Every scenario, cut off at each of its points.

use std::collections::BTreeSet;

use firmware_interface::ids::RequestType;
use provisioning_station::ledger::Kind;

use super::harness::Harness;
use super::power::Disk;
use super::scenario::{CLOUDED, LINE, PEOPLE, Scenario};

/// Requests that the station never sends, each with why.
const NEVER_SENT: &[(RequestType, &str)] = &[
    (RequestType::Abort, "what is staged goes with the session; a new IDENTIFY drops it"),
    (RequestType::Erase, "the station takes no identity away"),
];

/// Kinds of entries that no scenario here writes, each with why. One that some scenario does
/// write must not stand here.
const WRITTEN_ELSEWHERE: &[(Kind, &str)] = &[
    (Kind::SignedIn, "only the screen records it, before it takes a scan"),
    (Kind::Denied, "only a line that goes on after a unit's PASS sees it"),
    (Kind::PinWrong, "a PIN that is wrong is nothing that could be half done"),
    (Kind::PinRight, "it only ends a row of wrong ones"),
];

/// Cuts a scenario off everywhere, and fails with all that was found.
fn hold(scenario: &Scenario) {
    let harness = Harness::new(scenario, Disk::Honest);
    let points = harness.points();
    let early = before_their_record(&points).into_iter();
    let early: Vec<_> = early.map(|name| format!("{name} before its record")).collect();
    let mut outcome = harness.run_at(points);
    outcome.findings.extend(early);
    let story = outcome.story(scenario.name);
    println!("{story}");
    assert!(outcome.findings.is_empty(), "{story}");
    // A request that was sent again once, which has four points, need not be the next time.
    assert!(outcome.missed.len() <= (outcome.points.len() / 10).max(4), "{story}");
}

/// Which record must be durable before a request of that type leaves.
const BEFORE: &[(&str, &str)] = &[
    ("send/keygen", "recorded/begun"),
    ("send/begin", "recorded/issued"),
    ("send/chunk", "recorded/issued"),
    ("send/commit", "recorded/commit-asked"),
    ("send/finish", "recorded/proven"),
];

/// Requests of an attempt that left before the record that belongs before them.
fn before_their_record(points: &[String]) -> Vec<&str> {
    let names = points.iter().map(|point| point.split('#').next().unwrap_or_default());
    let (mut attempt, mut early): (Option<BTreeSet<&str>>, _) = (None, Vec::new());
    for name in names {
        if name == "recorded/begun" {
            attempt = Some(BTreeSet::new());
        }
        // Of an attempt that began before the act, its records are from before too.
        let Some(recorded) = &mut attempt else { continue };
        recorded.insert(name);
        // One that was never asked to commit is let go of with the same request.
        let let_go = name == "send/finish" && !recorded.contains("recorded/commit-asked");
        let missing = |(request, record): &&(&str, &str)| {
            *request == name && !recorded.contains(record) && !let_go
        };
        early.extend(BEFORE.iter().find(missing).map(|_| name));
    }
    early
}

#[test]
fn a_request_that_leaves_before_its_record_is_found() {
    let points = ["recorded/begun#1", "send/begin#1", "recorded/issued#1", "send/chunk#1"];
    let points = points.map(str::to_owned);
    assert_eq!(before_their_record(&points), ["send/begin"]);
    assert_eq!(before_their_record(&points[2..]), [""; 0]);
}

macro_rules! scenarios {
    ($($test:ident: $list:ident, $name:literal;)*) => {
        $(
            #[test]
            fn $test() {
                hold($list.iter().find(|scenario| scenario.name == $name).unwrap());
            }
        )*

        #[test]
        fn every_scenario_is_cut_off() {
            let cut = [$($name),*];
            let all = LINE.iter().chain(PEOPLE).chain(CLOUDED).map(|scenario| scenario.name);
            let missing: Vec<_> = all.filter(|name| !cut.contains(name)).collect();
            assert!(missing.is_empty(), "{missing:?}");
        }
    };
}

scenarios! {
    a_fresh_unit: LINE, "fresh unit";
    a_unit_presented_again: LINE, "presented again";
    a_rework: LINE, "rework";
    a_device_lost_in_mid_write: LINE, "device lost in mid-write";
    a_device_lost_as_it_commits: LINE, "device lost as it commits";
    a_device_lost_before_it_finishes: LINE, "device lost before it finishes";
    a_unit_finished_later: LINE, "finished later";
    a_device_whose_storage_is_full: LINE, "storage full";
    a_device_of_another_product: LINE, "another product";
    a_key_made_on_the_device: LINE, "key made on the device";
    a_device_that_is_read_back: LINE, "read back";
    a_label_of_a_pass: LINE, "label of a pass";
    a_label_on_the_network: LINE, "label on the network";
    a_label_that_is_sent: PEOPLE, "label sent";
    a_label_that_is_scanned: PEOPLE, "label scanned";
    a_void_of_an_uncertain_unit: PEOPLE, "void of an uncertain one";
    a_void_of_a_proven_unit: PEOPLE, "void of a proven one";
    a_rework_that_is_allowed: PEOPLE, "rework allowed";
    a_unit_that_is_scrapped: PEOPLE, "scrapped";
    a_work_order_that_is_made: PEOPLE, "work order made";
    a_work_order_that_is_closed: PEOPLE, "work order closed";
    a_grant_that_is_taken: PEOPLE, "grant taken";
    a_grant_that_is_given_back: PEOPLE, "grant given back";
    a_clock_that_is_accepted: PEOPLE, "clock accepted";
    a_ledger_that_is_restored: PEOPLE, "ledger restored";
    a_gap_that_is_accepted: PEOPLE, "gap accepted";
    a_ledger_of_an_older_program_that_is_brought_up: PEOPLE, "ledger brought up";
    indices_that_are_made_anew: PEOPLE, "indices made anew";
    a_ledger_that_is_vouched_for: PEOPLE, "ledger vouched for";
    a_device_that_is_adopted: PEOPLE, "device adopted";
    a_person_who_is_added: PEOPLE, "person added";
    a_person_who_is_disabled: PEOPLE, "person disabled";
    a_pin_that_is_changed: PEOPLE, "PIN changed";
    a_profile_that_is_accepted: PEOPLE, "profile accepted";
    a_certificate_registered_by_hand: PEOPLE, "registered by hand";
    a_ca_that_is_registered: CLOUDED, "CA registered";
    a_certificate_registered_by_a_sync: CLOUDED, "registered";
    a_certificate_that_is_revoked: CLOUDED, "revoked";
    a_rework_that_is_registered: CLOUDED, "reworked and registered";
    a_unit_that_is_shipped: CLOUDED, "shipped";
    a_cloud_that_is_compared: CLOUDED, "compared";
    a_cloud_that_lost_what_it_had: CLOUDED, "deleted and registered again";
    a_list_of_revoked_certificates: CLOUDED, "list of revoked ones made";
}

/// What all scenarios pass: a kind of record or message that none reaches is cut nowhere.
#[test]
fn every_kind_of_record_and_message_is_reached_by_a_scenario() {
    let mut seen = BTreeSet::new();
    for scenario in LINE.iter().chain(PEOPLE).chain(CLOUDED) {
        for point in Harness::new(scenario, Disk::Honest).points() {
            seen.extend(point.split('#').next().map(str::to_owned));
        }
    }
    let mut expected: Vec<String> = Vec::new();
    let elsewhere: Vec<Kind> = WRITTEN_ELSEWHERE.iter().map(|(kind, _)| *kind).collect();
    for kind in Kind::ALL.iter().filter(|kind| !elsewhere.contains(kind)) {
        expected.extend(["record", "recorded"].map(|side| format!("{side}/{}", kind.as_str())));
    }
    let sent = RequestType::ALL.iter().filter(|kind| NEVER_SENT.iter().all(|(n, _)| n != *kind));
    for kind in sent {
        let name = kind.name().to_ascii_lowercase();
        expected
            .extend(["send", "sent", "receive", "received"].map(|side| format!("{side}/{name}")));
    }
    let others = ["received/error", "migrating/schema", "migrated/schema", "segment/written"];
    expected.extend(others.map(str::to_owned));
    expected.push("segment/kept".to_owned());
    let missing: Vec<_> = expected.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no scenario passes {missing:?}");
    for (kind, why) in WRITTEN_ELSEWHERE {
        assert!(!seen.contains(&format!("record/{}", kind.as_str())), "{kind:?}: {why}");
    }
    for (kind, why) in NEVER_SENT {
        let name = format!("send/{}", kind.name().to_ascii_lowercase());
        assert!(!seen.contains(&name), "{name} is sent, though {why}");
    }
}
