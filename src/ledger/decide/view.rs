//! The ledger as a deciding transaction sees it, and how a record is refused.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::grant::GrantNumber;
use crate::domain::say::Say;
use crate::ledger::error::LedgerError;

/// What a station sets as limits.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Limits {
    pub(in crate::ledger) data_dir: PathBuf,
    pub(in crate::ledger) reserve_bytes: u64,
    pub(in crate::ledger) max_clock_gap: Duration,
    /// No unit begins without a grant.
    pub(in crate::ledger) require_grant: bool,
}

/// What the deciding transaction adds to a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Decided {
    /// The number of the attempt that it begins, or 0.
    pub(in crate::ledger) attempt: u32,
    /// The grant of which that attempt takes a place.
    pub(in crate::ledger) grant: Option<GrantNumber>,
}

impl Decided {
    pub(in crate::ledger) const fn attempt(attempt: u32) -> Self {
        Decided { attempt, grant: None }
    }
}

/// Why a record was not appended.
#[derive(Debug)]
pub(in crate::ledger) enum Trouble {
    /// It alone is refused.
    Row(Fault),
    /// The ledger can't go on.
    Ledger(LedgerError),
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Trouble::Ledger(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Ledger(LedgerError::from(error))
    }
}

pub(in crate::ledger) type Decision<T> = Result<T, Trouble>;

/// Refuses this record alone.
pub(in crate::ledger) fn refuse<T>(code: Code, detail: Say) -> Decision<T> {
    Err(Trouble::Row(Fault::said(code, detail)))
}

/// The ledger as the deciding transaction sees it.
pub(in crate::ledger) struct View<'a> {
    pub(in crate::ledger) connection: &'a Connection,
    pub(in crate::ledger) limits: &'a Limits,
    pub(in crate::ledger) now: Timestamp,
    /// Up to when the clock is believed, behind the entries of this transaction; none where the
    /// ledger is not founded yet.
    pub(in crate::ledger) clock: Option<Timestamp>,
}
