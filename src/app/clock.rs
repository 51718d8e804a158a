//! The machine's own clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::clock::{Clock, Now, Timestamp};

/// Reads the system's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock whose monotonic part starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Now { monotonic: self.0.elapsed(), wall: Timestamp(micros) }
    }
}
