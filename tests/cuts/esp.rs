//! One Espressif chip, cut off at each kind of request and record: its first and its last.
//!
//! Whatever moment it was, the same label on the same chip passes in the end, with one key in
//! the chip's flash, and nothing beside its partition was touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::chips::{TLV, chips, factory, flashes, holds_what_was_issued};
use super::support::{label, labels};

/// How many chips are cut off at a time.
const AT_ONCE: usize = 4;

/// The first and the last point of each name that a unit passes when nothing cuts it off.
fn points() -> Vec<String> {
    let mut factory = factory(1);
    let _chip = chips(&factory, "A", &[]);
    let list = factory.path("points");
    factory.set("STATION_CUT", "list");
    factory.set("STATION_CUT_LIST", &list);
    factory.batch(&labels(1)).expect(0);
    let text = fs::read_to_string(list).unwrap();
    let mut by_name: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for point in text.lines() {
        let (name, _) = point.split_once('#').unwrap();
        by_name.entry(name).and_modify(|(_, last)| *last = point).or_insert((point, point));
    }
    // What was sent is on the chip's line, whether this process still knows it or not.
    by_name.retain(|name, _| !name.starts_with("send/") && !name.starts_with("receive/"));
    let mut points: Vec<_> =
        by_name.into_values().flat_map(|(first, last)| [first, last]).map(str::to_owned).collect();
    points.dedup();
    points
}

/// Cuts a unit off there and presents it again; false where the point was not passed.
fn cut(point: &str) -> bool {
    let mut factory = factory(1);
    let chip = chips(&factory, "A", &[]);
    let before = flashes(&factory).into_values().next().unwrap();
    factory.set("STATION_CUT", point);
    let ended = factory.batch(&labels(1));
    if ended.status.signal() != Some(9) {
        return false;
    }
    factory.set("STATION_CUT", "nowhere");
    let finished = factory.batch(&labels(1));
    let unit = finished.unit(&label(1));
    let passed = unit["outcome"] == "pass" || unit["code"] == "E-UNIT-PROVEN";
    assert!(passed, "{point}: {unit}");
    drop(chip);
    let after = flashes(&factory).into_values().next().unwrap();
    assert!(holds_what_was_issued(&factory, &label(1), &after), "{point}");
    let outside =
        after[..TLV.start] == before[..TLV.start] && after[TLV.end..] == before[TLV.end..];
    assert!(outside, "{point}: something beside the partition changed");
    assert_eq!(factory.ledger().in_state("proven").len(), 1, "{point}");
    factory.verify();
    true
}

#[test]
fn a_chip_whose_station_dies_anywhere() {
    let points = points();
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !cut(point) {
                        missed.lock().unwrap().push(point.clone());
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    println!(
        "a chip: cut off at {} points, {} of them not passed again",
        points.len(),
        missed.len()
    );
    assert!(points.len() > 20, "{points:?}");
    // A question that was asked once more for want of time need not be the next time.
    assert!(missed.len() * 10 <= points.len(), "{missed:?}");
}
