//! Lines that can't be started, or may not start a unit: code, place, remedy, nothing lost.

use std::fs;
use std::time::Duration;

use super::support::factory::{PASSPHRASE, keep_private};
use super::support::{Factory, LONG, Plan, Process, label, labels};

#[test]
fn a_wrong_passphrase_is_named_and_starts_nothing() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    fs::write(factory.path("serials.txt"), labels(1)).unwrap();
    let serials = factory.path("serials.txt");
    let mut command = factory.command(&["batch", "--serials", serials.to_str().unwrap()]);
    command.env("STATION_AUTHORITY_PASSPHRASE", "another one");
    Process::start(command).finish(LONG).expect_error(7, "E-CA-PASSPHRASE");
}

#[test]
fn a_passphrase_that_was_not_given_is_named() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    fs::write(factory.path("serials.txt"), labels(1)).unwrap();
    let serials = factory.path("serials.txt");
    let mut command = factory.command(&["batch", "--serials", serials.to_str().unwrap()]);
    command.env_remove("STATION_AUTHORITY_PASSPHRASE");
    Process::start(command).finish(LONG).expect_error(7, "E-SECRET-MISSING");
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    let secret = factory.path("passphrase");
    fs::write(&secret, PASSPHRASE).unwrap();
    let config = fs::read_to_string(factory.config()).unwrap();
    let config =
        config.replace("key = \"ca.key\"", "key = \"ca.key\"\npassphrase_file = \"passphrase\"");
    fs::write(factory.config(), config).unwrap();
    fs::write(factory.path("serials.txt"), labels(1)).unwrap();
    let batch = || {
        let serials = factory.path("serials.txt");
        let mut command = factory.command(&["batch", "--serials", serials.to_str().unwrap()]);
        command.env_remove("STATION_AUTHORITY_PASSPHRASE");
        Process::start(command).finish(LONG)
    };
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    batch().expect_error(7, "E-SECRET-MODE");
    keep_private(&secret);
    batch().expect(0);
}

#[test]
fn a_line_none_of_whose_ports_appears_ends_and_names_them() {
    let factory = Factory::with_slots(2);
    for slot in ["A", "B"] {
        let name = format!("name = \"{slot}\"");
        factory.change(&name, &format!("{name}\npresence = \"poll\""));
    }
    let refused = factory.batch(&labels(1)).expect_error(5, "E-PORT-MISSING");
    assert!(refused.errors.contains("slot-A"), "{}", refused.story());
}

#[test]
fn a_port_that_comes_with_its_device_is_waited_for_also_before_the_first_one() {
    let factory = Factory::usual();
    let line = factory.start_batch(&labels(2));
    // Longer than a fixture's own port, which is always there, may be missing.
    assert!(!line.ends_within(Duration::from_secs(4)), "the labels wait");
    let _devices = factory.devices("A", 2);
    let finished = line.finish(LONG).expect(0);
    assert_eq!(finished.summary()["passed"], 2);
}

#[test]
fn a_place_at_which_no_port_can_ever_come_is_an_error_at_once() {
    let factory = Factory::usual();
    for (nowhere, why) in [("nowhere/slot-A", "no directory"), ("usb:99-1", "no USB bus 99")] {
        factory.configure(&Plan::default());
        factory.change("port = \"slot-A\"", &format!("port = \"{nowhere}\""));
        let refused = factory.batch(&labels(1)).expect_error(5, "E-PORT-MISSING");
        assert!(refused.errors.contains(why), "{}", refused.story());
    }
}

#[test]
fn a_port_that_is_missing_among_good_ones_leaves_its_units_to_them() {
    let factory = Factory::with_slots(2);
    let _devices = factory.devices("B", 2);
    let finished = factory.batch(&labels(2)).expect(0);
    assert_eq!(finished.summary()["passed"], 2);
}

#[test]
fn a_port_that_is_missing_among_good_ones_is_told_to_whoever_named_it() {
    let factory = Factory::with_slots(2);
    factory.change("name = \"A\"", "name = \"A\"\npresence = \"poll\"");
    let _others = factory.devices("B", 1);
    let line = factory.start_batch(&format!("A\t{}\n", label(1)));
    assert!(!line.ends_within(Duration::from_secs(5)), "its label waits");
    let _devices = factory.devices("A", 1);
    let finished = line.finish(LONG).expect(0);
    let warnings = finished.errors.matches("warning[E-PORT-MISSING]").count();
    assert_eq!(warnings, 1, "{}", finished.story());
    assert!(finished.errors.contains("slot-A"), "{}", finished.story());
}

#[test]
fn a_file_of_serials_that_is_not_there_is_a_usage_error() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    factory.run(&["batch", "--serials", "no-such-file"]).expect_error(2, "E-INPUT");
}

#[test]
fn a_second_line_on_one_ledger_is_refused_and_names_the_first() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 2);
    let mut first = factory.start(&["batch", "--serials", "-"]);
    first.say(&(label(1) + "\n"));
    assert_eq!(first.event(LONG).unwrap()["outcome"], "pass");
    let refused = factory.batch(&(label(2) + "\n")).expect_error(8, "E-LEDGER-BUSY");
    assert!(refused.errors.contains(&first.pid().to_string()), "{}", refused.story());
    // The first is not disturbed, and readers may look on.
    factory.verify();
    first.say(&(label(2) + "\n"));
    assert_eq!(first.event(LONG).unwrap()["outcome"], "pass");
    first.finish(LONG).expect(0);
}

#[test]
fn no_unit_starts_where_the_disk_is_too_full() {
    let factory = Factory::usual();
    let devices = factory.devices("A", 2);
    factory.batch(&labels(1)).expect(0);
    factory.configure(&Plan { ledger: "reserve = \"4000000GiB\"", ..Plan::default() });
    let refused = factory.batch(&(label(2) + "\n"));
    assert!(refused.story().contains("E-LEDGER-DISK-FULL"), "{}", refused.story());
    assert_ne!(refused.code(), Some(0), "{}", refused.story());
    assert_eq!(factory.ledger().certificates().len(), 1, "{}", refused.story());
    factory.verify();
    assert_eq!(devices.state().finished, 1, "the device was not touched");
    // With room again the same device and label go on.
    factory.configure(&Plan::default());
    assert_eq!(factory.batch(&(label(2) + "\n")).expect(0).summary()["passed"], 1);
}

#[test]
fn a_ledger_of_another_station_is_refused() {
    let factory = Factory::usual();
    let devices = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    drop(devices);
    let _another = factory.another_device("A");
    factory.configure(&Plan { station_id: "line-2", ..Plan::default() });
    let refused = factory.batch(&labels(2)).expect_error(4, "E-LEDGER-STATION");
    assert!(refused.errors.contains("line-1"), "{}", refused.story());
    assert_eq!(factory.ledger().certificates().len(), 1);
}

#[test]
fn a_ledger_from_the_future_is_refused_and_not_touched() {
    let factory = Factory::usual();
    let devices = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    drop(devices);
    let _another = factory.another_device("A");
    factory.ledger().tamper("PRAGMA user_version = 9999");
    factory.batch(&labels(2)).expect_error(4, "E-LEDGER-NEWER");
    assert_eq!(factory.ledger().count("PRAGMA user_version"), 9_999);
}

#[test]
fn a_misspelt_key_is_refused_with_the_nearest_known_one() {
    let factory = Factory::usual();
    let config = fs::read_to_string(factory.config()).unwrap();
    fs::write(factory.config(), config.replace("serial_pattern", "serial_patern")).unwrap();
    let refused = factory.batch(&labels(1)).expect_error(3, "E-CONFIG-KEY");
    assert!(refused.errors.contains("serial_pattern"), "{}", refused.story());
    assert!(refused.errors.contains("station.toml"), "{}", refused.story());
}

#[test]
fn a_profile_that_outlives_the_ca_is_refused_before_any_device_is_touched() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    let config = fs::read_to_string(factory.config()).unwrap();
    fs::write(factory.config(), config.replace("\"20y\"", "\"no-expiry\"")).unwrap();
    factory.batch(&labels(1)).expect_error(7, "E-CA-TOO-SHORT");
}
