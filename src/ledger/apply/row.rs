//! The rows of units and certificates, as every projection changes them.

use rusqlite::params;

use crate::domain::certificate::CertificateState;
use crate::domain::ids::{CertificateSn, ClientId, Serial};
use crate::ledger::error::LedgerError;
use crate::ledger::tables::states::certificate_word;
use crate::ledger::tables::unit_row::{self, UnitRow};

use super::context::Context;
use crate::say;

/// Loads a unit that the journal says exists.
pub(super) fn known(context: &Context<'_>, serial: &Serial) -> Result<UnitRow, LedgerError> {
    unit_row::load(context.connection, serial)?.ok_or_else(|| {
        LedgerError::Nonsense(say!("unit {serial} has no row", "单元 {serial} 没有行"))
    })
}

/// Changes a unit's row.
pub(super) fn change(
    context: &Context<'_>,
    serial: &Serial,
    change: impl FnOnce(&mut UnitRow),
) -> Result<UnitRow, LedgerError> {
    let before = known(context, serial)?;
    let mut after = before.clone();
    change(&mut after);
    unit_row::save(context.connection, context.station, Some(&before), &after, context.wall)?;
    Ok(before)
}

/// A unit's row as it is, and the one to be saved: the same, or a new one.
pub(super) fn load_or_new(
    context: &Context<'_>,
    serial: &Serial,
    client_id: &ClientId,
) -> rusqlite::Result<(Option<UnitRow>, UnitRow)> {
    let before = unit_row::load(context.connection, serial)?;
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
