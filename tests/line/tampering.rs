//! What someone with an editor did to the ledger is found.

use std::fs;

use serde_json::Value;

use super::support::{Factory, Ledger, labels};

/// A factory whose ledger has some units in it.
fn with_units() -> Factory {
    let factory = Factory::usual();
    let devices = factory.devices("A", 3);
    factory.batch(&labels(3)).expect(0);
    drop(devices);
    factory.verify();
    factory
}

/// `ledger verify` must find it: what it says on standard output.
#[track_caller]
fn found(factory: &Factory) -> Value {
    let verified = factory.run(&["ledger", "verify"]).expect(4);
    let summary = verified.summary();
    assert_eq!(summary["valid"], false, "{summary}");
    assert!(summary["why"].as_str().is_some_and(|why| !why.is_empty()), "{summary}");
    summary
}

/// Some entry in the middle.
fn middle(factory: &Factory) -> i64 {
    let middle = factory.ledger().entries() / 2;
    assert!(middle > 3);
    middle
}

#[test]
fn a_changed_byte_of_an_entry_is_found_where_it_is() {
    let factory = with_units();
    let entry = middle(&factory);
    let bytes: Vec<u8> = factory
        .ledger()
        .0
        .query_row("SELECT entry FROM journal WHERE seq = ?1", [entry], |row| row.get(0))
        .unwrap();
    // Each part of an entry: its number, its time, its kind, its length, its payload.
    for place in [7, 15, 17, 21, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[place] ^= 0x01;
        let hex: String = changed.iter().map(|byte| format!("{byte:02x}")).collect();
        factory
            .ledger()
            .tamper(&format!("UPDATE journal SET entry = x'{hex}' WHERE seq = {entry}"));
        assert_eq!(found(&factory)["first_bad_entry"], entry, "byte {place}");
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    factory.ledger().tamper(&format!("UPDATE journal SET entry = x'{hex}' WHERE seq = {entry}"));
    factory.verify();
}

#[test]
fn a_removed_entry_is_found_where_it_was() {
    let factory = with_units();
    let entry = middle(&factory);
    factory.ledger().tamper(&format!("DELETE FROM journal WHERE seq = {entry}"));
    assert_eq!(found(&factory)["first_bad_entry"], entry);
}

#[test]
fn a_removed_entry_behind_which_the_others_moved_up_is_found() {
    let factory = with_units();
    let entry = middle(&factory);
    factory.ledger().tamper(&format!(
        "DELETE FROM journal WHERE seq = {entry};
         UPDATE journal SET seq = -seq WHERE seq > {entry};
         UPDATE journal SET seq = -seq - 1 WHERE seq < 0;"
    ));
    assert_eq!(found(&factory)["first_bad_entry"], entry);
}

#[test]
fn two_swapped_entries_are_found_at_the_first() {
    let factory = with_units();
    let entry = middle(&factory);
    factory.ledger().tamper(&format!(
        "UPDATE journal SET seq = -1 WHERE seq = {entry};
         UPDATE journal SET seq = {entry} WHERE seq = {entry} + 1;
         UPDATE journal SET seq = {entry} + 1 WHERE seq = -1;"
    ));
    assert_eq!(found(&factory)["first_bad_entry"], entry);
}

#[test]
fn a_cut_tail_is_named_as_a_cut() {
    let factory = with_units();
    let last = factory.ledger().entries() - 2;
    factory.ledger().tamper(&format!(
        "DELETE FROM heads WHERE seq > {last}; DELETE FROM journal WHERE seq > {last}"
    ));
    let why = found(&factory)["why"].as_str().unwrap().to_owned();
    assert!(why.contains("cut") || why.contains("ends at entry"), "{why}");
}

#[test]
fn a_tail_cut_off_with_all_that_tells_of_it_is_found_by_the_head_outside() {
    let factory = with_units();
    let ledger = factory.ledger();
    // To the last signed head but two, as if nothing had come after it.
    let last = ledger.count("SELECT seq FROM heads ORDER BY seq DESC LIMIT 1 OFFSET 2");
    ledger.tamper(&format!(
        "DELETE FROM heads WHERE seq > {last}; DELETE FROM journal WHERE seq > {last};
         UPDATE ledger SET last_seq = {last};"
    ));
    let why = found(&factory)["why"].as_str().unwrap().to_owned();
    assert!(
        ["cut", "rolled back", "older", "ends at"].iter().any(|word| why.contains(word)),
        "{why}"
    );
}

#[test]
fn an_older_copy_of_the_ledger_is_named_as_one() {
    let factory = Factory::usual();
    let devices = factory.devices("A", 2);
    factory.batch(&labels(1)).expect(0);
    factory.ledger().tamper("");
    let file = Ledger::file(&factory.data_dir());
    let older = fs::read(&file).unwrap();
    factory.batch(&labels(2)).expect(0);
    drop(devices);
    factory.ledger().tamper("");
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(factory.data_dir().join(name));
    }
    fs::write(&file, older).unwrap();
    let why = found(&factory)["why"].as_str().unwrap().to_owned();
    assert!(why.contains("older") || why.contains("rolled back"), "{why}");
    // And no line is started on it.
    let _another = factory.another_device("A");
    let finished = factory.batch(&labels(3)).expect(4);
    assert!(finished.errors.contains("error[E-LEDGER-ROLLED-BACK]"), "{}", finished.story());
}

#[test]
fn a_changed_table_is_found_although_its_journal_holds() {
    let factory = with_units();
    factory.ledger().tamper("UPDATE units SET state = 'scrapped' WHERE serial = 'TH200-00000002'");
    found(&factory);
}

/// The unique indices of devices say what they should, or hold nothing openly: without them
/// a proven device would get a second identity.
#[test]
fn an_index_that_holds_nothing_stops_the_line_before_a_device_gets_a_second_identity() {
    let honest = "CREATE UNIQUE INDEX units_proven_hardware ON units (proven_hardware)";
    let words = "CREATE UNIQUE INDEX units_proven_hardware ON units (proven_hardware)
    WHERE proven_hardware IS NOT NULL";
    let empty = format!("DROP INDEX units_proven_hardware; {honest} WHERE 0;");
    let hidden = format!(
        "{empty} PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = '{words}' WHERE name = 'units_proven_hardware';"
    );
    for sql in [empty, hidden] {
        let factory = with_units();
        factory.ledger().tamper(&sql);
        let why = found(&factory)["why"].as_str().unwrap().to_owned();
        assert!(why.contains("units_proven_hardware"), "{why}");
        let doctor = factory.run(&["doctor"]).expect(1);
        assert!(doctor.story().contains("units_proven_hardware"), "{}", doctor.story());
        let _another = factory.another_device("A");
        let refused = factory.batch(&labels(4)).expect(4);
        assert!(refused.errors.contains("error[E-LEDGER-SCHEMA]"), "{}", refused.story());
        factory.run(&["ledger", "reindex", "--reason", "dropped", "--by", "s1"]).expect(0);
        factory.verify();
    }
}

#[test]
fn a_forged_signature_of_a_head_is_found() {
    let factory = with_units();
    factory.ledger().tamper(
        "UPDATE heads SET signature = zeroblob(64) WHERE seq = (SELECT max(seq) FROM heads)",
    );
    found(&factory);
}
