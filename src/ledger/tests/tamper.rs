//! What is done to a copy of the file is found, and the first bad entry is named.

use std::fs;
use std::path::PathBuf;

use rusqlite::{Connection, params};

use super::testing::*;
use crate::domain::code::Code;
use crate::domain::evidence::HeadSigner;
use crate::domain::record::Record;
use crate::{Audit, Settings, Verification, check, verify};

/// A closed ledger of 17 entries: 1 created, 2 the CA, then three units of five.
struct Evidence {
    dir: tempfile::TempDir,
}

const ENTRIES: u64 = 17;

fn evidence() -> Evidence {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("stick")).unwrap();
    let evidence = Evidence { dir };
    let ledger = open(evidence.settings());
    ledger.writer().record(authority_seen()).unwrap();
    for number in 1..=3 {
        take(&ledger, begun(number), number, Until::Passed);
    }
    evidence
}

impl Evidence {
    fn settings(&self) -> Settings {
        let anchor = Some(self.dir.path().join("stick/anchor"));
        Settings { anchor, ..settings(self.dir.path()) }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What an intruder with the file does, without any rule of the schema in the way.
    fn tamper(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    fn connection(&self) -> Connection {
        let connection = Connection::open(self.data().join("ledger.db")).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection
    }

    fn verify(&self) -> Verification {
        let anchor = Some(self.dir.path().join("stick/anchor"));
        let audit = Audit { anchor, expected_key: Some(KEY.public_key()), ..Audit::default() };
        verify(&self.data(), &Checker, &audit).unwrap()
    }

    fn found(&self) -> (Option<u64>, Option<Code>) {
        let found = self.verify();
        assert!(!found.valid);
        (found.first_bad_entry, found.code)
    }
}

#[test]
fn an_untouched_ledger_holds() {
    let evidence = evidence();
    let found = evidence.verify();
    assert_eq!((found.valid, found.entries, found.why), (true, ENTRIES, None));
    assert_eq!(found.remarks, []);
    assert_eq!(check(&evidence.data()).unwrap(), ENTRIES);
}

#[test]
fn every_byte_of_an_entry_counts() {
    let evidence = evidence();
    let connection = evidence.connection();
    let sql = "SELECT entry FROM journal WHERE seq = 6";
    let entry: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    for place in 0..entry.len() {
        let mut changed = entry.clone();
        changed[place] ^= 1;
        let sql = "UPDATE journal SET entry = ?1 WHERE seq = 6";
        connection.execute(sql, [changed]).unwrap();
        let audit = Audit { skip_tables: true, ..Audit::default() };
        let found = verify(&evidence.data(), &Checker, &audit).unwrap();
        assert_eq!(found.first_bad_entry, Some(6), "byte {place}");
    }
}

#[test]
fn a_removed_entry_is_named() {
    let evidence = evidence();
    evidence.tamper("DELETE FROM journal WHERE seq = 9");
    assert_eq!(evidence.found(), (Some(9), Some(Code::LedgerJournal)));
}

#[test]
fn swapped_entries_are_found_at_the_first() {
    let evidence = evidence();
    evidence.tamper(
        "UPDATE journal SET seq = -1 WHERE seq = 7; UPDATE journal SET seq = 7 WHERE seq = 8;
         UPDATE journal SET seq = 8 WHERE seq = -1;",
    );
    assert_eq!(evidence.found(), (Some(7), Some(Code::LedgerJournal)));
}

/// Someone who also computes the hashes anew, up to the end.
fn forge(evidence: &Evidence, from: u64, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let connection = evidence.connection();
    let mut head = crate::journal::head::Head::NONE.hash;
    for seq in 1..=ENTRIES {
        let number = i64::try_from(seq).unwrap();
        let sql = "SELECT entry FROM journal WHERE seq = ?1";
        let entry: Vec<u8> = connection.query_row(sql, [number], |row| row.get(0)).unwrap();
        let entry = if seq == from { change(entry) } else { entry };
        head = head.of_next(&entry);
        let sql = "UPDATE journal SET entry = ?2, hash = ?3 WHERE seq = ?1";
        connection.execute(sql, params![number, entry, head.0]).unwrap();
    }
}

#[test]
fn a_chain_that_was_computed_anew_fails_at_the_first_signed_head() {
    let evidence = evidence();
    forge(&evidence, 6, |entry| {
        let text = String::from_utf8_lossy(&entry[22..]).replace("\"command\"", "\"power\"");
        [&entry[..18], &u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
    });
    let found = evidence.verify();
    assert_eq!((found.valid, found.first_bad_entry), (false, Some(6)));
    assert!(found.why.unwrap().contains("the signature of the head at entry 6"));
}

#[test]
fn a_cut_tail_is_told_as_a_cut() {
    let evidence = evidence();
    evidence.tamper("DELETE FROM journal WHERE seq > 12");
    assert_eq!(evidence.found(), (None, Some(Code::LedgerCut)));
    evidence.tamper("DELETE FROM heads WHERE seq > 12");
    assert_eq!(evidence.found(), (None, Some(Code::LedgerCut)));
}

#[test]
fn a_tail_cut_with_every_trace_in_the_file_is_told_by_the_notes() {
    let evidence = evidence();
    evidence.tamper(
        "DELETE FROM journal WHERE seq > 12; DELETE FROM heads WHERE seq > 12;
         UPDATE ledger SET last_seq = 12",
    );
    assert_eq!(evidence.found(), (None, Some(Code::LedgerRolledBack)));
    // Without the notes the tables still hold what the cut entries did.
    fs::remove_file(evidence.data().join("journal.head")).unwrap();
    let found = verify(&evidence.data(), &Checker, &Audit::default()).unwrap();
    assert_eq!(found.code, Some(Code::LedgerJournal));
    assert!(found.why.unwrap().starts_with("the tables are not what the journal says"));
}

#[test]
fn an_unsigned_tail_does_not_hold() {
    let evidence = evidence();
    evidence.tamper("DELETE FROM heads WHERE seq > 15");
    assert_eq!(evidence.found(), (Some(16), Some(Code::LedgerJournal)));
}

#[test]
fn an_older_copy_is_told_as_rolled_back() {
    for with_its_head_file in [false, true] {
        let evidence = evidence();
        let older = evidence.dir.path().join("older");
        copy_directory(&evidence.data(), &older);
        take(&open(evidence.settings()), begun(4), 4, Until::Passed);
        for file in fs::read_dir(&older).unwrap().map(Result::unwrap) {
            if with_its_head_file || file.file_name() != "journal.head" {
                fs::copy(file.path(), evidence.data().join(file.file_name())).unwrap();
            }
        }
        assert_eq!(evidence.found(), (None, Some(Code::LedgerRolledBack)));
        let why = evidence.verify().why.unwrap();
        assert!(why.contains("has entry 17,") && why.contains("knows entry 22"), "{why}");
    }
}

#[test]
fn an_older_copy_that_went_on_is_told_as_rolled_back() {
    let evidence = evidence();
    let older = evidence.dir.path().join("older");
    copy_directory(&evidence.data(), &older);
    take(&open(evidence.settings()), begun(4), 4, Until::Issued);
    let anchor = fs::read(evidence.dir.path().join("stick/anchor")).unwrap();
    fs::remove_dir_all(evidence.data()).unwrap();
    fs::rename(&older, evidence.data()).unwrap();
    fs::remove_file(evidence.dir.path().join("stick/anchor")).unwrap();
    take(&open(evidence.settings()), begun(5), 5, Until::Passed);
    fs::write(evidence.dir.path().join("stick/anchor"), anchor).unwrap();
    assert_eq!(evidence.found(), (None, Some(Code::LedgerRolledBack)));
}

#[test]
fn an_edited_table_is_found_and_the_row_named() {
    let evidence = evidence();
    evidence.tamper("UPDATE units SET finished = 0 WHERE serial = 'TH-00000002'");
    let found = evidence.verify();
    assert_eq!(found.code, Some(Code::LedgerJournal));
    assert!(found.why.unwrap().ends_with("units, row TH-00000002: finished differs"));
    evidence.tamper("DELETE FROM counts WHERE what = 'units'");
    assert!(check(&evidence.data()).is_err());
}

#[test]
fn a_row_too_many_and_a_row_too_few_are_found() {
    let evidence = evidence();
    evidence.tamper("DELETE FROM outbox WHERE id = 2");
    assert!(evidence.verify().why.unwrap().ends_with("outbox lacks the row 2"));
    evidence.tamper(
        "INSERT INTO outbox SELECT 2, station, sn, client_id, 'register', 'waiting', NULL, 0, 0,
                0, NULL, NULL, NULL
            FROM certificates WHERE serial = 'TH-00000002';
         INSERT INTO work_orders VALUES ('X', 'S', 'P', 1, NULL, NULL, 'none', x'00', 1, 0, 0, 0, 0)",
    );
    assert!(evidence.verify().why.unwrap().contains("work_orders has a row X too many"));
}

#[test]
fn a_head_signed_by_another_key_is_not_the_stations() {
    let evidence = evidence();
    let other = Audit { expected_key: Some(TestKey::fresh().public_key()), ..Audit::default() };
    let found = verify(&evidence.data(), &Checker, &other).unwrap();
    assert_eq!((found.valid, found.code), (false, Some(Code::LedgerKey)));
    assert_eq!(found.key, Some(KEY.public_key()));
}

#[test]
fn a_spoilt_older_signature_is_found_when_every_head_is_checked() {
    let evidence = evidence();
    evidence.tamper("UPDATE heads SET signature = zeroblob(64) WHERE seq = 9");
    assert!(evidence.verify().valid, "the newest head covers every entry");
    let audit = Audit { every_head: true, ..Audit::default() };
    let found = verify(&evidence.data(), &Checker, &audit).unwrap();
    assert_eq!(found.first_bad_entry, Some(9));
}

#[test]
fn a_note_that_is_not_signed_is_no_witness() {
    let evidence = evidence();
    let path = evidence.data().join("journal.head");
    let note = fs::read_to_string(&path).unwrap();
    fs::write(&path, note.replace("\"seq\":17", "\"seq\":99")).unwrap();
    let found = evidence.verify();
    assert!(found.valid);
    assert!(
        found.remarks[0].english.contains("it was changed, and counts for nothing"),
        "{found:?}"
    );
    // Whoever writes judges it the same, says so, and keeps it.
    let ledger = open(evidence.settings());
    assert_eq!(ledger.altered_notes().map(|fault| fault.code), Some(Code::LedgerNote));
    ledger.writer().record(authority_seen()).unwrap();
    drop(ledger);
    let kept = fs::read_dir(evidence.data()).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(kept.filter(|name| name.to_string_lossy().contains("head.bad-")).count(), 1);
    assert_eq!(evidence.verify().remarks, []);
}

#[test]
fn an_altered_anchor_is_told_and_counts_for_nothing() {
    let evidence = evidence();
    let path = evidence.dir.path().join("stick/anchor");
    let note = fs::read_to_string(&path).unwrap();
    let signature = note.find("\"signature\":\"").unwrap() + 13;
    let zeroed = format!("{}{}{}", &note[..signature], "0".repeat(128), &note[signature + 128..]);
    fs::write(&path, zeroed).unwrap();
    assert!(evidence.verify().remarks[0].english.contains("the anchor"));
    assert!(open(evidence.settings()).altered_notes().is_some());
}

/// Old heads prove nothing that the newest does not; their number is told.
#[test]
fn old_heads_that_were_taken_away_show_in_their_number() {
    let evidence = evidence();
    let before = evidence.verify().heads;
    evidence.tamper("DELETE FROM heads WHERE seq IN (5, 6, 7)");
    let found = evidence.verify();
    assert_eq!((found.valid, found.heads), (true, before - 3));
}

#[test]
fn a_ledger_that_nothing_speaks_for_is_not_vouched_for() {
    let evidence = evidence();
    let audit = |certified: Vec<crate::domain::ids::PublicKey>| Audit {
        certified: Some(certified),
        ..Audit::default()
    };
    let judged = |audit: &Audit| verify(&evidence.data(), &Checker, audit).unwrap().code;
    assert_eq!(judged(&audit(Vec::new())), None, "the note knows it");
    fs::remove_file(evidence.data().join("journal.head")).unwrap();
    assert_eq!(judged(&audit(Vec::new())), Some(Code::LedgerUnvouched));
    assert_eq!(judged(&audit(vec![TestKey::fresh().public_key()])), Some(Code::LedgerUnvouched));
    assert_eq!(judged(&audit(vec![KEY.public_key()])), None, "the CA certified its key");
    let other = Audit { station: Some("LINE-2".parse().unwrap()), ..Audit::default() };
    assert_eq!(judged(&other), Some(Code::LedgerStation));
}

#[test]
fn a_missing_ledger_and_a_missing_note_are_told_apart() {
    let evidence = evidence();
    fs::remove_file(evidence.data().join("journal.head")).unwrap();
    let found = evidence.verify();
    assert!(found.valid && found.remarks[0].english.contains("journal.head is missing"));
    let nowhere = evidence.dir.path().join("nowhere");
    let error = verify(&nowhere, &Checker, &Audit::default()).unwrap_err();
    assert_eq!(error.code(), Code::LedgerOpen);
}

#[test]
fn a_damaged_page_is_found() {
    let evidence = evidence();
    evidence.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let path = evidence.data().join("ledger.db");
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(4096).step_by(61) {
        *byte ^= 0x5a;
    }
    fs::write(&path, bytes).unwrap();
    let outcome = verify(&evidence.data(), &Checker, &Audit::default());
    let code = match outcome {
        Ok(found) => found.code.unwrap(),
        Err(error) => error.code(),
    };
    assert_eq!(code, Code::LedgerCorrupt);
}

#[test]
fn a_ledger_on_a_medium_that_can_not_be_written_verifies() {
    let evidence = evidence();
    evidence.tamper("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    let path = evidence.data().join("ledger.db");
    let connection = crate::keep::files::open_untouchable(&path).unwrap();
    let head = crate::journal::head::Head::read(&connection).unwrap();
    assert_eq!(head.seq, ENTRIES);
    assert!(connection.execute_batch("CREATE TABLE x (y)").is_err());
}

#[test]
fn a_ledger_in_use_verifies_while_it_is_written() {
    let evidence = evidence();
    let ledger = open(evidence.settings());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 100;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                ledger.writer().record(Record::Begun(begun(number))).unwrap();
                number += 1;
            }
        });
        for _ in 0..5 {
            let found = evidence.verify();
            assert_eq!((found.valid, found.why), (true, None));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
