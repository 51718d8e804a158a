//! Whole work at the screen: scan, plug, run, verdict, unplug, next.

use super::tmux::Tmux;
use super::works::{Works, label};

/// Takes note of every message. An Escape that is still under way would make what is typed
/// behind it another key.
fn see_all(screen: &Tmux) {
    screen.wait_until("no message is left", |shown| {
        let is_left = shown.contains("Esc: seen");
        if is_left {
            screen.keys(&["Escape"]);
        }
        !is_left
    });
}

#[test]
fn by_insertion_the_label_comes_first_and_its_device_after_it() {
    let works = Works::new(&["A", "B"], "insert");
    let screen = works.screen((80, 24), "");
    for (number, slot) in [(1, "A"), (2, "B"), (3, "A")] {
        screen.scans(&label(number));
        screen.wait_for(&format!("{} waits", label(number)));
        let device = works.devices(slot, &["--seed", &number.to_string()]);
        screen.wait_until("the serial in its slot, with its verdict", |screen| {
            let units = works.json(&["unit", "list"]);
            let is_proven = |unit: &serde_json::Value| {
                unit["serial"] == label(number).as_str() && unit["state"] == "proven"
            };
            units.iter().any(is_proven)
                && screen.contains("PASS")
                && screen.contains(&label(number))
        });
        drop(device);
        screen.wait_for("Scan a label");
    }
    // The same label again: it is proven, and its device is in no slot.
    screen.scans(&label(2));
    screen.wait_for("E-UNIT-PROVEN");
    screen.leave();
    works.holds(&[(1, "proven"), (2, "proven"), (3, "proven")]);
}

#[test]
fn a_unit_on_hold_is_told_to_whoever_leaves_and_to_the_next_shift() {
    let works = Works::new(&["A"], "any");
    let log = works.path("screen.log");
    let screen = works.screen((80, 24), &format!("STATION_LOG_FILE={}", log.display()));
    let device = works.devices("A", &["--fault", "withhold-once=prove"]);
    screen.scans(&label(1));
    screen.wait_for("HOLD");
    drop(device);
    see_all(&screen);
    let left = screen.leave_with(1);
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains(&format!("uncertain {} slot A: E-", label(1))), "{logged}");
    drop(screen);
    assert!(left.contains("warning[E-UNITS-UNCERTAIN]: ") && left.contains(&label(1)), "{left}");
    let screen = works.screen((80, 24), "");
    screen.wait_for("1 uncertain");
    screen.keys(&["C-k"]);
    screen.wait_for(&label(1));
    screen.keys(&["F3"]);
    screen.wait_until("it is not called running", |shown| {
        shown.contains(&label(1)) && !shown.contains("running")
    });
    screen.leave_with(1);
    works.holds(&[(1, "uncertain")]);
}

#[test]
fn two_devices_for_one_label_are_both_left_alone() {
    let works = Works::new(&["A", "B"], "insert");
    let screen = works.screen((120, 40), "");
    screen.scans(&label(1));
    screen.wait_for("waits");
    // Slow to say who they are, so that both have come before either is known.
    let slow = ["--latency-ms", "400"];
    let _devices = [
        works.devices("A", &[&slow[..], &["--seed", "1"]].concat()),
        works.devices("B", &[&slow[..], &["--seed", "2"]].concat()),
    ];
    screen.wait_for("E-SCAN-TWO-DEVICES");
    see_all(&screen);
    screen.leave();
    assert!(works.json(&["unit", "list"]).is_empty(), "nothing was begun");
}

#[test]
fn a_work_order_of_twenty_with_two_faults_a_rework_and_a_duplicate_scan() {
    let works = Works::new(&["A", "B"], "any");
    works.succeeds(&["work-order", "create", "WO-7", "--quantity", "20"]);
    let _devices = [
        works.devices("A", &["--units", "40", "--seed", "1", "--fault", "lie-forget@2,lie-key@3"]),
        works.devices("B", &["--units", "40", "--seed", "2", "--fault", "lie-forget@2,lie-key@3"]),
    ];
    let screen = works.screen((120, 40), "");
    screen.wait_for("WO-7");
    let proven = |number: usize| {
        let states = works.json(&["unit", "list"]);
        states
            .iter()
            .any(|unit| unit["serial"] == label(number).as_str() && unit["state"] == "proven")
    };
    let mut faults = 0;
    for number in 1..=20 {
        // The next device comes as soon as one is done, so a verdict may be gone at once:
        // what counts stands in the ledger.
        // A unit that failed is scanned again: the next device takes its place.
        let mut tried = 0;
        while !proven(number) {
            tried += 1;
            screen.scans(&label(number));
            let ended = |unit: &serde_json::Value| {
                let attempts = unit["attempts"].as_array().cloned().unwrap_or_default();
                attempts.len() >= tried && attempts.iter().all(|one| one["outcome"] != "running")
            };
            screen.wait_until("its end in the ledger", |_| {
                let listed = works.json(&["unit", "list"]);
                listed.iter().any(|unit| unit["serial"] == label(number).as_str())
                    && ended(&works.json(&["unit", "show", &label(number)])[0])
            });
            faults += usize::from(!proven(number));
        }
    }
    // Two a slot that came to its third device; which slot is the quicker one is open.
    assert!((2..=4).contains(&faults), "{faults}");
    screen.wait_for("20 of 20");
    see_all(&screen);
    screen.scans(&label(5));
    screen.wait_for("E-UNIT-PROVEN");
    see_all(&screen);
    let rework = ["unit", "rework", &label(6), "--reason", "test", "--new-device"];
    works.succeeds(&[&rework[..], &["--by", "p1"]].concat());
    screen.scans(&label(6));
    let attempts = || {
        let unit = works.json(&["unit", "show", &label(6)]);
        unit[0]["attempts"].as_array().map(Vec::len).unwrap_or_default()
    };
    screen.wait_until("the second attempt", |_| attempts() >= 2 && proven(6));
    // Nobody is asked whether to leave once its slot has the next device.
    screen.wait_for(&format!("PASS {}", label(6)));
    screen.leave();
    let all: Vec<(usize, &str)> = (1..=20).map(|number| (number, "proven")).collect();
    works.holds(&all);
}
