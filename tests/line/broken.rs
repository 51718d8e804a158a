//! Disks that are full, read-only or broken, files that are torn, clocks that jump: the line
//! stops and says so, nothing is lost, and what is damaged is set aside and never deleted.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::support::faulty::faulty;
use super::support::{Factory, Finished, LONG, Ledger, Plan, Process, label, labels};

const UNITS: usize = 4;

/// A batch whose disk or clock fails so.
fn faulty_batch(factory: &Factory, fault: &str, value: &str) -> Finished {
    let file = factory.path("serials.txt");
    fs::write(&file, labels(UNITS)).unwrap();
    let mut command = factory.command(&["batch", "--serials", file.to_str().unwrap()]);
    faulty(&mut command, fault, value);
    Process::start(command).finish(LONG)
}

/// After whatever came before: every unit is provisioned once, and the ledger holds.
fn assert_all_done_in_the_end(factory: &Factory) {
    factory.batch(&labels(UNITS)).expect(0);
    let proven = factory.ledger().in_state("proven");
    assert_eq!(proven.len(), UNITS, "{proven:?}");
    let held = super::support::keys::held_under(&factory.devices_dir());
    for row in &proven {
        let devices = held.iter().filter(|(_, held)| held.certificate == row.der).count();
        assert_eq!(devices, 1, "{} is in {devices} devices", row.serial);
    }
    assert_eq!(factory.ledger().count("SELECT count(*) FROM attempts WHERE ended_us IS NULL"), 0);
    factory.verify();
}

/// Lets the fault strike ever later, until it strikes no more.
fn sweep(fault: &str, code: &str, from: usize, step: usize) {
    let mut struck = 0;
    for round in 0..6 {
        let factory = Factory::usual();
        // Twice as many devices: some go with their attempt void.
        let _devices = factory.devices("A", 2 * UNITS as u32);
        let finished = faulty_batch(&factory, fault, &(from + round * step).to_string());
        if finished.code() != Some(0) {
            struck += 1;
            finished.expect_error(4, code);
        }
        assert_all_done_in_the_end(&factory);
    }
    assert!(struck >= 3, "{fault} struck {struck} times only");
}

#[test]
fn a_disk_that_fills_up_at_any_write_stops_the_line_and_nothing_is_lost() {
    sweep("FAULTY_WRITE", "E-LEDGER-DISK-FULL", 40, 29);
}

#[test]
fn a_sync_that_fails_stops_the_line_and_nothing_is_lost() {
    sweep("FAULTY_SYNC", "E-LEDGER-WRITE", 8, 5);
}

#[test]
fn a_system_that_gives_no_thread_is_told_whichever_it_refuses() {
    let mut struck = 0;
    loop {
        let factory = Factory::usual();
        let _devices = factory.devices("A", 2 * UNITS as u32);
        let finished = faulty_batch(&factory, "FAULTY_THREAD", &(struck + 1).to_string());
        // Whether the line can do without it or not, it is no bug of the station's.
        assert!(!finished.errors.contains("E-BUG"), "{struck}: {}", finished.story());
        if finished.code() == Some(0) {
            break;
        }
        finished.expect_error(1, "E-SHORTAGE");
        assert_all_done_in_the_end(&factory);
        struck += 1;
    }
    assert!(struck >= 6, "{struck} threads only");
}

#[test]
fn a_disk_that_can_t_be_read_is_told_and_the_ledger_is_not_moved() {
    let factory = Factory::usual();
    let devices = factory.devices("A", UNITS as u32);
    factory.batch(&labels(1)).expect(0);
    for first in [1, 4, 9] {
        let failed = faulty_batch(&factory, "FAULTY_READ", &first.to_string());
        assert_eq!(failed.code(), Some(4), "{}", failed.story());
    }
    assert!(Ledger::file(&factory.data_dir()).exists(), "an I/O error is no damage");
    assert!(aside(&factory).is_empty());
    assert_all_done_in_the_end(&factory);
    drop(devices);
}

#[test]
fn a_read_only_disk_is_told_before_a_device_is_touched() {
    let factory = Factory::usual();
    let devices = factory.devices("A", UNITS as u32);
    factory.batch(&labels(1)).expect(0);
    let entries = factory.ledger().entries();
    let refused = faulty_batch(&factory, "FAULTY_OPEN", "1");
    assert_eq!(refused.code(), Some(4), "{}", refused.story());
    assert!(refused.errors.contains("error[E-LEDGER-"), "{}", refused.story());
    assert!(refused.units().is_empty(), "{}", refused.story());
    assert_eq!(factory.ledger().entries(), entries);
    // Whoever only asks is answered.
    assert_eq!(factory.show(&label(1))["state"], "proven");
    drop(devices);
}

/// A line that was killed after it had provisioned some units: its log is there still.
fn killed_after(factory: &Factory, units: usize) {
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    for number in 1..=units {
        batch.say(&(label(number) + "\n"));
        assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    }
    batch.kill();
}

fn log(factory: &Factory) -> PathBuf {
    factory.data_dir().join("ledger.db-wal")
}

#[test]
fn a_log_with_a_torn_end_loses_what_was_never_committed_and_nothing_else() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", UNITS as u32);
    killed_after(&factory, 2);
    // As a power cut in the middle of a write leaves it.
    let mut file = OpenOptions::new().append(true).open(log(&factory)).unwrap();
    file.write_all(&[0x5a; 5_000]).unwrap();
    drop(file);
    assert_all_done_in_the_end(&factory);
}

#[test]
fn a_log_that_lost_commits_is_an_older_copy_and_refused() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", UNITS as u32);
    killed_after(&factory, 2);
    // What had been synced is gone, as no sound disk does it: SQLite reads a log up to the
    // first frame that is spoilt.
    let mut file = OpenOptions::new().write(true).open(log(&factory)).unwrap();
    let half = file.metadata().unwrap().len() / 2;
    file.seek(SeekFrom::Start(half)).unwrap();
    file.write_all(&[0x5a; 5_000]).unwrap();
    drop(file);
    let refused = factory.batch(&labels(UNITS)).expect_error(4, "E-LEDGER-ROLLED-BACK");
    assert!(refused.units().is_empty(), "{}", refused.story());
}

/// The ledgers that were set aside.
fn aside(factory: &Factory) -> Vec<PathBuf> {
    let files = fs::read_dir(factory.data_dir()).unwrap().map(|file| file.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let ledger = |path: &PathBuf| {
        let name = name(path);
        name.starts_with("ledger.db.broken-")
            && ![".txt", "-wal", "-shm"].iter().any(|end| name.ends_with(end))
    };
    files.filter(ledger).collect()
}

#[test]
fn a_corrupt_page_in_the_middle_sets_the_ledger_aside_and_its_backup_brings_the_line_back() {
    let factory = Factory::usual();
    let devices = factory.devices("A", 2 * UNITS as u32);
    // The line backs up by itself when it starts; here after it ended, nothing is missing.
    factory.batch(&labels(UNITS)).expect(0);
    let entries = factory.ledger().count("SELECT count(*) FROM journal");
    let name = format!("backups/line-1-20260101T000000Z-{entries:010}.db");
    let backup = factory.data_dir().join(name);
    factory.run(&["ledger", "backup", backup.to_str().unwrap()]).expect(0);
    factory.ledger().tamper("");
    let file = Ledger::file(&factory.data_dir());
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(&file, &bytes).unwrap();
    let told = factory.batch(&labels(UNITS)).expect_error(4, "E-LEDGER-CORRUPT");
    assert!(told.errors.contains("set aside as") && told.errors.contains("--newest"), "{told:?}");
    assert!(told.units().is_empty(), "{}", told.story());
    let aside = aside(&factory);
    assert_eq!(aside.len(), 1);
    assert!(fs::read(&aside[0]).unwrap() == bytes, "the evidence was changed");
    // It does not go on by itself, however often it is started.
    factory.batch(&labels(UNITS)).expect_error(4, "E-LEDGER-SET-ASIDE");
    assert!(!file.exists());
    let restored = factory.run(&["ledger", "restore", "--newest", "--by", "s1"]).expect(0).only();
    assert_eq!(restored["from"], backup.to_str().unwrap());
    factory.batch(&labels(UNITS)).expect_error(4, "E-LEDGER-GAP");
    let why = ["ledger", "accept-gap", "--reason", "the backup was the newest there is"];
    factory.run(&why).expect(0);
    assert_eq!(factory.batch(&labels(UNITS)).expect(0).summary()["already_proven"], UNITS);
    factory.verify();
    drop(devices);
}

#[test]
fn damage_that_a_line_meets_while_it_runs_stops_it_and_sets_the_ledger_aside() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", UNITS as u32);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    batch.say(&(label(1) + "\n"));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    // Everything into the file, then all of it but its header is spoilt under the line.
    factory.ledger().tamper("");
    let file = Ledger::file(&factory.data_dir());
    let pages = fs::metadata(&file).unwrap().len() / 4096;
    let mut spoilt = OpenOptions::new().write(true).open(&file).unwrap();
    for page in 1..pages {
        spoilt.seek(SeekFrom::Start(page * 4096)).unwrap();
        spoilt.write_all(&[0x5a; 256]).unwrap();
    }
    drop(spoilt);
    for number in 2..=UNITS {
        batch.say(&(label(number) + "\n"));
    }
    let told = batch.finish(LONG).expect_error(4, "E-LEDGER-CORRUPT");
    assert!(told.errors.contains("set aside as"), "{}", told.story());
    assert_eq!(aside(&factory).len(), 1);
    factory.batch(&labels(UNITS)).expect_error(4, "E-LEDGER-SET-ASIDE");
}

const YEAR: i64 = 366 * 24 * 3600;

#[test]
fn a_clock_that_jumped_a_year_either_way_issues_nothing_until_a_person_says_so() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", UNITS as u32);
    factory.batch(&labels(1)).expect(0);
    let ahead = faulty_batch(&factory, "FAULTY_CLOCK", &YEAR.to_string());
    assert!(ahead.units().is_empty(), "{}", ahead.story());
    ahead.expect_error(7, "E-CLOCK-GAP");
    // Before the CA begins, which is told first.
    let behind = faulty_batch(&factory, "FAULTY_CLOCK", &(-YEAR).to_string());
    assert!(behind.units().is_empty(), "{}", behind.story());
    assert_eq!(behind.code(), Some(7), "{}", behind.story());
    let an_hour_behind = faulty_batch(&factory, "FAULTY_CLOCK", "-3600");
    assert!(an_hour_behind.units().is_empty());
    an_hour_behind.expect_error(7, "E-CLOCK-GAP");
    let mut command = factory.command(&["clock", "accept", "--reason", "a year of standstill"]);
    faulty(&mut command, "FAULTY_CLOCK", &YEAR.to_string());
    Process::start(command).finish(LONG).expect(0);
    faulty_batch(&factory, "FAULTY_CLOCK", &YEAR.to_string()).expect(0);
    factory.verify();
}

fn backups(factory: &Factory) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(factory.data_dir().join("backups")) else { return Vec::new() };
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .collect();
    files.sort();
    files
}

#[test]
fn a_line_backs_its_ledger_up_while_it_works() {
    let ledger = "reserve = \"1MiB\"\nbackup_every = \"1s\"";
    let factory = Factory::with(&Plan { ledger, ..Plan::default() });
    let _devices = factory.devices("A", 200);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    let (mut seen, mut number) = (std::collections::BTreeSet::new(), 0);
    let until = Instant::now() + LONG;
    while seen.len() < 4 && Instant::now() < until {
        number += 1;
        batch.say(&(label(number) + "\n"));
        assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
        seen.extend(backups(&factory));
    }
    assert!(seen.len() >= 4, "{seen:?}");
    let finished = batch.finish(LONG).expect(0);
    assert!(!finished.errors.contains("E-LEDGER-BACKUP"), "{}", finished.errors);
    assert!(seen.is_subset(&backups(&factory).into_iter().collect()), "one is gone: {seen:?}");
    let dir = factory.data_dir().join("backups");
    let dir = dir.to_str().unwrap();
    factory.run(&["ledger", "segments", "verify", dir]).expect(0);
    let other = factory.path("other");
    fs::create_dir(&other).unwrap();
    for key in ["journal.key", "journal.secret"] {
        fs::copy(factory.data_dir().join(key), other.join(key)).unwrap();
    }
    let elsewhere = ["--data-dir", other.to_str().unwrap()];
    factory.run(&[&elsewhere[..], &["ledger", "restore", dir]].concat()).expect(0);
    factory.run(&[&elsewhere[..], &["ledger", "verify"]].concat()).expect(0);
}

#[test]
fn a_backup_that_fails_is_a_warning_and_the_line_goes_on() {
    let ledger = "reserve = \"1MiB\"\nbackup_dir = \"stick/line-1\"";
    let factory = Factory::with(&Plan { ledger, ..Plan::default() });
    let _devices = factory.devices("A", 1);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    let until = Instant::now() + LONG;
    while !batch.errors().contains("warning[E-LEDGER-BACKUP]") && Instant::now() < until {
        assert!(!batch.ends_within(Duration::from_millis(20)), "{}", batch.errors());
    }
    batch.say(&(label(1) + "\n"));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    let finished = batch.finish(LONG).expect(0);
    assert!(finished.errors.contains("stick/line-1 is not there"), "{}", finished.errors);
    assert!(!factory.path("stick").exists());
}
