//! The ledger as a deciding transaction sees it, and how a record is refused.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::grant::GrantNumber;
use crate::domain::say::Say;
use crate::error::LedgerError;

/// What a station sets as limits.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) data_dir: PathBuf,
    pub(crate) reserve_bytes: u64,
    pub(crate) max_clock_gap: Duration,
    /// No unit begins without a grant.
    pub(crate) require_grant: bool,
}

/// What the deciding transaction adds to a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Decided {
    /// The number of the attempt that it begins, or 0.
    pub(crate) attempt: u32,
    /// The grant of which that attempt takes a place.
    pub(crate) grant: Option<GrantNumber>,
}

impl Decided {
    pub(crate) const fn attempt(attempt: u32) -> Self {
        Decided { attempt, grant: None }
    }
}

/// Why a record was not appended.
#[derive(Debug)]
pub(crate) enum Trouble {
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

pub(crate) type Decision<T> = Result<T, Trouble>;

/// Refuses this record alone.
pub(crate) fn refuse<T>(code: Code, detail: Say) -> Decision<T> {
    Err(Trouble::Row(Fault::said(code, detail)))
}

/// The ledger as the deciding transaction sees it.
pub(crate) struct View<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) limits: &'a Limits,
    pub(crate) now: Timestamp,
    /// Up to when the clock is believed, behind the entries of this transaction; none where the
    /// ledger is not founded yet.
    pub(crate) clock: Option<Timestamp>,
}
