//! A ledger that can't be used is set aside, and no other begins in its place.

use std::fs;
use std::path::Path;

use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::{Ledger, Work, WorkLock, set_aside, set_aside_if_damaged};

const NOW: Timestamp = Timestamp(START);

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir.join("data"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ledger.db"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_ledger_that_is_sound_stays_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let data = dir.path().join("data");
    assert_eq!(set_aside_if_damaged(&data, "a mistake", NOW).unwrap(), None);
    assert_eq!(names(dir.path()), ["ledger.db"]);
}

#[test]
fn a_damaged_ledger_keeps_its_bytes_and_its_log_and_gets_a_note() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let data = dir.path().join("data");
    fs::write(data.join("ledger.db"), "no database at all".repeat(500)).unwrap();
    fs::write(data.join("ledger.db-wal"), "a log").unwrap();
    let aside = set_aside_if_damaged(&data, "it is malformed", NOW).unwrap().unwrap();
    let name = "ledger.db.broken-20260921T141320Z";
    assert_eq!(aside, data.join(name));
    assert_eq!(fs::read(data.join(format!("{name}-wal"))).unwrap(), b"a log");
    let left = names(dir.path()).into_iter().filter(|left| !left.starts_with(name));
    assert_eq!(left.count(), 0, "something stays under the ledger's name");
    assert!(fs::read_to_string(&aside).unwrap().starts_with("no database"));
    let note = fs::read_to_string(data.join(format!("{name}.txt"))).unwrap();
    assert!(note.contains("it is malformed") && note.contains("restore --newest"), "{note}");
}

#[test]
fn no_new_ledger_begins_where_one_was_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let data = dir.path().join("data");
    set_aside(&data, "it does not verify", NOW).unwrap();
    // Not even where nothing else tells of it.
    fs::remove_file(data.join("journal.head")).unwrap();
    let opened = Ledger::open(settings(dir.path()), KEY.clone(), SetClock::new());
    let error = opened.unwrap_err();
    assert_eq!(error.code(), Code::LedgerSetAside);
    assert!(error.to_string().contains("broken-20260921T141320Z"), "{error}");
    assert!(!data.join("ledger.db").exists());
}

#[test]
fn a_second_one_takes_no_name_away() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(fresh(dir.path()));
    let first = set_aside(&data, "first", NOW).unwrap();
    fs::write(data.join("ledger.db"), "another").unwrap();
    let second = set_aside(&data, "second", NOW).unwrap();
    assert_ne!(first, second);
    assert_eq!(fs::read(second).unwrap(), b"another");
}

#[test]
fn a_ledger_that_somebody_works_on_is_not_moved_away_under_him() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let data = dir.path().join("data");
    let lock = WorkLock::take(&data, Work::Sync).unwrap();
    assert_eq!(set_aside(&data, "why", NOW).unwrap_err().code(), Code::LedgerBusy);
    drop(lock);
    assert!(set_aside(&data, "why", NOW).is_ok());
}
