//! The projection of an identity that was read from its device.

use rusqlite::params;

use crate::domain::certificate::CertificateState;
use crate::domain::outbox::Operation;
use crate::domain::record::{Adopted, PersonAct};
use crate::error::LedgerError;
use crate::tables::sql::stored;
use crate::tables::states::Permission;
use crate::tables::unit_row::ProvenOn;

use super::context::Context;
use super::labels;
use super::queue::{current_id, queue, retire};
use super::row::{load_or_new, move_certificate, save, void_left};

/// Enters an identity that its device proved, in an attempt of its own. That attempt is in
/// no sum: nothing was burned.
pub(super) fn adopted(
    context: &Context<'_>,
    adopted: &Adopted,
    attempt: u32,
) -> Result<(), LedgerError> {
    let (before, mut after) = load_or_new(context, &adopted.serial, &adopted.client_id)?;
    if let Some(old) = &after.proven {
        labels::settle(context, &adopted.serial)?;
        move_certificate(context, old.cert, CertificateState::Superseded)?;
        retire(context, old.cert)?;
    }
    void_left(context, &adopted.serial, None)?;
    after.attempts = attempt;
    after.proven = Some(ProvenOn {
        hardware: adopted.hardware.clone(),
        cert: adopted.certificate.sn,
        work_order: after.work_order.clone(),
    });
    after.finished = false;
    after.rework = Permission::No;
    after.registered = false;
    after.shipped = false;
    after.voided = false;
    save(context, before.as_ref(), after)?;
    insert_adopted(context, adopted, attempt)?;
    let cloud = current_id(context)?;
    queue(context, adopted.certificate.sn, Operation::Register, cloud)?;
    let act = PersonAct {
        serial: adopted.serial.clone(),
        reason: adopted.reason.clone(),
        by: adopted.by.clone(),
        new_device: false,
    };
    Ok(context.unit_act("adopted", &act)?)
}

fn insert_adopted(
    context: &Context<'_>,
    adopted: &Adopted,
    attempt: u32,
) -> Result<(), LedgerError> {
    let certificate = &adopted.certificate;
    // Where entries are applied one behind the other it is not there until it is asked for.
    let sql =
        "CREATE UNIQUE INDEX IF NOT EXISTS attempts_by_certificate ON attempts (certificate_sn)";
    context.connection.execute(sql, [])?;
    // An attempt that the ledger knows may have reserved this serial number before its
    // certificate went into the gap.
    let sql = "INSERT INTO attempts (serial, attempt, station, slot, operator, hardware, model,
            firmware, certificate_sn, started_us, started_seq, ended_us, ended_seq, outcome,
            proof, restart)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
            iif(EXISTS (SELECT 1 FROM attempts WHERE certificate_sn = ?9), NULL, ?9),
            ?10, ?11, ?10, ?11, 'pass', ?12, ?13)";
    context.connection.prepare_cached(sql)?.execute(params![
        adopted.serial,
        attempt,
        context.station,
        adopted.slot,
        adopted.by.operator,
        adopted.hardware,
        adopted.model,
        adopted.firmware,
        certificate.sn,
        context.wall,
        stored(context.seq),
        adopted.proof.as_str(),
        adopted.restart,
    ])?;
    let sql = "INSERT INTO certificates VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
        'proven', ?12, ?13, ?14, ?13, 'adopted')";
    context.connection.prepare_cached(sql)?.execute(params![
        certificate.sn,
        context.station,
        adopted.serial,
        attempt,
        adopted.client_id,
        certificate.fingerprint,
        certificate.public_key,
        certificate.issuer,
        certificate.not_before,
        certificate.not_after,
        adopted.image,
        stored(context.seq),
        context.wall,
        adopted.proof.as_str(),
    ])?;
    Ok(())
}
