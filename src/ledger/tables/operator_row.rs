//! A person's row as it is read, with what is personal beside it.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{Lock, OperatorRow, Role};

/// The columns of [`read_operator`] and the tables that they come from.
pub(crate) const OPERATOR: &str =
    "SELECT operators.id, role, disabled, name, pin IS NOT NULL, locked_us,
        coalesce(wrong, 0)
    FROM operators LEFT JOIN persons ON persons.id = operators.id";

/// Reads a row of [`OPERATOR`].
pub(crate) fn read_operator(
    row: &rusqlite::Row<'_>,
    now: Timestamp,
) -> rusqlite::Result<OperatorRow> {
    let locked: Option<Timestamp> = row.get(5)?;
    Ok(OperatorRow {
        id: row.get(0)?,
        role: row.get(1)?,
        disabled: row.get(2)?,
        name: row.get(3)?,
        has_pin: row.get(4)?,
        locked_until: Lock::of(row.get(6)?, locked, now).end(),
    })
}

/// One person, as a connection sees them.
pub(crate) fn operator(
    connection: &Connection,
    id: &OperatorId,
    now: Timestamp,
) -> rusqlite::Result<Option<OperatorRow>> {
    let sql = format!("{OPERATOR} WHERE operators.id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row([id], |row| read_operator(row, now)).optional()
}

/// How many supervisors may approve, `besides` not counted.
pub(crate) fn supervisors_besides(
    connection: &Connection,
    besides: Option<&OperatorId>,
) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM operators WHERE role = ?1 AND NOT disabled AND id IS NOT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![Role::Supervisor, besides], |row| row.get(0))
}
