//! What is durable: one SQLite file with a hash-chained journal and the tables that
//! follow from it. The only module that knows SQL.
//!
//! Start with [`Ledger`] (opening), then `writer` (how a record becomes durable), `decide`
//! (which records are refused), `apply` (what a record does to the tables) and [`Reader`]
//! (what is known). `docs/ledger.md` describes the file for those who audit it. Nothing
//! here signs or checks a signature itself: it asks for a
//! [`HeadSigner`] and a [`HeadVerifier`](crate::domain::evidence::HeadVerifier).

mod apply;
mod apply_adopted;
mod apply_attempt;
mod apply_cloud;
mod apply_person;
mod apply_unit;
mod aside;
mod backlog;
mod backup;
mod backups;
mod clock;
mod counts;
mod decide;
mod decide_adopted;
mod decide_cloud;
mod decide_person;
mod error;
mod figures;
mod files;
mod filesystem;
mod head;
mod history;
mod inquiries;
mod journal;
mod lock;
pub mod outbox;
mod payload;
mod persons;
mod reader;
mod replay;
mod schema;
mod sql;
pub mod states;
mod story;
mod unit_row;
mod verify;
pub mod views;
mod witness;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::clock::Clock;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadSigner;
use crate::domain::ids::StationId;
use crate::domain::record::{Gap, GapAccepted, Person, Record};

pub use aside::{set_aside, set_aside_if_damaged};
pub use backlog::Backlog;
pub use backup::restore;
pub use backups::{BackupFile, BackupRule, Backups};
pub use error::LedgerError;
pub use files::{absent, make_data_dir};
pub use head::Head;
pub use inquiries::Inquiries;
pub use journal::{Hash, InstanceId, Kind};
pub use lock::{Work, WorkLock};
pub use persons::{Persons, Private};
pub use reader::Reader;
pub use verify::{Audit, Verification, check, verify};
pub use writer::{HeldBack, Ticket, Writer, Written};

use decide::Limits;
use head::{Note, Notes, Noting, SignedHead};
use journal::{Created, Entry, Fact};
use witness::Owner;
use writer::{Scribe, WriterThread};

/// The ledger's file in the data directory.
pub const LEDGER_FILE: &str = "ledger.db";

/// The note of the newest head beside it.
pub const HEAD_FILE: &str = "journal.head";

/// Beside the ledger, the newest head that an audit reached.
pub const AUDITED_FILE: &str = "journal.audited";

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

    fn limits(&self) -> Limits {
        Limits {
            data_dir: self.data_dir.clone(),
            reserve_bytes: self.reserve_bytes,
            max_clock_gap: self.max_clock_gap,
        }
    }

    fn notes(&self) -> Notes {
        Notes::of(&self.data_dir, self.anchor.as_deref())
    }
}

/// An open ledger. Its writer thread ends when it is dropped.
#[derive(Debug)]
pub struct Ledger {
    settings: Settings,
    owner: Owner,
    thread: WriterThread,
}

impl Ledger {
    /// Opens the ledger to write, and makes it where there is none.
    pub fn open(
        settings: Settings,
        signer: Arc<dyn HeadSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Ledger, LedgerError> {
        // The notes first: another process may make the ledger in between.
        let notes = settings.notes().read();
        if let Err(LedgerError::Missing(_)) = files::existing(&settings.data_dir) {
            witness::check_absent(&settings.station, &notes)?;
            files::make(&settings.data_dir)?;
        }
        Ledger::open_existing(settings, signer, clock)
    }

    /// Opens the ledger to write; one that is not there is refused.
    pub fn open_existing(
        settings: Settings,
        signer: Arc<dyn HeadSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Ledger, LedgerError> {
        let path = files::existing(&settings.data_dir)?;
        let connection = files::open_to_write(&path)?;
        schema::migrate(&connection)?;
        let owner = match admit(&connection, &settings, signer.as_ref())? {
            Some(owner) => owner,
            None => create(&connection, &settings, signer.as_ref(), clock.as_ref())?,
        };
        files::keep_log(&connection, false)?;
        Ledger::start(settings, owner, connection, signer, clock)
    }

    fn start(
        settings: Settings,
        owner: Owner,
        connection: Connection,
        signer: Arc<dyn HeadSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Ledger, LedgerError> {
        let (limits, notes) = (settings.limits(), settings.notes());
        let scribe = Scribe::new(connection, owner.clone(), limits, notes, signer, clock);
        let thread = WriterThread::start(scribe);
        let thread = thread.map_err(|error| LedgerError::file("the ledger's writer", error))?;
        Ok(Ledger { settings, owner, thread })
    }

    /// A door to the writer.
    pub fn writer(&self) -> Writer {
        self.thread.writer().clone()
    }

    /// A reader with a connection of its own.
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(&self.settings.data_dir, Some(&self.settings.station))
    }

    /// A reader in a thread of its own, for many to ask.
    pub fn inquiries(&self) -> Result<Inquiries, LedgerError> {
        Inquiries::start(self.reader()?)
    }

    /// Accepts the gap that a restore left, after a sync compared the whole cloud with the
    /// ledger, so that units may begin again; gives it, and does nothing where there is none.
    pub fn accept_gap(&self, reason: String, by: Person) -> Result<Option<Gap>, Fault> {
        let Some(gap) = self.reader()?.gap()? else { return Ok(None) };
        let accepted = GapAccepted { restored_seq: gap.restored_seq, compared: true, reason, by };
        let done = self.writer().record(Record::GapAccepted(accepted));
        done.map(|_| Some(gap)).map_err(|refusal| refusal.fault().clone())
    }

    /// The random id that tells this ledger from every other.
    pub fn instance(&self) -> InstanceId {
        self.owner.instance
    }

    /// Where it lies and its limits.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Checks that an open ledger is this station's, ends in a signed head under its key and
/// is what the notes outside know; none where it has no first entry yet.
fn admit(
    connection: &Connection,
    settings: &Settings,
    signer: &dyn HeadSigner,
) -> Result<Option<Owner>, LedgerError> {
    let notes = settings.notes().read();
    let transaction = connection.unchecked_transaction()?;
    let Some(owner) = Owner::read(&transaction)? else {
        witness::check_absent(&settings.station, &notes)?;
        return Ok(None);
    };
    if owner.station != settings.station {
        let wanted = settings.station.clone();
        return Err(LedgerError::Station { found: owner.station, wanted });
    }
    let head = witness::check_inside(&transaction)?;
    for (note, witness) in &notes {
        witness::check_note(&transaction, &owner, head, note, witness)?;
    }
    let found = SignedHead::newest(&transaction)?.map(|signed| signed.public_key);
    match found {
        Some(found) if found != signer.public_key() => {
            let (found, wanted) = (Box::new(found), Box::new(signer.public_key()));
            Err(LedgerError::Key { found, wanted })
        }
        _ => Ok(Some(owner)),
    }
}

/// Writes the first entry, unless another process was quicker.
fn create(
    connection: &Connection,
    settings: &Settings,
    signer: &dyn HeadSigner,
    clock: &dyn Clock,
) -> Result<Owner, LedgerError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        LedgerError::file("the system's random numbers", std::io::Error::other(error))
    })?;
    let owner = Owner { station: settings.station.clone(), instance: InstanceId(random) };
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    if let Some(owner) = Owner::read(&transaction)? {
        return Ok(owner);
    }
    let journal_key = signer.public_key();
    let created = Created { instance: owner.instance.to_string(), journal_key };
    let entry = Entry {
        seq: 1,
        wall: clock.now().wall,
        station: owner.station.clone(),
        fact: Fact::Created(created),
    };
    let mut head = Head::NONE;
    let signed = append_signed(&transaction, &mut head, &owner.instance, &entry, signer)?;
    writer::commit(&transaction, &[Kind::Created])?;
    let note = Note::new(&owner.station, &owner.instance, &signed);
    // An anchor that can't be written is told by the first record.
    let _ = settings.notes().write(&note, Noting::AtEnd);
    Ok(owner)
}

/// Appends one entry and signs it, within the caller's transaction.
fn append_signed(
    connection: &Connection,
    head: &mut Head,
    instance: &InstanceId,
    entry: &Entry,
    signer: &dyn HeadSigner,
) -> Result<SignedHead, LedgerError> {
    head.append(connection, entry)?;
    SignedHead::make(connection, instance, *head, signer)
}

#[cfg(test)]
mod tests;
