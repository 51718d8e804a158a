//! Devices that lose power in each of their writes, alone and with the station.

use super::harness::Harness;
use super::power::Disk;
use super::scenario::{LINE, Scenario};

/// More calls that change storage than a session has.
const CALLS: u32 = 12;

fn scenario(name: &str) -> &'static Scenario {
    LINE.iter().find(|scenario| scenario.name == name).unwrap()
}

/// One run for each call. Where the station notices, it is cut off at just that point too.
fn hold(name: &str) {
    let scenario = scenario(name);
    let usual = Harness::new(scenario, Disk::Honest).points();
    let (mut findings, mut noticed) = (Vec::new(), 0);
    for call in 1..=CALLS {
        let harness = Harness::new(scenario, Disk::Honest).with_power_lost_in(call);
        let alone = harness.run_uncut();
        findings.extend(alone.findings.iter().map(|found| format!("call {call}, {found}")));
        let points = harness.points().into_iter();
        let first: Vec<_> = points.filter(|point| !usual.contains(point)).take(1).collect();
        noticed += first.len();
        let both = harness.run_at(first);
        findings.extend(both.findings.iter().map(|found| format!("call {call}, {found}")));
    }
    println!("{name}: power lost in {CALLS} calls, {noticed} of them noticed and cut off");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    assert!(noticed >= 4, "{noticed} of {CALLS} calls were noticed");
}

#[test]
fn a_new_device_that_loses_power_in_any_of_its_writes() {
    hold("fresh unit");
}

#[test]
fn a_reworked_device_that_loses_power_in_any_of_its_writes() {
    hold("rework");
}
