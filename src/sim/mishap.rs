//! What a line does to a frame, and which frame.

use std::time::Duration;

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the station to the device (`rx`).
    ToDevice,
    /// From the device to the station (`tx`).
    FromDevice,
}

/// One frame among all that a device sends or receives, counted from 1 since it was
/// plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameNumber {
    /// Which way it goes.
    pub direction: Direction,
    /// Counted from 1.
    pub number: u32,
}

/// What a line does to one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It is lost.
    Drop,
    /// One of its bits is changed.
    Corrupt,
    /// It arrives twice.
    Double,
    /// It arrives so much later, and what follows not before it.
    Delay(Duration),
}
