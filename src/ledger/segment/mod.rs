//! Segments of the journal: consecutive entries as they were hashed, and the signed head
//! behind them, in one file.
//!
//! Whoever has segments and the CA's certificate needs no ledger: nothing here opens one. A
//! ledger is backed up by its new segment, audited by its segments, and brought back from
//! them. `docs/ledger.md` describes the bytes, which never change.

pub(super) mod arrived;
pub(super) mod chain;
pub mod files;
pub(super) mod format;
pub(super) mod read;
pub(super) mod write;
