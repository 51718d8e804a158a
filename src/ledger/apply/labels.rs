//! The projection of labels: wanted when a unit passes, sent, scanned back.

use rusqlite::params;

use crate::domain::ids::Serial;
use crate::domain::labelling::{
    Delivery, LabelDelivered, LabelRow, LabelScanned, LabelSent, LabelState, LabelsChosen,
};
use crate::error::LedgerError;
use crate::tables::label_row;
use crate::tables::sql::stored;
use crate::tables::unit_row::ProvenOn;

use super::context::Context;
use crate::say;

pub(super) fn chosen(context: &Context<'_>, chosen: &LabelsChosen) -> rusqlite::Result<()> {
    let sql = "INSERT INTO label_choice VALUES (1, ?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET at_pass = ?1, verify = ?2, chosen_us = ?3, chosen_seq = ?4";
    let LabelsChosen { at_pass, verify } = chosen;
    let values = params![at_pass, verify, context.wall, stored(context.seq)];
    context.connection.execute(sql, values).map(drop)
}

/// A unit passed: where units get labels, this one wants one. A unit that finishes once more
/// with the same certificate has its label already.
pub(super) fn want(
    context: &Context<'_>,
    serial: &Serial,
    proven: Option<&ProvenOn>,
) -> rusqlite::Result<()> {
    let Some(ProvenOn { cert, .. }) = proven else { return Ok(()) };
    // Asked apart: SQLite makes a temporary table for each insert from the table that it goes into.
    let sql = "SELECT 1 FROM label_choice WHERE at_pass";
    if !context.connection.prepare_cached(sql)?.exists([])? {
        return Ok(());
    }
    let sql = "INSERT INTO labels (serial, copy, station, certificate_sn, state, verify, open,
            first_seq, changed_us)
        SELECT ?1, (SELECT ifnull(max(copy), 0) + 1 FROM labels WHERE serial = ?1), ?2, ?5,
            'wanted', verify, 1, ?3, ?4
        FROM label_choice
        WHERE NOT EXISTS (SELECT 1 FROM labels WHERE serial = ?1 AND certificate_sn = ?5)";
    let values = params![serial, context.station, stored(context.seq), context.wall, cert];
    context.connection.prepare_cached(sql)?.execute(values).map(drop)
}

pub(super) fn sent(context: &Context<'_>, sent: &LabelSent) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO labels VALUES (?1, ?2, ?3, ?4, 'asked', ?5, 1, ?6, ?7, ?8, NULL, ?9, ?10,
            ?11, ?12)
        ON CONFLICT (serial, copy) DO UPDATE SET state = 'asked', verify = ?5, open = 1,
            digest = ?6, printer = ?7, reason = ?8, message = NULL, operator = ?9, uid = ?10,
            changed_us = ?12";
    context.connection.prepare_cached(sql)?.execute(params![
        sent.serial,
        sent.copy,
        context.station,
        sent.certificate_sn,
        sent.verify,
        sent.digest,
        sent.printer,
        sent.reason,
        sent.by.operator,
        sent.by.uid,
        stored(context.seq),
        context.wall,
    ])?;
    close_older(context, &sent.serial, sent.copy)?;
    match &sent.reason {
        Some(reason) => {
            context.act("label-reprinted", Some(&sent.serial), None, Some(reason), &sent.by)
        }
        None => Ok(()),
    }
}

/// A further label takes the place of those before it.
fn close_older(context: &Context<'_>, serial: &Serial, copy: u32) -> rusqlite::Result<()> {
    let sql = "UPDATE labels SET open = 0 WHERE serial = ?1 AND copy < ?2 AND open = 1";
    context.connection.prepare_cached(sql)?.execute(params![serial, copy]).map(drop)
}

pub(super) fn delivered(
    context: &Context<'_>,
    delivered: &LabelDelivered,
) -> Result<(), LedgerError> {
    let LabelDelivered { serial, copy, delivery, message } = delivered;
    let state = match delivery {
        Delivery::Sent => LabelState::Sent,
        Delivery::NotSent => LabelState::Wanted,
        Delivery::Unclear => LabelState::Unclear,
    };
    let label = known(context, serial, *copy)?;
    Ok(change(context, &label, state, message.as_deref())?)
}

pub(super) fn scanned(context: &Context<'_>, scanned: &LabelScanned) -> Result<(), LedgerError> {
    let state = if scanned.right { LabelState::Right } else { LabelState::Wrong };
    let label = known(context, &scanned.serial, scanned.copy)?;
    Ok(change(context, &label, state, Some(&scanned.text))?)
}

fn known(context: &Context<'_>, serial: &Serial, copy: u32) -> Result<LabelRow, LedgerError> {
    label_row::one(context.connection, serial, copy)?.ok_or_else(|| {
        let what = say!("label {copy} of {serial} has no row", "{serial} 的标签 {copy} 没有行");
        LedgerError::Nonsense(what)
    })
}

fn change(
    context: &Context<'_>,
    label: &LabelRow,
    state: LabelState,
    message: Option<&str>,
) -> rusqlite::Result<()> {
    let LabelRow { serial, copy, verify, .. } = label;
    let open = state.is_open(*verify);
    let sql = "UPDATE labels SET state = ?3, open = ?4, message = ?5, changed_us = ?6
        WHERE serial = ?1 AND copy = ?2";
    let values = params![serial, copy, state, open, message, context.wall];
    context.connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Nobody need see to the labels of a unit that is void, scrapped, or proven anew.
pub(super) fn settle(context: &Context<'_>, serial: &Serial) -> rusqlite::Result<()> {
    let sql = "UPDATE labels SET open = 0 WHERE serial = ?1 AND open = 1";
    context.connection.prepare_cached(sql)?.execute([serial]).map(drop)
}
