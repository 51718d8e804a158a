//! The backups that a line makes by itself: when, which stay, and whose fault a bad one is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::{BackupRule, Backups, Ledger};

const MINUTE: i64 = 60_000_000;

fn backups(dir: &Path, change: impl FnOnce(&mut BackupRule)) -> Backups {
    let mut rule =
        BackupRule { dir: None, every: Duration::from_secs(3_600), after: 1_000, keep: 3 };
    change(&mut rule);
    Backups::new(&settings(dir), rule)
}

fn at(minutes: i64) -> Timestamp {
    Timestamp(START + minutes * MINUTE)
}

fn made(backups: &Backups, ledger: &Ledger, minutes: i64) -> bool {
    backups.keep_up(&ledger.reader().unwrap(), &Checker, at(minutes)).unwrap().is_some()
}

#[test]
fn one_is_made_by_age_where_something_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |_| {}));
    assert!(made(&backups, &ledger, 0), "there was none");
    assert!(!made(&backups, &ledger, 120), "nothing changed");
    ledger.writer().record(authority_seen()).unwrap();
    assert!(!made(&backups, &ledger, 59), "the newest is young");
    assert!(made(&backups, &ledger, 60));
    let names: Vec<_> = backups
        .list()
        .unwrap()
        .into_iter()
        .map(|backup| backup.path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "LINE-1-20260921T141320Z-0000000001-0000000002.segment",
            "LINE-1-20260921T151320Z-0000000003-0000000003.segment",
        ]
    );
}

#[test]
fn one_is_made_by_count_however_young_the_newest_is() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |rule| rule.after = 3));
    assert!(made(&backups, &ledger, 0));
    for _ in 0..2 {
        ledger.writer().record(authority_seen()).unwrap();
        assert!(!made(&backups, &ledger, 1));
    }
    ledger.writer().record(authority_seen()).unwrap();
    assert!(made(&backups, &ledger, 1));
}

#[test]
fn one_from_a_wrong_clock_does_not_keep_the_next_away() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |_| {}));
    assert!(made(&backups, &ledger, 365 * 24 * 60));
    ledger.writer().record(authority_seen()).unwrap();
    assert!(made(&backups, &ledger, 0));
}

#[test]
fn a_clock_that_ran_ahead_costs_no_backup_and_the_newest_is_the_one_with_most_entries() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |_| {}));
    let days = 20 * 24 * 60;
    let backed_up = |minutes| {
        ledger.writer().record(authority_seen()).unwrap();
        assert!(made(&backups, &ledger, minutes));
    };
    // Some 20 days ahead; then the clock is set right.
    (0..3).for_each(|number| backed_up(days + number * 60));
    for number in 0..2 {
        backed_up(number * 60);
        let newest = ledger.reader().unwrap().head().unwrap().seq;
        assert_eq!(backups.list().unwrap().last().unwrap().seq, newest);
    }
}

#[test]
fn what_a_restore_left_behind_is_neither_the_newest_nor_removed() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |rule| rule.keep = 1));
    assert!(made(&backups, &ledger, 0));
    // Another history with more entries, in the same directory.
    let longer = fresh(other.path());
    for _ in 0..9 {
        longer.writer().record(authority_seen()).unwrap();
    }
    let left = backups.dir().join("LINE-1-20260901T000000Z-0000000011.db");
    longer.reader().unwrap().backup(&left, &Checker).unwrap();
    assert_eq!(backups.newest_of(2).unwrap().unwrap().seq, 2);
    ledger.writer().record(authority_seen()).unwrap();
    assert!(made(&backups, &ledger, 60));
    let kept: Vec<u64> = backups.list().unwrap().iter().map(|backup| backup.seq).collect();
    assert_eq!(kept, [2, 3, 11]);
}

#[test]
fn the_oldest_copies_go_when_segments_replace_them_and_only_those_of_this_station() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |_| {}));
    fs::create_dir(backups.dir()).unwrap();
    let others = ["LINE-2-20200101T000000Z-0000000001.db", "by-hand.db", "LINE-1-notes.db"];
    for other in others {
        fs::write(backups.dir().join(other), "kept").unwrap();
    }
    // Of a process that is gone, and of another program.
    let cut_off = ["LINE-1-20260921T141320Z-0000000001-0000000002.segment", "LINE-1.persons"];
    let cut_off = cut_off.map(|name| backups.dir().join(format!(".{name}.999999999.0.tmp")));
    cut_off.iter().for_each(|path| fs::write(path, "torn").unwrap());
    let letter = backups.dir().join(".letter.999999999.0.tmp");
    fs::write(&letter, "somebody's").unwrap();
    for seq in 2..7 {
        let copy = format!("LINE-1-20260901T000000Z-{seq:010}.db");
        ledger.reader().unwrap().backup(&backups.dir().join(copy), &Checker).unwrap();
        ledger.writer().record(authority_seen()).unwrap();
    }
    assert!(made(&backups, &ledger, 0));
    let kept: Vec<u64> = backups.list().unwrap().iter().map(|backup| backup.seq).collect();
    assert_eq!(kept, [4, 5, 6, 7]);
    assert!(others.iter().all(|other| backups.dir().join(other).exists()));
    assert!(!cut_off.iter().any(|path| path.exists()) && letter.exists());
}

#[test]
fn a_directory_that_was_named_and_is_not_there_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let medium = dir.path().join("stick/line-1");
    let (ledger, backups) =
        (fresh(dir.path()), backups(dir.path(), |rule| rule.dir = Some(medium.clone())));
    let failed = backups.keep_up(&ledger.reader().unwrap(), &Checker, at(0)).unwrap_err();
    assert_eq!(failed.code(), Code::LedgerBackup);
    assert!(!medium.exists());
}

#[test]
fn none_is_made_where_it_would_take_the_reserve_or_where_none_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let rule = backups(dir.path(), |_| {}).rule().clone();
    let greedy = crate::Settings { reserve_bytes: u64::MAX / 2, ..settings(dir.path()) };
    let greedy = Backups::new(&greedy, rule);
    let failed = greedy.keep_up(&ledger.reader().unwrap(), &Checker, at(0)).unwrap_err();
    assert_eq!(failed.code(), Code::LedgerBackup);
    assert!(!made(&backups(dir.path(), |rule| rule.keep = 0), &ledger, 0));
}

#[test]
fn a_ledger_that_does_not_hold_is_found_before_a_segment_of_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, backups) = (fresh(dir.path()), backups(dir.path(), |_| {}));
    assert!(made(&backups, &ledger, 0));
    let other = rusqlite::Connection::open(dir.path().join("data/ledger.db")).unwrap();
    other.execute_batch("UPDATE authorities SET seen_us = 0").unwrap();
    ledger.writer().record(authority_seen()).unwrap();
    let failed = backups.keep_up(&ledger.reader().unwrap(), &Checker, at(60)).unwrap_err();
    assert_eq!(failed.code(), Code::LedgerJournal);
    assert!(failed.is_about_its_contents());
    assert_eq!(backups.list().unwrap().len(), 1, "one was written, or the good one is gone");
}
