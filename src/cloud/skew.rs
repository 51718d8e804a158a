//! How the station's clock differs from the cloud's, as the `Date` of its answers shows it.

use std::fmt;

use crate::domain::clock::Timestamp;
use crate::domain::say::Say;

/// The cloud refuses signatures whose time is further away.
pub const MAX_SKEW_SECONDS: u64 = 300;

/// How far the station's clock is ahead of the cloud's; negative where it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockSkew {
    /// Whole seconds.
    pub seconds: i64,
}

impl ClockSkew {
    /// The difference of a `Date` header to the station's clock; none where it is no date.
    pub(super) fn of(date: &str, now: Timestamp) -> Option<Self> {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
        Some(Self { seconds: now.seconds().saturating_sub(date.as_second()) })
    }

    /// Whether the cloud would refuse what the station signs.
    pub const fn is_too_large(self) -> bool {
        self.seconds.unsigned_abs() > MAX_SKEW_SECONDS
    }

    /// The one of two that lies nearer to none: a single answer with a wrong date, from
    /// some machine in between, stops nothing.
    pub(super) fn smaller(self, other: Self) -> Self {
        if other.seconds.unsigned_abs() < self.seconds.unsigned_abs() { other } else { self }
    }
}

impl ClockSkew {
    /// It in each language; the Chinese one follows "时钟" without a space.
    pub fn sentence(self) -> Say {
        let minutes = self.seconds.unsigned_abs().div_ceil(60);
        let chinese = match self.seconds {
            0 => "与云端一致".to_owned(),
            1.. => format!("比云端快 {minutes} 分钟"),
            _ => format!("比云端慢 {minutes} 分钟"),
        };
        Say { english: self.to_string(), chinese }
    }
}

impl fmt::Display for ClockSkew {
    /// In whole minutes, rounded up: "12 minutes behind the cloud's".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.seconds.unsigned_abs().div_ceil(60);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        match self.seconds {
            0 => f.write_str("equal to the cloud's"),
            1.. => write!(f, "{minutes} {unit} ahead of the cloud's"),
            _ => write!(f, "{minutes} {unit} behind the cloud's"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_shows_the_difference() {
        let now = Timestamp(784_111_777_000_000);
        let of = |date| ClockSkew::of(date, now).map(|skew| skew.seconds);
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(of("Sun, 06 Nov 1994 09:01:37 GMT"), Some(-720));
        assert_eq!(of("Sun, 06 Nov 1994 08:48:37 GMT"), Some(60));
        assert_eq!(of("yesterday"), None);
    }

    #[test]
    fn it_is_told_in_minutes() {
        let table = [
            (0, "equal to the cloud's"),
            (1, "1 minute ahead of the cloud's"),
            (-60, "1 minute behind the cloud's"),
            (-720, "12 minutes behind the cloud's"),
            (301, "6 minutes ahead of the cloud's"),
        ];
        for (seconds, wanted) in table {
            assert_eq!(ClockSkew { seconds }.to_string(), wanted);
        }
    }

    #[test]
    fn more_than_five_minutes_are_too_many_either_way() {
        for (seconds, wanted) in [(300, false), (301, true), (-300, false), (-301, true)] {
            assert_eq!(ClockSkew { seconds }.is_too_large(), wanted, "{seconds}");
        }
    }
}
