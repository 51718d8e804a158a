//! Saving a ledger while it is in use, and bringing one back.
//!
//! A backup is one file, complete in itself, audited after it was written and only then
//! given its name. A restore audits first, goes only where no ledger is, and says in the
//! journal what may be missing.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use crate::domain::clock::Clock;
use crate::domain::evidence::{HeadSigner, HeadVerifier};
use crate::domain::person::Person;
use crate::domain::record::{Record, Restored};
use crate::ledger::ask::reader::Reader;
use crate::ledger::audit::verify::{self, Audit, Sound};
use crate::ledger::error::LedgerError;
use crate::ledger::journal::entry::{Entry, Fact, InstanceId, Kind};
use crate::ledger::journal::head::{Head, SignedHead};
use crate::ledger::journal::note::{Note, Noting};
use crate::ledger::journal::witness::{self, Owner};
use crate::ledger::keep::files::temporary_beside;
use crate::ledger::keep::structure::{self, FileCheck};
use crate::ledger::keep::{aside, files, filesystem};
use crate::ledger::settings::Settings;
use crate::ledger::tables::sql::stored;
use crate::ledger::tables::{schema, shape};
use crate::ledger::write::append::{append_signed, commit};

/// A file that is removed unless it was given its final name.
pub(in crate::ledger) struct Unfinished(PathBuf);

impl Unfinished {
    pub(in crate::ledger) fn create(path: &Path) -> Result<Unfinished, LedgerError> {
        let temporary = temporary_beside(path);
        files::sweep(temporary.parent().unwrap_or(Path::new(".")));
        let made = files::make_temporary(&temporary);
        made.map_err(|error| LedgerError::file(&temporary, error))?;
        Ok(Unfinished(temporary))
    }

    /// Where it is until then.
    pub(in crate::ledger) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it durable under its final name; one that is there already is kept.
    fn finish(&self, path: &Path) -> Result<(), LedgerError> {
        let failed = |error| LedgerError::file(path, error);
        fs::File::open(&self.0).and_then(|file| file.sync_all()).map_err(failed)?;
        match fs::hard_link(&self.0, path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(LedgerError::Exists(path.to_path_buf()));
            }
            Err(error) => return Err(failed(error)),
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        files::sync_directory(directory.unwrap_or(Path::new(".")))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The other name, where it got one, keeps the file.
        let _ = fs::remove_file(&self.0);
    }
}

impl Reader {
    /// Saves the ledger as one file while others go on writing; gives its entries.
    pub fn backup(&self, to: &Path, verifier: &dyn HeadVerifier) -> Result<u64, LedgerError> {
        self.save(to, verifier, &Audit::default())
    }

    /// The same with an audit of one's own choice.
    pub(in crate::ledger) fn save(
        &self,
        to: &Path,
        verifier: &dyn HeadVerifier,
        audit: &Audit,
    ) -> Result<u64, LedgerError> {
        if to.exists() {
            return Err(LedgerError::Exists(to.to_path_buf()));
        }
        let unfinished = Unfinished::create(to)?;
        copy_pages(&self.connection, &unfinished.0)?;
        let Sound { head, .. } = verify::demand(&unfinished.0, verifier, audit)?;
        unfinished.finish(to)?;
        Ok(head.seq)
    }

    /// Whether the last entry of a backup is an entry of this ledger.
    pub(in crate::ledger) fn has_head_of(&self, backup: &Path) -> Result<bool, LedgerError> {
        let connection = files::open_untouchable(backup)?;
        shape::check(&connection)?;
        let head = Head::read(&connection)?;
        let sql = "SELECT 1 FROM journal WHERE seq = ?1 AND hash = ?2";
        Ok(self.connection.prepare_cached(sql)?.exists(params![stored(head.seq), head.hash.0])?)
    }

    /// Looks at all of a small ledger's file; a larger one is looked at by its backups.
    pub fn check_if_small(&self) -> Result<(), LedgerError> {
        match self.bytes()? {
            small if small <= structure::SMALL => FileCheck::Whole.run(&self.connection),
            _ => Ok(()),
        }
    }

    /// How large the ledger's file is, its log put in.
    pub(in crate::ledger) fn bytes(&self) -> Result<u64, LedgerError> {
        structure::bytes(&self.connection)
    }
}

/// One read transaction for all pages, so that no commit in between starts it anew.
pub(in crate::ledger) fn copy_pages(from: &Connection, to: &Path) -> Result<(), LedgerError> {
    let mut copy = files::open_own(to)?;
    let backup = Backup::new(from, &mut copy)?;
    match backup.step(-1).map_err(|error| not_copied(error, to))? {
        StepResult::Done => {}
        _ => return Err(LedgerError::Nonsense("SQLite did not finish the copy".to_owned())),
    }
    drop(backup);
    // A file on its own, without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| LedgerError::from(error))
}

/// Whose fault it is that a copy did not come about: the disk it was to go to, or the ledger.
fn not_copied(error: rusqlite::Error, to: &Path) -> LedgerError {
    let dir = to.parent().unwrap_or(to).display();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            LedgerError::Backup(format!("the disk of {dir} is full: the copy did not fit"))
        }
        Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::ReadOnly) => {
            LedgerError::Backup(format!("the copy can't be written to {dir}: {error}"))
        }
        _ => error.into(),
    }
}

/// Brings a backup back into a data directory that has no ledger, and appends what may
/// be missing as far as the notes there tell.
pub fn restore(
    backup: &Path,
    settings: &Settings,
    signer: &dyn HeadSigner,
    verifier: &dyn HeadVerifier,
    clock: &dyn Clock,
    by: Person,
) -> Result<Restored, LedgerError> {
    filesystem::check_local(&settings.data_dir)?;
    let path = files::ledger_path(&settings.data_dir);
    if path.exists() {
        return Err(LedgerError::Exists(path));
    }
    let Sound { owner, head } = verify::demand(backup, verifier, &Audit::default())?;
    if owner.station != settings.station {
        let wanted = settings.station.clone();
        return Err(LedgerError::Station { found: owner.station, wanted });
    }
    files::make_directory(&settings.data_dir)?;
    filesystem::check_writable(&settings.data_dir)?;
    let known_seq = known_outside(settings, &owner.instance, verifier);
    let restored = Restored { last_seq: head.seq, known_seq, by };
    let unfinished = Unfinished::create(&path)?;
    let copied = fs::copy(backup, &unfinished.0);
    copied.map_err(|error| LedgerError::file(&unfinished.0, error))?;
    let entry = Entry {
        seq: head.seq + 1,
        wall: clock.now().wall,
        station: owner.station.clone(),
        fact: Fact::Record(Record::Restored(restored.clone()), 0),
    };
    let signed = append_to(&unfinished.0, &owner.instance, head, &entry, signer)?;
    aside::clear_left(&settings.data_dir, entry.wall)?;
    unfinished.finish(&path)?;
    let note = Note::new(&owner.station, &owner.instance, &signed);
    settings.notes().write(&note, Noting::Anyway, verifier)?;
    // Its audits are those of entries that may be lost.
    let audited = settings.data_dir.join(verify::AUDITED_FILE);
    match fs::remove_file(&audited) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LedgerError::file(&audited, error))
        }
        _ => Ok(restored),
    }
}

/// Whether a backup is of a history that this ledger left: one that went on from an older
/// backup while this one already held more. A note outside names an entry that it has otherwise.
pub fn was_left_behind(
    backup: &Path,
    settings: &Settings,
    verifier: &dyn HeadVerifier,
) -> Result<bool, LedgerError> {
    let connection = files::open_untouchable(backup)?;
    shape::check(&connection)?;
    let (owner, head) = (Owner::read(&connection)?, Head::read(&connection)?);
    for (note, _) in settings.notes().read(verifier) {
        let is_known = note.instance() == owner.as_ref().map(|owner| owner.instance);
        if is_known && note.seq <= head.seq && !witness::agrees(&connection, head, &note)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest entry that a note of this very ledger knows.
fn known_outside(
    settings: &Settings,
    instance: &InstanceId,
    verifier: &dyn HeadVerifier,
) -> Option<u64> {
    let notes = settings.notes().read(verifier).into_iter();
    let own = notes.filter(|(note, _)| note.instance() == Some(*instance));
    own.map(|(note, _)| note.seq).max()
}

fn append_to(
    path: &Path,
    instance: &InstanceId,
    mut head: Head,
    entry: &Entry,
    signer: &dyn HeadSigner,
) -> Result<SignedHead, LedgerError> {
    let connection = files::open_own(path)?;
    schema::migrate(&connection)?;
    let transaction = connection.unchecked_transaction()?;
    let signed = append_signed(&transaction, &mut head, instance, entry, signer)?;
    commit(&transaction, &[Kind::of(&entry.fact)])?;
    drop(transaction);
    connection.close().map_err(|(_, error)| LedgerError::Write(error))?;
    Ok(signed)
}
