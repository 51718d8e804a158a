//! Where a ledger lies, whose it is, and its limits.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::StationId;
use crate::domain::say::Say;

use super::decide::view::Limits;
use super::error::LedgerError;
use super::journal::note::{self, Notes};
use super::journal::witness;
use super::keep::{files, filesystem};
use crate::say;

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
    /// No unit begins without a grant.
    pub require_grant: bool,
}

impl Settings {
    /// Refuses a data directory, existing or to be made, that can't hold a ledger.
    pub fn check_file_system(&self) -> Result<(), LedgerError> {
        filesystem::check_local(&self.data_dir)
    }

    /// What any opening to write asks first, and nothing is made or changed: a local file
    /// system, a disk that takes writes, and, where there is no ledger, no note of one.
    pub fn check_place(&self, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
        filesystem::check_local(&self.data_dir)?;
        filesystem::check_writable(&self.data_dir)?;
        // The notes first: another process may make the ledger in between.
        let notes = self.notes().read(verifier);
        match files::existing(&self.data_dir) {
            Err(LedgerError::Missing(_)) => witness::check_absent(&self.station, &notes),
            Err(error) => Err(error),
            // A file without a byte is begun like one that is not there.
            Ok(path) => match std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
                true => witness::check_absent(&self.station, &notes),
                false => Ok(()),
            },
        }
    }

    /// What others than the station's user may read or change here, where there is anything:
    /// the data directory, and the files in it.
    pub fn open_to_others(&self) -> Option<Fault> {
        let open = files::open_to_others(&self.data_dir);
        let named: Vec<String> = open
            .iter()
            .take(5)
            .map(|(path, mode)| format!("{} ({mode:o})", path.display()))
            .collect();
        let more = open.len().checked_sub(5).filter(|more| *more > 0);
        let more_en = more.map_or_else(String::new, |more| format!(" and {more} more"));
        let more_zh = more.map_or_else(String::new, |more| format!(" 等，另有 {more} 个"));
        let named = named.join(", ");
        let detail = say!(
            "others can read or change {named}{more_en}",
            "其他用户可以读取或改动 {named}{more_zh}"
        );
        (!open.is_empty()).then(|| Fault::said(Code::LedgerMode, detail))
    }

    /// The notes that do not carry their signature, where there is one.
    pub fn altered_notes(&self, verifier: &dyn HeadVerifier) -> Option<Fault> {
        let notes = self.notes();
        let told: Vec<Say> =
            notes.altered(verifier).iter().map(|(_, name)| note::altered(name)).collect();
        (!told.is_empty()).then(|| Fault::said(Code::LedgerNote, Say::all(&told)))
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
            require_grant: self.require_grant,
        }
    }

    pub(super) fn notes(&self) -> Notes {
        Notes::of(&self.data_dir, self.anchor.as_deref())
    }
}
