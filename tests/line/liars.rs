//! Devices that say one thing and hold another: each is found out, none is ever PASS.

use super::support::{Factory, Plan, label, labels, named};

/// Which fault ends with which code. Where a lie can come to light at two places, which
/// of the two comes first is the protocol's matter, and both codes name the lie.
const LIARS: &[(&str, &[&str])] = &[
    ("lie-stored", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    ("lie-forget", &["E-DEV-NOT-STORED"]),
    ("lie-key", &["E-DEV-PROOF"]),
    ("lie-certificate", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    ("lie-root", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    ("lie-settings", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    ("lie-other-unit", &["E-DEV-SWAPPED"]),
    ("lie-restart", &["E-DEV-NOT-RESTARTED"]),
    ("lie-replay", &["E-DEV-PROOF"]),
];

/// Devices that no unit can be made of, and what the station says of them.
const UNFIT: &[(&str, &[&str])] = &[
    ("zero-id", &["E-DEV-HARDWARE-ID"]),
    ("ones-id", &["E-DEV-HARDWARE-ID"]),
    ("model=OTHER-9", &["E-DEV-MODEL"]),
    ("other-version", &["E-DEV-VERSION"]),
    ("locked", &["E-DEV-LOCKED"]),
    ("holds-unknown", &["E-DEV-UNKNOWN-IDENTITY"]),
    ("flash-full", &["E-DEV-REFUSED", "E-DEV-NOT-STORED"]),
    ("torn-write=2", &["E-DEV-REFUSED", "E-DEV-NOT-STORED"]),
    ("mute", &["E-DEV-TIMEOUT"]),
    ("noise", &["E-DEV-NOISE"]),
    ("flood", &["E-DEV-NOISE", "E-DEV-TIMEOUT"]),
    ("unplug", &["E-DEV-UNPLUGGED"]),
];

/// Puts a device with that fault and then a sound one into a slot: the first does not
/// pass, the second does.
fn assert_found_out(cases: &[(&str, &[&str])]) {
    let plan = Plan { slots: cases.len(), product: "model = \"SIM-1\"", ..Plan::default() };
    let factory = Factory::with(&plan);
    let slots: Vec<_> = (b'A'..).take(cases.len()).map(|c| char::from(c).to_string()).collect();
    let _devices: Vec<_> = slots
        .iter()
        .zip(cases)
        .map(|(slot, (fault, _))| factory.faulty(slot, 2, &format!("{fault}@1")))
        .collect();
    let bad: String = slots.iter().enumerate().map(|(i, slot)| named(slot, 100 + i)).collect();
    let good: String = slots.iter().enumerate().map(|(i, slot)| named(slot, 200 + i)).collect();
    let finished = factory.batch(&(bad + &good)).expect(1);
    for (index, (fault, codes)) in cases.iter().enumerate() {
        let unit = finished.unit(&label(100 + index));
        let code = unit["code"].as_str().unwrap_or_default();
        assert_ne!(unit["outcome"], "pass", "{fault}: {unit}");
        assert!(codes.contains(&code), "{fault}: {unit}");
        let sound = finished.unit(&label(200 + index));
        assert_eq!(sound["outcome"], "pass", "after {fault}: {sound}");
    }
    let proven = factory.ledger().in_state("proven");
    assert_eq!(proven.len(), cases.len());
    assert!(proven.iter().all(|row| row.serial.starts_with("TH200-000002")), "{proven:?}");
    factory.verify();
}

#[test]
fn a_device_that_lies_fails_with_a_code_that_says_so() {
    assert_found_out(LIARS);
}

#[test]
fn a_device_that_no_unit_can_be_made_of_fails_with_a_code_that_says_why() {
    assert_found_out(UNFIT);
}

#[test]
fn a_lie_is_a_failure_and_no_refusal_and_leaves_nothing_proven() {
    let factory = Factory::usual();
    let _devices = factory.faulty("A", 1, "lie-key");
    let finished = factory.batch(&labels(1)).expect(1);
    let unit = finished.unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["step"]), (&"fail".into(), &"prove".into()), "{unit}");
    assert_eq!(finished.summary()["failed"], 1);
    let states: Vec<_> = factory.ledger().certificates().into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["void"]);
    let stats = factory.run(&["ledger", "stats"]).expect(0).only();
    assert_eq!(stats["by_code"]["E-DEV-PROOF"], 1, "{stats}");
}

#[test]
fn a_hardware_id_that_answers_in_two_slots_stops_both() {
    let factory = Factory::with_slots(2);
    let _devices = ["A", "B"].map(|slot| factory.faulty(slot, 1, "twin=pair"));
    let finished = factory.batch(&(named("A", 1) + &named("B", 2))).expect(1);
    for number in [1, 2] {
        let unit = finished.unit(&label(number));
        assert_ne!(unit["outcome"], "pass", "{unit}");
        assert_eq!(unit["code"], "E-DEV-TWICE", "{unit}");
    }
    assert!(factory.ledger().in_state("proven").is_empty());
}
