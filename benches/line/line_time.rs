//! The bytes that a unit's cycle moves over its line, counted by the line itself.

use std::time::Duration;

use firmware_interface::ids::RequestType;
use provisioning_station::sim::{self, Direction, Options, Recorded, Timings, Transcript};

use crate::factory::{Devices, Factory};
use crate::run;

/// So many units are counted: signatures differ in length by a byte or two.
const UNITS: u32 = 16;

/// What a cycle needs of its line, the mean over some units.
pub(crate) struct LineTime {
    /// Bytes to the device.
    pub(crate) to_device: f64,
    /// Bytes from it.
    pub(crate) from_device: f64,
    /// How long something crosses the line. Less than the time of all bytes one behind the
    /// other: a chunk crosses while the one before is answered.
    pub(crate) busy: Duration,
}

impl LineTime {
    /// How long the bytes of both directions take, one behind the other.
    pub(crate) fn at(&self, baud: u32) -> Duration {
        time_of(self.to_device + self.from_device, baud)
    }
}

/// Runs some units over a line whose devices live in this process.
pub(crate) fn count(baud: u32) -> LineTime {
    let devices = Devices { units: UNITS, ..Devices::none() };
    let factory = Factory::without_devices(devices);
    let transcript = Transcript::new();
    let mut options = Options::new(factory.link(0));
    options.timings = Timings::INSTANT;
    (options.baud, options.units) = (baud, UNITS);
    options.recorder = Some(Box::new(transcript.clone()));
    let slot = sim::start(options).unwrap();
    let run = run::to_the_end(&factory);
    assert_eq!(run.cycles.len(), UNITS as usize);
    slot.stop().unwrap();
    let frames = transcript.frames();
    let cycles: Vec<_> = (1..=UNITS).map(|unit| cycle_of(&frames, unit)).collect();
    let bytes = |direction| {
        let frames = cycles.iter().flatten().filter(|frame| frame.direction == direction);
        frames.map(|frame| frame.length).sum::<usize>() as f64 / f64::from(UNITS)
    };
    LineTime {
        to_device: bytes(Direction::ToDevice),
        from_device: bytes(Direction::FromDevice),
        busy: cycles.iter().map(|cycle| busy(cycle, baud)).sum::<Duration>() / UNITS,
    }
}

/// From the unit's own IDENTIFY to its last proof. Where another one before it saw the device
/// arrive, that is left out: the cycle is timed without it.
fn cycle_of(frames: &[Recorded], unit: u32) -> Vec<Recorded> {
    let frames: Vec<_> = frames.iter().filter(|frame| frame.unit == unit).cloned().collect();
    let is = |frame: &Recorded, kind: u8| frame.message_type == Some(kind);
    let identify = RequestType::Identify.to_wire();
    let begin = frames.iter().position(|frame| is(frame, RequestType::Begin.to_wire())).unwrap();
    let first = frames[..begin].iter().rposition(|frame| is(frame, identify)).unwrap();
    let proof = RequestType::Prove.reply_type();
    let last = frames.iter().rposition(|frame| is(frame, proof)).unwrap();
    frames[first..=last].to_vec()
}

/// How long at least one of these frames was crossing.
fn busy(frames: &[Recorded], baud: u32) -> Duration {
    let time = |frame: &Recorded| time_of(frame.length as f64, baud);
    let mut crossings: Vec<_> = frames
        .iter()
        .map(|frame| (frame.arrived.saturating_sub(time(frame)), frame.arrived))
        .collect();
    crossings.sort();
    let (mut sum, mut until) = (Duration::ZERO, Duration::ZERO);
    for (start, end) in crossings {
        sum += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    sum
}

fn time_of(bytes: f64, baud: u32) -> Duration {
    Duration::from_secs_f64(bytes * 10.0 / f64::from(baud))
}
