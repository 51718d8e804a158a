//! Opening a ledger to write: whose it is, whether it is whole, and the first entry of a new
//! one.

use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::clock::Clock;
use crate::domain::device::Fault;
use crate::domain::evidence::{HeadSigner, HeadVerifier};
use crate::domain::ids::PublicKey;
use crate::domain::person::Person;
use crate::domain::record::{Gap, GapAccepted, Record};

use super::ask::inquiries::Inquiries;
use super::ask::reader::Reader;
use super::error::LedgerError;
use super::journal::entry::{Created, Entry, Fact, InstanceId, Kind};
use super::journal::head::{Head, SignedHead};
use super::journal::note::{Note, Noting};
use super::journal::witness::{self, Owner};
use super::keep::aside::compact;
use super::keep::files;
use super::settings::Settings;
use super::tables::schema;
use super::write::append::{append_signed, commit};
use super::write::persons::Persons;
use super::write::writer::{Scribe, Writer, WriterThread};

/// An open ledger. Its writer thread ends when it is dropped.
#[derive(Debug)]
pub struct Ledger {
    settings: Settings,
    owner: Owner,
    thread: WriterThread,
    altered: Option<Fault>,
}

impl Ledger {
    /// Opens the ledger to write, and makes it where there is none.
    pub fn open(
        settings: Settings,
        signer: Arc<dyn HeadSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Ledger, LedgerError> {
        settings.check_place(signer.as_ref())?;
        if let Err(LedgerError::Missing(_)) = files::existing(&settings.data_dir) {
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
        settings.check_place(signer.as_ref())?;
        files::sweep(&settings.data_dir);
        let path = files::existing(&settings.data_dir)?;
        let connection = files::open_to_write(&path)?;
        schema::migrate(&connection)?;
        let owner = match admit(&connection, &settings, signer.as_ref())? {
            Some(owner) => owner,
            None => create(&connection, &settings, signer.as_ref(), clock.as_ref())?,
        };
        files::keep_log(&connection, false)?;
        let altered = keep_altered(&settings, signer.as_ref(), clock.as_ref());
        let mut ledger = Ledger::start(settings, owner, connection, signer, clock)?;
        ledger.altered = altered;
        Ok(ledger)
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
        let thread = thread.map_err(|source| LedgerError::Thread { what: "writer", source })?;
        Ok(Ledger { settings, owner, thread, altered: None })
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

    /// The personal rows.
    pub fn persons(&self) -> Result<Persons, LedgerError> {
        Persons::open(&self.settings.data_dir)
    }

    /// The random id that tells this ledger from every other.
    pub fn instance(&self) -> InstanceId {
        self.owner.instance
    }

    /// What was found of notes that do not carry their signature; they were put aside.
    pub fn altered_notes(&self) -> Option<&Fault> {
        self.altered.as_ref()
    }

    /// Refuses a ledger for which nothing outside it speaks, before its key is certified.
    /// `certified` are the journal keys that the CA certified in it.
    pub fn check_vouched(
        &self,
        certified: &[PublicKey],
        verifier: &dyn HeadVerifier,
    ) -> Result<(), LedgerError> {
        let notes = self.settings.notes().read(verifier);
        let path = files::existing(&self.settings.data_dir)?;
        let connection = files::open_to_read(&path)?;
        witness::check_vouched(&connection, &self.owner, certified, &notes)
    }

    /// Where it lies and its limits.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Keeps each note that does not carry its signature under another name, since the next
/// commit writes a good one in its place; says so.
fn keep_altered(
    settings: &Settings,
    verifier: &dyn HeadVerifier,
    clock: &dyn Clock,
) -> Option<Fault> {
    let told = settings.altered_notes(verifier);
    for (path, _) in settings.notes().altered(verifier) {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".bad-{}", compact(clock.now().wall)));
        // Where it can't be kept, it is told all the same.
        let _ = std::fs::rename(path, name);
    }
    told
}

/// Checks that an open ledger is this station's, ends in a signed head under its key and
/// is what the notes outside know; none where it has no first entry yet.
pub(super) fn admit(
    connection: &Connection,
    settings: &Settings,
    signer: &dyn HeadSigner,
) -> Result<Option<Owner>, LedgerError> {
    let notes = settings.notes().read(signer);
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
    commit(&transaction, &[Kind::Created])?;
    let note = Note::new(&owner.station, &owner.instance, &signed);
    // An anchor that can't be written is told by the first record.
    let _ = settings.notes().write(&note, Noting::AtEnd, signer);
    Ok(owner)
}
