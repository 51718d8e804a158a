//! The projection of an attempt's records: begun, issued, commit asked, proven, ended.

use rusqlite::params;

use crate::domain::certificate::CertificateState;
use crate::domain::clock::Timestamp;
use crate::domain::ids::Serial;
use crate::domain::outbox::Operation;
use crate::domain::record::{AttemptRef, Begun, End, Ended, FailedEarly, Issued, ProvenRecord};
use crate::error::LedgerError;
use crate::tables::counts;
use crate::tables::grant_row;
use crate::tables::sql::stored;
use crate::tables::states::{AttemptOutcome, Permission, Position};
use crate::tables::unit_row::{OpenAttempt, ProvenOn, UnitRow};

use super::context::Context;
use super::labels;
use super::queue::{current_id, is_registered, queue, retire};
use super::row::{change, known, load_or_new, move_certificate, save, void_left};
use crate::say;

/// How an attempt ended, as its row has it.
pub(super) struct AttemptEnd<'a> {
    pub(super) outcome: AttemptOutcome,
    pub(super) step: Option<&'a str>,
    pub(super) code: Option<&'a str>,
    pub(super) message: Option<&'a str>,
}

impl<'a> AttemptEnd<'a> {
    fn of(end: &'a End) -> Self {
        let (outcome, step, code, message) = match end {
            End::Passed => {
                let outcome = AttemptOutcome::Pass;
                return AttemptEnd { outcome, step: None, code: None, message: None };
            }
            End::Failed { step, code, message } => (AttemptOutcome::Fail, step, code, message),
            End::Interrupted { step, code, message } => {
                (AttemptOutcome::Interrupted, step, code, message)
            }
        };
        let (step, code) = (Some(step.as_str()), Some(code.as_str()));
        AttemptEnd { outcome, step, code, message: Some(message) }
    }
}

pub(super) fn begun(context: &Context<'_>, begun: &Begun, attempt: u32) -> Result<(), LedgerError> {
    let (before, mut after) = load_or_new(context, &begun.serial, &begun.client_id)?;
    after.client_id = begun.client_id.clone();
    after.work_order = begun.work_order.clone().or(after.work_order);
    after.attempts = attempt;
    after.voided = false;
    after.open = Some(OpenAttempt {
        attempt,
        position: Position::Begun,
        hardware: begun.hardware.clone(),
        cert: begun.certificate_sn,
        work_order: begun.work_order.clone(),
    });
    save(context, before.as_ref(), after)?;
    if let (Some(id), Some(grant)) = (&begun.work_order, begun.grant) {
        grant_row::take(context.connection, context.station, &begun.serial, id, grant)?;
    }
    let sql = "INSERT INTO attempts (serial, attempt, station, slot, work_order, operator,
            hardware, model, firmware, certificate_sn, started_us, started_seq, product,
            label, label_rule, outcome)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 'running')";
    context.connection.prepare_cached(sql)?.execute(params![
        begun.serial,
        attempt,
        context.station,
        begun.slot,
        begun.work_order,
        begun.operator,
        begun.hardware,
        begun.model,
        begun.firmware,
        begun.certificate_sn,
        context.wall,
        stored(context.seq),
        begun.product,
        begun.label.as_ref().map(|label| &label.text),
        begun.label.as_ref().and_then(|label| label.rule),
    ])?;
    Ok(())
}

pub(super) fn failed_early(
    context: &Context<'_>,
    failed: &FailedEarly,
    attempt: u32,
) -> Result<(), LedgerError> {
    let (before, mut after) = load_or_new(context, &failed.serial, &failed.client_id)?;
    after.attempts = attempt;
    after.work_order = after.work_order.or_else(|| failed.work_order.clone());
    save(context, before.as_ref(), after)?;
    let sql = "INSERT INTO attempts (serial, attempt, station, slot, work_order, operator,
            started_us, started_seq, label, label_rule, outcome)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'running')";
    context.connection.prepare_cached(sql)?.execute(params![
        failed.serial,
        attempt,
        context.station,
        failed.slot,
        failed.work_order,
        failed.operator,
        context.wall,
        stored(context.seq),
        failed.label.as_ref().map(|label| &label.text),
        failed.label.as_ref().and_then(|label| label.rule),
    ])?;
    end_attempt(context, &failed.serial, attempt, &AttemptEnd::of(&failed.end))
}

pub(super) fn issued(context: &Context<'_>, issued: &Issued) -> Result<(), LedgerError> {
    let serial = &issued.attempt.serial;
    let certificate = &issued.certificate;
    let unit = change(context, serial, |unit| {
        advance(unit, Position::Issued);
        if let Some(open) = &mut unit.open {
            open.cert = certificate.sn;
        }
    })?;
    void_left(context, serial, Some(certificate.sn))?;
    // The same certificate again belongs to the newer attempt, and may go in a new image.
    let sql = "INSERT INTO certificates VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
        'issued', ?12, ?13, NULL, NULL, 'issued')
        ON CONFLICT (sn) DO UPDATE SET attempt = excluded.attempt, image = excluded.image";
    context.connection.prepare_cached(sql)?.execute(params![
        certificate.sn,
        context.station,
        serial,
        issued.attempt.attempt,
        unit.client_id,
        certificate.fingerprint,
        certificate.public_key,
        certificate.issuer,
        certificate.not_before,
        certificate.not_after,
        issued.image,
        stored(context.seq),
        context.wall,
    ])?;
    Ok(())
}

fn advance(unit: &mut UnitRow, position: Position) {
    if let Some(open) = &mut unit.open {
        open.position = position;
    }
}

pub(super) fn commit_asked(context: &Context<'_>, asked: &AttemptRef) -> Result<(), LedgerError> {
    let unit = change(context, &asked.serial, |unit| advance(unit, Position::Asked))?;
    match unit.open {
        Some(open) => move_certificate(context, open.cert, CertificateState::Uncertain),
        None => Err(no_open_attempt(&asked.serial)),
    }
}

fn no_open_attempt(serial: &Serial) -> LedgerError {
    LedgerError::Nonsense(say!(
        "unit {serial} has no open attempt",
        "单元 {serial} 没有进行中的尝试"
    ))
}

pub(super) fn proven(context: &Context<'_>, proven: &ProvenRecord) -> Result<(), LedgerError> {
    let serial = &proven.attempt.serial;
    let unit = known(context, serial)?;
    let Some(open) = unit.open.clone() else {
        return Err(no_open_attempt(serial));
    };
    let cert = open.cert;
    let registered = is_registered(context, cert)?;
    // The old identity leaves its device's index before the new one enters.
    if let Some(old) = &unit.proven {
        labels::settle(context, serial)?;
        move_certificate(context, old.cert, CertificateState::Superseded)?;
        retire(context, old.cert)?;
    }
    let mut after = unit.clone();
    after.proven = Some(ProvenOn { hardware: open.hardware, cert, work_order: open.work_order });
    after.finished = false;
    after.rework = Permission::No;
    after.registered = registered;
    after.shipped = false;
    advance(&mut after, Position::Proven);
    save(context, Some(&unit), after)?;
    let sql = "UPDATE certificates SET state = 'proven', proof = ?2, proven_us = ?3 WHERE sn = ?1";
    let proof = proven.proof.as_str();
    context.connection.prepare_cached(sql)?.execute(params![cert, proof, context.wall])?;
    let sql = "UPDATE attempts SET proof = ?3, restart = ?4 WHERE serial = ?1 AND attempt = ?2";
    let attempt = proven.attempt.attempt;
    context.connection.prepare_cached(sql)?.execute(params![
        serial,
        attempt,
        proof,
        proven.restart
    ])?;
    if registered {
        return Ok(());
    }
    let cloud = current_id(context)?;
    Ok(queue(context, cert, Operation::Register, cloud)?)
}

pub(super) fn ended(context: &Context<'_>, ended: &Ended) -> Result<(), LedgerError> {
    let AttemptRef { serial, attempt } = &ended.attempt;
    let unit = change(context, serial, |unit| {
        unit.open = None;
        unit.finished |= ended.end == End::Passed;
    })?;
    if let (true, Some(open)) = (ended.void, &unit.open) {
        move_certificate(context, open.cert, CertificateState::Void)?;
    }
    end_attempt(context, serial, *attempt, &AttemptEnd::of(&ended.end))?;
    match ended.end {
        End::Passed => Ok(labels::want(context, serial, unit.proven.as_ref())?),
        End::Failed { .. } | End::Interrupted { .. } => Ok(()),
    }
}

/// Gives an attempt its end, and counts it.
pub(super) fn end_attempt(
    context: &Context<'_>,
    serial: &Serial,
    attempt: u32,
    end: &AttemptEnd<'_>,
) -> Result<(), LedgerError> {
    // Not by RETURNING, for which SQLite makes a temporary table each time.
    let sql = "SELECT slot, work_order, started_us FROM attempts
        WHERE serial = ?1 AND attempt = ?2";
    let (slot, work_order, began): (String, Option<String>, Timestamp) = context
        .connection
        .prepare_cached(sql)?
        .query_row(params![serial, attempt], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let sql = "UPDATE attempts SET ended_us = ?3, ended_seq = ?4, outcome = ?5, step = ?6,
            code = ?7, message = ?8
        WHERE serial = ?1 AND attempt = ?2";
    let AttemptEnd { outcome, step, code, message } = *end;
    context.connection.prepare_cached(sql)?.execute(params![
        serial,
        attempt,
        context.wall,
        stored(context.seq),
        outcome,
        step,
        code,
        message
    ])?;
    let ended = counts::EndedAttempt {
        outcome,
        slot: &slot,
        code,
        first: attempt == 1,
        work_order: work_order.as_deref(),
        began,
    };
    Ok(ended.sums(|what, name| context.count(what, name, 1))?)
}
