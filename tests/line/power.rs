//! Devices that lose power in the middle of a write.

use std::collections::BTreeSet;

use provisioning_station::sim::held_identity;

use super::support::{Factory, label, named};

/// More calls that change storage than a session has; the last of these faults never strike.
const CALLS: usize = 12;

fn slot(index: usize) -> String {
    char::from(b'A' + u8::try_from(index).unwrap()).to_string()
}

#[test]
fn a_device_that_loses_power_in_any_of_its_writes_ends_with_what_the_ledger_says() {
    let factory = Factory::with_slots(CALLS);
    let slots: Vec<_> = (0..CALLS)
        .map(|index| factory.faulty(&slot(index), 2, &format!("power={}@1", index + 1)))
        .collect();
    let lines: String = (0..CALLS).map(|index| named(&slot(index), index + 1)).collect();
    let first = factory.batch(&lines);
    let outcomes: BTreeSet<_> =
        first.units().iter().map(|unit| unit["outcome"].as_str().unwrap().to_owned()).collect();
    assert!(outcomes.contains("pass"), "no session is so short: {}", first.story());
    // On the same device where it stayed, on the next where it was told to go.
    let second = factory.batch(&lines).expect(0);
    let summary = second.summary();
    let done = summary["passed"].as_u64().unwrap() + summary["already_proven"].as_u64().unwrap();
    assert_eq!(done, CALLS as u64, "{}\n{}", first.story(), second.story());
    let rows = factory.ledger().certificates();
    for (index, slot) in slots.iter().enumerate() {
        let serial = label(index + 1);
        let of_unit: Vec<_> = rows.iter().filter(|row| row.serial == serial).collect();
        let (proven, others): (Vec<_>, Vec<_>) =
            of_unit.into_iter().partition(|row| row.state == "proven");
        assert_eq!(proven.len(), 1, "call {}", index + 1);
        assert!(others.iter().all(|row| row.state == "void"), "{others:?}");
        let files = [1, 2].map(|unit| slot.flash_file(unit).unwrap());
        let held: Vec<_> = files
            .iter()
            .filter(|file| file.exists())
            .filter_map(|file| held_identity(file).unwrap())
            .collect();
        assert_eq!(held.len(), 1, "call {}", index + 1);
        assert!(held[0].certificate == proven[0].der, "call {}", index + 1);
    }
    factory.verify();
}
