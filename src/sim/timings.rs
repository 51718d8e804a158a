//! How long a device works.

use std::time::Duration;

use firmware_interface::timing::BusyTimes;

/// How long a device works, and how long it says that it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// Erasing one slot of its storage.
    pub erase: Duration,
    /// Writing one chunk.
    pub chunk: Duration,
    /// Writing a header or the lock.
    pub commit: Duration,
    /// Signing.
    pub prove: Duration,
    /// From the reset to the first frame that it takes.
    pub boot: Duration,
}

impl Timings {
    /// A device that needs no time at all.
    pub const INSTANT: Self = Self {
        erase: Duration::ZERO,
        chunk: Duration::ZERO,
        commit: Duration::ZERO,
        prove: Duration::ZERO,
        boot: Duration::ZERO,
    };

    /// As the protocol declares them: whole milliseconds, rounded up.
    pub(super) fn declared(&self) -> BusyTimes {
        let milliseconds =
            |time: Duration| u16::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(u16::MAX);
        BusyTimes {
            erase: milliseconds(self.erase),
            chunk: milliseconds(self.chunk),
            commit: milliseconds(self.commit),
            prove: milliseconds(self.prove),
            boot: milliseconds(self.boot),
        }
    }
}

impl Default for Timings {
    /// A small microcontroller with internal flash.
    fn default() -> Self {
        Self {
            erase: Duration::from_millis(20),
            chunk: Duration::from_millis(2),
            commit: Duration::from_millis(10),
            prove: Duration::from_millis(20),
            boot: Duration::from_millis(30),
        }
    }
}
