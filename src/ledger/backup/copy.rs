//! Saving a ledger as one file while it is in use: complete in itself, audited after it was
//! written, and only then given its name.

use std::io::ErrorKind;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use crate::ask::reader::Reader;
use crate::audit::verify::{self, Audit, Sound};
use crate::domain::cause::cause;
use crate::domain::evidence::HeadVerifier;
use crate::error::LedgerError;
use crate::journal::head::Head;
use crate::keep::structure::{self, FileCheck};
use crate::keep::{files, filesystem};
use crate::tables::shape;
use crate::tables::sql::stored;

use super::unfinished::Unfinished;
use crate::say;

impl Reader {
    /// Saves the ledger as one file while others go on writing; gives its entries.
    pub fn backup(&self, to: &Path, verifier: &dyn HeadVerifier) -> Result<u64, LedgerError> {
        if to.is_dir() {
            let source = ErrorKind::IsADirectory.into();
            return Err(LedgerError::Copy { path: to.to_path_buf(), source });
        }
        if to.exists() {
            return Err(LedgerError::Exists(to.to_path_buf()));
        }
        let unfinished = Unfinished::create(to).map_err(|error| not_made(error, to))?;
        copy_pages(&self.connection, unfinished.path())?;
        let Sound { head, .. } = verify::demand(unfinished.path(), verifier, &Audit::default())?;
        unfinished.finish(to).map_err(|error| not_made(error, to))?;
        Ok(head.seq)
    }

    /// Whether the last entry of a backup is an entry of this ledger.
    pub(crate) fn has_head_of(&self, backup: &Path) -> Result<bool, LedgerError> {
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
    pub(crate) fn bytes(&self) -> Result<u64, LedgerError> {
        structure::bytes(&self.connection)
    }
}

/// One read transaction for all pages, so that no commit in between starts it anew.
pub(crate) fn copy_pages(from: &Connection, to: &Path) -> Result<(), LedgerError> {
    let mut copy = files::open_own(to)?;
    let backup = Backup::new(from, &mut copy)?;
    match backup.step(-1).map_err(|error| not_copied(error, to))? {
        StepResult::Done => {}
        _ => {
            return Err(LedgerError::Nonsense(say!(
                "SQLite did not finish the copy",
                "SQLite 没有完成复制"
            )));
        }
    }
    drop(backup);
    // A file on its own, without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| LedgerError::from(error))
}

/// Whose fault it is that a copy did not come about: the disk it was to go to, or the ledger.
fn not_copied(error: rusqlite::Error, to: &Path) -> LedgerError {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
    let dir = to.parent().unwrap_or(to);
    match error.sqlite_error_code() {
        Some(DiskFull) => did_not_fit(dir),
        // The journal of the copy is a file of its own.
        Some(CannotOpen) if filesystem::has_no_inodes(dir) => did_not_fit(dir),
        Some(SystemIoFailure | ReadOnly | CannotOpen) => {
            let dir = dir.display();
            let what = say!("the copy can't be written to {dir}", "副本无法写入 {dir}");
            LedgerError::Backup(what.then(&cause(&error)))
        }
        _ => error.into(),
    }
}

/// The same where its file could not be made or named. Nobody asked for the name that it has
/// until it is whole.
fn not_made(error: LedgerError, to: &Path) -> LedgerError {
    match error {
        LedgerError::NoRoom { .. } => did_not_fit(to.parent().unwrap_or(to)),
        LedgerError::File { source, .. } => LedgerError::Copy { path: to.to_path_buf(), source },
        other => other,
    }
}

fn did_not_fit(dir: &Path) -> LedgerError {
    let what = say!("the copy did not fit", "副本放不下");
    LedgerError::Backup(filesystem::no_room(dir).then(&what))
}
