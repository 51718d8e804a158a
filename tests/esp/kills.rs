//! A station that is killed in the middle of a unit, and its chip that goes on alone: the next
//! station finds out what the chip holds.

use std::time::{Duration, Instant};

use super::bench::{TLV, again, chips, factory, flashes, holds_what_was_issued};
use super::support::{Factory, Process, label, labels};

/// Slow enough that a moment can be met: an erase is half a second.
const SLOW: &[&str] = &["--erase-ms", "150", "--boot-ms", "400"];

fn partition(factory: &Factory) -> Vec<u8> {
    flashes(factory).into_values().next().unwrap()[TLV].to_vec()
}

/// Kills a batch as soon as the partition is as wanted; what the chip is then.
fn killed_when(factory: &Factory, wanted: fn(&[u8]) -> bool) {
    let batch = factory.start_batch(&labels(1));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !wanted(&partition(factory)) {
        assert!(Instant::now() < deadline, "the partition never was as wanted");
        std::thread::yield_now();
    }
    batch.kill();
}

fn has_key(partition: &[u8]) -> bool {
    partition[0x1000] != 0xff
}

fn has_front(partition: &[u8]) -> bool {
    partition[0] != 0xff
}

fn is_whole(partition: &[u8]) -> bool {
    // The filler's check sum is the last that is written.
    partition[0xffc..0x1000] != [0xff; 4]
}

/// The unit passes in the end, on a chip with one key; how many certificates it took.
#[track_caller]
fn passes_after(factory: &Factory) -> usize {
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_ne!(unit["outcome"], "fail", "{unit}");
    let flash = flashes(factory).into_values().next().unwrap();
    assert!(holds_what_was_issued(factory, &label(1), &flash));
    factory.verify();
    assert_eq!(factory.ledger().in_state("proven").len(), 1);
    factory.show(&label(1))["certificates"].as_array().unwrap().len()
}

#[test]
fn between_the_key_and_the_commit() {
    let factory = factory(1);
    // Its loader is left at the fast rate.
    let _chip = chips(&factory, "A", SLOW);
    killed_when(&factory, has_key);
    assert_eq!(passes_after(&factory), 2);
}

#[test]
fn in_the_commit() {
    let factory = factory(1);
    let _chip = chips(&factory, "A", &["--erase-ms", "1", "--page-us", "40000"]);
    killed_when(&factory, has_front);
    assert_eq!(passes_after(&factory), 2);
}

#[test]
fn behind_the_commit_the_chip_is_asked_and_not_burned_again() {
    let factory = factory(1);
    let _chip = chips(&factory, "A", SLOW);
    killed_when(&factory, is_whole);
    assert_eq!(passes_after(&factory), 1);
}

#[test]
fn with_the_chip_losing_its_power_too() {
    for wanted in [has_key, has_front, is_whole] {
        let factory = factory(1);
        let chip = chips(&factory, "A", SLOW);
        killed_when(&factory, wanted);
        drop(chip);
        let _again = again(&factory, "A", &[]);
        passes_after(&factory);
    }
}
