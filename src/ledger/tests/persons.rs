//! Persons: who is known, who must approve, and tries at a PIN.

use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::{OperatorId, ProfileDigest};
use crate::domain::operators::{
    LAST_LOCK, OperatorAdded, OperatorDisabled, PinChanged, PinTried, PinVerifier, ProfileAccepted,
    Role, SignedIn, WRONG_PINS,
};
use crate::domain::person::Person;
use crate::domain::record::{ClockAccepted, Record};
use crate::{Audit, LEDGER_FILE, Ledger, Private, check, verify};

fn id(text: &str) -> OperatorId {
    text.parse().unwrap()
}

fn by(text: &str) -> Person {
    Person { operator: (!text.is_empty()).then(|| id(text)), uid: 1000 }
}

fn add(ledger: &Ledger, who: &str, role: Role, approver: &str) -> Result<(), Code> {
    let record = OperatorAdded { operator: id(who), role, by: by(approver) };
    let pin = Some(PinVerifier(format!("verifier of {who}")));
    let private = Private { operator: id(who), name: Some(format!("Name of {who}")), pin };
    let done = ledger.writer().record_with(Record::OperatorAdded(record), private);
    done.map(drop).map_err(|refused| refused.fault().code)
}

fn disable(ledger: &Ledger, who: &str, approver: &str) -> Result<(), Code> {
    let record = OperatorDisabled { operator: id(who), by: by(approver) };
    write(ledger, Record::OperatorDisabled(record))
}

fn accept_clock(ledger: &Ledger, approver: &str) -> Result<(), Code> {
    let record = ClockAccepted { reason: "battery".to_owned(), by: by(approver) };
    write(ledger, Record::ClockAccepted(record))
}

fn write(ledger: &Ledger, record: Record) -> Result<(), Code> {
    let done = ledger.writer().record(record);
    done.map(drop).map_err(|refused| refused.fault().code)
}

/// The record itself is in its tables by then, and is taken back with what the ledger's own row
/// was to say of it.
#[test]
fn what_is_personal_and_breaks_a_constraint_takes_its_record_back_and_harms_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    assert_eq!(add(&ledger, "p1", Role::Operator, ""), Ok(()));
    let reader = ledger.reader().unwrap();
    let before = reader.head().unwrap();
    let other = rusqlite::Connection::open(dir.path().join("data").join(LEDGER_FILE)).unwrap();
    other.execute_batch("CREATE UNIQUE INDEX odd ON persons ((1))").unwrap();
    assert_eq!(add(&ledger, "p2", Role::Operator, ""), Err(Code::Bug));
    assert_eq!(reader.head().unwrap(), before);
    assert_eq!(accept_clock(&ledger, ""), Ok(()), "the ledger goes on");
    other.execute_batch("DROP INDEX odd").unwrap();
    let found = verify(&dir.path().join("data"), &Checker, &Audit::default()).unwrap();
    assert_eq!((found.valid, found.why.as_deref()), (true, None));
    assert_eq!(found.entries, before.seq + 1);
}

#[test]
fn from_the_first_supervisor_on_acts_need_one() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    assert_eq!(accept_clock(&ledger, ""), Ok(()));
    assert_eq!(add(&ledger, "p1", Role::Operator, ""), Ok(()));
    assert_eq!(accept_clock(&ledger, "p1"), Ok(()), "operators alone change nothing");
    assert!(!ledger.reader().unwrap().has_supervisor().unwrap());
    assert_eq!(add(&ledger, "s1", Role::Supervisor, ""), Ok(()));
    assert!(ledger.reader().unwrap().has_supervisor().unwrap());
    assert_eq!(accept_clock(&ledger, ""), Err(Code::SupervisorNeeded));
    assert_eq!(accept_clock(&ledger, "p1"), Err(Code::SupervisorNeeded));
    assert_eq!(accept_clock(&ledger, "nobody"), Err(Code::OperatorUnknown));
    assert_eq!(accept_clock(&ledger, "s1"), Ok(()));
    assert_eq!(add(&ledger, "p2", Role::Operator, "p1"), Err(Code::SupervisorNeeded));
    assert_eq!(add(&ledger, "p1", Role::Supervisor, "s1"), Err(Code::OperatorExists));
}

#[test]
fn every_act_that_changes_a_standing_needs_a_supervisor_and_the_line_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    take(&ledger, begun(1), 1, Until::Passed);
    add(&ledger, "7", Role::Operator, "").unwrap();
    add(&ledger, "s1", Role::Supervisor, "").unwrap();
    let acts =
        [Record::UnitVoided(act(1)), Record::ReworkAllowed(act(1)), Record::UnitScrapped(act(1))];
    for record in acts {
        assert_eq!(write(&ledger, record), Err(Code::SupervisorNeeded));
    }
    take(&ledger, begun(2), 2, Until::Passed);
}

#[test]
fn the_only_supervisor_can_t_be_disabled() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    add(&ledger, "s1", Role::Supervisor, "").unwrap();
    assert_eq!(disable(&ledger, "s1", "s1"), Err(Code::OperatorLast));
    assert_eq!(disable(&ledger, "x", "s1"), Err(Code::OperatorUnknown));
    add(&ledger, "s2", Role::Supervisor, "s1").unwrap();
    assert_eq!(disable(&ledger, "s1", "s2"), Ok(()));
    assert_eq!(disable(&ledger, "s1", "s2"), Err(Code::OperatorDisabled));
    assert_eq!(accept_clock(&ledger, "s1"), Err(Code::OperatorDisabled));
    let signed = |who| Record::SignedIn(SignedIn { operator: Some(id(who)), uid: 1000 });
    assert_eq!(write(&ledger, signed("s1")), Err(Code::OperatorDisabled));
    assert_eq!(write(&ledger, signed("s2")), Ok(()));
}

#[test]
fn a_refused_record_leaves_nothing_personal() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    add(&ledger, "s1", Role::Supervisor, "").unwrap();
    let before = ledger.reader().unwrap().pin_verifier(&id("s1")).unwrap();
    let record = PinChanged { operator: id("s1"), by: by("nobody"), with_authority: false };
    let pin = Some(PinVerifier("another".to_owned()));
    let private = Private { operator: id("s1"), name: None, pin };
    let writer = ledger.writer();
    refusal(writer.record_with(Record::PinChanged(record.clone()), private.clone()));
    assert_eq!(ledger.reader().unwrap().pin_verifier(&id("s1")).unwrap(), before);
    let record = PinChanged { with_authority: true, ..record };
    writer.record_with(Record::PinChanged(record), private.clone()).unwrap();
    assert_eq!(ledger.reader().unwrap().pin_verifier(&id("s1")).unwrap(), private.pin);
}

#[test]
fn tries_are_counted_before_the_pin_is_looked_at_and_lock_it_for_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    add(&ledger, "s1", Role::Supervisor, "").unwrap();
    let at = |seconds: i64| Timestamp(START + seconds * 1_000_000);
    // A connection for each try: what counts is in the file.
    let try_at = |seconds| {
        let persons = ledger.persons().unwrap();
        persons.begin_try(&id("s1"), at(seconds)).unwrap().map_err(|fault| fault.code)
    };
    for _ in 0..WRONG_PINS {
        assert_eq!(try_at(0), Ok(PinVerifier("verifier of s1".to_owned())));
    }
    assert_eq!(try_at(1), Err(Code::PinLocked));
    assert_eq!(try_at(299), Err(Code::PinLocked));
    let shown = ledger.reader().unwrap().operator(&id("s1"), at(1)).unwrap().unwrap();
    assert_eq!(shown.locked_until, Some(at(300)));
    // When it is over, the next one is longer, and a right PIN ends the row of tries.
    for _ in 0..WRONG_PINS {
        assert!(try_at(301).is_ok());
    }
    assert_eq!(try_at(301 + 599), Err(Code::PinLocked));
    assert!(try_at(301 + 600).is_ok());
    assert!(!ledger.persons().unwrap().was_right(&id("s1")).unwrap(), "no record says so");
    for _ in 0..WRONG_PINS {
        assert!(try_at(2_000).is_ok());
    }
    assert_eq!(try_at(2_001), Err(Code::PinLocked));
    let unknown = ledger.persons().unwrap().begin_try(&id("x"), at(0)).unwrap();
    assert_eq!(unknown.unwrap_err().code, Code::PinWrong);
}

#[test]
fn wrong_pins_of_the_journal_count_whatever_the_clock_and_the_row_say() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    add(&ledger, "s1", Role::Supervisor, "").unwrap();
    let tried = || PinTried { operator: id("s1"), uid: 1000 };
    let mut shifted = START;
    let mut tries = 0;
    // Each try a year later than the one before, and the row set back each time.
    while tries < 100 {
        shifted += 365 * 86_400 * 1_000_000;
        let persons = ledger.persons().unwrap();
        match persons.begin_try(&id("s1"), Timestamp(shifted)).unwrap() {
            Ok(_) => tries += 1,
            Err(fault) => {
                assert!(fault.detail.contains("until it is set anew"), "{fault}");
                break;
            }
        }
        ledger.writer().record(Record::PinWrong(tried())).unwrap();
        persons.was_right(&id("s1")).unwrap();
    }
    assert_eq!(tries, WRONG_PINS * LAST_LOCK);
    let (persons, reader) = (ledger.persons().unwrap(), ledger.reader().unwrap());
    let shown = reader.operator(&id("s1"), Timestamp(shifted)).unwrap().unwrap();
    assert_eq!(shown.locked_until, None, "its own row says nothing");
    ledger.writer().record(Record::PinRight(tried())).unwrap();
    assert!(persons.begin_try(&id("s1"), Timestamp(shifted)).unwrap().is_ok());
    drop((persons, reader));
    assert!(verify(&dir.path().join("data"), &Checker, &Default::default()).is_ok());
}

#[test]
fn a_name_is_shown_erased_and_in_no_entry() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    add(&ledger, "s1", Role::Supervisor, "").unwrap();
    let reader = ledger.reader().unwrap();
    let name = || reader.operator(&id("s1"), Timestamp(0)).unwrap().unwrap().name;
    assert_eq!(name().as_deref(), Some("Name of s1"));
    let sql = "SELECT count(*) FROM journal WHERE instr(entry, CAST(?1 AS BLOB))";
    let told = |text: &str| {
        let count = reader.connection.query_row(sql, [text], |row| row.get::<_, u32>(0));
        count.unwrap()
    };
    assert_eq!((told("s1"), told("Name of"), told("verifier")), (1, 0, 0));
    ledger.persons().unwrap().erase_name(&id("s1")).unwrap();
    assert_eq!(name(), None);
    drop(reader);
    let data = dir.path().join("data");
    assert!(verify(&data, &Checker, &Default::default()).is_ok());
    check(&data).unwrap();
}

#[test]
fn an_accepted_profile_takes_the_place_of_the_one_that_was_frozen() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let accepted = |order: &str| {
        Record::ProfileAccepted(ProfileAccepted {
            work_order: order.parse().unwrap(),
            profile: ProfileDigest::new([9; 32]),
            reason: "because".to_owned(),
            by: by(""),
        })
    };
    assert_eq!(write(&ledger, accepted("WO-1")), Err(Code::WorkOrderUnknown));
    let order = super::rules::order("WO-1", 1, Vec::new());
    assert_eq!(write(&ledger, order), Ok(()));
    assert_eq!(write(&ledger, accepted("WO-1")), Ok(()));
    let row = ledger.reader().unwrap().work_order(&"WO-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!(row.work_order.profile, ProfileDigest::new([9; 32]));
}
