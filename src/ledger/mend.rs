//! Making indices anew that were lost or odd: by a person's word, which is recorded with it.
//!
//! An index says nothing that its table does not say, so it can be made again from the
//! table; whatever else is wrong can't. It is tried on a copy first, and the ledger itself
//! is touched only where the whole of that copy then holds.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use crate::domain::cause::cause;
use crate::domain::clock::Clock;
use crate::domain::device::Fault;
use crate::domain::evidence::{HeadSigner, HeadVerifier};
use crate::domain::keeping::IndicesRebuilt;
use crate::domain::person::Person;
use crate::domain::record::Record;

use super::audit::verify::{self, Audit};
use super::backup::copy::copy_pages;
use super::backup::unfinished::Unfinished;
use super::decide::clock;
use super::decide::view::{Trouble, View};
use super::error::{Difference, LedgerError, Oddity};
use super::journal::entry::{Entry, Fact, Kind};
use super::journal::head::Head;
use super::journal::note::{Note, Noting};
use super::journal::witness::Owner;
use super::keep::files;
use super::keep::lock::{Work, WorkLock};
use super::keep::structure;
use super::open::admit;
use super::settings::Settings;
use super::tables::{schema, shape};
use super::write::append::{append_signed, commit};
use crate::say;

/// Makes lost and odd indices anew; gives what was recorded of it, and nothing where all of
/// them hold what they should. Nobody else may work on the ledger.
pub fn reindex(
    settings: &Settings,
    signer: &dyn HeadSigner,
    verifier: &dyn HeadVerifier,
    clock: &dyn Clock,
    reason: String,
    by: Person,
) -> Result<Option<IndicesRebuilt>, Fault> {
    let _line = WorkLock::take(&settings.data_dir, Work::Line)?;
    let _sync = WorkLock::take(&settings.data_dir, Work::Sync)?;
    let path = files::existing(&settings.data_dir)?;
    let lost = lost(&files::open_to_audit(&path)?)?;
    if lost.names.is_empty() {
        return Ok(None);
    }
    lost.try_on_a_copy(&path, verifier)?;
    let connection = files::open_to_mend(&path)?;
    let rebuilt = IndicesRebuilt { indices: lost.names.iter().cloned().collect(), reason, by };
    let record = Record::IndicesRebuilt(rebuilt.clone());
    let mending = Mending { connection: &connection, settings, signer, clock };
    mending.run(lost, record)?;
    Ok(Some(rebuilt))
}

/// What is to be made anew.
struct Lost {
    /// By statement: missing, odd, or not of this program.
    differences: Vec<Difference>,
    /// Those by name, and those that do not hold what their tables hold.
    names: BTreeSet<String>,
}

/// Finds what can be made anew; anything else that is odd is refused.
fn lost(connection: &Connection) -> Result<Lost, LedgerError> {
    let differences = shape::odd_indices(connection)?;
    let mut names: BTreeSet<String> =
        differences.iter().map(|difference| difference.name.clone()).collect();
    let wrong = structure::wrong_indices(connection)?;
    names.extend(wrong.into_iter().map(|difference| difference.name));
    Ok(Lost { differences, names })
}

impl Lost {
    fn try_on_a_copy(&self, path: &Path, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
        let copy = Unfinished::create(path)?;
        copy_pages(&files::open_to_audit(path)?, copy.path())?;
        let connection = files::open_own(copy.path())?;
        self.make_anew(&connection)?;
        schema::migrate(&connection)?;
        connection.close().map_err(|(_, error)| LedgerError::from(error))?;
        verify::demand(copy.path(), verifier, &Audit::default()).map(drop)
    }

    fn make_anew(&self, connection: &Connection) -> Result<(), LedgerError> {
        let run = |sql: &str| connection.execute_batch(sql).map_err(not_unique);
        for Difference { oddity, kind, name } in &self.differences {
            if *oddity != Oddity::Missing {
                run(&format!("DROP {kind} \"{}\"", name.replace('"', "\"\"")))?;
            }
            if *oddity != Oddity::Foreign {
                let statement = shape::index_statement(connection, name)?;
                run(&statement.ok_or_else(|| LedgerError::Schema(self.differences.clone()))?)?;
            }
        }
        run("REINDEX")?;
        shape::check(connection)
    }
}

/// Two rows that an index would keep apart: what was done while it was lost.
fn not_unique(error: rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => {
            let what = say!("an index can't be made anew", "索引无法重建");
            LedgerError::Tables(what.then(&cause(&error)))
        }
        _ => LedgerError::write(error),
    }
}

/// The ledger itself, as it is mended.
struct Mending<'a> {
    connection: &'a Connection,
    settings: &'a Settings,
    signer: &'a dyn HeadSigner,
    clock: &'a dyn Clock,
}

impl Mending<'_> {
    /// Makes the indices and the record of it durable together. Those of an older program's
    /// ledger are made first, since its tables take no record before they are upgraded.
    fn run(&self, mut lost: Lost, record: Record) -> Result<(), Fault> {
        let connection = self.connection;
        if schema::version(connection).map_err(LedgerError::from)? < schema::newest() {
            lost.make_anew(connection)?;
            lost.differences.clear();
            schema::migrate(connection)?;
        }
        let owner = admit(connection, self.settings, self.signer)?;
        let owner = owner
            .ok_or_else(|| LedgerError::Nonsense(say!("it has no owner", "它没有所属的站")))?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(LedgerError::write)?;
        lost.make_anew(connection)?;
        let note = self.append(&owner, record)?;
        files::keep_log(connection, false).map_err(LedgerError::from)?;
        Ok(self.settings.notes().write(&note, Noting::AtEnd, self.signer)?)
    }

    fn append(&self, owner: &Owner, record: Record) -> Result<Note, Fault> {
        let now = self.clock.now().wall;
        let limits = self.settings.limits();
        let clock = Some(clock::mark(self.connection).map_err(LedgerError::from)?);
        let view = View { connection: self.connection, limits: &limits, now, clock };
        view.decide(&record).map_err(|trouble| match trouble {
            Trouble::Row(fault) => fault,
            Trouble::Ledger(error) => error.into(),
        })?;
        let kind = Kind::of_record(&record);
        let mut head = Head::read(self.connection)?;
        let entry = Entry {
            seq: head.seq + 1,
            wall: now,
            station: owner.station.clone(),
            fact: Fact::Record(record, 0),
        };
        let signed =
            append_signed(self.connection, &mut head, &owner.instance, &entry, self.signer)?;
        commit(self.connection, &[kind])?;
        Ok(Note::new(&owner.station, &owner.instance, &signed))
    }
}
