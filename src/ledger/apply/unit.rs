//! The projection of what persons do to a unit, and of a device that finished.

use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::record::{Denied, Finished, PersonAct, Step};
use crate::error::LedgerError;
use crate::tables::states::{AttemptOutcome, Permission};

use super::attempt::{AttemptEnd, end_attempt};
use super::context::Context;
use super::labels;
use super::queue::{hold, retire};
use super::row::{change, known, move_certificate, void_left};

pub(super) fn finished(context: &Context<'_>, finished: &Finished) -> Result<(), LedgerError> {
    let unit = change(context, &finished.serial, |unit| unit.finished = true)?;
    Ok(labels::want(context, &finished.serial, unit.proven.as_ref())?)
}

/// It is proven and no more: its gate is shut until its device proves it and finishes again.
pub(super) fn denied(context: &Context<'_>, denied: &Denied) -> Result<(), LedgerError> {
    let Denied { serial, message, by, .. } = denied;
    change(context, serial, |unit| unit.finished = false)?;
    Ok(context.act("denied", Some(serial), None, Some(message), by)?)
}

/// The uncertain certificate where there is one, otherwise the proven one.
pub(super) fn voided(context: &Context<'_>, act: &PersonAct) -> Result<(), LedgerError> {
    let unit = known(context, &act.serial)?;
    void_left(context, &act.serial, None)?;
    match unit.open {
        Some(_) => void_open(context, act)?,
        None => void_proven(context, act)?,
    }
    change(context, &act.serial, |unit| unit.voided = true)?;
    Ok(context.unit_act("unit-voided", act)?)
}

pub(super) fn scrapped(context: &Context<'_>, act: &PersonAct) -> Result<(), LedgerError> {
    void_open(context, act)?;
    void_proven(context, act)?;
    void_left(context, &act.serial, None)?;
    change(context, &act.serial, |unit| unit.scrapped = true)?;
    Ok(context.unit_act("unit-scrapped", act)?)
}

pub(super) fn rework_allowed(context: &Context<'_>, act: &PersonAct) -> Result<(), LedgerError> {
    let permission = match act.new_device {
        true => Permission::AnyDevice,
        false => Permission::SameDevice,
    };
    let unit = change(context, &act.serial, |unit| unit.rework = permission)?;
    if let Some(proven) = unit.proven {
        hold(context, proven.cert)?;
    }
    Ok(context.unit_act("rework-allowed", act)?)
}

/// Ends the open attempt as failed and voids its certificate, where there is one.
fn void_open(context: &Context<'_>, act: &PersonAct) -> Result<(), LedgerError> {
    let unit = change(context, &act.serial, |unit| unit.open = None)?;
    let Some(open) = unit.open else { return Ok(()) };
    move_certificate(context, open.cert, CertificateState::Void)?;
    let end = AttemptEnd {
        outcome: AttemptOutcome::Fail,
        step: Some(Step::Commit.as_str()),
        code: Some(Code::UnitInterrupted.as_str()),
        message: Some(&act.reason),
    };
    end_attempt(context, &act.serial, open.attempt, &end)
}

/// Voids the proven certificate, where there is one, and takes its registration back.
fn void_proven(context: &Context<'_>, act: &PersonAct) -> Result<(), LedgerError> {
    let unit = change(context, &act.serial, |unit| {
        unit.proven = None;
        unit.finished = false;
        unit.rework = Permission::No;
        unit.registered = false;
        unit.shipped = false;
    })?;
    let Some(proven) = unit.proven else { return Ok(()) };
    labels::settle(context, &act.serial)?;
    move_certificate(context, proven.cert, CertificateState::Void)?;
    retire(context, proven.cert)
}
