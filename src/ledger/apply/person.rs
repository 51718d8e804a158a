//! The projection of what is decided about persons, and of a profile that was accepted.

use rusqlite::params;

use crate::domain::operators::{
    OperatorAdded, OperatorDisabled, PinChanged, PinTried, ProfileAccepted, SignedIn,
};
use crate::domain::person::Person;
use crate::tables::sql::stored;

use super::context::Context;

pub(super) fn added(context: &Context<'_>, added: &OperatorAdded) -> rusqlite::Result<()> {
    let OperatorAdded { operator, role, by } = added;
    let sql = "INSERT INTO operators VALUES (?1, ?2, ?3, 0, ?4, ?5)";
    let seq = stored(context.seq);
    let values = params![operator, context.station, role, context.wall, seq];
    context.connection.execute(sql, values)?;
    let whom = format!("{operator}, {role}");
    context.act("operator-added", None, None, Some(&whom), by)
}

pub(super) fn disabled(context: &Context<'_>, disabled: &OperatorDisabled) -> rusqlite::Result<()> {
    let OperatorDisabled { operator, by } = disabled;
    context.connection.execute("UPDATE operators SET disabled = 1 WHERE id = ?1", [operator])?;
    context.act("operator-disabled", None, None, Some(operator.as_str()), by)
}

pub(super) fn pin_changed(context: &Context<'_>, changed: &PinChanged) -> rusqlite::Result<()> {
    let PinChanged { operator, by, with_authority } = changed;
    let how = if *with_authority { ", with the CA's passphrase" } else { "" };
    context.act("pin-changed", None, None, Some(&format!("{operator}{how}")), by)
}

pub(super) fn pin_tried(
    context: &Context<'_>,
    act: &str,
    tried: &PinTried,
) -> rusqlite::Result<()> {
    let by = Person { operator: None, uid: tried.uid };
    context.act(act, None, None, Some(tried.operator.as_str()), &by)
}

pub(super) fn profile_accepted(
    context: &Context<'_>,
    accepted: &ProfileAccepted,
) -> rusqlite::Result<()> {
    let ProfileAccepted { work_order, profile, reason, by } = accepted;
    let sql = "UPDATE work_orders SET profile = ?2 WHERE id = ?1";
    context.connection.execute(sql, params![work_order, profile])?;
    context.act("profile-accepted", None, Some(work_order), Some(reason), by)
}

pub(super) fn signed_in(context: &Context<'_>, signed: &SignedIn) -> rusqlite::Result<()> {
    let by = Person { operator: signed.operator.clone(), uid: signed.uid };
    context.act("signed-in", None, None, None, &by)
}
