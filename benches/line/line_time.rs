//! The bytes that a unit's cycle moves over its line, counted by the line itself.

use std::time::Duration;

use firmware_interface::ids::RequestType;
use provisioning_station::sim::{self, Direction, Options, Recorded, Timings, Transcript};

use crate::factory::{Devices, Factory};
use crate::run;

/// So many units are counted: signatures differ in length by a byte or two.
const UNITS: u32 = 16;

/// Bytes of a cycle, the mean over some units.
pub(crate) struct LineTime {
    pub(crate) to_device: f64,
    pub(crate) from_device: f64,
}

impl LineTime {
    /// How long the bytes of both directions take, one behind the other.
    pub(crate) fn at(&self, baud: u32) -> Duration {
        Duration::from_secs_f64((self.to_device + self.from_device) * 10.0 / f64::from(baud))
    }
}

/// Runs some units over a line whose devices live in this process.
pub(crate) fn count() -> LineTime {
    let devices = Devices { units: UNITS, ..Devices::none() };
    let factory = Factory::without_devices(devices);
    let transcript = Transcript::new();
    let mut options = Options::new(factory.link(0));
    options.timings = Timings::INSTANT;
    (options.baud, options.units) = (0, UNITS);
    options.recorder = Some(Box::new(transcript.clone()));
    let slot = sim::start(options).unwrap();
    let run = run::to_the_end(&factory);
    assert_eq!(run.cycles.len(), UNITS as usize);
    slot.stop().unwrap();
    let frames = transcript.frames();
    let sum = |direction| {
        let cycles = (1..=UNITS).map(|unit| bytes_of_cycle(&frames, unit, direction));
        cycles.sum::<usize>() as f64 / f64::from(UNITS)
    };
    LineTime { to_device: sum(Direction::ToDevice), from_device: sum(Direction::FromDevice) }
}

/// From the unit's own IDENTIFY to its last proof. The IDENTIFY before it, which saw the
/// device arrive, is left out: the cycle is timed without it.
fn bytes_of_cycle(frames: &[Recorded], unit: u32, direction: Direction) -> usize {
    let frames: Vec<_> = frames.iter().filter(|frame| frame.unit == unit).collect();
    let is = |frame: &Recorded, kind: u8| frame.message_type == Some(kind);
    let identify = RequestType::Identify.to_wire();
    let begin = frames.iter().position(|frame| is(frame, RequestType::Begin.to_wire())).unwrap();
    let first = frames[..begin].iter().rposition(|frame| is(frame, identify)).unwrap();
    let proof = RequestType::Prove.reply_type();
    let last = frames.iter().rposition(|frame| is(frame, proof)).unwrap();
    let cycle = frames[first..=last].iter().filter(|frame| frame.direction == direction);
    cycle.map(|frame| frame.length).sum()
}
