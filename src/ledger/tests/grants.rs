//! Grants in the ledger: counted in the reserving transaction, never beyond, and replayed alike.

use super::rules::order;
use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::grant::{
    Grant, GrantGivenBack, GrantNumber, GrantRow, GrantTaken, RawSignature,
};
use crate::domain::ids::{ProfileDigest, WorkOrderId};
use crate::domain::record::{Begun, Record, WorkOrderAct};
use crate::{Audit, Ledger, Settings, verify};

fn id() -> WorkOrderId {
    "WO".parse().unwrap()
}

fn number(number: u64) -> GrantNumber {
    GrantNumber::new(number).unwrap()
}

fn grant(of: u64, quantity: u32) -> Grant {
    Grant {
        work_order: id(),
        station: "LINE-1".parse().unwrap(),
        profile: ProfileDigest::new([1; 32]),
        number: number(of),
        quantity,
        order_quantity: 9,
        serials: None,
        valid_until: Timestamp(START + 3_600_000_000),
        made_at: Timestamp(START),
    }
}

fn taken(grant: Grant) -> Record {
    let (certificate, signature) = ("3082".to_owned(), RawSignature([6; 64]));
    Record::GrantTaken(Box::new(GrantTaken { grant, certificate, signature, by: person() }))
}

fn back(of: u64, quantity: u32) -> Record {
    let given = GrantGivenBack { work_order: id(), number: number(of), quantity, by: person() };
    Record::GrantGivenBack(given)
}

fn in_order(number: u32) -> Begun {
    Begun { work_order: Some(id()), ..begun(number) }
}

fn row(ledger: &Ledger, of: u64) -> GrantRow {
    let rows = ledger.reader().unwrap().grants(&id()).unwrap();
    rows.into_iter().find(|row| row.grant.number == number(of)).unwrap()
}

fn counts(ledger: &Ledger, of: u64) -> (u32, u32, u32) {
    let row = row(ledger, of);
    (row.used, row.under_way, row.left())
}

fn write(ledger: &Ledger, record: Record) -> Result<(), Code> {
    let done = ledger.writer().record(record);
    done.map(drop).map_err(|refusal| refusal.fault().code)
}

/// A ledger that demands grants, with a work order for nine.
fn demanding(dir: &std::path::Path) -> Ledger {
    let ledger = fresh(dir);
    write(&ledger, order("WO", 9, vec![])).unwrap();
    drop(ledger);
    open(Settings { require_grant: true, ..settings(dir) })
}

#[test]
fn a_unit_that_fails_gives_its_place_back_and_a_proven_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = demanding(dir.path());
    write(&ledger, taken(grant(1, 2))).unwrap();
    take(&ledger, in_order(1), 1, Until::Issued);
    assert_eq!(counts(&ledger, 1), (0, 1, 1));
    write(&ledger, ended(attempt(1, 1), failure(), true)).unwrap();
    assert_eq!(counts(&ledger, 1), (0, 0, 2));
    take(&ledger, in_order(2), 2, Until::Passed);
    take(&ledger, in_order(3), 3, Until::Asked);
    assert_eq!(counts(&ledger, 1), (1, 1, 0));
    assert_eq!(write(&ledger, Record::Begun(in_order(4))), Err(Code::GrantUsedUp));
    // The uncertain one is voided: its place is free. The proven one is scrapped: it is not.
    write(&ledger, Record::UnitVoided(act(3))).unwrap();
    write(&ledger, Record::UnitScrapped(act(2))).unwrap();
    assert_eq!(counts(&ledger, 1), (1, 0, 1));
}

#[test]
fn nothing_begins_without_a_grant_where_one_is_demanded() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = demanding(dir.path());
    assert_eq!(write(&ledger, Record::Begun(in_order(1))), Err(Code::GrantNeeded));
    assert_eq!(write(&ledger, Record::Begun(begun(1))), Err(Code::GrantNeeded));
    write(&ledger, taken(grant(1, 1))).unwrap();
    // A grant of the work order is none for a unit without it.
    assert_eq!(write(&ledger, Record::Begun(begun(1))), Err(Code::GrantNeeded));
    // Whatever grant a record asks for, the transaction chooses.
    let asked = Begun { grant: Some(number(99)), ..in_order(1) };
    take(&ledger, asked, 1, Until::Begun);
    assert_eq!(counts(&ledger, 1), (0, 1, 0));
}

#[test]
fn a_grant_is_taken_once_while_it_holds_for_an_open_order() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = demanding(dir.path());
    let ended = Grant { valid_until: Timestamp(START), ..grant(1, 1) };
    assert_eq!(write(&ledger, taken(ended)), Err(Code::GrantExpired));
    write(&ledger, taken(grant(1, 1))).unwrap();
    assert_eq!(write(&ledger, taken(grant(1, 5))), Err(Code::GrantTaken));
    write(&ledger, taken(grant(2, 1))).unwrap();
    let foreign = Grant { work_order: "NO".parse().unwrap(), ..grant(3, 1) };
    assert_eq!(write(&ledger, taken(foreign)), Err(Code::WorkOrderUnknown));
    let close = WorkOrderAct { work_order: id(), by: person() };
    write(&ledger, Record::WorkOrderClosed(close)).unwrap();
    assert_eq!(write(&ledger, taken(grant(3, 1))), Err(Code::WorkOrderClosed));
}

#[test]
fn what_is_used_or_under_way_is_not_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = demanding(dir.path());
    write(&ledger, taken(grant(1, 4))).unwrap();
    take(&ledger, in_order(1), 1, Until::Passed);
    take(&ledger, in_order(2), 2, Until::Begun);
    assert_eq!(write(&ledger, back(1, 3)), Err(Code::GrantUsedUp));
    assert_eq!(write(&ledger, back(1, 0)), Err(Code::GrantUsedUp));
    assert_eq!(write(&ledger, back(2, 1)), Err(Code::GrantNeeded));
    write(&ledger, back(1, 2)).unwrap();
    assert_eq!(counts(&ledger, 1), (1, 1, 0));
    // A place that comes back belongs to the grant, and can be given back too.
    write(&ledger, ended(attempt(2, 1), failure(), false)).unwrap();
    write(&ledger, back(1, 1)).unwrap();
    assert_eq!(write(&ledger, Record::Begun(in_order(3))), Err(Code::GrantUsedUp));
}

#[test]
fn labels_ahead_take_their_places_of_the_grants_too() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = demanding(dir.path());
    write(&ledger, taken(grant(1, 2))).unwrap();
    let reader = ledger.reader().unwrap();
    let now = Timestamp(START);
    let behind = |ahead: &[u32]| {
        let ahead: Vec<_> = ahead.iter().map(|n| serial(*n)).collect();
        let refusal = reader.refusal_behind(&serial(9), &id(), &ahead, now).unwrap();
        refusal.map(|fault| fault.code)
    };
    assert_eq!(behind(&[1]), None);
    assert_eq!(behind(&[1, 2]), Some(Code::GrantUsedUp));
    let later = Timestamp(START + 3_600_000_000);
    let ended = reader.refusal_of_label(&serial(9), &id(), later).unwrap().unwrap();
    assert_eq!(ended.code, Code::GrantExpired);
    // Units under way may give their places back, so a label of a list waits for them.
    take(&ledger, in_order(1), 1, Until::Issued);
    take(&ledger, in_order(2), 2, Until::Issued);
    assert_eq!(reader.refusal_of_label(&serial(9), &id(), now).unwrap(), None);
}

#[test]
fn units_that_have_their_place_from_before_take_none_of_a_grant() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    write(&ledger, order("WO", 9, vec![])).unwrap();
    take(&ledger, in_order(1), 1, Until::Passed);
    write(&ledger, taken(grant(1, 1))).unwrap();
    write(&ledger, Record::ReworkAllowed(act(1))).unwrap();
    take(&ledger, Begun { certificate_sn: sn(2), ..in_order(1) }, 2, Until::Begun);
    assert_eq!(counts(&ledger, 1), (0, 0, 1));
}

#[test]
fn a_replay_gives_the_same_grants() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = demanding(dir.path());
    write(&ledger, taken(grant(1, 3))).unwrap();
    take(&ledger, in_order(1), 1, Until::Passed);
    take(&ledger, in_order(2), 2, Until::Issued);
    take(&ledger, in_order(3), 3, Until::Begun);
    write(&ledger, ended(attempt(3, 1), failure(), false)).unwrap();
    write(&ledger, back(1, 1)).unwrap();
    drop(ledger);
    let found = verify(&dir.path().join("data"), &Checker, &Audit::default());
    assert!(found.is_ok(), "{found:?}");
}
