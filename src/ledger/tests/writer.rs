//! Group commit, waiting, refusal, failure, and two processes on one chain.

use std::sync::Arc;

use super::testing::*;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::{HeadSigner, HeadVerifier, SignatureHolds};
use crate::domain::ids::PublicKey;
use crate::domain::record::{Record, Refusal};
use crate::{Audit, LEDGER_FILE, Ledger, verify};

fn assert_holds(dir: &std::path::Path, entries: u64) {
    let audit = Audit { every_head: true, ..Audit::default() };
    let found = verify(&dir.join("data"), &Checker, &audit).unwrap();
    assert_eq!((found.valid, found.why.as_deref()), (true, None));
    assert_eq!(found.entries, entries);
}

#[test]
fn thirty_two_slots_need_fewer_commits_than_records() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    std::thread::scope(|scope| {
        for slot in 0..32 {
            let ledger = &ledger;
            scope.spawn(move || {
                for unit in 0..3 {
                    let number = slot * 100 + unit;
                    take(ledger, begun(number), number, Until::Passed);
                }
            });
        }
    });
    let written = ledger.writer().written();
    assert_eq!(written.records, 1 + 32 * 3 * 5);
    assert!(written.commits * 2 < written.records, "{written:?}");
    assert_holds(dir.path(), 2 + 32 * 3 * 5);
}

#[test]
fn with_the_writer_held_back_nobody_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let writer = ledger.writer();
    let held = writer.hold_back();
    let tickets: Vec<_> = (1..=8).map(|n| writer.submit(Record::Begun(begun(n)))).collect();
    let reader = ledger.reader().unwrap();
    assert!(tickets.iter().all(|ticket| ticket.poll().is_none()));
    assert_eq!(reader.head().unwrap().seq, 2);
    drop(held);
    for ticket in tickets {
        assert!(ticket.wait().is_ok());
    }
    assert_eq!(reader.head().unwrap().seq, 10);
    // What waited shares a commit, or two: the first may have been taken alone.
    assert!(writer.written().commits <= 3, "{:?}", writer.written());
}

#[test]
fn a_refused_record_harms_no_other_of_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let writer = ledger.writer();
    let held = writer.hold_back();
    let first = writer.submit(Record::Begun(begun(1)));
    let twice = writer.submit(Record::Begun(begun(1)));
    let other = writer.submit(Record::Begun(begun(2)));
    drop(held);
    assert_eq!(first.wait().unwrap().seq, 3);
    assert_eq!(refusal(twice.wait()).code, Code::ScanDuplicate);
    assert_eq!(other.wait().unwrap().seq, 4);
    assert_holds(dir.path(), 4);
}

#[test]
fn a_record_that_breaks_a_constraint_nobody_foresaw_harms_no_other_of_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let writer = ledger.writer();
    writer.record(Record::Begun(begun(9))).unwrap();
    let held = writer.hold_back();
    // The tables of this one ledger take no unit 2 beside unit 9, and no decision knows of it.
    let other = rusqlite::Connection::open(dir.path().join("data").join(LEDGER_FILE)).unwrap();
    let odd = format!(
        "CREATE UNIQUE INDEX odd ON attempts (iif(serial IN ('{}', '{}'), 1, NULL))",
        serial(2),
        serial(9)
    );
    other.execute_batch(&odd).unwrap();
    let waiting: Vec<_> =
        (1..=3).map(|number| writer.submit(Record::Begun(begun(number)))).collect();
    drop(held);
    let answers: Vec<_> = waiting.into_iter().map(|waiting| waiting.wait()).collect();
    let [first, second, third] = <[_; 3]>::try_from(answers).unwrap();
    assert_eq!((first.unwrap().seq, third.unwrap().seq), (4, 5));
    assert_eq!(refusal(second).code, Code::Bug);
    // The ledger goes on, and each has its place.
    assert_eq!(writer.record(Record::Begun(begun(4))).unwrap().seq, 6);
    other.execute_batch("DROP INDEX odd").unwrap();
    assert_holds(dir.path(), 6);
}

#[test]
fn two_ledgers_on_one_directory_keep_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (fresh(dir.path()), open(settings(dir.path())));
    std::thread::scope(|scope| {
        for (ledger, start) in [(&one, 0), (&two, 1000)] {
            scope.spawn(move || {
                for number in start..start + 15 {
                    take(ledger, begun(number), number, Until::Passed);
                }
            });
        }
    });
    assert_eq!(one.instance(), two.instance());
    drop((one, two));
    assert_holds(dir.path(), 2 + 2 * 15 * 5);
}

/// A key that stops signing.
struct Broken(std::sync::atomic::AtomicBool);

impl HeadVerifier for Broken {
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds> {
        Checker.verify(public_key, message, signature)
    }
}

impl HeadSigner for Broken {
    fn public_key(&self) -> PublicKey {
        KEY.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Fault> {
        match self.0.load(std::sync::atomic::Ordering::Relaxed) {
            true => Err(Fault::new(Code::LedgerKey, "the key is gone")),
            false => KEY.sign(message),
        }
    }
}

#[test]
fn what_can_not_be_signed_is_not_recorded_and_the_ledger_stops() {
    let dir = tempfile::tempdir().unwrap();
    let signer = Arc::new(Broken(false.into()));
    let ledger = Ledger::open(settings(dir.path()), signer.clone(), SetClock::new()).unwrap();
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    signer.0.store(true, std::sync::atomic::Ordering::Relaxed);
    let refused = writer.record(authority_seen());
    assert!(matches!(&refused, Err(Refusal::Ledger(f)) if f.code == Code::LedgerKey));
    assert_eq!(reader.head().unwrap().seq, 1);
    signer.0.store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(writer.record(authority_seen()), Err(Refusal::Ledger(_))));
}

#[test]
fn a_commit_that_fails_answers_nobody_that_it_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    // A reference that is checked at COMMIT alone, and never holds.
    let other = rusqlite::Connection::open(dir.path().join("data/ledger.db")).unwrap();
    other
        .execute_batch(
            "CREATE UNIQUE INDEX parents ON ledger (last_seq);
             CREATE TABLE children (
                 seq REFERENCES ledger (last_seq) DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO children SELECT last_seq FROM ledger;",
        )
        .unwrap();
    let held = writer.hold_back();
    let tickets: Vec<_> = (1..=3).map(|n| writer.submit(Record::Begun(begun(n)))).collect();
    drop(held);
    for ticket in tickets {
        let refused = ticket.wait();
        assert!(matches!(&refused, Err(Refusal::Ledger(f)) if f.code == Code::LedgerWrite));
    }
    assert_eq!(reader.head().unwrap().seq, 2);
    assert_eq!(reader.unsettled().unwrap(), []);
    other.execute_batch("DROP TABLE children; DROP INDEX parents").unwrap();
    assert!(matches!(writer.record(authority_seen()), Err(Refusal::Ledger(_))));
}

#[test]
fn a_write_that_fails_refuses_the_whole_group_and_all_that_follows() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let writer = ledger.writer();
    // The table is gone under the writer's feet.
    let path = dir.path().join("data/ledger.db");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("ALTER TABLE counts RENAME TO gone").unwrap();
    let refused = writer.record(Record::Begun(begun(1)));
    assert!(matches!(&refused, Err(Refusal::Ledger(f)) if f.code == Code::LedgerWrite));
    other.execute_batch("ALTER TABLE gone RENAME TO counts").unwrap();
    assert!(matches!(writer.record(authority_seen()), Err(Refusal::Ledger(_))));
}

#[test]
fn a_writer_whose_ledger_is_closed_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let writer = ledger.writer();
    drop(ledger);
    let refused = writer.record(authority_seen());
    assert!(matches!(&refused, Err(Refusal::Ledger(f)) if f.code == Code::LedgerWrite));
}
