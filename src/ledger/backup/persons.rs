//! What is personal, beside the segments: names and what PINs are held against are in no
//! journal, so a file of its own holds them. It is written anew whenever it changed, so that a
//! name that was erased is gone from it too.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::ask::reader::Reader;
use crate::domain::bounds;
use crate::domain::cause::cause;
use crate::domain::ids::{OperatorId, StationId};
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::keep::files;
use crate::say;

/// A row of `persons`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PersonRow {
    id: OperatorId,
    name: Option<String>,
    pin: Option<String>,
    wrong: i64,
    locked_us: Option<i64>,
}

fn path(station: &StationId, dir: &Path) -> PathBuf {
    dir.join(format!("{station}.persons"))
}

/// Writes it where it is not as the ledger has it.
pub(super) fn save(reader: &Reader, station: &StationId, dir: &Path) -> Result<(), LedgerError> {
    let path = path(station, dir);
    let failed = |error: std::io::Error| {
        let what = say!("{} can't be written", "{} 无法写入", path.display());
        LedgerError::Backup(what.then(&cause(&error)))
    };
    let mut bytes =
        serde_json::to_vec(&read(&reader.connection)?).map_err(|error| failed(error.into()))?;
    bytes.push(b'\n');
    if bounds::read_file(&path, bounds::SETTINGS).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let temporary = files::temporary_beside(&path);
    let written = files::make_temporary(&temporary).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        failed(error)
    })?;
    files::sync_directory(dir)
}

fn read(connection: &Connection) -> Result<Vec<PersonRow>, LedgerError> {
    let sql = "SELECT id, name, pin, wrong, locked_us FROM persons ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(PersonRow {
            id: row.get(0)?,
            name: row.get(1)?,
            pin: row.get(2)?,
            wrong: row.get(3)?,
            locked_us: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts what lies beside segments into a ledger that was made of them. Where nothing lies
/// there, names and PINs have to be given anew.
pub(super) fn bring_back(
    station: &StationId,
    dir: &Path,
    ledger: &Path,
) -> Result<(), LedgerError> {
    let path = path(station, dir);
    let bytes = match bounds::read_file(&path, bounds::SETTINGS) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(LedgerError::file(path, error)),
    };
    let rows: Vec<PersonRow> = serde_json::from_slice(&bytes).map_err(|error| {
        LedgerError::Segment(Say::same(path.display().to_string()).then(&cause(&error)))
    })?;
    let connection = files::open_own(ledger)?;
    for row in rows {
        let sql = "INSERT INTO persons VALUES (?1, ?2, ?3, ?4, ?5)";
        connection.execute(sql, params![row.id, row.name, row.pin, row.wrong, row.locked_us])?;
    }
    connection.close().map_err(|(_, error)| LedgerError::write(error))
}
