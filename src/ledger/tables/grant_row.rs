//! A work order's grants, and which units take their places.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::grant::{Grant, GrantNumber, GrantRow};
use crate::domain::ids::{Serial, StationId, WorkOrderId};

/// Which place of a grant a unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: GrantNumber,
    /// The unit was proven under it, and has used it up.
    pub(crate) proven: bool,
}

/// The grants of a work order, in the order of their numbers.
pub(crate) fn of_order(
    connection: &Connection,
    id: &WorkOrderId,
) -> rusqlite::Result<Vec<GrantRow>> {
    let sql = "SELECT work_order, station, profile, number, quantity, order_quantity, serials,
            valid_until_us, made_us, given_back, used, under_way
        FROM grants WHERE work_order = ?1 ORDER BY number";
    connection.prepare_cached(sql)?.query_map([id], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<GrantRow> {
    let serials: Option<String> = row.get(6)?;
    let wrong = |error| {
        rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, Box::new(error))
    };
    let grant = Grant {
        work_order: row.get(0)?,
        station: row.get(1)?,
        profile: row.get(2)?,
        number: row.get(3)?,
        quantity: row.get(4)?,
        order_quantity: row.get(5)?,
        serials: serials.map(|text| text.parse()).transpose().map_err(wrong)?,
        valid_until: row.get(7)?,
        made_at: row.get(8)?,
    };
    Ok(GrantRow { grant, given_back: row.get(9)?, used: row.get(10)?, under_way: row.get(11)? })
}

/// The place that a unit has in a work order's grants.
pub(crate) fn place(
    connection: &Connection,
    serial: &Serial,
    id: &WorkOrderId,
) -> rusqlite::Result<Option<Place>> {
    let sql = "SELECT number, proven FROM grant_places WHERE serial = ?1 AND work_order = ?2";
    let found = connection.prepare_cached(sql)?.query_row(params![serial, id], |row| {
        Ok(Place { number: row.get(0)?, proven: row.get(1)? })
    });
    found.optional()
}

/// Gives a unit a place, unless it has one.
pub(crate) fn take(
    connection: &Connection,
    station: &StationId,
    serial: &Serial,
    id: &WorkOrderId,
    number: GrantNumber,
) -> rusqlite::Result<()> {
    if place(connection, serial, id)?.is_some() {
        return Ok(());
    }
    let sql = "INSERT INTO grant_places VALUES (?1, ?2, ?3, ?4, 0)";
    connection.prepare_cached(sql)?.execute(params![serial, id, number, station])?;
    count(connection, id, number, 0, 1)
}

/// The unit is proven: its place is used up for good.
pub(crate) fn use_up(
    connection: &Connection,
    serial: &Serial,
    id: &WorkOrderId,
) -> rusqlite::Result<()> {
    match place(connection, serial, id)? {
        Some(Place { number, proven: false }) => {
            let sql = "UPDATE grant_places SET proven = 1 WHERE serial = ?1 AND work_order = ?2";
            connection.prepare_cached(sql)?.execute(params![serial, id])?;
            count(connection, id, number, 1, -1)
        }
        Some(Place { proven: true, .. }) | None => Ok(()),
    }
}

/// Nothing of the unit is under way any more: unless it was proven, its place is free.
pub(crate) fn free(
    connection: &Connection,
    serial: &Serial,
    id: &WorkOrderId,
) -> rusqlite::Result<()> {
    match place(connection, serial, id)? {
        Some(Place { number, proven: false }) => {
            let sql = "DELETE FROM grant_places WHERE serial = ?1 AND work_order = ?2";
            connection.prepare_cached(sql)?.execute(params![serial, id])?;
            count(connection, id, number, 0, -1)
        }
        Some(Place { proven: true, .. }) | None => Ok(()),
    }
}

fn count(
    connection: &Connection,
    id: &WorkOrderId,
    number: GrantNumber,
    used: i64,
    under_way: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE grants SET used = used + ?3, under_way = under_way + ?4
        WHERE work_order = ?1 AND number = ?2";
    connection.prepare_cached(sql)?.execute(params![id, number, used, under_way]).map(drop)
}
