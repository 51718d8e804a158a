//! The ledger: verified, counted, saved, restored; and what is found when somebody, or
//! the disk, changed it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;

use crate::station::{Run, Station};

/// A station with a ledger of a few entries: two work orders, one of them closed.
fn station() -> Station {
    let station = Station::new();
    station.make_authority();
    begun(station)
}

/// The same under a CA that no other station has.
fn station_of_its_own_ca() -> Station {
    let station = Station::new();
    station.ok("authority init");
    begun(station)
}

fn begun(station: Station) -> Station {
    fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.ok("work-order create A --quantity 1");
    station.ok("work-order create B --quantity 1");
    station.ok("work-order close A");
    station
}

fn file(station: &Station) -> PathBuf {
    station.path("data/ledger.db")
}

/// Changes the ledger behind the station's back.
fn tamper(station: &Station, sql: &str) {
    let connection = Connection::open(file(station)).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
}

fn entries(station: &Station) -> u64 {
    station.ok("ledger verify --json").json_line()["entries"].as_u64().unwrap()
}

/// Runs `ledger verify --json`, which must fail with this code; gives its summary.
fn refuted(station: &Station, code: &str) -> serde_json::Value {
    let run = station.fails("ledger verify --json", code, 4);
    let summary = run.json_line();
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["valid"], false);
    assert_eq!(summary["code"], code);
    assert!(summary["why"].as_str().is_some_and(|why| why.len() > 10), "{summary}");
    // Each has them, if only to say that there are none.
    for key in ["entries", "head", "first_bad_entry"] {
        assert!(summary.get(key).is_some(), "{key} in {summary}");
    }
    summary
}

#[test]
fn a_ledger_that_holds_says_so() {
    let station = station();
    let summary = station.ok("ledger verify --json").json_line();
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["valid"], true);
    assert_eq!(summary["entries"], 4);
    assert_eq!(summary["head"].as_str().unwrap().len(), 64);
    assert!(station.ok("ledger check").stdout.contains("no damage"));
    assert!(station.ok("ledger stats").stdout.contains("0 passed"));
    let stats = station.ok("ledger stats --json").json_line();
    assert!(stats["first_pass_yield"].is_null());
    assert_eq!(stats["units"]["registered"], 0, "a state that no unit is in is named too");
}

#[test]
fn only_what_came_since_the_last_verify_is_read_again_on_request() {
    let station = station();
    let first = station.ok("ledger verify --new --json").json_line();
    assert!(first["remarks"][0].as_str().unwrap().contains("no earlier audit"), "{first}");
    assert_eq!(first["verified_before"], serde_json::Value::Null);
    station.ok("work-order create NEXT --quantity 3");
    // What is older is not looked at: that takes a whole verify.
    let changed = "UPDATE journal SET entry = CAST(substr(entry, 1, length(entry) - 1) || x'00' AS BLOB) WHERE seq = ";
    tamper(&station, &format!("{changed}2"));
    let second = station.ok("ledger verify --new --json").json_line();
    assert_eq!((&second["verified_before"], &second["entries"]), (&4.into(), &5.into()));
    refuted(&station, "E-LEDGER-JOURNAL");
    station.ok("work-order create LAST --quantity 3");
    tamper(&station, &format!("{changed}6"));
    let third = station.fails("ledger verify --new --json", "E-LEDGER-JOURNAL", 4).json_line();
    assert_eq!(third["first_bad_entry"], 6);
    // A journal that goes on otherwise from before the note is another one.
    tamper(&station, "UPDATE journal SET hash = zeroblob(32) WHERE seq = 5");
    station.fails("ledger verify --new", "E-LEDGER-ROLLED-BACK", 4);
}

#[test]
fn an_entry_changed_by_a_byte_is_named() {
    let station = station();
    tamper(
        &station,
        "UPDATE journal SET entry = CAST(substr(entry, 1, length(entry) - 1) || x'00' AS BLOB) WHERE seq = 3",
    );
    assert_eq!(refuted(&station, "E-LEDGER-JOURNAL")["first_bad_entry"], 3);
}

#[test]
fn an_entry_removed_is_named() {
    let station = station();
    tamper(&station, "DELETE FROM journal WHERE seq = 2");
    assert_eq!(refuted(&station, "E-LEDGER-JOURNAL")["first_bad_entry"], 2);
}

#[test]
fn entries_swapped_are_named() {
    let station = station();
    tamper(
        &station,
        "UPDATE journal SET seq = 900 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3;
         UPDATE journal SET seq = 3 WHERE seq = 900;",
    );
    assert_eq!(refuted(&station, "E-LEDGER-JOURNAL")["first_bad_entry"], 2);
}

#[test]
fn a_table_that_says_something_else_than_the_journal_is_told() {
    let station = station();
    tamper(&station, "UPDATE work_orders SET quantity = 1000 WHERE id = 'B'");
    refuted(&station, "E-LEDGER-JOURNAL");
    station.fails("ledger check", "E-LEDGER-JOURNAL", 4);
}

#[test]
fn a_cut_off_tail_is_told() {
    let station = station();
    tamper(&station, "DELETE FROM journal WHERE seq = 4");
    let summary = refuted(&station, "E-LEDGER-CUT");
    assert!(summary["why"].as_str().unwrap().contains("knows entry 4"), "{summary}");
    station.fails("work-order create D --quantity 1", "E-LEDGER-CUT", 4);
}

#[test]
fn an_older_copy_is_told_by_the_head_beside_it() {
    let station = station();
    let copy = station.path("older");
    save(&station, &copy);
    station.ok("work-order create C --quantity 1");
    put_back(&station, &copy);
    let summary = refuted(&station, "E-LEDGER-ROLLED-BACK");
    assert!(summary["why"].as_str().unwrap().contains("knows entry 5"), "{summary}");
    station.fails("work-order create D --quantity 1", "E-LEDGER-ROLLED-BACK", 4);
}

#[test]
fn an_older_copy_that_went_on_is_told_by_the_anchor() {
    let station = station();
    station.change("[[slots]]", "[ledger]\nanchor = \"anchor\"\n\n[[slots]]");
    station.ok("work-order create C --quantity 1");
    let copy = station.path("older");
    save(&station, &copy);
    station.ok("work-order create D --quantity 1");
    let witness = fs::read(station.path("anchor")).unwrap();
    put_back(&station, &copy);
    // Somebody also takes the notes away, goes on with the copy, and the medium with the
    // anchor comes back.
    fs::remove_file(station.path("data/journal.head")).unwrap();
    fs::remove_file(station.path("anchor")).unwrap();
    station.ok("work-order create E --quantity 1");
    station.ok("work-order create F --quantity 1");
    fs::write(station.path("anchor"), witness).unwrap();
    refuted(&station, "E-LEDGER-ROLLED-BACK");
    station.fails("work-order create G --quantity 1", "E-LEDGER-ROLLED-BACK", 4);
}

fn save(station: &Station, to: &std::path::Path) {
    tamper(station, "");
    fs::copy(file(station), to).unwrap();
}

fn put_back(station: &Station, from: &std::path::Path) {
    fs::copy(from, file(station)).unwrap();
    for beside in ["data/ledger.db-wal", "data/ledger.db-shm"] {
        fs::remove_file(station.path(beside)).ok();
    }
}

#[test]
fn a_damaged_file_is_told() {
    let station = station();
    let mut bytes = fs::read(file(&station)).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0x5a);
    }
    fs::write(file(&station), &bytes).unwrap();
    // Who only looks moves nothing.
    for line in ["ledger check", "unit list"] {
        station.fails(line, "E-LEDGER-CORRUPT", 4);
    }
    assert_eq!(fs::read(file(&station)).unwrap(), bytes);
    fs::write(file(&station), "this is no ledger, but long enough for a header".repeat(100))
        .unwrap();
    station.fails("ledger verify", "E-LEDGER-CORRUPT", 4);
}

#[test]
fn whatever_keeps_a_ledger_from_being_audited_has_its_summary() {
    let station = station();
    // No line ran yet, so that the CA certified nothing.
    let named = station.fails("ledger verify --key ca.pem --json", "E-LEDGER-KEY", 4);
    assert_eq!(named.json_line()["first_bad_entry"], serde_json::Value::Null);
    station.change("id = \"line-1\"", "id = \"line-2\"");
    assert_eq!(refuted(&station, "E-LEDGER-STATION")["entries"], 4);
    station.change("id = \"line-2\"", "id = \"line-1\"");
    let damaged = "this is no ledger, but long enough for a header".repeat(100);
    for (bytes, code) in [(damaged.as_str(), "E-LEDGER-CORRUPT"), ("", "E-LEDGER-OPEN")] {
        fs::write(file(&station), bytes).unwrap();
        assert!(refuted(&station, code)["entries"].is_null());
    }
    fs::remove_dir_all(station.path("data")).unwrap();
    refuted(&station, "E-LEDGER-OPEN");
    // What is wrong with the command says nothing about a ledger.
    assert_eq!(station.fails("ledger verify --key nosuch --json", "E-INPUT", 2).stdout, "");
}

/// The files in the data directory that begin so.
fn files_named(station: &Station, start: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(station.path("data")).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(start))
        .collect();
    files.sort();
    files
}

#[test]
fn a_damaged_ledger_is_set_aside_and_nothing_goes_on_until_a_backup_is_back() {
    let station = station();
    station.ok("ledger backup saved");
    let damaged = "this is no ledger, but long enough for a header".repeat(100);
    fs::write(file(&station), &damaged).unwrap();
    let told = station.fails("work-order create C --quantity 1", "E-LEDGER-CORRUPT", 4);
    assert!(told.stderr.contains("set aside as") && told.stderr.contains("restore --newest"));
    let aside = files_named(&station, "ledger.db.broken-");
    assert_eq!(fs::read(&aside[0]).unwrap(), damaged.as_bytes());
    assert!(fs::read_to_string(aside.last().unwrap()).unwrap().contains("Why: "));
    // No head beside it tells of it any more; still no new one begins.
    fs::remove_file(station.path("data/journal.head")).unwrap();
    for line in ["work-order create C --quantity 1", "unit list", "ledger verify", "ledger stats"] {
        station.fails(line, "E-LEDGER-SET-ASIDE", 4).says("broken-");
    }
    let doctor = station.run("doctor --json").json();
    let ledger = doctor.iter().find(|line| line["check"] == "ledger").unwrap();
    assert_eq!(
        (&ledger["status"], &ledger["code"]),
        (&"fail".into(), &"E-LEDGER-SET-ASIDE".into())
    );
    station.ok("ledger restore saved --by s1");
    assert_eq!(files_named(&station, "ledger.db.broken-"), aside, "the evidence is gone");
    station.ok("ledger verify");
}

#[test]
fn a_person_sets_a_ledger_aside_that_does_not_verify() {
    let station = station();
    station.ok("ledger backup saved");
    tamper(&station, "UPDATE work_orders SET quantity = 1000 WHERE id = 'B'");
    refuted(&station, "E-LEDGER-JOURNAL");
    station.fails("ledger restore saved", "E-LEDGER-EXISTS", 4);
    let aside = station.ok("ledger set-aside --reason 'somebody edited it' --by s1 --json");
    let aside = PathBuf::from(aside.json_line()["set_aside"].as_str().unwrap());
    assert!(aside.exists());
    let note = fs::read_to_string(format!("{}.txt", aside.display())).unwrap();
    assert!(note.contains("somebody edited it (by s1, user "), "{note}");
    station.ok("ledger restore saved --by s1");
    station.ok("ledger verify");
}

/// A line that would start, had it a device.
fn batch(station: &Station) -> Run {
    station.run("batch --serials /dev/null --work-order B")
}

#[test]
fn a_restored_ledger_keeps_the_line_closed_until_the_gap_is_accepted() {
    let station = station();
    station.change("slot-a", "/dev/null");
    station.ok("ledger backup saved");
    station.ok("work-order create C --quantity 1");
    station.ok("ledger set-aside --reason 'the disk is dying' --by s1");
    let restored = station.ok("ledger restore saved --by s1 --json").json_line();
    assert_eq!((&restored["restored"], &restored["known"]), (&4.into(), &5.into()));
    let closed = batch(&station).failed("E-LEDGER-GAP", 4);
    assert!(closed.stderr.contains("entries 5 to 5 may be lost"), "{}", closed.stderr);
    station.fails("ledger accept-gap --reason ' '", "E-USAGE", 2);
    let accepted = station.ok("ledger accept-gap --reason 'only C is missing' --by s1 --json");
    assert_eq!(accepted.json_line()["accepted"], 5);
    let again = station.ok("ledger accept-gap --reason 'twice' --json").json_line();
    assert!(again["accepted"].is_null(), "{again}");
    assert!(!batch(&station).stderr.contains("E-LEDGER-GAP"));
    let notes = station.ok("ledger verify").stdout;
    assert!(notes.contains("entries 5 to 5 are lost"), "{notes}");
}

#[test]
fn the_newest_backup_that_holds_is_restored_and_the_others_are_told() {
    let station = station();
    station.change("[[slots]]", "[ledger]\nbackup_dir = \"saved\"\n\n[[slots]]");
    fs::create_dir(station.path("saved")).unwrap();
    station.fails("--data-dir other ledger restore --newest", "E-LEDGER-BACKUP", 4);
    station.ok("ledger backup saved/line-1-20260101T000000Z-0000000004.db");
    station.ok("work-order create C --quantity 1");
    station.ok("ledger backup saved/line-1-20260102T000000Z-0000000005.db");
    let newest = station.path("saved/line-1-20260102T000000Z-0000000005.db");
    let mut bytes = fs::read(&newest).unwrap();
    // Half of it, so that no page that is in use is spared by chance.
    let quarter = bytes.len() / 4;
    bytes[quarter..3 * quarter].fill(0x5a);
    fs::write(&newest, bytes).unwrap();
    station.ok("ledger set-aside --reason 'to try it' --by s1");
    let restored = station.ok("ledger restore --newest --by s1 --json");
    let line = restored.json_line();
    assert_eq!((&line["restored"], &line["known"]), (&4.into(), &5.into()));
    assert!(line["from"].as_str().unwrap().ends_with("line-1-20260101T000000Z-0000000004.db"));
    assert!(
        restored.stderr.contains("20260102T000000Z") && restored.stderr.contains("does not hold")
    );
}

#[test]
fn a_backup_of_a_history_that_a_restore_left_behind_is_not_the_newest() {
    let station = station();
    station.change("[[slots]]", "[ledger]\nbackup_dir = \"saved\"\n\n[[slots]]");
    fs::create_dir(station.path("saved")).unwrap();
    let back_up = |seq: u64| {
        let name = format!("saved/line-1-20260101T000000Z-{seq:010}.db");
        station.ok(&format!("ledger backup {name}"));
        name
    };
    let first = back_up(4);
    for order in ["C", "D", "E", "F"] {
        station.ok(&format!("work-order create {order} --quantity 1"));
    }
    back_up(8);
    station.ok("ledger set-aside --reason 'to try it' --by s1");
    station.ok(&format!("ledger restore {first} --by s1"));
    station.ok("ledger accept-gap --reason 'to try it' --by s1");
    let third = back_up(6);
    station.ok("ledger set-aside --reason 'once more' --by s1");
    let restored = station.ok("ledger restore --newest --by s1 --json");
    let line = restored.json_line();
    assert_eq!(line["restored"], 6);
    assert!(line["from"].as_str().unwrap().ends_with(&third), "{line}");
    restored.says("0000000008.db is of a history that an earlier restore left behind");
}

/// A page of SQLite's file that only leads to others begins so, and ends its head with the
/// number of the last of them (sqlite.org/fileformat.html, "B-tree Pages").
const INNER_PAGE: u8 = 5;

#[test]
fn a_backup_whose_pages_lead_in_a_circle_is_refused() {
    let station = station();
    for order in 0..40 {
        station.ok(&format!("work-order create more-{order} --quantity 1"));
    }
    station.ok("ledger backup saved.db");
    let mut bytes = fs::read(station.path("saved.db")).unwrap();
    let size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    let mut changed = 0;
    for (page, number) in bytes.chunks_mut(size).zip(1_u32..).skip(1) {
        if page[0] == INNER_PAGE {
            page[8..12].copy_from_slice(&number.to_be_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0, "the ledger is too small");
    fs::write(station.path("circle.db"), bytes).unwrap();
    let restore = "--data-dir other ledger restore circle.db --by s1";
    station.fails(restore, "E-LEDGER-CORRUPT", 4);
    assert!(!station.path("other/ledger.db").exists());
}

#[test]
fn a_ledger_of_a_newer_program_is_not_opened() {
    let station = station();
    tamper(&station, "PRAGMA user_version = 999");
    for line in ["unit list", "ledger verify", "work-order create C --quantity 1"] {
        station.fails(line, "E-LEDGER-NEWER", 4);
    }
}

#[test]
fn a_ledger_of_another_station_is_not_opened() {
    let station = station();
    station.change("id = \"line-1\"", "id = \"line-2\"");
    for line in ["unit list", "work-order create C --quantity 1", "ledger stats", "ledger verify"] {
        station.fails(line, "E-LEDGER-STATION", 4).says("line-1");
    }
}

#[test]
fn a_ledger_that_is_not_there_is_told() {
    let station = Station::new();
    for line in ["unit list", "ledger verify", "ledger stats", "ledger check", "ledger backup b"] {
        station.fails(line, "E-LEDGER-OPEN", 4);
    }
    assert!(!station.path("data").exists(), "a question made a ledger");
}

#[test]
fn a_file_system_that_can_t_hold_a_ledger_is_refused() {
    let station = Station::new();
    station.fails("unit list --data-dir /proc/station", "E-LEDGER-FILESYSTEM", 4).says("proc");
}

#[test]
fn a_write_that_fails_is_told() {
    let station = station();
    let ids: String = (0..20_000).map(|number| format!("{:016x}\n", number + 1)).collect();
    station.write("ids", &ids);
    let line = "work-order create C --quantity 1 --hardware-ids ids";
    // As on a disk that is full: files may not grow beyond 64 KiB. SIGXFSZ would end the
    // process, so it is ignored, and ignoring is inherited.
    let inner = station.command(line);
    let words: Vec<_> = inner.get_args().map(|word| word.to_string_lossy()).collect();
    let script = format!(
        "trap '' XFSZ; ulimit -f 128; exec {} {}",
        inner.get_program().to_string_lossy(),
        words.join(" ")
    );
    let mut shell = Command::new("sh");
    shell.current_dir(station.path(".")).args(["-c", &script]).env_remove("STATION_CONFIG");
    Run::of(&mut shell).failed("E-LEDGER-WRITE", 4);
    assert_eq!(entries(&station), 4, "nothing of it is there");
}

#[test]
fn a_journal_secret_that_was_replaced_is_told() {
    let station = station();
    station.write("data/journal.secret", "another secret");
    station.fails("work-order create C --quantity 1", "E-LEDGER-KEY", 4);
    fs::remove_file(station.path("data/journal.secret")).unwrap();
    station.fails("work-order create C --quantity 1", "E-SECRET-MISSING", 7);
    assert!(!station.path("data/journal.secret").exists(), "a new secret was made");
}

#[test]
fn a_backup_verifies_and_restores_into_an_empty_directory() {
    let station = station();
    let made = station.ok("ledger backup saved --json").json_line();
    assert_eq!(made["entries"], 4);
    station.fails("ledger backup saved", "E-LEDGER-EXISTS", 4);
    station.fails("ledger restore saved", "E-LEDGER-EXISTS", 4);
    station.fails("ledger restore nothing", "E-INPUT", 2);
    let restored = station.ok("--data-dir other ledger restore saved --by s1 --json").json_line();
    assert_eq!(restored["restored"], 4);
    station.ok("--data-dir other ledger verify");
    assert_eq!(station.ok("--data-dir other work-order list --json").json().len(), 2);
}

#[test]
fn a_backup_that_can_t_be_written_names_what_was_asked_for_and_why() {
    let station = station();
    fs::create_dir(station.path("dir")).unwrap();
    for (to, why) in [
        ("nodir/b.db", "No such file or directory"),
        ("ca.pem/b.db", "Not a directory"),
        ("dir", "is a directory"),
    ] {
        let run = station.fails(&format!("ledger backup {to}"), "E-OUTPUT", 1);
        let run = run.says(&format!("the backup {to} can't be written")).says(why);
        assert!(!run.stderr.contains(".tmp"), "{}", run.stderr);
    }
    assert_eq!(fs::read_dir(station.path("dir")).unwrap().count(), 0);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let station = station();
    station.ok("ledger backup saved");
    let connection = Connection::open(station.path("saved")).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = 0; DELETE FROM journal WHERE seq = 2").unwrap();
    drop(connection);
    let run = station.fails("--data-dir other ledger restore saved", "E-LEDGER-JOURNAL", 4);
    run.says("saved can't be restored: entry 2 of the journal");
    assert!(!station.path("other/ledger.db").exists());
    // The same where SQLite can't read it.
    let mut bytes = fs::read(station.path("saved")).unwrap();
    bytes[100..].fill(0x5a);
    fs::write(station.path("saved"), bytes).unwrap();
    let run = station.fails("--data-dir other ledger restore saved", "E-LEDGER-CORRUPT", 4);
    let run = run.says("saved can't be restored: the ledger's file is damaged");
    assert!(!run.stderr.contains("data directory"), "{}", run.stderr);
}

#[test]
fn what_never_was_a_backup_is_refused_before_anything_is_made() {
    let station = station();
    station.write("s.txt", &"no ledger, but as long as one\n".repeat(1000));
    station.write("empty", "");
    for name in ["s.txt", "empty", "nosuch"] {
        let line = format!("--data-dir other ledger restore {name}");
        station.fails(&line, "E-INPUT", 2).says(&format!("{name} is no backup"));
        assert!(!station.path("other").exists(), "{name}");
    }
}

#[test]
fn a_second_line_is_refused_and_the_first_is_named() {
    let station = station();
    station.change("slot-a", "/dev/null");
    let lock = fs::File::create(station.path("data/line.lock")).unwrap();
    fs::write(station.path("data/line.lock"), "4242\n").unwrap();
    lock.lock().unwrap();
    station.fails("batch --serials - --work-order B", "E-LEDGER-BUSY", 8).says("4242");
    station.ok("unit list");
}

#[test]
fn a_restored_ledger_says_what_may_be_missing() {
    let station = station();
    station.ok("ledger backup saved");
    station.ok("work-order create C --quantity 1");
    fs::remove_file(file(&station)).unwrap();
    for beside in ["data/ledger.db-wal", "data/ledger.db-shm"] {
        fs::remove_file(station.path(beside)).ok();
    }
    let restored = station.ok("ledger restore saved --json").json_line();
    assert_eq!((&restored["restored"], &restored["known"]), (&4.into(), &5.into()));
    station.ok("work-order create D --quantity 1");
    station.ok("ledger verify");
}

/// The finding of one of doctor's checks.
fn checked(station: &Station, check: &str) -> serde_json::Value {
    let lines = station.run("doctor --json").json();
    lines.into_iter().find(|line| line["check"] == check).unwrap()
}

#[test]
fn what_does_not_belong_in_a_ledger_is_named_by_whoever_opens_it() {
    let station = station();
    station.change("slot-a", "/dev/null");
    for (sql, name) in [
        ("CREATE TRIGGER watch BEFORE INSERT ON outbox BEGIN SELECT raise(ignore); END", "watch"),
        ("CREATE VIEW peep AS SELECT * FROM units", "peep"),
        ("CREATE TABLE gifts (x)", "gifts"),
        ("DROP INDEX units_proven_hardware", "units_proven_hardware"),
        ("CREATE UNIQUE INDEX once ON units (state)", "once"),
    ] {
        let sound = fs::read(file(&station)).unwrap();
        tamper(&station, sql);
        let why = refuted(&station, "E-LEDGER-SCHEMA")["why"].as_str().unwrap().to_owned();
        assert!(why.contains(name), "{why}");
        for line in
            ["ledger check", "ledger backup b", "unit list", "work-order create C --quantity 1"]
        {
            station.fails(line, "E-LEDGER-SCHEMA", 4).says(name);
        }
        batch(&station).failed("E-LEDGER-SCHEMA", 4).says(name);
        let finding = checked(&station, "ledger");
        assert_eq!(
            (&finding["status"], &finding["code"]),
            (&"fail".into(), &"E-LEDGER-SCHEMA".into())
        );
        // The same as a backup.
        fs::copy(file(&station), station.path("odd")).unwrap();
        station.fails("--data-dir other ledger restore odd", "E-LEDGER-SCHEMA", 4).says(name);
        assert!(!station.path("other/ledger.db").exists());
        fs::write(file(&station), sound).unwrap();
    }
    station.ok("ledger verify");
}

/// Each index of the ledger by its name, with the statement that made it.
fn indices(station: &Station) -> Vec<(String, String)> {
    let connection = Connection::open(file(station)).unwrap();
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Puts one in its place that has its name and holds no row.
fn hollow_out(station: &Station, name: &str, made: &str) {
    let (made, _) = made.split_once(" WHERE ").unwrap_or((made, ""));
    tamper(station, &format!("DROP INDEX {name}; {made} WHERE 0"));
    let (_, now) = indices(station).into_iter().find(|(found, _)| found == name).unwrap();
    assert!(now.ends_with("WHERE 0"), "the edit did not take: {now}");
}

#[test]
fn each_index_that_was_replaced_by_one_that_indexes_nothing_is_named() {
    let station = station();
    station.change("slot-a", "/dev/null");
    let indices = indices(&station);
    assert!(indices.len() > 20, "{indices:?}");
    let sound = fs::read(file(&station)).unwrap();
    for (name, made) in &indices {
        hollow_out(&station, name, made);
        let why = refuted(&station, "E-LEDGER-SCHEMA")["why"].as_str().unwrap().to_owned();
        assert!(why.contains(name), "{why}");
        station.fails("ledger check", "E-LEDGER-SCHEMA", 4).says(name);
        fs::write(file(&station), &sound).unwrap();
    }
    let (name, made) = indices.iter().find(|(name, _)| name == "outbox_open_once").unwrap();
    hollow_out(&station, name, made);
    batch(&station).failed("E-LEDGER-SCHEMA", 4).says(name);
    assert_eq!(checked(&station, "ledger")["code"], "E-LEDGER-SCHEMA");
    fs::copy(file(&station), station.path("odd")).unwrap();
    let restore = "--data-dir other ledger restore odd";
    station.fails(restore, "E-LEDGER-SCHEMA", 4).says(name);
}

#[test]
fn lost_and_odd_indices_are_made_anew_by_a_person_and_that_is_recorded() {
    let station = station();
    assert_eq!(
        station.ok("ledger reindex --reason why --json").json_line()["rebuilt"],
        serde_json::json!([])
    );
    tamper(
        &station,
        "DROP INDEX units_open; DROP INDEX acts_by_unit;
         CREATE INDEX acts_by_unit ON acts (serial) WHERE 0; CREATE INDEX twice ON units (state);
         ANALYZE",
    );
    station.fails("work-order create C --quantity 1", "E-LEDGER-SCHEMA", 4);
    station.fails("ledger reindex --reason ' '", "E-USAGE", 2);
    let told = station.ok("ledger reindex --reason 'somebody tried' --by s1 --json").json_line();
    let expected = ["acts_by_unit", "sqlite_stat1", "twice", "units_open"];
    assert_eq!(told["rebuilt"], serde_json::json!(expected));
    assert_eq!(entries(&station), 5);
    let connection = Connection::open(file(&station)).unwrap();
    let sql = "SELECT act || ' ' || reason || ' ' || operator FROM acts ORDER BY seq DESC LIMIT 1";
    let act: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(act, "indices-rebuilt somebody tried s1");
    station.ok("work-order create C --quantity 1");
}

#[test]
fn what_is_no_index_is_not_made_anew() {
    let station = station();
    tamper(&station, "DROP INDEX units_open; CREATE TABLE gifts (x)");
    station.fails("ledger reindex --reason why", "E-LEDGER-SCHEMA", 4).says("gifts");
    tamper(&station, "DROP TABLE gifts; UPDATE work_orders SET quantity = 9 WHERE id = 'B'");
    station.fails("ledger reindex --reason why", "E-LEDGER-JOURNAL", 4).says("work_orders");
    tamper(&station, "UPDATE work_orders SET quantity = 1 WHERE id = 'B'");
    assert!(station.ok("ledger reindex --reason why").stdout.contains("units_open"));
}

#[test]
fn what_others_may_read_or_change_is_named() {
    let station = station();
    assert_eq!(checked(&station, "files")["status"], "ok");
    for (name, mode) in [("data", 0o777), ("data/ledger.db", 0o666)] {
        let path = station.path(name);
        let was = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let finding = checked(&station, "files");
        assert_eq!(
            (&finding["status"], &finding["code"]),
            (&"warn".into(), &"E-LEDGER-MODE".into())
        );
        assert!(finding["detail"].as_str().unwrap().contains(&format!("({mode:o})")), "{finding}");
        fs::set_permissions(&path, was).unwrap();
    }
}

/// A data directory that is gone, while the note on another medium knows of a ledger.
#[test]
fn doctor_is_red_where_the_line_would_not_make_a_ledger() {
    let station = station();
    station.change("slot-a", "/dev/null");
    station.change("[[slots]]", "[ledger]\nanchor = \"anchor\"\n\n[[slots]]");
    station.ok("work-order create C --quantity 1");
    fs::rename(station.path("data"), station.path("gone")).unwrap();
    let finding = checked(&station, "ledger");
    assert_eq!(
        (&finding["status"], &finding["code"]),
        (&"fail".into(), &"E-LEDGER-ROLLED-BACK".into())
    );
    station.fails("batch --serials /dev/null", "E-LEDGER-ROLLED-BACK", 4);
}

#[test]
fn what_is_handed_out_is_its_owner_s_whatever_the_mask() {
    let station = station();
    let inner = station.command("authority export --out ca-copy.pem");
    let words: Vec<_> = inner.get_args().map(|word| word.to_string_lossy()).collect();
    let script =
        format!("umask 000; exec {} {}", inner.get_program().to_string_lossy(), words.join(" "));
    let mut shell = Command::new("sh");
    shell.current_dir(station.path(".")).args(["-c", &script]).env_remove("STATION_CONFIG");
    let run = Run::of(&mut shell);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let mode = fs::metadata(station.path("ca-copy.pem")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
}

/// A ledger of the same station id with a key and a CA of its own, put in this one's place.
#[test]
fn an_invented_ledger_of_the_same_station_is_not_certified() {
    let (station, other) = (station(), station_of_its_own_ca());
    for each in [&station, &other] {
        each.change("slot-a", "/dev/null");
        assert!(!batch(each).stderr.contains("E-LEDGER"));
    }
    station.ok("ledger verify");
    fs::remove_dir_all(station.path("data")).unwrap();
    fs::create_dir(station.path("data")).unwrap();
    for name in ["ledger.db", "journal.key", "journal.secret"] {
        fs::copy(other.path("data").join(name), station.path("data").join(name)).unwrap();
    }
    for _ in 0..2 {
        batch(&station).failed("E-LEDGER-UNVOUCHED", 4);
        refuted(&station, "E-LEDGER-UNVOUCHED");
        assert_eq!(checked(&station, "ledger")["code"], "E-LEDGER-UNVOUCHED");
    }
    // Where it is the own one after all, a person says so, and the CA certifies its key.
    let told = station.ok("ledger vouch --reason 'new CA, notes lost' --by s1 --json").json_line();
    let summary = station.ok("ledger verify --json").json_line();
    assert_eq!(told["vouched"], summary["instance"]);
    assert_eq!(summary["station"], "line-1");
    let remarks = summary["remarks"].to_string();
    assert!(remarks.contains("ran under CA"), "{remarks}");
    assert!(!batch(&station).stderr.contains("E-LEDGER"));
}

#[test]
fn a_witness_that_was_named_and_can_t_be_used_says_nothing_about_the_ledger() {
    let station = station();
    station.write("s.txt", "neither a certificate nor a note");
    for (line, why) in [
        ("ledger verify --key nosuch", "nosuch: can't be read: No such file"),
        ("ledger verify --key s.txt", "s.txt: holds no certificate"),
        ("ledger verify --key data", "data: can't be read: is a directory"),
        ("ledger verify --anchor nosuch", "nosuch can't be read\ncaused by: No such file"),
        ("ledger verify --anchor s.txt", "s.txt has no head of a journal in it"),
        ("ledger verify --anchor data", "data can't be read\ncaused by: is a directory"),
    ] {
        station.fails(line, "E-INPUT", 2).says(why);
    }
    // A certificate that certified nothing is another matter.
    let line = "ledger verify --key ca.pem";
    station.fails(line, "E-LEDGER-KEY", 4).says("ca.pem certified no journal key");
    station.change("slot-a", "/dev/null");
    batch(&station);
    station.ok("ledger verify --key ca.pem --anchor data/journal.head");
    // And where the ledger can't be asked, the CA is not to blame.
    fs::write(file(&station), "this is no ledger, but long enough for a header".repeat(100))
        .unwrap();
    station.fails(line, "E-LEDGER-CORRUPT", 4);
}

#[test]
fn a_note_with_a_digit_changed_is_judged_alike_by_everybody() {
    let station = station();
    station.change("slot-a", "/dev/null");
    // Another note speaks for the ledger.
    station.change("[[slots]]", "[ledger]\nanchor = \"anchor\"\n\n[[slots]]");
    station.ok("work-order close B");
    station.ok("work-order create B2 --quantity 1");
    let path = station.path("data/journal.head");
    let note = fs::read_to_string(&path).unwrap();
    fs::write(&path, note.replace("\"seq\":6", "\"seq\":9")).unwrap();
    assert!(station.ok("ledger verify").stdout.contains("it was changed"));
    let finding = checked(&station, "ledger");
    assert_eq!((&finding["status"], &finding["code"]), (&"warn".into(), &"E-LEDGER-NOTE".into()));
    let run = station.run("batch --serials /dev/null --work-order B2");
    assert!(!run.stderr.contains("E-LEDGER-ROLLED-BACK"), "{}", run.stderr);
    assert_eq!(files_named(&station, "journal.head.bad-").len(), 1);
}
