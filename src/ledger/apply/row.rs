//! The rows of units and certificates, as every projection changes them.

use rusqlite::params;

use crate::domain::certificate::CertificateState;
use crate::domain::ids::{CertificateSn, ClientId, Serial};
use crate::error::LedgerError;
use crate::tables::states::{Position, certificate_word};
use crate::tables::unit_row::{OpenAttempt, Place, UnitRow};
use crate::tables::{counts, grant_row};

use super::context::Context;
use crate::say;

/// Loads a unit that the journal says exists.
pub(super) fn known(context: &Context<'_>, serial: &Serial) -> Result<UnitRow, LedgerError> {
    context.unit(serial)?.ok_or_else(|| {
        LedgerError::Nonsense(say!("unit {serial} has no row", "单元 {serial} 没有行"))
    })
}

/// Changes a unit's row; gives the one before.
pub(super) fn change(
    context: &Context<'_>,
    serial: &Serial,
    change: impl FnOnce(&mut UnitRow),
) -> Result<UnitRow, LedgerError> {
    let before = known(context, serial)?;
    let mut after = before.clone();
    change(&mut after);
    save(context, Some(&before), after)?;
    Ok(before)
}

/// Saves a unit's row and keeps the sums that depend on it; `before` is the row as it was.
pub(super) fn save(
    context: &Context<'_>,
    before: Option<&UnitRow>,
    after: UnitRow,
) -> rusqlite::Result<()> {
    let old = before.map(UnitRow::state);
    if old != Some(after.state()) {
        if let Some(old) = old {
            context.count(counts::UNITS, old.as_str(), -1)?;
        }
        context.count(counts::UNITS, after.state().as_str(), 1)?;
    }
    let left = before.map(UnitRow::counted).unwrap_or_default();
    if left != after.counted() {
        count_places(context, left, -1)?;
        count_places(context, after.counted(), 1)?;
    }
    settle_grant(context, before.and_then(|unit| unit.open.as_ref()), &after)?;
    context.put_unit(before, after)
}

fn count_places(
    context: &Context<'_>,
    places: [Place<'_>; 2],
    change: i64,
) -> rusqlite::Result<()> {
    places.into_iter().flatten().try_for_each(|place| context.count_place(place, change))
}

/// Keeps the place that the unit's attempt takes of its work order's grants.
fn settle_grant(
    context: &Context<'_>,
    before: Option<&OpenAttempt>,
    after: &UnitRow,
) -> rusqlite::Result<()> {
    let Some((before, id)) = before.and_then(|open| Some((open, open.work_order.as_ref()?))) else {
        return Ok(());
    };
    match &after.open {
        Some(open) if open.position == before.position => Ok(()),
        Some(open) if open.position == Position::Proven => {
            grant_row::use_up(context.connection, &after.serial, id)
        }
        Some(_) => Ok(()),
        None => grant_row::free(context.connection, &after.serial, id),
    }
}

/// A unit's row as it is, and the one to be saved: the same, or a new one.
pub(super) fn load_or_new(
    context: &Context<'_>,
    serial: &Serial,
    client_id: &ClientId,
) -> rusqlite::Result<(Option<UnitRow>, UnitRow)> {
    let before = context.unit(serial)?;
    let new = || UnitRow::new(serial.clone(), client_id.clone(), context.wall);
    let after = before.clone().unwrap_or_else(new);
    Ok((before, after))
}

/// Makes void what an interrupted attempt left for a key that its device may have kept,
/// unless it is the one that is issued again.
pub(super) fn void_left(
    context: &Context<'_>,
    serial: &Serial,
    again: Option<CertificateSn>,
) -> rusqlite::Result<()> {
    let sql = "UPDATE certificates SET state = 'void'
        WHERE serial = ?1 AND state = 'issued' AND sn IS NOT ?2";
    context.connection.prepare_cached(sql)?.execute(params![serial, again])?;
    Ok(())
}

/// Moves a certificate to another state.
pub(super) fn move_certificate(
    context: &Context<'_>,
    cert: CertificateSn,
    to: CertificateState,
) -> Result<(), LedgerError> {
    let sql = "UPDATE certificates SET state = ?2 WHERE sn = ?1";
    let moved =
        context.connection.prepare_cached(sql)?.execute(params![cert, certificate_word(to)])?;
    match moved {
        1 => Ok(()),
        _ => {
            Err(LedgerError::Nonsense(say!("certificate {cert} has no row", "证书 {cert} 没有行")))
        }
    }
}
