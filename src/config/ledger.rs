//! `[ledger]`: how evidence is kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kinds::{time_or, under};
use super::raw;

/// `[ledger]`
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// A path on another medium to which the journal's head is written too.
    pub anchor: Option<PathBuf>,
    /// Bytes of free disk below which no new unit starts.
    pub reserve: u64,
    /// Where the line's own backups go; none is the data directory's `backups`.
    pub backup_dir: Option<PathBuf>,
    /// A backup is made when the newest is older and something was recorded since.
    pub backup_every: Duration,
    /// A backup is made when so many entries are in none.
    pub backup_after: u32,
    /// How many whole copies of an older program stay; 0 makes no backups.
    pub backup_keep: u32,
    /// The file that holds the secret which encrypts the journal key.
    pub journal_secret_file: Option<PathBuf>,
}

pub(super) fn ledger(raw: raw::Ledger, dir: &Path) -> LedgerSettings {
    LedgerSettings {
        anchor: under(raw.anchor, dir),
        // Room for the records of every unit that can be under way, many times over.
        reserve: raw.reserve.map_or(256 << 20, |size| size.0),
        backup_dir: under(raw.backup_dir, dir),
        // What an hour's work is worth is what a dead disk may cost.
        backup_every: time_or(raw.backup_every, Duration::from_secs(3_600)),
        backup_after: raw.backup_after.map_or(50_000, |number| number.0),
        backup_keep: raw.backup_keep.map_or(8, |number| number.0),
        journal_secret_file: under(raw.journal_secret_file, dir),
    }
}
