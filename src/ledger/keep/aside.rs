//! A ledger that can't be used any more is set aside under another name, with its log and
//! a word about why. It is never deleted, and none begins in its place: a restore does.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::clock::Timestamp;
use crate::error::LedgerError;

use super::files::{self, ASIDE, BESIDE, LEDGER_FILE};
use super::lock::{Work, WorkLock};

/// What stands behind it in that of a log whose ledger is gone.
const LEFT: &str = ".left-";

/// Sets the ledger of a data directory aside; gives its new name. Nobody else may work on
/// it: a line, or a sync, is refused with its process id.
///
/// The log keeps its place behind the ledger's name, so that SQLite finds the two together.
pub fn set_aside(data_dir: &Path, why: &str, now: Timestamp) -> Result<PathBuf, LedgerError> {
    let _line = WorkLock::take(data_dir, Work::Line)?;
    let _sync = WorkLock::take(data_dir, Work::Sync)?;
    let ledger = files::existing(data_dir)?;
    let aside = free_name(data_dir, ASIDE, now);
    write_note(&aside, why, now)?;
    // The ledger first: a log without its ledger is told from a new one's, see `clear_left`.
    rename(&ledger, &aside)?;
    for ending in BESIDE {
        rename_if_there(&with(&ledger, ending), &with(&aside, ending))?;
    }
    files::sync_directory(data_dir)?;
    Ok(aside)
}

/// The same where SQLite's own check confirms that the file is damaged; none where it does
/// not, so that a reader's mistake moves nothing.
pub fn set_aside_if_damaged(
    data_dir: &Path,
    why: &str,
    now: Timestamp,
) -> Result<Option<PathBuf>, LedgerError> {
    match is_damaged(&files::existing(data_dir)?) {
        true => set_aside(data_dir, why, now).map(Some),
        false => Ok(None),
    }
}

/// Whether SQLite says that a file is no database, or a broken one. The log of one that is
/// stays as it was found.
fn is_damaged(path: &Path) -> bool {
    let checked = files::connect(path).and_then(|connection| {
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        files::keep_log(&connection, found != "ok")?;
        Ok(found)
    });
    match checked {
        Ok(found) => found != "ok",
        Err(error) => matches!(LedgerError::from(error), LedgerError::Damaged(_)),
    }
}

/// Moves away a log whose ledger is gone: SQLite would play it into the next one.
pub(crate) fn clear_left(data_dir: &Path, now: Timestamp) -> Result<(), LedgerError> {
    let left = free_name(data_dir, LEFT, now);
    for ending in BESIDE {
        let path = with(&data_dir.join(LEDGER_FILE), ending);
        rename_if_there(&path, &with(&left, ending))?;
    }
    Ok(())
}

/// A time as it stands in file names: `20261125T224100Z`.
pub(crate) fn compact(now: Timestamp) -> String {
    let text = now.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    let digits: String = whole.chars().filter(char::is_ascii_alphanumeric).collect();
    digits + "Z"
}

fn free_name(data_dir: &Path, kind: &str, now: Timestamp) -> PathBuf {
    let time = compact(now);
    let name = |number: u32| match number {
        1 => data_dir.join(format!("{LEDGER_FILE}{kind}{time}")),
        more => data_dir.join(format!("{LEDGER_FILE}{kind}{time}-{more}")),
    };
    let taken =
        |path: &PathBuf| path.exists() || BESIDE.iter().any(|ending| with(path, ending).exists());
    let mut number = 1;
    while taken(&name(number)) {
        number += 1;
    }
    name(number)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn write_note(aside: &Path, why: &str, now: Timestamp) -> Result<(), LedgerError> {
    let path = with(aside, ".txt");
    let failed = |error| LedgerError::file(&path, error);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    let text = format!(
        "{now}: this ledger was set aside.\nWhy: {why}\n\
         Keep it with its -wal file and this one. Bring the newest backup back with\n\
         station ledger restore --newest\n"
    );
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn rename(from: &Path, to: &Path) -> Result<(), LedgerError> {
    fs::rename(from, to).map_err(|error| LedgerError::file(from, error))
}

fn rename_if_there(from: &Path, to: &Path) -> Result<(), LedgerError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LedgerError::file(from, error))
        }
        _ => Ok(()),
    }
}
