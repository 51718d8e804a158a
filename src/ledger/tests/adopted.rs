//! Identities that were read from their devices: what is entered, and what is refused.

use super::testing::*;
use crate::domain::code::Code;
use crate::domain::local::Zone;
use crate::domain::record::{End, Record};
use crate::{Audit, Ledger, verify};

fn adopt(ledger: &Ledger, unit: u32) -> Result<u32, Code> {
    let done = ledger.writer().record(Record::Adopted(adopted(unit)));
    done.map(|recorded| recorded.attempt).map_err(|refusal| refusal.fault().code)
}

fn story(ledger: &Ledger, unit: u32) -> serde_json::Value {
    let story = ledger.reader().unwrap().unit_story(&serial(unit)).unwrap();
    serde_json::to_value(story).unwrap()
}

#[test]
fn an_adopted_unit_is_proven_says_so_and_waits_for_the_cloud() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    assert_eq!(adopt(&ledger, 1), Ok(1));
    let story = story(&ledger, 1);
    assert_eq!(story["state"], "proven");
    let certificate = &story["certificates"][0];
    assert_eq!(
        (&certificate["state"], &certificate["origin"]),
        (&"proven".into(), &"adopted".into())
    );
    assert_eq!(certificate["registration"]["state"], "waiting");
    assert_eq!(
        (&story["acts"][0]["act"], &story["acts"][0]["reason"]),
        (&"adopted".into(), &"in tray 9".into())
    );
    // Nothing was burned, so no sum of the line's work changes.
    let stats = ledger.reader().unwrap().stats(&Zone::UTC).unwrap();
    assert_eq!((stats.attempts.passed, stats.first_pass_yield), (0, None));
    assert_eq!(stats.units["proven"], 1);
    drop(ledger);
    let found = verify(&dir.path().join("data"), &Checker, &Audit::default()).unwrap();
    assert_eq!((found.valid, found.why), (true, None));
}

#[test]
fn what_the_ledger_knows_is_not_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    take(&ledger, begun(1), 1, Until::Passed);
    assert_eq!(adopt(&ledger, 1), Err(Code::UnitProven));
    let of = take(&ledger, begun(2), 2, Until::Asked);
    assert_eq!(adopt(&ledger, 2), Err(Code::UnitState));
    ledger.writer().record(ended(of, failure(), true)).unwrap();
    assert_eq!(adopt(&ledger, 2), Err(Code::UnitState), "void is final");
}

#[test]
fn what_belongs_to_another_unit_is_not_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    take(&ledger, begun(1), 1, Until::Passed);
    let refused = |change: &dyn Fn(&mut crate::domain::record::Adopted)| {
        let mut other = adopted(2);
        change(&mut other);
        refusal(ledger.writer().record(Record::Adopted(other))).code
    };
    assert_eq!(refused(&|other| other.hardware = hardware(1)), Code::DevOtherLabel);
    assert_eq!(refused(&|other| other.client_id = adopted(1).client_id), Code::ScanClientId);
    // Its certificate's serial number was reserved for another unit.
    ledger.writer().record(Record::Begun(begun(3))).unwrap();
    assert_eq!(refused(&|other| other.certificate = certificate(3)), Code::DevOtherLabel);
    let same_key = |other: &mut crate::domain::record::Adopted| {
        let mut found = (*certificate(2)).clone();
        found.public_key = certificate(1).public_key;
        other.certificate = std::sync::Arc::new(found);
    };
    assert_eq!(refused(&same_key), Code::KeyDuplicate);
}

#[test]
fn a_unit_that_stands_elsewhere_is_not_adopted_over() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let over = |unit: u32, cert: u32, device: u32| {
        let mut found = adopted(unit);
        (found.certificate, found.hardware) = (certificate(cert), hardware(device));
        ledger.writer().record(Record::Adopted(found))
    };
    take(&ledger, begun(1), 1, Until::Passed);
    assert_eq!(refusal(over(1, 11, 9)).code, Code::UnitOtherDevice);
    take(&ledger, begun(2), 2, Until::Asked);
    assert_eq!(refusal(over(2, 12, 2)).code, Code::UnitState);
    take(&ledger, begun(3), 3, Until::Passed);
    ledger.writer().record(Record::UnitScrapped(act(3))).unwrap();
    assert_eq!(refusal(over(3, 13, 3)).code, Code::UnitScrapped);
    // A rework in the gap, on the same device: the old identity is superseded.
    over(1, 11, 1).unwrap();
    let story = story(&ledger, 1);
    let states: Vec<_> =
        story["certificates"].as_array().unwrap().iter().map(|found| &found["state"]).collect();
    assert_eq!(states, ["superseded", "proven"]);
}

#[test]
fn an_attempt_whose_certificate_went_into_the_gap_does_not_keep_its_device_out() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let of = take(&ledger, begun(1), 1, Until::Begun);
    let End::Failed { step, code, message } = failure() else { unreachable!() };
    let cut = End::Interrupted { step, code, message };
    ledger.writer().record(ended(of, cut, false)).unwrap();
    assert_eq!(adopt(&ledger, 1), Ok(2));
}

#[test]
fn an_adopted_certificate_whose_ca_is_unknown_is_a_bug() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(settings(dir.path()));
    assert_eq!(adopt(&ledger, 1), Err(Code::Bug));
}
