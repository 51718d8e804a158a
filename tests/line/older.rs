//! Ledgers of older programs: brought up once, with their journal as it is.

use sha2::{Digest, Sha256};

use super::support::factory::{Factory, label, labels};
use super::support::ledger::Ledger;
use super::support::older::{BEFORE_ONCE, FIRST, make_older};

/// Every byte of the journal, its hashes and its signatures.
fn journal(factory: &Factory, up_to: i64) -> String {
    let connection = rusqlite::Connection::open(Ledger::file(&factory.data_dir())).unwrap();
    let sql = "SELECT j.seq, entry, hash, coalesce(signature, x'') FROM journal j
        LEFT JOIN heads ON heads.seq = j.seq WHERE j.seq <= ?1 ORDER BY j.seq";
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([up_to]).unwrap();
    let mut hasher = Sha256::new();
    while let Some(row) = rows.next().unwrap() {
        hasher.update(row.get::<_, i64>(0).unwrap().to_be_bytes());
        for column in 1..4 {
            hasher.update(row.get::<_, Vec<u8>>(column).unwrap());
        }
    }
    format!("{:x?}", hasher.finalize())
}

#[test]
fn a_ledger_of_the_first_program_is_brought_up_and_verifies() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 4);
    factory.batch(&labels(3)).expect(0);
    let before = factory.ledger().entries();
    let was = journal(&factory, before);
    // A copy, as lines made them before there were segments, can be restored.
    let copy = factory.path("copy.db");
    std::fs::copy(Ledger::file(&factory.data_dir()), &copy).unwrap();
    make_older(&copy, BEFORE_ONCE);
    make_older(&Ledger::file(&factory.data_dir()), FIRST);
    factory.run(&["ledger", "verify"]).expect_error(4, "E-LEDGER-OPEN");
    let other = factory.path("other");
    std::fs::create_dir(&other).unwrap();
    for key in ["journal.key", "journal.secret"] {
        std::fs::copy(factory.data_dir().join(key), other.join(key)).unwrap();
    }
    let elsewhere = ["--data-dir", other.to_str().unwrap(), "ledger"];
    let restore = ["restore", copy.to_str().unwrap()];
    factory.run(&[&elsewhere[..], &restore].concat()).expect(0);
    factory.run(&[&elsewhere[..], &["verify", "--every-head"]].concat()).expect(0);
    factory.batch(&(label(4) + "\n")).expect(0);
    assert_eq!(journal(&factory, before), was);
    factory.run(&["ledger", "verify", "--every-head"]).expect(0);
    factory.run(&["ledger", "check"]).expect(0);
    assert_eq!(factory.ledger().in_state("proven").len(), 4);
}
