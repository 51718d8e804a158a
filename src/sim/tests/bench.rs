//! A slot under test in a directory of its own.

use std::path::PathBuf;

use tempfile::TempDir;

use super::host::{Host, PATIENCE};
use crate::fault::FaultSpec;
use crate::options::Options;
use crate::slot::{SimulatedSlot, SlotState, start};
use crate::timings::Timings;

/// A slot under test in a directory of its own.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) slot: Option<SimulatedSlot>,
}

impl Bench {
    pub(super) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut bench = Self { folder: tempfile::tempdir().unwrap(), slot: None };
        bench.start(change);
        bench
    }

    pub(super) fn faulty(faults: &str) -> Self {
        Self::with(|options| options.faults = FaultSpec::parse(faults).unwrap())
    }

    /// Starts a simulator on the same link and state, unpaced and without busy times.
    pub(super) fn start(&mut self, change: impl FnOnce(&mut Options)) {
        let mut options = Options::new(self.link());
        options.state_dir = Some(self.folder.path().join("devices"));
        options.baud = 0;
        options.timings = Timings::INSTANT;
        change(&mut options);
        self.slot = Some(start(options).unwrap());
    }

    pub(super) fn stop(&mut self) {
        self.slot.take().unwrap().stop().unwrap();
    }

    pub(super) fn link(&self) -> PathBuf {
        self.folder.path().join("slot-a")
    }

    pub(super) fn slot(&self) -> &SimulatedSlot {
        self.slot.as_ref().unwrap()
    }

    /// Opens the port of that unit once it is plugged in.
    pub(super) fn open(&self, unit: u32) -> Host {
        let plugged = |state: &SlotState| state.plugged && state.unit == unit;
        self.slot().wait_until(PATIENCE, plugged).unwrap();
        Host::open(&self.link())
    }
}
