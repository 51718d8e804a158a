//! SIGINT and SIGTERM: no new unit, what is under way lands, nothing durable is lost.

use std::time::Duration;

use firmware_interface::ids::RequestType;
use provisioning_station::sim::{self, Options, SimulatedSlot, Timings};
use rustix::process::Signal;

use super::support::{Count, Factory, LONG, Plan, Tell, label, labels};

/// A line lands within this time; then the process ends whatever happens.
const LANDING: Duration = Duration::from_secs(30);

fn counted(factory: &Factory, units: u32, baud: u32, timings: Timings) -> (SimulatedSlot, Count) {
    let count = Count::default();
    let recorder = Some(Box::new(Tell(count.clone())) as Box<_>);
    let options = Options { baud, timings, recorder, ..factory.options("A", units) };
    (sim::start(options).unwrap(), count)
}

fn assert_lands_in_mid_write(signal: Signal) {
    let factory = Factory::with(&Plan { baud: 9_600, ..Plan::default() });
    let (_device, count) = counted(&factory, 2, 9_600, Timings::INSTANT);
    let batch = factory.start_batch(&labels(2));
    count.wait_for(RequestType::Chunk, 1, LONG);
    batch.signal(signal);
    let finished = batch.finish(LANDING).expect(130);
    let unit = finished.unit(&label(1));
    assert_eq!(unit["outcome"], "interrupted", "{unit}");
    assert_eq!(finished.summary()["interrupted"], 1);
    assert!(finished.units().iter().all(|unit| unit["outcome"] != "pass"));
    let states: Vec<_> = factory.ledger().certificates().into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["void"]);
    let open = factory.ledger().count("SELECT count(*) FROM attempts WHERE ended_us IS NULL");
    assert_eq!(open, 0);
    factory.verify();

    let again = factory.batch(&labels(2)).expect(0);
    assert_eq!(again.summary()["passed"], 2, "{}", again.story());
    assert_eq!(again.unit(&label(1))["attempt"], 2);
}

#[test]
fn sigint_lands_a_unit_that_is_being_written() {
    assert_lands_in_mid_write(Signal::INT);
}

#[test]
fn sigterm_lands_a_unit_that_is_being_written() {
    assert_lands_in_mid_write(Signal::TERM);
}

#[test]
fn a_signal_between_commit_and_verdict_waits_for_the_verdict() {
    let factory = Factory::usual();
    let timings = Timings { commit: Duration::from_millis(500), ..Timings::INSTANT };
    let (_device, count) = counted(&factory, 2, 0, timings);
    let batch = factory.start_batch(&labels(2));
    count.wait_for(RequestType::Commit, 1, LONG);
    batch.signal(Signal::INT);
    let finished = batch.finish(LANDING).expect(130);
    assert_eq!(factory.ledger().in_state("proven").len(), 1, "{}", finished.story());
    assert_eq!(factory.ledger().in_state("uncertain").len(), 0, "{}", finished.story());
    factory.verify();
    let again = factory.batch(&labels(2)).expect(0);
    assert_eq!(factory.ledger().in_state("proven").len(), 2, "{}", again.story());
    assert_eq!(factory.ledger().certificates().len(), 2);
}

#[test]
fn a_line_that_waits_for_labels_stops_at_once() {
    let factory = Factory::usual();
    let (_device, count) = counted(&factory, 1, 0, Timings::INSTANT);
    let batch = factory.start(&["batch", "--serials", "-"]);
    count.wait_for(RequestType::Identify, 1, LONG);
    batch.signal(Signal::TERM);
    assert!(batch.ends_within(Duration::from_secs(8)), "it still waits for labels");
    batch.finish(LANDING).expect(130);
}

#[test]
fn a_second_signal_stops_at_once_and_loses_nothing() {
    let factory = Factory::usual();
    // Its commit takes longer than the test may wait.
    let timings = Timings { commit: Duration::from_secs(60), ..Timings::INSTANT };
    let (device, count) = counted(&factory, 1, 0, timings);
    let batch = factory.start_batch(&labels(1));
    count.wait_for(RequestType::Commit, 1, LONG);
    batch.signal(Signal::INT);
    assert!(!batch.ends_within(Duration::from_millis(500)), "it left the verdict open");
    batch.signal(Signal::INT);
    assert!(batch.ends_within(Duration::from_secs(8)), "the second signal was not obeyed");
    batch.finish(LANDING).expect(130);
    drop(device);
    factory.verify();
    let (_device, _) = counted(&factory, 1, 0, Timings::INSTANT);
    let again = factory.batch("").expect(0);
    assert_eq!(again.unit(&label(1))["resumed"], true, "{}", again.story());
    assert_eq!(factory.ledger().in_state("proven").len(), 1);
}

#[test]
fn a_reader_that_goes_away_stops_the_line_and_loses_nothing() {
    use std::process::{Command, Stdio};
    let factory = Factory::usual();
    let _devices = factory.devices("A", 3);
    std::fs::write(factory.path("serials.txt"), labels(3)).unwrap();
    let mut command: Command = factory.command(&["batch", "--serials"]);
    command.arg(factory.path("serials.txt")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(!ended.status.success());
    assert!(ended.status.code().is_some(), "a signal ended it: {}", ended.status);
    factory.verify();
    let again = factory.batch(&labels(3)).expect(0);
    let summary = again.summary();
    let done = summary["passed"].as_u64().unwrap() + summary["already_proven"].as_u64().unwrap();
    assert_eq!(done, 3, "{}", again.story());
}
