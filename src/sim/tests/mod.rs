//! Simulated slots seen from the station's end, by a host of a few lines.
//!
//! The host shares the messages with the device and nothing with the station's link.

mod faults;
mod hands;
mod host;
mod liars;
mod slots;

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{FaultSpec, Options, SimulatedSlot, Timings, start};
use host::Host;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A slot under test in a directory of its own.
struct Bench {
    folder: TempDir,
    slot: Option<SimulatedSlot>,
}

impl Bench {
    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut bench = Self { folder: tempfile::tempdir().unwrap(), slot: None };
        bench.start(change);
        bench
    }

    fn faulty(faults: &str) -> Self {
        Self::with(|options| options.faults = FaultSpec::parse(faults).unwrap())
    }

    /// Starts a simulator on the same link and state, unpaced and without busy times.
    fn start(&mut self, change: impl FnOnce(&mut Options)) {
        let mut options = Options::new(self.link());
        options.state_dir = Some(self.folder.path().join("devices"));
        options.baud = 0;
        options.timings = Timings::INSTANT;
        change(&mut options);
        self.slot = Some(start(options).unwrap());
    }

    fn stop(&mut self) {
        self.slot.take().unwrap().stop().unwrap();
    }

    fn link(&self) -> PathBuf {
        self.folder.path().join("slot-a")
    }

    fn slot(&self) -> &SimulatedSlot {
        self.slot.as_ref().unwrap()
    }

    /// Opens the port of that unit once it is plugged in.
    fn open(&self, unit: u32) -> Host {
        let plugged = |state: &super::SlotState| state.plugged && state.unit == unit;
        self.slot().wait_until(PATIENCE, plugged).unwrap();
        Host::open(&self.link())
    }
}
