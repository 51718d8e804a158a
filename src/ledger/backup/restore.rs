//! Bringing a ledger back: from a copy, or from the segments of its journal.
//!
//! It is made and audited in a file under way, in a data directory that has no ledger; only
//! then it gets its name, with an entry that says what may be missing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ask::reader::Reader;
use crate::audit::verify::{self, Audit, Sound};
use crate::domain::bounds;
use crate::domain::clock::Clock;
use crate::domain::evidence::{HeadSigner, HeadVerifier};
use crate::domain::person::Person;
use crate::domain::record::{Record, Restored};
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::{Entry, Fact, InstanceId, Kind};
use crate::journal::head::{Head, SignedHead};
use crate::journal::note::{Note, Noting};
use crate::journal::witness::{self, Owner};
use crate::keep::structure::FileCheck;
use crate::keep::{aside, files, filesystem};
use crate::settings::Settings;
use crate::tables::{schema, shape};
use crate::write::append::{append_signed, commit};

use super::persons;
use super::rebuild::Way;
use super::unfinished::Unfinished;
use crate::say;

/// A ledger that was brought back and has not its name yet; where it is dropped, it is gone.
pub struct Restoring {
    settings: Settings,
    unfinished: Unfinished,
    path: PathBuf,
    sound: Sound,
    remarks: Vec<Say>,
}

impl Restoring {
    /// Makes it from a copy, or from a directory of segments, and audits it.
    pub fn begin(
        from: &Path,
        settings: &Settings,
        verifier: &dyn HeadVerifier,
    ) -> Result<Restoring, LedgerError> {
        filesystem::check_local(&settings.data_dir)?;
        let path = files::ledger_path(&settings.data_dir);
        if path.exists() {
            return Err(LedgerError::Exists(path));
        }
        let made = !settings.data_dir.exists();
        files::make_directory(&settings.data_dir)?;
        let begun = Restoring::make(from, settings, path, verifier);
        if begun.is_err() && made {
            // Nothing is left of what did not come about; a directory with anything in it stays.
            let _ = fs::remove_dir(&settings.data_dir);
        }
        begun
    }

    fn make(
        from: &Path,
        settings: &Settings,
        path: PathBuf,
        verifier: &dyn HeadVerifier,
    ) -> Result<Restoring, LedgerError> {
        filesystem::check_writable(&settings.data_dir)?;
        let unfinished = Unfinished::create(&path)?;
        let (sound, remarks) = match from.is_dir() {
            true => from_segments(from, settings, unfinished.path(), verifier)?,
            false => (from_copy(from, unfinished.path(), verifier)?, Vec::new()),
        };
        if sound.owner.station != settings.station {
            let (found, wanted) = (sound.owner.station, settings.station.clone());
            return Err(LedgerError::Station { found, wanted });
        }
        Ok(Restoring { settings: settings.clone(), unfinished, path, sound, remarks })
    }

    /// Answers what it knows.
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open_file(self.unfinished.path(), None)
    }

    /// What a person should know of where it came from.
    pub fn remarks(&self) -> &[Say] {
        &self.remarks
    }

    /// Appends what may be missing, as far as the notes in the data directory tell, and gives
    /// it its name.
    pub fn finish(
        self,
        signer: &dyn HeadSigner,
        verifier: &dyn HeadVerifier,
        clock: &dyn Clock,
        by: Person,
    ) -> Result<Restored, LedgerError> {
        let Restoring { settings, unfinished, path, sound: Sound { owner, head }, .. } = self;
        let known_seq = known_outside(&settings, &owner.instance, verifier);
        let restored = Restored { last_seq: head.seq, known_seq, by };
        let entry = Entry {
            seq: head.seq + 1,
            wall: clock.now().wall,
            station: owner.station.clone(),
            fact: Fact::Record(Record::Restored(restored.clone()), 0),
        };
        let signed = append_to(unfinished.path(), &owner.instance, head, &entry, signer)?;
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
}

/// A copy by a program of today or an older one: brought up, and audited with all there is.
fn from_copy(copy: &Path, to: &Path, verifier: &dyn HeadVerifier) -> Result<Sound, LedgerError> {
    let mut source = bounds::open(copy).map_err(|error| LedgerError::file(copy, error))?;
    let copied = files::make_temporary(to).and_then(|mut own| io::copy(&mut source, &mut own));
    copied.map_err(|error| LedgerError::file(to, error))?;
    let connection = files::open_own(to)?;
    // What guards and finds the rows comes before any row, and the pages before what moves
    // their rows.
    shape::check(&connection)?;
    if schema::version(&connection)? < schema::newest() {
        FileCheck::Whole.run(&connection)?;
        schema::migrate(&connection)?;
    }
    connection.close().map_err(|(_, error)| LedgerError::from(error))?;
    verify::demand(to, verifier, &Audit::default())
}

/// The tables were just made of the entries, so they are not compared with them again.
fn from_segments(
    dir: &Path,
    settings: &Settings,
    to: &Path,
    verifier: &dyn HeadVerifier,
) -> Result<(Sound, Vec<Say>), LedgerError> {
    let rebuilt = Way::find(dir, &settings.station, verifier)?.rebuild(to, verifier)?;
    if rebuilt.head == Head::NONE {
        let what = say!("no segments in {} hold", "{} 里没有核对通过的日志段", dir.display());
        let why = match rebuilt.remarks.is_empty() {
            true => say!("none of station {} is there", "没有站 {} 的日志段", settings.station),
            false => Say::all(&rebuilt.remarks),
        };
        return Err(LedgerError::Segment(what.then(&why)));
    }
    persons::bring_back(&settings.station, dir, to)?;
    let audit = Audit { skip_tables: true, file: FileCheck::Quick, ..Audit::default() };
    Ok((verify::demand(to, verifier, &audit)?, rebuilt.remarks))
}

/// Whether a whole copy is of a history that this ledger left: one that went on from an older
/// backup while this one already held more. A note outside names an entry that it has otherwise.
pub fn was_left_behind(
    copy: &Path,
    settings: &Settings,
    verifier: &dyn HeadVerifier,
) -> Result<bool, LedgerError> {
    bounds::open(copy).map_err(|error| LedgerError::file(copy, error))?;
    let connection = files::open_untouchable(copy)?;
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
    let transaction = connection.unchecked_transaction()?;
    let signed = append_signed(&transaction, &mut head, instance, entry, signer)?;
    commit(&transaction, &[Kind::of(&entry.fact)])?;
    drop(transaction);
    connection.close().map_err(|(_, error)| LedgerError::Write(error))?;
    Ok(signed)
}
