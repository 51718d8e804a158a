//! Opening: what is made, what is refused, and what the notes outside tell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::testing::*;
use crate::domain::code::Code;
use crate::{LEDGER_FILE, Ledger, LedgerError, Reader, Settings};

fn refused(settings: Settings) -> LedgerError {
    Ledger::open(settings, KEY.clone(), SetClock::new()).unwrap_err()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_directory_and_every_file_belong_to_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let _ledger = fresh(dir.path());
    assert_eq!(mode(&dir.path().join("data")), 0o700);
    let files: Vec<_> = fs::read_dir(dir.path().join("data")).unwrap().collect();
    assert!(files.len() >= 3);
    for file in files {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn every_commit_is_synced_and_every_reference_checked() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let connection = crate::keep::files::open_to_write(&dir.path().join("data/ledger.db")).unwrap();
    let value = |name: &str| -> String {
        let read = |row: &rusqlite::Row<'_>| match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => Ok(number.to_string()),
            text => Ok(text.as_str().unwrap().to_owned()),
        };
        connection.pragma_query_value(None, name, read).unwrap()
    };
    assert_eq!(value("journal_mode"), "wal");
    assert_eq!(value("synchronous"), "2");
    assert_eq!(value("foreign_keys"), "1");
    assert_eq!(value("cache_size"), "-512");
}

#[test]
fn nothing_is_made_on_a_file_system_that_can_not_hold_a_ledger() {
    let error = refused(Settings { data_dir: "/proc/station".into(), ..settings(Path::new("")) });
    assert_eq!(error.code(), Code::LedgerFileSystem);
}

#[test]
fn a_ledger_opens_again_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let instance = fresh(dir.path()).instance();
    let ledger = open(settings(dir.path()));
    assert_eq!(ledger.instance(), instance);
    assert_eq!(ledger.writer().record(authority_seen()).unwrap().seq, 3);
}

#[test]
fn a_ledger_that_must_be_there_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Ledger::open_existing(settings(dir.path()), KEY.clone(), SetClock::new());
    assert_eq!(opened.unwrap_err().code(), Code::LedgerOpen);
    assert!(!dir.path().join("data").exists());
    let read = Reader::open(&dir.path().join("data"), None);
    assert!(matches!(read, Err(LedgerError::Missing(_))));
}

#[test]
fn a_ledger_of_another_station_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let other = Settings { station: "LINE-2".parse().unwrap(), ..settings(dir.path()) };
    let error = refused(other.clone());
    assert_eq!(error.code(), Code::LedgerStation);
    assert_eq!(error.to_string(), "the ledger belongs to station LINE-1, this is LINE-2");
    let read = Reader::open(&other.data_dir, Some(&other.station)).unwrap_err();
    assert_eq!(read.code(), Code::LedgerStation);
}

#[test]
fn a_ledger_from_the_future_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let path = dir.path().join("data/ledger.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    assert_eq!(refused(settings(dir.path())).code(), Code::LedgerNewer);
    assert_eq!(Reader::open(&dir.path().join("data"), None).unwrap_err().code(), Code::LedgerNewer);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_damaged_file_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let path = dir.path().join("data/ledger.db");
    fs::write(&path, b"this is no database, whatever it was before").unwrap();
    assert_eq!(refused(settings(dir.path())).code(), Code::LedgerCorrupt);
    assert!(fs::read(&path).unwrap().starts_with(b"this is no database"));
}

#[test]
fn another_journal_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let opened = Ledger::open(settings(dir.path()), TestKey::fresh(), SetClock::new());
    assert_eq!(opened.unwrap_err().code(), Code::LedgerKey);
}

fn anchored(dir: &Path) -> Settings {
    fs::create_dir_all(dir.join("stick")).unwrap();
    Settings { anchor: Some(dir.join("stick/anchor")), ..settings(dir) }
}

#[test]
fn the_head_is_noted_beside_the_ledger_and_at_the_anchor() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(anchored(dir.path()));
    ledger.writer().record(authority_seen()).unwrap();
    let head = ledger.reader().unwrap().head().unwrap();
    drop(ledger);
    let beside = fs::read_to_string(dir.path().join("data/journal.head")).unwrap();
    assert!(beside.contains(&format!("\"seq\":2,\"hash\":\"{}\"", head.hash)), "{beside}");
    assert_eq!(fs::read_to_string(dir.path().join("stick/anchor")).unwrap(), beside);
}

#[test]
fn an_anchor_that_can_not_be_written_stops_nothing_and_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(anchored(dir.path()));
    assert_eq!(ledger.writer().anchor_fault(), None);
    fs::remove_dir_all(dir.path().join("stick")).unwrap();
    let writer = ledger.writer();
    writer.record(authority_seen()).unwrap();
    assert!(writer.anchor_fault().unwrap().detail.contains("stick/anchor"));
}

#[test]
fn a_ledger_older_than_its_anchor_does_not_go_on() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(anchored(dir.path())));
    let older = dir.path().join("older");
    copy_directory(&dir.path().join("data"), &older);
    open(anchored(dir.path())).writer().record(authority_seen()).unwrap();
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    fs::rename(&older, dir.path().join("data")).unwrap();
    let error = refused(anchored(dir.path()));
    assert_eq!(error.code(), Code::LedgerRolledBack);
    assert!(error.to_string().contains("it has entry 1, the anchor"), "{error}");
}

#[test]
fn a_ledger_that_was_thrown_away_is_not_begun_anew_beside_its_anchor() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(anchored(dir.path())));
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    assert_eq!(refused(anchored(dir.path())).code(), Code::LedgerRolledBack);
    assert!(!dir.path().join("data").exists());
}

#[test]
fn a_ledger_that_was_emptied_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(anchored(dir.path())));
    let file = dir.path().join("data").join(LEDGER_FILE);
    fs::write(&file, "").unwrap();
    assert_eq!(refused(anchored(dir.path())).code(), Code::LedgerRolledBack);
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
    assert!(!file.with_extension("db-wal").exists());
}

#[test]
fn an_empty_note_counts_as_none() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    fs::write(dir.path().join("data/journal.head"), b"").unwrap();
    assert!(Ledger::open(settings(dir.path()), KEY.clone(), SetClock::new()).is_ok());
}

#[test]
fn many_that_open_at_once_make_one_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let settings = anchored(dir.path());
    let ledgers: Vec<Ledger> = std::thread::scope(|scope| {
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| open(settings.clone()))).collect();
        opening.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let first = ledgers[0].instance();
    assert!(ledgers.iter().all(|ledger| ledger.instance() == first));
    assert_eq!(ledgers[0].reader().unwrap().head().unwrap().seq, 1);
}
