//! The ledger's files and how they are opened.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::domain::bounds;
use crate::error::LedgerError;
use crate::tables::{schema, shape};

use super::filesystem;

/// The ledger's file in the data directory.
pub const LEDGER_FILE: &str = "ledger.db";

/// What stands behind the ledger's name in that of one that was set aside.
pub(super) const ASIDE: &str = ".broken-";

/// SQLite's files beside a ledger.
pub(super) const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// No value in a ledger is larger, and none that is gets memory: a work order that lists a
/// million devices has 40 MB.
const LARGEST_VALUE: i32 = 64 << 20;

/// How long a connection waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(15);

/// Where the ledger of a data directory lies.
pub(crate) fn ledger_path(data_dir: &Path) -> PathBuf {
    data_dir.join(LEDGER_FILE)
}

/// Makes the data directory, readable by its owner alone, where its file system can hold a
/// ledger. For what lies beside the ledger and must be there before it: the journal key.
pub fn make_data_dir(data_dir: &Path) -> Result<(), LedgerError> {
    filesystem::check_local(data_dir)?;
    make_directory(data_dir)
}

/// Makes the data directory and the ledger's empty file.
pub(crate) fn make(data_dir: &Path) -> Result<(), LedgerError> {
    make_data_dir(data_dir)?;
    let path = ledger_path(data_dir);
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(LedgerError::file(&path, error))
        }
        _ => sync_directory(data_dir),
    }
}

/// Makes the data directory where there is none, and makes it durable: what is synced in it
/// later would otherwise be lost with its name.
pub(crate) fn make_directory(data_dir: &Path) -> Result<(), LedgerError> {
    let missing: Vec<&Path> = data_dir.ancestors().take_while(|path| is_missing(path)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.map_err(|error| LedgerError::file(data_dir, error))?;
    missing.into_iter().filter_map(Path::parent).try_for_each(|parent| match parent {
        here if here.as_os_str().is_empty() => sync_directory(Path::new(".")),
        parent => sync_directory(parent),
    })
}

fn is_missing(path: &Path) -> bool {
    !path.as_os_str().is_empty() && !path.exists()
}

/// Makes a rename or a new file in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), LedgerError> {
    let synced = fs::File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| LedgerError::file(path, error))
}

/// A name for a temporary file beside `path` that nobody else uses.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    static USED: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let number = USED.fetch_add(1, Ordering::Relaxed);
    let name = format!(".{}.{}.{number}.tmp", name.unwrap_or_default(), std::process::id());
    path.with_file_name(name)
}

/// Makes a temporary file, for its owner alone: never through a link, and anew where a
/// process of the same number left one.
pub(crate) fn make_temporary(path: &Path) -> std::io::Result<fs::File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Removes the temporary files in a directory that processes left which are gone. What
/// can't be removed is tried again the next time.
pub(crate) fn sweep(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let gone = path.file_name().and_then(|name| maker(name.to_str()?)).is_some_and(is_gone);
        if gone && is_temporary(&path) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// The process that made a file of such a name.
fn maker(name: &str) -> Option<i32> {
    let mut parts = name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplitn(3, '.');
    let (number, process, _name) = (parts.next()?, parts.next()?, parts.next()?);
    number.parse::<u64>().ok()?;
    process.parse().ok()
}

fn is_gone(process: i32) -> bool {
    let Some(process) = rustix::process::Pid::from_raw(process) else { return false };
    rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
}

/// A copy of a ledger, a segment, a note or what is personal, begun and not finished; other
/// programs' files stay.
fn is_temporary(path: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else { return false };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let is_own = name.is_some_and(|name| {
        let base = name.rsplitn(4, '.').nth(3).unwrap_or_default();
        name.starts_with(".journal.") || base.ends_with(".segment") || base.ends_with(".persons")
    });
    let holds_a_database = || is_database(path).unwrap_or(false);
    found.is_file() && (is_own || found.len() == 0 || holds_a_database())
}

/// Whether a file begins as each of SQLite's does, whatever became of the rest of it.
pub fn is_database(path: &Path) -> std::io::Result<bool> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = Vec::new();
    bounds::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

/// What others than the owner may read or change: the data directory, and each file in it.
pub(crate) fn open_to_others(data_dir: &Path) -> Vec<(PathBuf, u32)> {
    let files = fs::read_dir(data_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = std::iter::once(data_dir.to_path_buf()).chain(files);
    let mut open: Vec<_> = all
        .filter_map(|path| {
            let found = fs::symlink_metadata(&path).ok().filter(|found| !found.is_symlink())?;
            Some((path, found.permissions().mode() & 0o777)).filter(|(_, mode)| mode & 0o077 != 0)
        })
        .collect();
    open.sort();
    open
}

/// The ledger's file, where there is one and its file system can hold it.
pub(crate) fn existing(data_dir: &Path) -> Result<PathBuf, LedgerError> {
    filesystem::check_local(data_dir)?;
    let path = ledger_path(data_dir);
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(absent(data_dir)),
        Err(error) => Err(LedgerError::file(path, error)),
    }
}

/// Whether closing leaves the log as it is. It does until a ledger was found to be sound:
/// SQLite would put a log into a file that is damaged, and remove it.
pub(crate) fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Why there is no ledger: there never was one, or it was set aside.
pub fn absent(data_dir: &Path) -> LedgerError {
    match newest_aside(data_dir) {
        Some(aside) => LedgerError::SetAside(aside),
        None => LedgerError::Missing(data_dir.to_path_buf()),
    }
}

/// The newest ledger that was set aside here.
fn newest_aside(data_dir: &Path) -> Option<PathBuf> {
    let start = format!("{LEDGER_FILE}{ASIDE}");
    let names =
        fs::read_dir(data_dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ledger = |name: &String| {
        name.starts_with(&start)
            && !name.ends_with(".txt")
            && !BESIDE.iter().any(|end| name.ends_with(end))
    };
    names.filter(ledger).max().map(|name| data_dir.join(name))
}

/// Opens a ledger's file to write, without making one. Its log is kept until told otherwise.
/// Whatever its schema's number, it must be made as this program makes it.
pub(crate) fn open_to_write(path: &Path) -> Result<Connection, LedgerError> {
    let connection = open_to_mend(path)?;
    shape::check(&connection)?;
    Ok(connection)
}

/// The same for one whose indices may be lost.
pub(crate) fn open_to_mend(path: &Path) -> Result<Connection, LedgerError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    plan_once(&connection)?;
    Ok(connection)
}

/// Opens a ledger's file to read; it must have the schema of this program.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, LedgerError> {
    let connection = open_to_audit(path)?;
    schema::check_version(&connection)?;
    shape::check(&connection)?;
    Ok(connection)
}

/// Opens a file to read, whatever is in it.
pub(crate) fn open_to_audit(path: &Path) -> Result<Connection, LedgerError> {
    // A reader of a WAL takes part in its locks, so it opens to write where it may.
    let opened = connect(path).and_then(|connection| {
        keep_log(&connection, false)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly) => {
                open_untouchable(path)?
            }
            _ => return Err(error.into()),
        },
    };
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens an empty database that has no name and goes when it is closed.
pub(crate) fn open_temporary() -> Result<Connection, LedgerError> {
    let connection = Connection::open("")?;
    // Defensive, a connection keeps its log.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    prepare(&connection)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    plan_once(&connection)?;
    Ok(connection)
}

/// Opens a file on a medium that can't be written.
pub(crate) fn open_untouchable(path: &Path) -> Result<Connection, LedgerError> {
    let escaped: String = path.to_string_lossy().chars().fold(String::new(), |mut text, c| {
        match c {
            '%' => text.push_str("%25"),
            '?' => text.push_str("%3f"),
            '#' => text.push_str("%23"),
            c => text.push(c),
        }
        text
    });
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Opens a file of one's own that nobody else works on, such as a copy under way.
pub(crate) fn open_own(path: &Path) -> Result<Connection, LedgerError> {
    let connection = connect(path)?;
    keep_log(&connection, false)?;
    plan_once(&connection)?;
    Ok(connection)
}

/// For a connection that applies entries: its plans do not depend on what is bound, so a statement
/// need not be planned again for each value. One that finds by the beginning of a text needs just that.
fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Opens a file that is there, and keeps its log until told otherwise.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    keep_log(&connection, true)?;
    prepare(&connection)?;
    Ok(connection)
}

/// What every connection has: a small cache, since a line has several connections and
/// asks for single rows; and no trust in what stands in the file. The program has no
/// trigger and no view, so none runs, whoever put it there and when.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    use DbConfig::*;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -512)?;
    connection.set_db_config(SQLITE_DBCONFIG_DEFENSIVE, true)?;
    for off in [
        SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        SQLITE_DBCONFIG_WRITABLE_SCHEMA,
        SQLITE_DBCONFIG_ENABLE_TRIGGER,
        SQLITE_DBCONFIG_ENABLE_VIEW,
    ] {
        connection.set_db_config(off, false)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST_VALUE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}
