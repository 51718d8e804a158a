//! Whether a grant is taken or given back, and whether a unit has a place in one.

use rusqlite::Connection;

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::grant::{GrantGivenBack, GrantNumber, GrantRow, GrantTaken, choose};
use crate::domain::ids::{Serial, WorkOrderId};
use crate::domain::label::CheckCharacter;
use crate::error::LedgerError;
use crate::tables::{grant_row, unit_row};

use super::view::{Decision, Trouble, View, refuse};
use crate::say;

/// That its signature holds was found out before; here it is decided whether it was taken.
pub(super) fn taken(view: &View<'_>, taken: &GrantTaken) -> Decision<()> {
    let grant = &taken.grant;
    view.work_order_exists(&grant.work_order)?;
    view.work_order_is_open(&grant.work_order)?;
    if view.now >= grant.valid_until {
        let detail =
            say!("grant {} ended at {}", "授权 {} 已于 {} 到期", grant.number, grant.valid_until);
        return refuse(Code::GrantExpired, detail);
    }
    let known = grant_row::of_order(view.connection, &grant.work_order)?;
    match known.iter().any(|row| row.grant.number == grant.number) {
        false => Ok(()),
        true => refuse(
            Code::GrantTaken,
            say!(
                "grant {} of work order {} was taken before",
                "授权 {}（工单 {}）早已领取",
                grant.number,
                grant.work_order
            ),
        ),
    }
}

/// What is used up or under way can't be given back.
pub(super) fn given_back(view: &View<'_>, given: &GrantGivenBack) -> Decision<()> {
    let GrantGivenBack { work_order, number, quantity, .. } = given;
    view.work_order_exists(work_order)?;
    let known = grant_row::of_order(view.connection, work_order)?;
    let Some(row) = known.iter().find(|row| row.grant.number == *number) else {
        let detail = say!(
            "no grant {number} of work order {work_order} was taken",
            "没有领取过授权 {number}（工单 {work_order}）"
        );
        return refuse(Code::GrantNeeded, detail);
    };
    let left = row.left();
    match (1..=left).contains(quantity) {
        true => Ok(()),
        false => refuse(
            Code::GrantUsedUp,
            say!(
                "grant {number} has {left} units left, {quantity} can't be given back",
                "授权 {number} 还剩 {left} 个单元，不能退回 {quantity} 个"
            ),
        ),
    }
}

/// The grant of which a unit takes a place; none where its work order has no grants and none
/// is demanded.
pub(super) fn place_of(
    view: &View<'_>,
    serial: &Serial,
    work_order: Option<&WorkOrderId>,
) -> Decision<Option<GrantNumber>> {
    let Some(id) = work_order else {
        return match view.limits.require_grant {
            false => Ok(None),
            true => refuse(
                Code::GrantNeeded,
                say!(
                    "units need a grant, and no work order is chosen",
                    "单元需要授权，而没有选择工单"
                ),
            ),
        };
    };
    let book = Book::read(view.connection, id)?;
    match book.place_of(view.connection, serial, view.now, GrantRow::left)? {
        Place::Found(number) => Ok(Some(number)),
        Place::Refused(fault) => Err(Trouble::Row(fault)),
        Place::NotCounted if view.limits.require_grant && book.grants.is_empty() => refuse(
            Code::GrantNeeded,
            say!("no grant was taken for work order {id}", "工单 {id} 没有领取授权"),
        ),
        Place::NotCounted => Ok(None),
    }
}

/// The grants of one work order.
pub(super) struct Book<'a> {
    work_order: &'a WorkOrderId,
    check: CheckCharacter,
    grants: Vec<GrantRow>,
}

/// How a unit stands to the grants of its work order.
pub(super) enum Place {
    /// It takes, or has, a place of this one.
    Found(GrantNumber),
    /// It takes none: there are no grants, or it had its place before there were any.
    NotCounted,
    /// None has a place for it.
    Refused(Fault),
}

impl<'a> Book<'a> {
    /// The work order must exist.
    pub(super) fn read(
        connection: &Connection,
        work_order: &'a WorkOrderId,
    ) -> Result<Self, LedgerError> {
        let sql = "SELECT check_character FROM work_orders WHERE id = ?1";
        let check: String =
            connection.prepare_cached(sql)?.query_row([work_order], |row| row.get(0))?;
        let unknown = |_| {
            LedgerError::Nonsense(say!(
                "the check character of {work_order}",
                "工单 {work_order} 的校验字符无效"
            ))
        };
        let check = check.parse().map_err(unknown)?;
        Ok(Book { work_order, check, grants: grant_row::of_order(connection, work_order)? })
    }

    pub(super) fn place_of(
        &self,
        connection: &Connection,
        serial: &Serial,
        now: Timestamp,
        left: fn(&GrantRow) -> u32,
    ) -> Result<Place, LedgerError> {
        if self.grants.is_empty() {
            return Ok(Place::NotCounted);
        }
        if let Some(place) = grant_row::place(connection, serial, self.work_order)? {
            return Ok(Place::Found(place.number));
        }
        let unit = unit_row::load(connection, serial)?;
        if unit.is_some_and(|unit| unit.places().contains(&Some(self.work_order))) {
            return Ok(Place::NotCounted);
        }
        let payload = self.check.payload(serial);
        Ok(match choose(self.work_order, &self.grants, payload, now, left) {
            Ok(number) => Place::Found(number),
            Err(fault) => Place::Refused(fault),
        })
    }

    /// A unit that is ahead takes its place, which it may give back.
    pub(super) fn take_ahead(
        &mut self,
        connection: &Connection,
        serial: &Serial,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if grant_row::place(connection, serial, self.work_order)?.is_some() {
            return Ok(());
        }
        if let Place::Found(number) = self.place_of(connection, serial, now, GrantRow::left)? {
            let rows = self.grants.iter_mut().filter(|row| row.grant.number == number);
            rows.for_each(|row| row.under_way = row.under_way.saturating_add(1));
        }
        Ok(())
    }
}
