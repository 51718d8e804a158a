//! Every single frame of a whole session lost, doubled, changed, late; and a reply that
//! never comes.

use std::collections::BTreeSet;

use firmware_interface::codec;
use firmware_interface::ids::RequestType;
use firmware_interface::message::Request;
use provisioning_station::sim::{
    self, Direction, FaultSpec, Options, Recorded, SimulatedSlot, Timings, Transcript,
    held_identity,
};

use super::support::tell::trimmed;
use super::support::{Factory, label, labels, named};

/// Runs one sound unit and says what crossed its line.
fn clean_session() -> Transcript {
    let factory = Factory::usual();
    let transcript = Transcript::new();
    let recorder = Some(Box::new(transcript.clone()) as Box<_>);
    let _device = sim::start(Options { recorder, ..factory.options("A", 1) }).unwrap();
    factory.batch(&labels(1)).expect(0);
    transcript
}

/// The faults of a slot: the frame with each number in turn, one unit for each, first
/// those to the device, then those from it.
fn each_frame(mishap: &str, to_device: usize, from_device: usize) -> String {
    let to = (1..=to_device).map(|frame| format!("rx:{frame}"));
    let from = (1..=from_device).map(|frame| format!("tx:{frame}"));
    let faults = to.chain(from).enumerate().map(|(unit, frame)| {
        let unit = unit + 1;
        format!("{mishap}={frame}@{unit}")
    });
    faults.collect::<Vec<_>>().join(",")
}

#[test]
fn a_session_survives_whatever_happens_to_any_one_of_its_frames() {
    let clean = clean_session();
    let to_device = clean.of(1, Direction::ToDevice).len();
    let from_device = clean.of(1, Direction::FromDevice).len();
    assert!(to_device >= 10 && from_device >= 10, "{:?}", clean.frames());
    let units = to_device + from_device;
    let mishaps = [("A", "drop"), ("B", "double"), ("C", "corrupt"), ("D", "delay")];
    let factory = Factory::with_slots(mishaps.len());
    let (mut lines, mut slots) = (String::new(), Vec::new());
    for (index, (slot, mishap)) in mishaps.iter().enumerate() {
        let faults = each_frame(mishap, to_device, from_device);
        let transcript = Transcript::new();
        let recorder = Some(Box::new(transcript.clone()) as Box<_>);
        let faults = FaultSpec::parse(&faults).unwrap();
        let options = factory.options(slot, u32::try_from(units).unwrap());
        slots.push((sim::start(Options { faults, recorder, ..options }).unwrap(), transcript));
        lines.extend((1..=units).map(|unit| named(slot, 1_000 * index + unit)));
    }
    let finished = factory.batch(&lines);
    for (index, (_, mishap)) in mishaps.iter().enumerate() {
        let (slot, transcript) = &slots[index];
        for unit in 1..=units {
            let serial = label(1_000 * index + unit);
            let ended = finished.unit(&serial);
            let frames = || story_of(transcript, unit);
            assert_eq!(ended["outcome"], "pass", "{mishap} of unit {unit}: {ended}\n{}", frames());
            assert_eq!(ended["attempt"], 1, "{mishap} of unit {unit}: {ended}\n{}", frames());
            let hit = frames_of(transcript, unit).iter().any(|frame| frame.mishap.is_some());
            assert!(hit, "{mishap} of unit {unit} did not happen:\n{}", frames());
            assert_same_image(&factory, slot, unit, &serial);
        }
    }
    finished.expect(0);
    factory.verify();
}

fn frames_of(transcript: &Transcript, unit: usize) -> Vec<Recorded> {
    let mut frames = transcript.frames();
    frames.retain(|frame| frame.unit as usize == unit);
    frames
}

fn story_of(transcript: &Transcript, unit: usize) -> String {
    let frames = frames_of(transcript, unit);
    let lines = frames.iter().map(|frame| format!("{:?} {frame}", frame.arrived));
    lines.collect::<Vec<_>>().join("\n")
}

/// What the device holds is what the ledger says that it proved, and the only thing.
#[track_caller]
fn assert_same_image(factory: &Factory, slot: &SimulatedSlot, unit: usize, serial: &str) {
    let file = slot.flash_file(u32::try_from(unit).unwrap()).unwrap();
    let held = held_identity(&file).unwrap().expect("the device holds an identity");
    let mut rows = factory.ledger().certificates();
    rows.retain(|row| row.serial == serial);
    assert_eq!(rows.len(), 1, "{serial}");
    assert_eq!(rows[0].state, "proven", "{serial}");
    assert_eq!(rows[0].der, held.certificate, "{serial}");
    assert_eq!(rows[0].image, held.digest, "{serial}");
}

/// At which offsets a device was sent chunks, and how often it was sent one.
fn chunks(transcript: &Transcript) -> (BTreeSet<u32>, usize) {
    let mut offsets = BTreeSet::new();
    let mut count = 0;
    for frame in transcript.of(1, Direction::ToDevice) {
        let mut bytes = trimmed(frame.bytes.as_deref().unwrap()).to_vec();
        let Ok(frame) = codec::decode(&mut bytes) else { continue };
        if frame.header.message_type != RequestType::Chunk.to_wire() {
            continue;
        }
        let Ok(Request::Chunk(chunk)) = Request::parse(RequestType::Chunk, frame.body) else {
            panic!("a chunk that is none")
        };
        offsets.insert(chunk.offset);
        count += 1;
    }
    (offsets, count)
}

#[test]
fn a_device_whose_replies_are_withheld_sees_its_window_and_no_more() {
    let windows = [("A", 1), ("B", 2), ("C", 3)];
    let factory = Factory::with_slots(windows.len());
    let mut slots = Vec::new();
    for (slot, window) in windows {
        let transcript = Transcript::with_bytes();
        let recorder = Some(Box::new(transcript.clone()) as Box<_>);
        let faults = FaultSpec::parse("withhold=chunk").unwrap();
        // Chunks as small as they may be, so that an image has more of them than a window.
        let timings = Timings::INSTANT;
        let options = Options {
            window,
            max_chunk: 128,
            faults,
            timings,
            recorder,
            ..factory.options(slot, 1)
        };
        slots.push((sim::start(options).unwrap(), transcript, window));
    }
    let lines: String =
        windows.iter().zip(1..).map(|((slot, _), number)| named(slot, number)).collect();
    let finished = factory.batch(&lines).expect(1);
    for (number, (_, transcript, window)) in slots.iter().enumerate() {
        let ended = finished.unit(&label(number + 1));
        assert_eq!(ended["code"], "E-DEV-TIMEOUT", "{ended}");
        let (offsets, count) = chunks(transcript);
        assert_eq!(offsets.len(), usize::from(*window), "at {offsets:?}");
        assert!(offsets.contains(&0));
        // The window once, and once more from its beginning for each resend.
        assert!(count <= 4 * usize::from(*window), "{count} chunks in a window of {window}");
    }
    let states: Vec<_> = factory.ledger().certificates().into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["void", "void", "void"]);
}
