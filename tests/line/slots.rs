//! Slots beside each other: what is wrong in one stays there.

use std::time::Duration;

use firmware_interface::ids::RequestType;
use provisioning_station::sim::{self, Direction, Options, SimulatedSlot, Timings, Transcript};

use super::support::{Count, Factory, Finished, LONG, Plan, Tell, label, labels, named};

const UNITS: usize = 20;

/// Twenty sound units in slot D, and what crossed their line.
fn twenty_units(factory: &Factory) -> (SimulatedSlot, Transcript) {
    let transcript = Transcript::new();
    let recorder = Some(Box::new(transcript.clone()) as Box<_>);
    let options = factory.options("D", u32::try_from(UNITS).unwrap());
    (sim::start(Options { recorder, ..options }).unwrap(), transcript)
}

fn labels_of_d() -> String {
    (1..=UNITS).map(|number| named("D", number)).collect()
}

/// Each request that a unit was sent, by type, in order and without what was sent again.
fn requests(transcript: &Transcript, unit: u32) -> Vec<(u8, u16, usize)> {
    let mut requests: Vec<(u8, u16, usize)> = Vec::new();
    for frame in transcript.of(unit, Direction::ToDevice) {
        let kind = frame.message_type.expect("a sound frame");
        let seq = frame.seq.expect("a sound frame");
        if !requests.iter().any(|(k, s, _)| (*k, *s) == (kind, seq)) {
            requests.push((kind, seq, frame.length));
        }
    }
    requests
}

fn assert_all_of_d_pass(finished: &Finished) {
    for number in 1..=UNITS {
        let unit = finished.unit(&label(number));
        assert_eq!((&unit["outcome"], &unit["slot"]), (&"pass".into(), &"D".into()), "{unit}");
        assert_eq!(unit["attempt"], 1, "{unit}");
    }
}

/// Sequence numbers may begin anywhere; how they go on is part of a transcript. A device
/// whose label comes late is asked once more who it is before its unit begins.
fn own(requests: &[(u8, u16, usize)]) -> &[(u8, u16, usize)] {
    let again = requests.windows(2).take_while(|two| two[0].0 == two[1].0).count();
    &requests[again..]
}

fn from_the_first(requests: &[(u8, u16, usize)]) -> Vec<(u8, u16)> {
    let first = requests.first().map_or(0, |request| request.1);
    requests.iter().map(|(kind, seq, _)| (*kind, seq.wrapping_sub(first))).collect()
}

#[test]
fn a_slot_works_beside_one_mute_one_noisy_and_one_pulled_out_as_if_alone() {
    let alone = Factory::with_slots(4);
    let (_device, transcript_alone) = twenty_units(&alone);
    assert_all_of_d_pass(&alone.batch(&labels_of_d()).expect(0));

    let factory = Factory::with_slots(4);
    let _mute = factory.faulty("A", 1, "mute");
    let _noise = factory.faulty("B", 1, "noise");
    let _pulled = factory.faulty("C", 1, "unplug=chunk:2");
    let (_device, transcript) = twenty_units(&factory);
    let bad = [("A", 101), ("B", 102), ("C", 103)].map(|(slot, number)| named(slot, number));
    let finished = factory.batch(&(bad.concat() + &labels_of_d())).expect(1);
    assert_all_of_d_pass(&finished);
    assert_eq!(finished.unit(&label(101))["code"], "E-DEV-TIMEOUT");
    assert_eq!(finished.unit(&label(102))["code"], "E-DEV-NOISE");
    assert_eq!(finished.unit(&label(103))["code"], "E-DEV-UNPLUGGED");
    assert_eq!(finished.summary()["passed"], UNITS);

    for unit in 1..=u32::try_from(UNITS).unwrap() {
        let (here, there) = (requests(&transcript, unit), requests(&transcript_alone, unit));
        let (here, there) = (own(&here), own(&there));
        assert_eq!(from_the_first(here), from_the_first(there), "unit {unit}");
        for (one, other) in here.iter().zip(there) {
            // Signatures in DER differ by a byte or two, and so do images.
            assert!(one.2.abs_diff(other.2) <= 8, "unit {unit}: {one:?} {other:?}");
        }
    }
    factory.verify();
}

#[test]
fn a_label_scanned_again_while_it_is_burned_is_burned_once_and_refused_once() {
    let factory = Factory::with(&Plan { slots: 2, baud: 19_200, ..Plan::default() });
    // Slow enough that the second label is read long before the first unit has ended.
    let slow = |slot| sim::start(Options { baud: 19_200, ..factory.options(slot, 1) }).unwrap();
    let _devices = [slow("A"), slow("B")];
    let finished = factory.batch(&(label(1) + "\n" + &label(1) + "\n")).expect(1);
    let outcomes: Vec<_> = finished
        .units()
        .iter()
        .map(|unit| (unit["outcome"].clone(), unit["code"].clone()))
        .collect();
    assert_eq!(
        outcomes,
        [("refused".into(), "E-SCAN-DUPLICATE".into()), ("pass".into(), serde_json::Value::Null)],
        "{}",
        finished.story()
    );
    assert_eq!(factory.ledger().certificates().len(), 1);
}

#[test]
fn a_device_pulled_out_during_its_commit_is_uncertain_until_it_is_back() {
    let factory = Factory::usual();
    let device = factory.faulty("A", 1, "replug=commit");
    let finished = factory.batch(&format!("{}\n", label(1)));
    // It came back in the same run and completed, or is held until it is seen again.
    if finished.units().iter().all(|unit| unit["outcome"] != "pass") {
        let again = factory.batch(&format!("{}\n", label(1))).expect(0);
        let resumed = again.unit(&label(1));
        assert_eq!((&resumed["outcome"], &resumed["resumed"]), (&"pass".into(), &true.into()));
    }
    drop(device);
    let ledger = factory.ledger();
    assert_eq!(ledger.in_state("proven").len(), 1);
    assert_eq!(ledger.certificates().len(), 1, "it was burned once");
}

#[test]
fn a_device_that_commits_and_does_not_say_so_is_asked_again() {
    let factory = Factory::usual();
    let _device = factory.faulty("A", 1, "withhold=commit");
    let finished = factory.batch(&named("A", 1)).expect(0);
    assert_eq!(finished.unit(&label(1))["attempt"], 1);
    assert_eq!(factory.ledger().certificates().len(), 1);
}

#[test]
fn a_label_whose_device_may_hold_its_certificate_is_not_burned_elsewhere() {
    let factory = Factory::with_slots(2);
    let count = Count::default();
    let recorder = Some(Box::new(Tell(count.clone())) as Box<_>);
    let timings = Timings { commit: Duration::from_millis(400), ..Timings::INSTANT };
    let options = Options { timings, recorder, ..factory.options("A", 1) };
    let device = sim::start(options).unwrap();
    let batch = factory.start_batch(&named("A", 1));
    count.wait_for(RequestType::Commit, 1, LONG);
    batch.kill();
    device.stop().unwrap();
    let _other = factory.devices("B", 1);
    let again = factory.batch(&named("B", 1)).expect(1);
    let refused = again.unit(&label(1));
    assert_eq!(
        (&refused["outcome"], &refused["code"]),
        (&"refused".into(), &"E-UNIT-ELSEWHERE".into())
    );
    assert_eq!(factory.show(&label(1))["state"], "uncertain");
    assert_eq!(factory.ledger().certificates().len(), 1);
    // A unit of an earlier run is not forgotten.
    assert_eq!(again.summary()["uncertain_in_ledger"], 1);
    assert!(again.errors.contains("warning[E-UNITS-UNCERTAIN]: "), "{}", again.errors);
    let doctor = factory.run(&["doctor", "--json"]);
    let row = doctor.lines.iter().find(|line| line.contains("\"check\":\"uncertain\"")).unwrap();
    assert!(row.contains("\"status\":\"warn\"") && row.contains(&label(1)), "{row}");
    // A person who knows that its device is lost lets it be burned again.
    factory.run(&["unit", "void", &label(1), "--reason", "device lost", "--by", "s04"]).expect(0);
    factory.batch(&named("B", 1)).expect(0);
    let states: Vec<_> = factory.ledger().certificates().into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["void", "proven"]);
}

#[test]
fn a_port_that_is_busy_at_the_start_is_waited_for() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    let port = factory.port("A");
    // As a modem manager does with a port that has just appeared.
    let other = serialport::new(port.to_str().unwrap(), 115_200).open_native().unwrap();
    let batch = factory.start_batch(&labels(1));
    assert!(!batch.ends_within(Duration::from_secs(4)), "{}", batch.errors());
    assert!(batch.errors().contains("is in use"), "{}", batch.errors());
    drop(other);
    batch.finish(LONG).expect(0).unit(&label(1));
}

#[test]
fn a_batch_that_waits_for_hands_says_once_which_devices_are_in_the_way() {
    let station = "device_wait = \"8s\"";
    let factory = Factory::with(&Plan { slots: 2, station, ..Plan::default() });
    // Each ends on HOLD, and nobody takes it out.
    let _devices = ["A", "B"].map(|slot| factory.faulty(slot, 1, "stays,say=finish:0:00"));
    let finished = factory.batch(&labels(3)).expect(1);
    let said = finished.errors.matches("slots A, B: pull the devices").count();
    assert_eq!(said, 1, "{}", finished.errors);
    assert_eq!(finished.summary()["uncertain"], 2);
    assert_eq!(finished.unit(&label(3))["code"], "E-SCAN-NO-DEVICE");
}
