//! Where a ledger lies, whose it is, and its limits.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::ids::StationId;

use super::decide::view::Limits;
use super::error::LedgerError;
use super::journal::note::Notes;
use super::keep::filesystem;

/// Where a ledger lies, whose it is, and its limits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory.
    pub data_dir: PathBuf,
    /// This station.
    pub station: StationId,
    /// Where the head is noted on another medium.
    pub anchor: Option<PathBuf>,
    /// No unit begins with fewer bytes free.
    pub reserve_bytes: u64,
    /// No unit begins with a clock further ahead of the journal.
    pub max_clock_gap: Duration,
}

impl Settings {
    /// Refuses a data directory, existing or to be made, that can't hold a ledger.
    pub fn check_file_system(&self) -> Result<(), LedgerError> {
        filesystem::check_local(&self.data_dir)
    }

    /// Refuses where too little room is left for a unit to begin.
    pub fn check_room(&self) -> Result<(), LedgerError> {
        filesystem::check_room(&self.data_dir, self.reserve_bytes)
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            data_dir: self.data_dir.clone(),
            reserve_bytes: self.reserve_bytes,
            max_clock_gap: self.max_clock_gap,
        }
    }

    pub(super) fn notes(&self) -> Notes {
        Notes::of(&self.data_dir, self.anchor.as_deref())
    }
}
