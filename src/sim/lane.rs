//! One direction of a paced line whose bytes nobody looks into.

use std::collections::VecDeque;
use std::time::Duration;

use super::schedule::{BaudRate, Line, Moment};

/// One direction: bytes, and when the last of them has crossed.
pub(crate) struct Lane {
    line: Line,
    /// How much later what crossed arrives.
    late: Duration,
    under_way: VecDeque<(Moment, Vec<u8>)>,
}

/// How many bytes are handed over together: a port adapter's packet.
const PACKET: usize = 64;

impl Lane {
    /// An idle one.
    pub(crate) const fn new(rate: BaudRate) -> Self {
        Self::late(rate, Duration::ZERO)
    }

    /// An idle one on which all arrives so much later than it has crossed.
    pub(crate) const fn late(rate: BaudRate, late: Duration) -> Self {
        Self { line: Line::new(rate), late, under_way: VecDeque::new() }
    }

    /// Takes bytes that are ready now.
    pub(crate) fn send(&mut self, now: Moment, bytes: &[u8]) {
        for packet in bytes.chunks(PACKET) {
            self.line.carry(now, packet.len());
            self.under_way.push_back((self.line.free_at() + self.late, packet.to_vec()));
        }
    }

    /// When the next packet has crossed.
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.under_way.front().map(|(at, _)| *at)
    }

    /// A packet that has crossed by now.
    pub(crate) fn due(&mut self, now: Moment) -> Option<Vec<u8>> {
        self.under_way.front().filter(|(at, _)| *at <= now)?;
        self.under_way.pop_front().map(|(_, bytes)| bytes)
    }
}
