//! Devices that say one thing and hold another: each is found out, none is ever PASS.

use super::support::{Factory, Plan, label, labels, named};

/// A device with a fault: its unit ends with one of these codes. Where a lie can come to
/// light at two places, which of the two comes first is the protocol's matter.
struct Case {
    fault: &'static str,
    codes: &'static [&'static str],
    /// Whether the device is told that it failed, or is gone, and so makes place for the
    /// next one. The others stay until a person takes them out.
    leaves: bool,
}

const fn leaves(fault: &'static str, codes: &'static [&'static str]) -> Case {
    Case { fault, codes, leaves: true }
}

const fn stays(fault: &'static str, codes: &'static [&'static str]) -> Case {
    Case { fault, codes, leaves: false }
}

const LIARS: &[Case] = &[
    leaves("lie-stored", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    leaves("lie-forget", &["E-DEV-NOT-STORED"]),
    leaves("lie-key", &["E-DEV-PROOF"]),
    leaves("lie-certificate", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    leaves("lie-root", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    leaves("lie-settings", &["E-DEV-NOT-STORED", "E-DEV-PROOF"]),
    leaves("lie-replay", &["E-DEV-PROOF"]),
    // Who knows what the device before it holds now?
    stays("lie-other-unit", &["E-DEV-SWAPPED"]),
    stays("lie-restart", &["E-DEV-NOT-RESTARTED"]),
];

const UNFIT: &[Case] = &[
    leaves("flash-full", &["E-DEV-REFUSED", "E-DEV-NOT-STORED"]),
    leaves("torn-write=2", &["E-DEV-REFUSED", "E-DEV-NOT-STORED"]),
    leaves("mute", &["E-DEV-TIMEOUT"]),
    leaves("noise", &["E-DEV-NOISE"]),
    leaves("flood", &["E-DEV-NOISE", "E-DEV-TIMEOUT"]),
    leaves("unplug", &["E-DEV-UNPLUGGED"]),
    leaves("other-version", &["E-DEV-VERSION"]),
    stays("zero-id", &["E-DEV-HARDWARE-ID"]),
    stays("ones-id", &["E-DEV-HARDWARE-ID"]),
    stays("model=OTHER-9", &["E-DEV-MODEL"]),
    stays("nonsense", &["E-DEV-MALFORMED"]),
    stays("no-prove", &["E-PROOF-TOO-WEAK"]),
    stays("locked", &["E-DEV-LOCKED"]),
    stays("holds-unknown", &["E-DEV-UNKNOWN-IDENTITY"]),
];

/// Puts a device with that fault and then a sound one into a slot: the first does not
/// pass, the second does where it gets into the slot.
#[track_caller]
fn assert_found_out(cases: &[Case]) {
    let plan = Plan { slots: cases.len(), product: "model = \"SIM-1\"", ..Plan::default() };
    let factory = Factory::with(&plan);
    let slots: Vec<_> = (b'A'..).take(cases.len()).map(|c| char::from(c).to_string()).collect();
    let seats = || slots.iter().zip(cases).enumerate();
    let _devices: Vec<_> = seats()
        .map(|(_, (slot, case))| factory.faulty(slot, 2, &format!("{}@1", case.fault)))
        .collect();
    let bad: String = seats().map(|(index, (slot, _))| named(slot, 100 + index)).collect();
    let next = seats().filter(|(_, (_, case))| case.leaves);
    let good: String = next.map(|(index, (slot, _))| named(slot, 200 + index)).collect();
    let finished = factory.batch(&(bad + &good)).expect(1);
    let mut wrong = Vec::new();
    for (index, Case { fault, codes, leaves }) in cases.iter().enumerate() {
        let unit = finished.unit(&label(100 + index));
        let code = unit["code"].as_str().unwrap_or_default();
        if unit["outcome"] == "pass" || !codes.contains(&code) {
            wrong.push(format!("{fault}: {unit}"));
        }
        let sound = leaves.then(|| finished.unit(&label(200 + index)));
        wrong.extend(
            sound.filter(|sound| sound["outcome"] != "pass").map(|s| format!("after {fault}: {s}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let proven = factory.ledger().in_state("proven");
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
