//! Backup while in use, and restore.

use std::fs;
use std::path::PathBuf;

use super::testing::*;
use crate::domain::code::Code;
use crate::domain::record::{Record, Restored};
use crate::{Audit, Ledger, LedgerError, Settings, verify};

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("stick")).unwrap();
        Bench { dir }
    }

    fn settings(&self) -> Settings {
        let anchor = Some(self.dir.path().join("stick/anchor"));
        Settings { anchor, ..settings(self.dir.path()) }
    }

    fn open(&self) -> Ledger {
        open(self.settings())
    }

    fn backup(&self) -> PathBuf {
        self.dir.path().join("backup.db")
    }

    fn restore(&self) -> Result<Restored, LedgerError> {
        restore(&self.backup(), &self.settings())
    }
}

#[test]
fn a_backup_of_a_ledger_in_use_is_one_file_that_verifies() {
    let bench = Bench::new();
    let ledger = bench.open();
    ledger.writer().record(authority_seen()).unwrap();
    let reader = ledger.reader().unwrap();
    let entries = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..40 {
                take(&ledger, begun(number), number, Until::Passed);
            }
        });
        let entries = reader.backup(&bench.backup(), &Checker).unwrap();
        writing.join().unwrap();
        entries
    });
    let found = verify(&bench.backup(), &Checker, &Audit::default()).unwrap();
    assert_eq!((found.valid, found.entries), (true, entries));
    let names: Vec<_> = fs::read_dir(bench.dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("backup"))
        .collect();
    assert_eq!(names, ["backup.db"]);
}

#[test]
fn a_backup_never_overwrites() {
    let bench = Bench::new();
    fs::write(bench.backup(), "something else").unwrap();
    let reader = bench.open().reader().unwrap();
    let error = reader.backup(&bench.backup(), &Checker).unwrap_err();
    assert_eq!(error.code(), Code::LedgerExists);
    assert_eq!(fs::read(bench.backup()).unwrap(), b"something else");
}

#[test]
fn a_restore_names_what_is_missing_and_goes_on() {
    let bench = Bench::new();
    let ledger = bench.open();
    ledger.writer().record(authority_seen()).unwrap();
    take(&ledger, begun(1), 1, Until::Passed);
    assert_eq!(ledger.reader().unwrap().backup(&bench.backup(), &Checker).unwrap(), 7);
    take(&ledger, begun(2), 2, Until::Passed);
    drop(ledger);
    fs::remove_dir_all(bench.dir.path().join("data")).unwrap();
    let restored = bench.restore().unwrap();
    assert_eq!((restored.last_seq, restored.known_seq), (7, Some(12)));
    let ledger = bench.open();
    assert_eq!(ledger.reader().unwrap().head().unwrap().seq, 8);
    let closed = refusal(ledger.writer().record(Record::Begun(begun(3))));
    assert_eq!(closed.code, Code::LedgerGap);
    let gap = ledger.accept_gap("in tray 9".to_owned(), person()).unwrap().unwrap();
    assert_eq!((gap.restored_seq, gap.restored.known_seq), (8, Some(12)));
    assert_eq!(ledger.accept_gap("again".to_owned(), person()).unwrap(), None);
    take(&ledger, begun(3), 3, Until::Passed);
    let anchor = Some(bench.dir.path().join("stick/anchor"));
    let audit = Audit { anchor, ..Audit::default() };
    let found = verify(&bench.dir.path().join("data"), &Checker, &audit).unwrap();
    assert_eq!((found.valid, found.why), (true, None));
}

#[test]
fn a_restore_goes_only_where_no_ledger_is() {
    let bench = Bench::new();
    bench.open().reader().unwrap().backup(&bench.backup(), &Checker).unwrap();
    assert_eq!(bench.restore().unwrap_err().code(), Code::LedgerExists);
}

#[test]
fn a_backup_that_was_tampered_with_is_not_restored() {
    let bench = Bench::new();
    let ledger = bench.open();
    ledger.writer().record(authority_seen()).unwrap();
    ledger.reader().unwrap().backup(&bench.backup(), &Checker).unwrap();
    drop(ledger);
    let copy = rusqlite::Connection::open(bench.backup()).unwrap();
    copy.execute_batch("UPDATE authorities SET seen_us = 0").unwrap();
    drop(copy);
    fs::remove_dir_all(bench.dir.path().join("data")).unwrap();
    assert_eq!(bench.restore().unwrap_err().code(), Code::LedgerJournal);
    assert!(!bench.dir.path().join("data").exists());
}

#[test]
fn a_backup_of_another_station_is_not_restored() {
    let bench = Bench::new();
    bench.open().reader().unwrap().backup(&bench.backup(), &Checker).unwrap();
    let other = Settings { station: "LINE-2".parse().unwrap(), ..settings(&bench.backup()) };
    let other = Settings { data_dir: bench.dir.path().join("other"), ..other };
    assert_eq!(restore(&bench.backup(), &other).unwrap_err().code(), Code::LedgerStation);
}

#[test]
fn a_log_whose_ledger_is_gone_is_not_played_into_what_is_restored() {
    let bench = Bench::new();
    let ledger = bench.open();
    ledger.writer().record(authority_seen()).unwrap();
    ledger.reader().unwrap().backup(&bench.backup(), &Checker).unwrap();
    take(&ledger, begun(1), 1, Until::Passed);
    // The log as a crash leaves it: it goes with the last connection otherwise.
    let data = bench.dir.path().join("data");
    let log = fs::read(data.join("ledger.db-wal")).unwrap();
    assert!(log.len() > 4096);
    drop(ledger);
    fs::remove_file(data.join("ledger.db")).unwrap();
    fs::write(data.join("ledger.db-wal"), &log).unwrap();
    bench.restore().unwrap();
    assert_eq!(bench.open().reader().unwrap().head().unwrap().seq, 3);
    let kept = fs::read_dir(&data).unwrap().flatten().any(|file| {
        file.file_name().to_string_lossy().contains(".left-")
            && fs::read(file.path()).unwrap() == log
    });
    assert!(kept, "the log was deleted");
}
