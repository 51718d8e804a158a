//! What is durable: one SQLite file with a hash-chained journal and the tables that
//! follow from it. The only module that knows SQL.
//!
//! Its rooms, each of which may use those above it and none below:
//!
//! | room | holds |
//! | --- | --- |
//! | `error` | what can go wrong with the ledger as a whole |
//! | `tables` | the schema, the words in it, how single rows are read |
//! | `keep` | the file on the disk: opened, locked, set aside |
//! | `journal` | entries, their bytes and hashes, the signed head and its witnesses |
//! | `segment` | pieces of the journal in files that need no ledger |
//! | `apply` | what a record does to the tables |
//! | `decide` | which records are refused |
//! | `settings` | where a ledger lies, whose it is, its limits |
//! | `ask` | what is known |
//! | `audit` | whether a ledger is what was written |
//! | `write` | how a record becomes durable |
//! | `backup` | saving a ledger, and bringing one back |
//! | `open` | opening one to write |
//! | `mend` | making lost indices anew |
//!
//! Start with [`Ledger`] (opening), then `write` (how a record becomes durable), `decide`,
//! `apply` and [`Reader`]. `docs/ledger.md` describes the file for those who audit it.
//! Nothing here signs or checks a signature itself: it asks for a
//! [`HeadSigner`](crate::domain::evidence::HeadSigner) and a
//! [`HeadVerifier`](crate::domain::evidence::HeadVerifier).

use station_cut as cut;
use station_domain::{self as domain, say};

mod apply;
mod ask;
mod audit;
mod backup;
mod decide;
mod error;
mod journal;
mod keep;
mod mend;
mod open;
mod segment;
mod settings;
mod tables;
mod write;

pub use ask::backlog::Backlog;
pub use ask::inquiries::Inquiries;
pub use ask::reader::Reader;
pub use ask::{outbox, views};
pub use audit::verify::{AUDITED_FILE, Audit, Verification, check, verify};
pub use backup::parcel::Parcel;
pub use backup::restore::{Restoring, was_left_behind};
pub use backup::schedule::{BackupFile, BackupRule, Backups};
pub use error::LedgerError;
pub use journal::entry::{Hash, InstanceId, Kind};
pub use journal::head::Head;
pub use journal::note::{HEAD_FILE, is_note};
pub use keep::aside::{set_aside, set_aside_if_damaged};
pub use keep::files::{LEDGER_FILE, absent, is_database, make_data_dir};
pub use keep::lock::{Work, WorkLock};
pub use keep::structure::FileCheck;
pub use mend::reindex;
pub use open::Ledger;
pub use segment::arrived::{ArrivedEntry, ArrivedError, arrived, segment_head};
pub use segment::files as segments;
pub use settings::Settings;
pub use tables::states;
pub use write::persons::{Persons, Private};
pub use write::writer::{HeldBack, Ticket, Writer, Written};

#[cfg(test)]
mod tests;
