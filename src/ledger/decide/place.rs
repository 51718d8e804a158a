//! Whether a work order has a place for a unit.

use rusqlite::{Connection, params};

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::grant::GrantRow;
use crate::domain::ids::{HardwareId, Serial, WorkOrderId};
use crate::error::LedgerError;
use crate::say;
use crate::tables::unit_row::{self, UnitRow};

use super::grants::{Book, Place};

/// How a work order stands to one unit.
pub(super) struct WorkOrderPlace {
    closed: bool,
    any_device: bool,
    quantity: i64,
    proven: i64,
    under_way: i64,
    /// The unit has its place in the work order already.
    counted: bool,
}

impl WorkOrderPlace {
    /// The work order must exist.
    pub(super) fn read(
        connection: &Connection,
        id: &WorkOrderId,
        unit: Option<&UnitRow>,
    ) -> rusqlite::Result<Self> {
        let sql = "SELECT closed, any_device, quantity, proven, under_way FROM work_orders
            WHERE id = ?1";
        let counted = unit.is_some_and(|unit| unit.places().contains(&Some(id)));
        connection.prepare_cached(sql)?.query_row([id], |row| {
            Ok(Self {
                closed: row.get(0)?,
                any_device: row.get(1)?,
                quantity: row.get(2)?,
                proven: row.get(3)?,
                under_way: row.get(4)?,
                counted,
            })
        })
    }

    /// Why it takes no further unit now.
    pub(super) fn refusal(&self, id: &WorkOrderId) -> Option<Fault> {
        self.closed_or_beyond(id, self.proven + self.under_way)
    }

    /// Why it will take none whatever becomes of those under way, which may give their
    /// places back.
    fn refusal_for_good(&self, id: &WorkOrderId) -> Option<Fault> {
        self.closed_or_beyond(id, self.proven)
    }

    fn closed_or_beyond(&self, id: &WorkOrderId, taken: i64) -> Option<Fault> {
        let Self { closed, quantity, counted, .. } = *self;
        if counted {
            None
        } else if closed {
            let detail = say!("work order {id} is closed", "工单 {id} 已关闭");
            Some(Fault::said(Code::WorkOrderClosed, detail))
        } else if taken >= quantity {
            let detail = say!(
                "work order {id} wants {quantity} units and has {taken}",
                "工单 {id} 要 {quantity} 个单元，已有 {taken} 个"
            );
            Some(Fault::said(Code::WorkOrderFull, detail))
        } else {
            None
        }
    }

    /// Whether this device may be one of it.
    pub(super) fn takes(
        &self,
        connection: &Connection,
        id: &WorkOrderId,
        hardware: &HardwareId,
    ) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM work_order_devices WHERE work_order = ?1 AND hardware = ?2";
        Ok(self.any_device || connection.prepare_cached(sql)?.exists(params![id, hardware])?)
    }
}

/// What a label would be refused for now, if those ahead of it take their places.
pub(crate) fn refusal_behind(
    connection: &Connection,
    serial: &Serial,
    id: &WorkOrderId,
    ahead: &[Serial],
    now: Timestamp,
) -> Result<Option<Fault>, LedgerError> {
    let place = WorkOrderPlace::read(connection, id, unit_row::load(connection, serial)?.as_ref())?;
    let mut book = Book::read(connection, id)?;
    let mut taken = place.proven + place.under_way;
    for other in ahead {
        let unit = unit_row::load(connection, other)?;
        let counted = unit.is_some_and(|unit| unit.places().contains(&Some(id)));
        taken += i64::from(!counted);
        book.take_ahead(connection, other, now)?;
    }
    let refused = place.closed_or_beyond(id, taken);
    refused.map_or_else(
        || refused_by_grants(&book, connection, serial, now, GrantRow::left),
        |fault| Ok(Some(fault)),
    )
}

/// What a label would be refused for whatever device came for it.
pub(crate) fn refusal_of_label(
    connection: &Connection,
    serial: &Serial,
    id: &WorkOrderId,
    now: Timestamp,
) -> Result<Option<Fault>, LedgerError> {
    let unit = unit_row::load(connection, serial)?;
    if let Some(fault) = WorkOrderPlace::read(connection, id, unit.as_ref())?.refusal_for_good(id) {
        return Ok(Some(fault));
    }
    let book = Book::read(connection, id)?;
    refused_by_grants(&book, connection, serial, now, GrantRow::left_for_good)
}

fn refused_by_grants(
    book: &Book<'_>,
    connection: &Connection,
    serial: &Serial,
    now: Timestamp,
    left: fn(&GrantRow) -> u32,
) -> Result<Option<Fault>, LedgerError> {
    Ok(match book.place_of(connection, serial, now, left)? {
        Place::Refused(fault) => Some(fault),
        Place::Found(_) | Place::NotCounted => None,
    })
}
