//! `station fleet serve`, `code`, `revoke`: what is done where the fleet is.

use serde_json::json;

use super::opened::opened;
use crate::app::fleet;
use crate::app::signals::Until;
use crate::cli::{FleetCode, FleetRevoke, FleetServe};
use crate::command::context::Context;
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::say;
use crate::shell::{Exit, Failure};

/// Serves until the process is told to stop.
pub(super) fn serve(asked: &FleetServe, context: &mut Context) -> Result<Exit, Failure> {
    let store = opened(&asked.database);
    let store = store.settings(asked.partitions, asked.connections.into())?;
    let until = Until::told_to_stop()?;
    let files = asked.certificate.as_deref().zip(asked.key.as_deref());
    let token = asked.token_file.as_deref();
    let pages = fleet::pages(opened(&asked.database), asked.listen, token, context.clock())?;
    let (listen, rate) = (asked.listen, asked.cloud_rate);
    let server = fleet::server(store, listen, files, rate, pages, context.clock())?;
    let url = server.url();
    match context.out.is_json() {
        true => context.out.json(&json!({"event": "ready", "url": url}))?,
        false => context.out.say(&say!("the fleet is at {url}", "总库在 {url}"))?,
    }
    until.wait();
    Ok(Exit::Done)
}

/// Makes a code for one station.
pub(super) fn code(asked: &FleetCode, context: &mut Context) -> Result<Exit, Failure> {
    let clock = context.clock();
    let new = fleet::code(&asked.station, asked.ca.as_deref(), asked.valid_for, &*clock)?;
    fleet::wait(async {
        let store = opened(&asked.database).open().await?;
        Ok::<_, Failure>(store.add_code(&new).await?)
    })??;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "code", "code": new.code, "station": new.station,
            "expires": new.expires.to_string(),
        }))?,
        false => {
            context.out.line(&new.code)?;
            let (station, until) = (&new.station, new.expires);
            context.out.say(&say!(
                "for station {station}, once, until {until}",
                "供站 {station} 使用一次，有效期到 {until}"
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// Lets a station in no more.
pub(super) fn revoke(asked: &FleetRevoke, context: &mut Context) -> Result<Exit, Failure> {
    let changed = fleet::wait(async {
        let store = opened(&asked.database).open().await?;
        Ok::<_, Failure>(store.let_in(&asked.station, asked.undo).await?)
    })??;
    if changed == 0 {
        let what = say!("the fleet knows no station {}", "总库里没有站 {}", asked.station);
        return Err(Failure::said(Code::FleetStation, what));
    }
    let state = if asked.undo { "active" } else { "revoked" };
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "station", "station": asked.station, "state": state, "ledgers": changed,
        }))?,
        false => {
            let word = if asked.undo { "可以接入" } else { "已禁止接入" };
            context.out.say(&Say {
                english: format!("station {} is {state}", asked.station),
                chinese: format!("站 {} {word}", asked.station),
            })?;
        }
    }
    Ok(Exit::Done)
}
