//! The way of a unit, from a chip out of its box to one that proves its key, and what comes
//! after it: a second look, another label, a rework, a station that was killed.

use super::bench::{
    NVS, TLV, again, chips, factory, factory_with, flashes, holds_what_was_issued, outcome,
};
use super::support::{Factory, label, labels, named};

#[test]
fn every_chip_of_the_family_gets_an_identity_and_proves_it() {
    let words = ["esp32", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c6", "esp32h2"];
    let factory = factory(words.len());
    let slots = ["A", "B", "C", "D", "E", "F", "G"];
    let running: Vec<_> = slots
        .iter()
        .zip(words)
        .map(|(slot, word)| chips(&factory, slot, &["--chip", word]))
        .collect();
    let labels: String = (1..).zip(slots).map(|(number, slot)| named(slot, number)).collect();
    let finished = factory.batch(&labels).expect(0);
    drop(running);
    let flashes = flashes(&factory);
    for unit in finished.units() {
        assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"possession".into()));
        let flash = &flashes[unit["hardware_id"].as_str().unwrap()];
        assert!(holds_what_was_issued(&factory, unit["serial"].as_str().unwrap(), flash));
    }
    factory.verify();
}

#[test]
fn an_identity_in_an_nvs_namespace_is_proven_too() {
    let factory = factory_with(1, "format = \"nvs\"\n");
    let running = chips(&factory, "A", &["--fault", "power=4"]);
    let before = flashes(&factory).into_values().next().unwrap();
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_eq!(unit["proof"], "possession");
    drop(running);
    let after = flashes(&factory).into_values().next().unwrap();
    assert!(holds_what_was_issued(&factory, &label(1), &after));
    assert!(after[..NVS.start] == before[..NVS.start] && after[NVS.end..] == before[NVS.end..]);
}

/// A factory with one chip that passed and is in its slot again, in its loader.
fn provisioned() -> (Factory, super::support::Process) {
    let factory = factory(1);
    let first = chips(&factory, "A", &[]);
    factory.batch(&labels(1)).expect(0);
    drop(first);
    let chip = again(&factory, "A", &[]);
    (factory, chip)
}

#[test]
fn a_chip_that_comes_again_proves_itself_and_is_not_burned() {
    let (factory, _chip) = provisioned();
    let before = flashes(&factory);
    let finished = factory.batch(&labels(1)).expect(0);
    assert_eq!(finished.summary()["already_proven"], 1);
    assert!(flashes(&factory) == before);
}

#[test]
fn a_rework_leaves_nothing_of_the_old_key() {
    let (factory, _chip) = provisioned();
    let serial = label(1);
    let before = flashes(&factory).into_values().next().unwrap();
    factory.run(&["unit", "rework", &serial, "--reason", "back", "--by", "s04"]).expect(0);
    let unit = factory.batch(&labels(1)).expect(0).unit(&serial);
    assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &2.into()));
    let after = flashes(&factory).into_values().next().unwrap();
    // One key is in the whole flash, and it is the new one.
    assert!(holds_what_was_issued(&factory, &serial, &after));
    let outside = |flash: &[u8]| [&flash[..TLV.start], &flash[TLV.end..]].concat();
    assert!(outside(&after) == outside(&before) && after != before);
    factory.verify();
}

#[test]
fn another_chip_is_not_the_one_that_was_proven() {
    let (factory, chip) = provisioned();
    drop(chip);
    factory.run(&["unit", "rework", &label(1), "--reason", "back", "--by", "s04"]).expect(0);
    let _other = again(&factory, "A", &["--units", "2", "--seed", "8"]);
    let before = flashes(&factory);
    let (refused, code) = outcome(&factory.batch(&named("A", 1)));
    assert_eq!((refused.as_str(), code.as_str()), ("refused", "E-UNIT-OTHER-DEVICE"));
    assert!(flashes(&factory) == before);
}

#[test]
fn one_id_in_two_slots_is_one_chip_too_many() {
    let factory = factory(1);
    let _chips = chips(&factory, "A", &["--units", "2", "--fault", "twin@2"]);
    let finished = factory.batch(&labels(2)).expect(1);
    let second = finished.unit(&label(2));
    assert_eq!(
        (&second["outcome"], &second["code"]),
        (&"refused".into(), &"E-DEV-OTHER-LABEL".into())
    );
}

#[test]
fn the_partition_is_shown_and_no_key_with_it() {
    let (factory, _chip) = provisioned();
    let before = flashes(&factory);
    let shown = factory.run(&["unit", "show", &label(1), "--partition", "--slot", "A"]).expect(0);
    let shown = shown.only();
    let names: Vec<_> = shown["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    let expected = [
        "CA certificate",
        "client certificate",
        "address",
        "client id",
        "record",
        "filler",
        "private key",
    ];
    assert_eq!(names, expected);
    assert_eq!(shown["entries"][2]["text"], "mqtts://mqtt.example.com:8883");
    assert_eq!(shown["entries"][6].get("text"), None);
    assert_eq!(shown["entries"][6]["offset"], "0xe000");
    let newest = factory.show(&label(1))["certificates"][0]["fingerprint_sha256"].clone();
    assert_eq!(shown["fingerprint_sha256"], newest);
    assert!(flashes(&factory) == before);
    factory.run(&["unit", "show", "--partition"]).expect(2);
}

#[test]
fn a_slot_of_any_family_takes_chips_and_framed_devices() {
    let factory = factory(1);
    factory.change("driver = \"esp\"", "driver = \"auto\"");
    let chip = chips(&factory, "A", &[]);
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_eq!(unit["proof"], "possession");
    drop(chip);
    let _framed = factory.another_device("A");
    let unit = factory.batch(&named("A", 2)).expect(0).unit(&label(2));
    assert_eq!(unit["proof"], "possession");
    factory.verify();
}

#[test]
fn what_the_file_says_of_chips_is_told_and_what_they_lack_is_warned_of() {
    let factory = factory_with(1, "chip = \"esp32c3\"\noffset = 0xd000\n");
    factory.change("client_id = \"{serial}\"", "client_id = \"{serial}\"\nlock = true");
    let told = factory.run(&["config", "check"]).expect(0);
    assert!(told.errors.contains("has no lock"), "{}", told.errors);
    let esp = &told.only()["esp"];
    assert_eq!((&esp["chip"], &esp["offset"]), (&"esp32c3".into(), &0xd000.into()));
    for (wrong, why) in [
        ("chip = \"esp8266\"", "esp32c3"),
        ("offset = 53249", "4096"),
        ("namespace = \"x\"", "nvs"),
        ("partition = \"a name that is long\"", "15"),
    ] {
        let factory = factory_with(1, &format!("{wrong}\n"));
        let refused = factory.run(&["config", "check"]).expect(3);
        assert!(refused.errors.contains(why), "{wrong}: {}", refused.errors);
    }
}
