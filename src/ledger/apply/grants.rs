//! The projection of grants: taken, given back.

use rusqlite::params;

use crate::domain::grant::{GrantGivenBack, GrantTaken};
use crate::tables::sql::stored;

use super::context::Context;

pub(super) fn taken(context: &Context<'_>, taken: &GrantTaken) -> rusqlite::Result<()> {
    let grant = &taken.grant;
    let sql = "INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, ?11)";
    context.connection.execute(
        sql,
        params![
            grant.work_order,
            grant.number,
            context.station,
            grant.profile,
            grant.quantity,
            grant.order_quantity,
            grant.serials.as_ref().map(ToString::to_string),
            grant.valid_until,
            grant.made_at,
            context.wall,
            stored(context.seq),
        ],
    )?;
    let what = format!("{} units by grant {}", grant.quantity, grant.number);
    context.act("grant-taken", None, Some(&grant.work_order), Some(&what), &taken.by)
}

pub(super) fn given_back(context: &Context<'_>, given: &GrantGivenBack) -> rusqlite::Result<()> {
    let GrantGivenBack { work_order, number, quantity, by } = given;
    let sql = "UPDATE grants SET given_back = given_back + ?3
        WHERE work_order = ?1 AND number = ?2";
    context.connection.execute(sql, params![work_order, number, quantity])?;
    let what = format!("{quantity} units of grant {number}");
    context.act("grant-given-back", None, Some(work_order), Some(&what), by)
}
