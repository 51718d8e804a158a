//! After a restore: the line is closed, a device that the ledger lost is never treated as
//! blank, and it is adopted by what it holds and proves.

use std::fs;
use std::time::Instant;

use provisioning_station::sim::SimulatedSlot;

use super::support::{Factory, Finished, LONG, Plan, Process, label, labels, named};

const REASON: &str = "made in the gap";

/// A factory with two units, whose ledger was restored from a backup with the first alone;
/// both devices are out of their slots.
fn restored() -> Factory {
    let factory = Factory::with_slots(2);
    let devices = ["A", "B"].map(|slot| factory.devices(slot, 1));
    factory.batch(&named("A", 1)).expect(0);
    let backup = factory.path("backup.db");
    factory.run(&["ledger", "backup", backup.to_str().unwrap()]).expect(0);
    factory.batch(&named("B", 2)).expect(0);
    drop(devices);
    factory.run(&["ledger", "set-aside", "--reason", "the disk is dying"]).expect(0);
    factory.run(&["ledger", "restore", backup.to_str().unwrap()]).expect(0);
    factory
}

fn accept(factory: &Factory) {
    factory.run(&["ledger", "accept-gap", "--reason", "one unit is missing"]).expect(0);
}

fn adopt(factory: &Factory, slot: &str) -> Finished {
    factory.run(&["unit", "adopt", "--slot", slot, "--reason", REASON, "--by", "s04"])
}

fn refused(factory: &Factory, slot: &str, code: &str) -> Finished {
    let entries = factory.ledger().count("SELECT count(*) FROM certificates");
    let refused = adopt(factory, slot).expect_error(1, code);
    assert_eq!(factory.ledger().count("SELECT count(*) FROM certificates"), entries);
    factory.verify();
    refused
}

#[test]
fn a_device_of_the_gap_is_never_blank_and_is_adopted_by_what_it_holds() {
    let factory = restored();
    factory.batch(&labels(1)).expect_error(4, "E-LEDGER-GAP");
    accept(&factory);
    // Whatever its label says, its own or a new one, it is not burned.
    for number in [2, 3] {
        let _device = factory.put_back("B", 1);
        let finished = factory.batch(&named("B", number));
        let unit = finished.unit(&label(number));
        assert_eq!(
            (&unit["outcome"], &unit["code"]),
            (&"refused".into(), &"E-DEV-UNKNOWN-IDENTITY".into())
        );
    }
    let _device = factory.put_back("B", 1);
    let story = adopt(&factory, "B").expect(0).only();
    assert_eq!((&story["serial"], &story["state"]), (&label(2).into(), &"proven".into()));
    let certificate = &story["certificates"][0];
    assert_eq!(certificate["origin"], "adopted");
    assert_eq!(certificate["registration"]["state"], "waiting");
    assert_eq!(
        (&story["attempts"][0]["outcome"], &story["attempts"][0]["proof"]),
        (&"pass".into(), &"possession".into())
    );
    let act = &story["acts"][0];
    assert_eq!(
        (&act["act"], &act["reason"], &act["operator"]),
        (&"adopted".into(), &REASON.into(), &"s04".into())
    );
    let held = super::support::keys::held_under(&factory.devices_dir());
    let row =
        factory.ledger().in_state("proven").into_iter().find(|row| row.serial == label(2)).unwrap();
    assert!(
        held.iter()
            .any(|(_, held)| held.certificate == row.der && held.digest.to_vec() == row.image)
    );
    // From here on it is a proven unit like any other.
    drop(_device);
    let _device = factory.put_back("B", 1);
    let unit = factory.batch(&named("B", 2)).expect(0).unit(&label(2));
    assert_eq!((&unit["code"], &unit["verified"]), (&"E-UNIT-PROVEN".into(), &true.into()));
    factory.verify();
}

#[test]
fn what_people_are_told_of_an_adopted_unit_says_so() {
    let factory = restored();
    let _device = factory.put_back("B", 1);
    adopt(&factory, "B").expect(0);
    let mut command = super::support::factory::station();
    command.arg("--config").arg(factory.config()).args(["unit", "show", &label(2)]);
    let shown = Process::start(command).finish(LONG).expect(0).lines.join("\n");
    assert!(shown.contains("proven, possession, adopted from its device"), "{shown}");
    assert!(shown.contains("adopted by s04"), "{shown}");
}

#[test]
fn what_the_ledger_knows_already_is_not_adopted() {
    let factory = restored();
    let _device = factory.put_back("A", 1);
    refused(&factory, "A", "E-UNIT-PROVEN");
}

#[test]
fn what_is_void_is_not_adopted() {
    let factory = restored();
    let void = ["unit", "void", &label(1), "--reason", "lost", "--by", "s04"];
    factory.run(&void).expect(0);
    let _device = factory.put_back("A", 1);
    let refused = refused(&factory, "A", "E-UNIT-STATE");
    assert!(refused.errors.contains("void"), "{}", refused.story());
}

#[test]
fn a_device_that_holds_nothing_has_nothing_to_adopt() {
    let factory = restored();
    let _blank: SimulatedSlot = factory.another_device("A");
    refused(&factory, "A", "E-UNIT-STATE");
}

#[test]
fn a_device_of_another_ca_is_not_adopted() {
    let factory = restored();
    let other = Factory::usual();
    for name in ["ca.pem", "ca.key"] {
        fs::remove_file(other.path(name)).unwrap();
    }
    other.run(&["authority", "init", "--common-name", "Another factory's CA"]).expect(0);
    let device = other.devices("A", 1);
    other.batch(&labels(1)).expect(0);
    drop(device);
    // Its device in this factory's slot.
    let flash = super::support::keys::held_under(&other.devices_dir()).remove(0).0;
    fs::copy(&flash, factory.devices_dir().join(flash.file_name().unwrap())).unwrap();
    let _device = factory.put_back("A", 1);
    let refused = refused(&factory, "A", "E-DEV-UNKNOWN-IDENTITY");
    assert!(refused.errors.contains("not issued by a CA of this station"), "{}", refused.story());
}

#[test]
fn a_serial_that_this_station_may_not_make_is_not_adopted() {
    let factory = restored();
    let station = "device_wait = \"20s\"\nserial_range = \"TH200-00000100..TH200-00000200\"";
    factory.configure(&Plan { slots: 2, station, ..Plan::default() });
    let _device = factory.put_back("B", 1);
    refused(&factory, "B", "E-SCAN-RANGE");
}

#[test]
fn a_device_that_can_t_prove_its_key_is_not_adopted() {
    let factory = restored();
    for (fault, code) in [
        ("lie-key", "E-DEV-PROOF"),
        ("lie-other-unit", "E-DEV-SWAPPED"),
        ("no-prove", "E-PROOF-TOO-WEAK"),
        ("model=OTHER-9", "E-DEV-MODEL"),
    ] {
        let product = "model = \"SIM-1\"";
        factory.configure(&Plan { slots: 2, product, ..Plan::default() });
        let _device = factory.put_back_with("B", 1, fault);
        refused(&factory, "B", code);
    }
}

#[test]
fn a_slot_that_does_not_exist_and_a_line_that_works_are_told() {
    let factory = restored();
    adopt(&factory, "Z").expect_error(2, "E-USAGE");
    accept(&factory);
    let _device = factory.put_back("B", 1);
    let line = factory.start(&["batch", "--serials", "-"]);
    let until = Instant::now() + LONG;
    let lock = factory.data_dir().join("line.lock");
    let mine = format!("{}\n", line.pid());
    while fs::read_to_string(&lock).unwrap_or_default() != mine && Instant::now() < until {
        std::thread::yield_now();
    }
    adopt(&factory, "B").expect_error(8, "E-LEDGER-BUSY");
    line.finish(LONG);
}
