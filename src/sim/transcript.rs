//! What crossed a simulated line, frame by frame.
//!
//! A [`Recorder`] is shown each frame when it is given to the line, with what the line
//! does to it. [`Transcript`] is one that keeps them for a test. The bytes of a frame
//! may hold a device's private key: a transcript keeps them only where it is made so,
//! in memory, and prints type, sequence number and length alone.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use firmware_interface::codec;

use super::mishap::{Direction, Mishap};

/// A frame as it is given to the line.
#[derive(Clone, Copy)]
pub struct LineFrame<'f> {
    /// Which device, counted from 1.
    pub unit: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// Counted from 1 for each device and direction.
    pub number: u32,
    /// When its last byte arrives, since the slot was started.
    pub arrives: Duration,
    /// What the line does to it.
    pub mishap: Option<Mishap>,
    /// The bytes, delimiters included, before any mishap. They may hold a key.
    pub bytes: &'f [u8],
}

/// Someone who is shown every frame.
pub trait Recorder: Send {
    /// Takes note of a frame. Called on the thread that keeps the line's time: be quick.
    fn frame(&mut self, frame: &LineFrame<'_>);
}

impl<F: FnMut(&LineFrame<'_>) + Send> Recorder for F {
    fn frame(&mut self, frame: &LineFrame<'_>) {
        self(frame);
    }
}

/// One frame of a transcript.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Which device, counted from 1.
    pub unit: u32,
    /// Which way it went.
    pub direction: Direction,
    /// Counted from 1 for each device and direction.
    pub number: u32,
    /// When its last byte arrived, since the slot was started.
    pub arrived: Duration,
    /// What the line did to it.
    pub mishap: Option<Mishap>,
    /// Its type; none if it is no sound frame.
    pub message_type: Option<u8>,
    /// Its sequence number; none if it is no sound frame.
    pub seq: Option<u16>,
    /// Bytes on the line, delimiters included.
    pub length: usize,
    /// The bytes themselves, where the transcript keeps them.
    pub bytes: Option<Vec<u8>>,
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.direction == Direction::ToDevice { "rx" } else { "tx" };
        write!(f, "{} {way}:{}", self.unit, self.number)?;
        match (self.message_type, self.seq) {
            (Some(kind), Some(seq)) => write!(f, " {kind:02x} seq {seq}")?,
            _ => write!(f, " no frame")?,
        }
        write!(f, " {} bytes", self.length)?;
        match self.mishap {
            Some(mishap) => write!(f, " {mishap:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Recorded {
    /// As for people: the bytes may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keeps what it is shown; clones share it.
#[derive(Clone, Default)]
pub struct Transcript {
    frames: Arc<Mutex<Vec<Recorded>>>,
    with_bytes: bool,
}

impl Transcript {
    /// Keeps type, sequence number and length of each frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the bytes too, device keys among them: for tests with keys of their own.
    pub fn with_bytes() -> Self {
        Self { frames: Arc::default(), with_bytes: true }
    }

    /// What was recorded so far.
    pub fn frames(&self) -> Vec<Recorded> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The frames of one unit in one direction.
    pub fn of(&self, unit: u32, direction: Direction) -> Vec<Recorded> {
        let frames = self.frames().into_iter();
        frames.filter(|frame| frame.unit == unit && frame.direction == direction).collect()
    }

    /// How often a unit was sent a request of that type, each sequence number once.
    pub fn requests(&self, unit: u32, message_type: u8) -> usize {
        let frames = self.of(unit, Direction::ToDevice).into_iter();
        let mut seen: Vec<_> = frames
            .filter(|frame| frame.message_type == Some(message_type))
            .filter_map(|frame| frame.seq)
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }
}

impl Recorder for Transcript {
    fn frame(&mut self, frame: &LineFrame<'_>) {
        let mut between = trimmed(frame.bytes).to_vec();
        let header = codec::decode(&mut between).ok().map(|frame| frame.header);
        let recorded = Recorded {
            unit: frame.unit,
            direction: frame.direction,
            number: frame.number,
            arrived: frame.arrives,
            mishap: frame.mishap,
            message_type: header.map(|header| header.message_type),
            seq: header.map(|header| header.seq),
            length: frame.bytes.len(),
            bytes: self.with_bytes.then(|| frame.bytes.to_vec()),
        };
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
    }
}

/// A frame without its delimiters.
pub(super) fn trimmed(frame: &[u8]) -> &[u8] {
    let start = frame.iter().position(|byte| *byte != 0).unwrap_or(frame.len());
    let end = frame.iter().rposition(|byte| *byte != 0).map_or(start, |last| last + 1);
    &frame[start..end]
}

#[cfg(test)]
mod tests {
    use firmware_interface::codec::{Header, MAX_FRAME};
    use firmware_interface::message::{Chunk, Request};

    use super::*;

    #[test]
    fn a_transcript_shows_type_sequence_and_length_but_no_content() {
        let header = Header { version: 1, message_type: 3, seq: 8, session: 5 };
        let mut out = [0; MAX_FRAME];
        let request = Request::Chunk(Chunk { offset: 0, data: b"secret" });
        let length = codec::encode(header, &request, &mut out).unwrap();
        let mut transcript = Transcript::with_bytes();
        transcript.frame(&LineFrame {
            unit: 1,
            direction: Direction::ToDevice,
            number: 4,
            arrives: Duration::ZERO,
            mishap: Some(Mishap::Drop),
            bytes: &out[..length],
        });
        let frames = transcript.frames();
        assert_eq!(format!("{frames:?}"), format!("[1 rx:4 03 seq 8 {length} bytes Drop]"));
        assert_eq!(frames[0].bytes.as_deref(), Some(&out[..length]));
        assert_eq!(transcript.requests(1, 3), 1);
    }
}
