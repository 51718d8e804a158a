//! Thirty-two slots at once.

use std::fs;
use std::path::Path;

use super::support::factory::keep_private;
use super::support::{Factory, LONG, Plan, label, labels};

const SLOTS: usize = 32;
const UNITS_A_SLOT: u32 = 3;
const UNITS: usize = SLOTS * UNITS_A_SLOT as usize;

#[test]
fn thirty_two_slots_work_at_once_and_are_backed_up_while_they_do() {
    let factory = Factory::with_slots(SLOTS);
    let names: Vec<_> = (0..SLOTS).map(slot_of).collect();
    let _devices: Vec<_> = names.iter().map(|slot| factory.devices(slot, UNITS_A_SLOT)).collect();
    let mut batch = factory.start_batch(&labels(UNITS));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    let backup = factory.path("backup.db");
    factory.run(&["ledger", "backup", backup.to_str().unwrap()]).expect(0);
    assert!(!batch.ends_within(std::time::Duration::ZERO), "the run ended before the backup");
    let finished = batch.finish(LONG).expect(0);
    assert_eq!(finished.summary()["passed"], UNITS);

    let entries = factory.verify()["entries"].as_i64().unwrap();
    let commits = factory.ledger().count("SELECT count(*) FROM heads");
    assert!(commits < entries, "{commits} commits for {entries} entries");

    assert_restores(&factory, &backup, entries);
}

fn slot_of(index: usize) -> String {
    let letter = |index: usize| char::from(b'A' + u8::try_from(index).unwrap());
    if index < 26 { letter(index).to_string() } else { format!("A{}", letter(index - 26)) }
}

/// The backup restores into a data directory that has nothing but the journal's key, and
/// verifies there.
fn assert_restores(factory: &Factory, backup: &Path, entries: i64) {
    let elsewhere = factory.path("restored");
    fs::create_dir(&elsewhere).unwrap();
    for name in ["journal.key", "journal.secret"] {
        let copy = elsewhere.join(name);
        fs::copy(factory.data_dir().join(name), &copy).unwrap();
        keep_private(&copy);
    }
    let there = ["--data-dir", elsewhere.to_str().unwrap()];
    let run = |arguments: &[&str]| factory.run(&[&there[..], arguments].concat());
    run(&["ledger", "restore", backup.to_str().unwrap()]).expect(0);
    let verified = run(&["ledger", "verify"]).expect(0).only();
    assert_eq!(verified["valid"], true);
    let restored = verified["entries"].as_i64().unwrap();
    // Taken during the run: some of it, and the entry that says that it was restored.
    assert!((10..=entries).contains(&restored), "{restored} of {entries} entries");
    let units = run(&["unit", "list"]).expect(0).events();
    assert!(!units.is_empty());
    let again = run(&["ledger", "restore", backup.to_str().unwrap()]);
    assert!(again.errors.contains("error[E-LEDGER-EXISTS]"), "{}", again.story());
    again.expect(4);
}

#[test]
fn a_ledger_restored_without_its_journal_key_verifies_once_the_ca_certified_another() {
    let factory = Factory::usual();
    let devices = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    drop(devices);
    let backup = factory.path("backup.db");
    factory.run(&["ledger", "backup", backup.to_str().unwrap()]).expect(0);
    let elsewhere = factory.path("restored");
    let there = ["--data-dir", elsewhere.to_str().unwrap()];
    let run = |arguments: &[&str]| factory.run(&[&there[..], arguments].concat());
    run(&["ledger", "restore", backup.to_str().unwrap()]).expect(0);
    run(&["ledger", "accept-gap", "--reason", "nothing came after the backup"]).expect(0);
    let _another = factory.another_device("A");
    let serials = factory.path("serials.txt");
    fs::write(&serials, labels(2)).unwrap();
    let finished = run(&["batch", "--serials", serials.to_str().unwrap()]).expect(0);
    assert_eq!(finished.unit(&label(1))["code"], "E-UNIT-PROVEN", "{}", finished.story());
    assert_eq!(finished.unit(&label(2))["outcome"], "pass", "{}", finished.story());
    assert_eq!(run(&["ledger", "verify"]).expect(0).only()["valid"], true);
}

#[test]
fn the_demo_runs_with_thirty_two_slots() {
    let mut command = super::support::factory::station();
    command.args(["demo", "--headless", "--json", "--slots", "32", "--units", "64"]);
    let finished = super::support::Process::start(command).finish(LONG).expect(0);
    assert_eq!(finished.summary()["passed"], 64);
    let mut slots: Vec<_> = finished.units().iter().map(|unit| unit["slot"].to_string()).collect();
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), SLOTS);
}

#[test]
fn a_head_outside_the_ledger_is_written_to_the_anchor_too() {
    let plan = Plan { ledger: "reserve = \"1MiB\"\nanchor = \"anchor.head\"", ..Plan::default() };
    let factory = Factory::with(&plan);
    let _devices = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    let head = factory.verify()["head"].as_str().unwrap().to_owned();
    let anchor = fs::read_to_string(factory.path("anchor.head")).unwrap();
    assert!(anchor.contains(&head), "{anchor} does not name {head}");
}
