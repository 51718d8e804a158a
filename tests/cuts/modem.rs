//! A modem's unit, cut off at each record and at each command that changes the modem or looks at
//! what it keeps.
//!
//! The station is killed; the modem keeps its power, in the middle of whatever it was told. Then
//! the unit is presented again, and the recovery table is the only way on.

use std::fs;
use std::sync::Mutex;
use std::thread;

use super::bench::{Modems, NRF91, assert_held, factory};
use super::support::{Factory, LONG, label, labels};

/// Commands that only ask who is there.
const ASKING: &[&str] =
    &["ate0", "at+cmee=1", "at+cgmi", "at+cgmm", "at+cgmr", "at+cgsn", "at%cmng=2"];

/// Cuts under way at once: each waits for a boot more than it computes.
const AT_ONCE: usize = 6;

/// The points that a unit passes when nothing cuts it off.
fn points() -> Vec<String> {
    let mut factory = factory(NRF91, 1);
    let list = factory.path("points");
    factory.set("STATION_CUT", "list");
    factory.set("STATION_CUT_LIST", &list);
    let _modem = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    factory.batch(&labels(1)).expect(0);
    let text = fs::read_to_string(&list).unwrap();
    let is_asking = |point: &&str| ASKING.iter().any(|name| point.contains(name));
    text.lines().filter(|point| !is_asking(point)).map(str::to_owned).collect()
}

/// Cuts a unit off there and goes on; what is wrong afterwards.
fn cut(point: &str) {
    let mut factory = factory(NRF91, 1);
    let modem = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    factory.set("STATION_CUT", point);
    let cut = factory.batch(&labels(1));
    assert_eq!(cut.code(), None, "{point} was not passed: {}", cut.errors);
    factory.set("STATION_CUT", "none");
    go_on(&factory, point);
    assert_held(&factory, NRF91, &label(1), &modem.flash());
    assert_eq!(factory.ledger().in_state("proven").len(), 1, "{point}");
    factory.verify();
}

fn go_on(factory: &Factory, point: &str) {
    let unit = factory.start_batch(&labels(1)).finish(LONG).unit(&label(1));
    let is_well = unit["outcome"] == "pass" || unit["code"] == "E-UNIT-PROVEN";
    assert!(is_well, "{point}: {unit}");
}

#[test]
fn a_modems_unit_that_is_cut_off_anywhere_ends_proven_and_held() {
    let points = points();
    for wanted in ["record/commit-asked", "sent/at%cmng=0", "sent/at#xreset", "received/at%cmng=3"]
    {
        assert!(points.iter().any(|point| point.starts_with(wanted)), "{wanted}: {points:?}");
    }
    println!("a modem's unit: cut off at {} points", points.len());
    let left = Mutex::new(points.into_iter());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(point) = left.lock().unwrap().next() else { return };
                    cut(&point);
                }
            });
        }
    });
}
