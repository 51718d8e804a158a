//! Where an entry stands while it is put into the tables, and what a person did.

use rusqlite::{Connection, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{Serial, StationId, WorkOrderId};
use crate::domain::person::Person;
use crate::domain::record::PersonAct;
use crate::tables::sql::stored;
use crate::tables::unit_row::UnitRow;

use super::held::Held;

/// Where an entry stands: what every row that it writes carries.
pub(super) struct Context<'a> {
    pub(super) connection: &'a Connection,
    pub(super) held: &'a Held,
    pub(super) station: &'a StationId,
    pub(super) seq: u64,
    pub(super) wall: Timestamp,
}

impl Context<'_> {
    /// The unit's row, where there is one.
    pub(super) fn unit(&self, serial: &Serial) -> rusqlite::Result<Option<UnitRow>> {
        self.held.unit(self.connection, serial)
    }

    /// Puts a unit's row in the place of the one before it.
    pub(super) fn put_unit(&self, before: Option<&UnitRow>, row: UnitRow) -> rusqlite::Result<()> {
        self.held.put_unit(self.connection, self.station, before, row, self.wall)
    }

    /// Changes one sum.
    pub(super) fn count(
        &self,
        what: &'static str,
        name: &str,
        change: i64,
    ) -> rusqlite::Result<()> {
        self.held.count(self.connection, what, name, change)
    }

    /// Changes how many places of a work order units take: proven ones, or those under way.
    pub(super) fn count_place(
        &self,
        place: (&WorkOrderId, bool),
        change: i64,
    ) -> rusqlite::Result<()> {
        self.held.count_place(self.connection, place, change)
    }

    /// Notes what a person did to a unit.
    pub(super) fn unit_act(&self, act: &str, by: &PersonAct) -> rusqlite::Result<()> {
        self.act(act, Some(&by.serial), None, Some(&by.reason), &by.by)
    }

    /// Notes what a person did.
    pub(super) fn act(
        &self,
        act: &str,
        serial: Option<&Serial>,
        work_order: Option<&WorkOrderId>,
        reason: Option<&str>,
        by: &Person,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO acts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.connection.prepare_cached(sql)?.execute(params![
            stored(self.seq),
            self.station,
            self.wall,
            act,
            serial,
            work_order,
            reason,
            by.operator,
            by.uid,
        ])?;
        Ok(())
    }
}
