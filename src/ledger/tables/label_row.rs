//! A label's row as it is read.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::labelling::{LabelRow, LabelState};
use crate::domain::say::Phrase;

/// The columns that [`read_label`] reads, in its order.
pub(crate) const LABEL: &str = "labels.serial, copy, certificate_sn, labels.state, \
    verify, digest, printer, reason, message, labels.changed_us";

/// Reads a row that begins with the columns of [`LABEL`].
pub(crate) fn read_label(row: &Row<'_>) -> rusqlite::Result<LabelRow> {
    Ok(LabelRow {
        serial: row.get(0)?,
        copy: row.get(1)?,
        certificate_sn: row.get(2)?,
        state: row.get(3)?,
        verify: row.get(4)?,
        digest: row.get(5)?,
        printer: row.get(6)?,
        reason: row.get(7)?,
        message: row.get(8)?,
        changed_at: row.get(9)?,
    })
}

/// The newest label of a unit for this certificate.
pub(crate) fn newest(
    connection: &Connection,
    serial: &Serial,
    cert: CertificateSn,
) -> rusqlite::Result<Option<LabelRow>> {
    let sql = format!(
        "SELECT {LABEL} FROM labels WHERE serial = ?1 AND certificate_sn = ?2
        ORDER BY copy DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![serial, cert], read_label).optional()
}

/// One label of a unit.
pub(crate) fn one(
    connection: &Connection,
    serial: &Serial,
    copy: u32,
) -> rusqlite::Result<Option<LabelRow>> {
    let sql = format!("SELECT {LABEL} FROM labels WHERE serial = ?1 AND copy = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![serial, copy], read_label).optional()
}

/// How many labels a unit has, those of older certificates too.
pub(crate) fn count(connection: &Connection, serial: &Serial) -> rusqlite::Result<u32> {
    let sql = "SELECT ifnull(max(copy), 0) FROM labels WHERE serial = ?1";
    connection.prepare_cached(sql)?.query_row([serial], |row| row.get(0))
}

/// Whether a label of another certificate was sent for this unit.
pub(crate) fn has_older(
    connection: &Connection,
    serial: &Serial,
    cert: CertificateSn,
) -> rusqlite::Result<bool> {
    let sql =
        "SELECT 1 FROM labels WHERE serial = ?1 AND certificate_sn <> ?2 AND state <> 'wanted'";
    connection.prepare_cached(sql)?.exists(params![serial, cert])
}

/// What keeps a unit with this certificate for its label's sake, in a few words.
pub(crate) fn lacks(
    connection: &Connection,
    serial: &Serial,
    cert: CertificateSn,
) -> rusqlite::Result<Option<Phrase>> {
    let label = newest(connection, serial, cert)?;
    Ok(label.and_then(|label| match label.state {
        LabelState::Wrong => Some(Phrase {
            english: "was scanned back and says something else",
            chinese: "扫回的内容不同",
        }),
        LabelState::Right => None,
        _ if label.verify => {
            Some(Phrase { english: "was not scanned back", chinese: "还没有扫回" })
        }
        _ => None,
    }))
}
