//! When a byte has crossed a line of so many bits a second.
//!
//! Pure arithmetic: it reads no clock and waits for nothing. Every time is counted from
//! one beginning and every duration from a number of bytes, so that neither rounding nor
//! a late wake-up adds up. Start with [`Line::carry`].

use std::ops::Add;
use std::time::Duration;

/// Bits on the line for a byte: start, eight data, stop.
const BITS_PER_BYTE: u64 = 10;

const NANOSECONDS: u64 = 1_000_000_000;

/// Nanoseconds since the simulated slot was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// How long it is from `earlier` to here, zero if it is not earlier.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }
}

/// Bits a second of a line; 0 means that bytes need no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BaudRate(pub(crate) u32);

impl BaudRate {
    /// How long so many bytes take.
    pub(crate) const fn line_time(self, bytes: usize) -> Duration {
        if self.0 == 0 {
            return Duration::ZERO;
        }
        Duration::from_nanos(bytes as u64 * BITS_PER_BYTE * NANOSECONDS / self.0 as u64)
    }

    /// How many whole bytes have crossed after so long; all of `limit` without pacing.
    pub(crate) fn bytes_in(self, elapsed: Duration, limit: usize) -> usize {
        if self.0 == 0 {
            return limit;
        }
        let nanoseconds = elapsed.as_nanos();
        let bytes = nanoseconds * u128::from(self.0) / u128::from(BITS_PER_BYTE * NANOSECONDS);
        usize::try_from(bytes).map_or(limit, |bytes| bytes.min(limit))
    }
}

/// One direction of a line, which carries one byte after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    rate: BaudRate,
    free_at: Moment,
}

impl Line {
    /// An idle line.
    pub(crate) const fn new(rate: BaudRate) -> Self {
        Self { rate, free_at: Moment(0) }
    }

    /// Takes bytes that are ready at `ready`; says when their first bit starts. A busy
    /// line takes them when it is free.
    pub(crate) fn carry(&mut self, ready: Moment, bytes: usize) -> Moment {
        let start = ready.max(self.free_at);
        self.free_at = start + self.rate.line_time(bytes);
        start
    }

    /// When the last byte taken has crossed.
    pub(crate) const fn free_at(&self) -> Moment {
        self.free_at
    }

    /// Its rate.
    pub(crate) const fn rate(&self) -> BaudRate {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTORY: BaudRate = BaudRate(115_200);

    #[test]
    fn a_byte_takes_ten_bits() {
        assert_eq!(FACTORY.line_time(11_520), Duration::from_secs(1));
        assert_eq!(FACTORY.line_time(1), Duration::from_nanos(86_805));
        assert_eq!(BaudRate(9_600).line_time(96), Duration::from_millis(100));
    }

    #[test]
    fn without_pacing_bytes_need_no_time() {
        assert_eq!(BaudRate(0).line_time(1_000_000), Duration::ZERO);
        assert_eq!(BaudRate(0).bytes_in(Duration::ZERO, 7), 7);
    }

    #[test]
    fn only_whole_bytes_have_crossed() {
        assert_eq!(FACTORY.bytes_in(Duration::from_nanos(86_805), 9), 0);
        assert_eq!(FACTORY.bytes_in(Duration::from_nanos(86_806), 9), 1);
        assert_eq!(FACTORY.bytes_in(Duration::from_secs(1), 20_000), 11_520);
        assert_eq!(FACTORY.bytes_in(Duration::from_secs(1), 9), 9);
    }

    #[test]
    fn an_idle_line_starts_at_once_and_a_busy_one_when_it_is_free() {
        let mut line = Line::new(FACTORY);
        let second = Duration::from_secs(1);
        assert_eq!(line.carry(Moment(0) + second, 11_520), Moment(0) + second);
        assert_eq!(line.carry(Moment(0) + second, 11_520), Moment(0) + 2 * second);
        assert_eq!(line.free_at(), Moment(0) + 3 * second);
        assert_eq!(line.carry(Moment(0) + 9 * second, 1), Moment(0) + 9 * second);
    }

    #[test]
    fn a_thousand_frames_end_when_their_bytes_do() {
        let mut line = Line::new(FACTORY);
        for _ in 0..1_000 {
            line.carry(Moment(0), 1_024);
        }
        let together = FACTORY.line_time(1_024_000);
        assert!(together - line.free_at().since(Moment(0)) < Duration::from_micros(1));
    }
}
