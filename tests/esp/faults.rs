//! Lines that lose answers, flash that does not keep what it is given, applications that lie,
//! power that goes: no PASS for a chip that does not hold what was issued, and not one byte
//! changed outside its partition.

use super::bench::{TLV, chips, factory, flashes, holds_what_was_issued, outcome, pristine};
use super::support::{Factory, label, labels, named};

/// Runs one unit on a chip with this fault; its outcome and its code.
#[track_caller]
fn with(fault: &str) -> (Factory, String, String) {
    let factory = factory(1);
    let _chips = chips(&factory, "A", &["--fault", fault]);
    let before = flashes(&factory);
    let (outcome, code) = outcome(&factory.batch(&labels(1)));
    judge(&factory, &before, &outcome, fault);
    (factory, outcome, code)
}

/// Holds every chip against what it was, and what passed against what was issued.
#[track_caller]
fn judge(
    factory: &Factory,
    before: &std::collections::BTreeMap<String, Vec<u8>>,
    outcome: &str,
    fault: &str,
) {
    for (id, flash) in before {
        let now = &flashes(factory)[id];
        let outside = now[..TLV.start] == flash[..TLV.start] && now[TLV.end..] == flash[TLV.end..];
        assert!(outside, "{fault}: something outside the partition changed");
        if outcome == "pass" {
            assert!(holds_what_was_issued(factory, &label(1), now), "{fault}");
        }
    }
    factory.verify();
}

/// One fault a unit, for the units of a slot in their order.
fn in_turn(fault: &str, numbers: &[u32]) -> String {
    let one = |(unit, number)| format!("{fault}={number}@{unit}");
    (1..).zip(numbers).map(one).collect::<Vec<_>>().join(",")
}

#[test]
fn answers_that_are_lost_power_that_goes_and_bits_that_stick_cost_a_beginning_and_no_unit() {
    let answers = [1, 4, 9, 30, 60, 64, 66, 70];
    let faults = [
        ("A", in_turn("lose", &answers), answers.len()),
        ("B", in_turn("garble", &answers), answers.len()),
        // Two sectors erased, the key's block, one more erase, four blocks.
        ("C", in_turn("power", &[1, 2, 3, 4, 5, 6, 7, 8]), 8),
        ("D", in_turn("stuck", &[1, 2, 4]) + ",dark-start@4,power=2@4", 4),
    ];
    let factory = factory(4);
    let (mut running, mut labels, mut next) = (Vec::new(), String::new(), 1);
    for (slot, faults, units) in &faults {
        let options = ["--units", &units.to_string(), "--fault", faults];
        let options = options.map(str::to_owned);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        running.push(chips(&factory, slot, &options));
        for _ in 0..*units {
            labels += &named(slot, next);
            next += 1;
        }
    }
    let pristine = pristine(&factory, &["A", "B", "C", "D"], 8);
    let finished = factory.batch(&labels).expect(0);
    assert_eq!(finished.summary()["passed"], next - 1);
    let flashes = flashes(&factory);
    for unit in finished.units() {
        let flash = &flashes[unit["hardware_id"].as_str().unwrap()];
        assert!(holds_what_was_issued(&factory, unit["serial"].as_str().unwrap(), flash), "{unit}");
        let twin = pristine.iter().find(|twin| twin[..TLV.start] == flash[..TLV.start]);
        assert!(twin.is_some_and(|twin| twin[TLV.end..] == flash[TLV.end..]), "{unit}");
    }
    factory.verify();
}

#[test]
fn a_chip_that_does_not_store_is_never_a_pass() {
    for fault in ["lie-write", "lie-digest"] {
        let (factory, outcome, code) = with(fault);
        assert_eq!((outcome.as_str(), code.as_str()), ("fail", "E-DEV-NOT-STORED"), "{fault}");
        assert!(factory.ledger().in_state("proven").is_empty());
    }
}

#[test]
fn an_application_that_lies_is_never_a_pass() {
    let cases = [
        ("lie-key", "E-DEV-PROOF"),
        ("lie-forget", "E-DEV-NOT-STORED"),
        ("lie-id", "E-DEV-SWAPPED"),
        ("stays", "E-DEV-NOT-RESTARTED"),
    ];
    for (fault, expected) in cases {
        let (factory, outcome, code) = with(fault);
        assert_eq!((outcome.as_str(), code.as_str()), ("fail", expected), "{fault}");
        assert!(factory.ledger().in_state("proven").is_empty(), "{fault}");
    }
}
