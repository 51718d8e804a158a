//! Time as a value: deadlines use the monotonic part, records the wall part.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z: RFC 5280's "no well-defined expiry". It lies beyond what
    /// the time library can hold.
    pub const NO_EXPIRY: Timestamp = Timestamp(253_402_300_799_000_000);

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_microsecond()))
    }

    /// Milliseconds from another time to this one; negative where the clock was set back.
    pub const fn milliseconds_since(self, other: Timestamp) -> i64 {
        self.0.saturating_sub(other.0).div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.seconds() == Self::NO_EXPIRY.seconds() {
            return f.write_str("9999-12-31T23:59:59.000Z");
        }
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// A length of time such as "90s", "10m", "24h" or "30d": one second to ten years.
pub fn length_of_time(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    // Every use of it is an operation or a clock on a factory floor.
    const LONGEST: u64 = 3_660 * 86_400;
    let (number, factor) =
        UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = number.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*factor)?;
    (1..=LONGEST).contains(&seconds).then(|| Duration::from_secs(seconds))
}

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since an arbitrary start; never goes back. For deadlines.
    pub monotonic: Duration,
    /// The station's wall clock. For records; may jump.
    pub wall: Timestamp,
}

/// Where time comes from. Tests put their own behind it.
pub trait Clock: Send + Sync {
    /// Reads both clocks.
    fn now(&self) -> Now;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(Timestamp(1_551_113_065_120_000).to_string(), "2019-02-25T16:44:25.120Z");
        assert_eq!(Timestamp::NO_EXPIRY.to_string(), "9999-12-31T23:59:59.000Z");
        assert_eq!(Timestamp(-1).seconds(), -1);
    }
}
