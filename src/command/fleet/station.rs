//! `station fleet enrol`, `push`, `status`, `find`: what a station asks its fleet.

use serde_json::json;

use crate::app::fleet::{self, Station};
use crate::cli::FleetEnrol;
use crate::command::context::Context;
use crate::domain::say::Say;
use crate::fleet::Heard;
use crate::say;
use crate::shell::{Exit, Failure};

/// Binds this station to a fleet.
pub(super) fn enrol(asked: &FleetEnrol, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let ca = asked.ca.as_deref();
    let standing = fleet::enrol(&config, &context.clock(), &asked.url, &asked.code, ca)?;
    let (station, url) = (&config.station.id, &asked.url);
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "enrolled", "station": station, "url": url, "confirmed": standing.head.seq,
        }))?,
        false => context.out.say(&say!(
            "station {station} belongs to the fleet at {url}",
            "站 {station} 已加入总库 {url}"
        ))?,
    }
    Ok(Exit::Done)
}

/// Sends what the fleet has not confirmed.
pub(super) fn push(context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let pushed = fleet::push(&config, &context.clock())?;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "summary", "segments": pushed.segments, "entries": pushed.entries,
            "confirmed": pushed.standing.head.seq, "head": pushed.standing.head.hash,
            "lost": pushed.lost, "conflicts": pushed.standing.conflicts,
            "claimed": pushed.standing.claimed,
        }))?,
        false => {
            let (entries, segments) = (pushed.entries, pushed.segments);
            let confirmed = pushed.standing.head.seq;
            context.out.say(&say!(
                "sent {entries} entries in {segments} segments; the fleet has {confirmed}",
                "已发送 {segments} 个日志段共 {entries} 条记录；总库已有 {confirmed} 条"
            ))?;
            if pushed.standing.conflicts > 0 {
                let conflicts = pushed.standing.conflicts;
                let wait =
                    say!("{conflicts} conflicts wait for a person", "{conflicts} 个冲突等待裁定");
                context.out.say(&wait)?;
            }
        }
    }
    Ok(Exit::Done)
}

/// How this station stands at its fleet, as it was last heard.
pub(super) fn status(context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let station = Station::enrolled(&config, &context.clock())?;
    let heard = Heard::read(&config.station.data_dir)?;
    let newest = station.reader.head()?.seq;
    let confirmed = heard.as_ref().map_or(0, |heard| heard.head.seq);
    let at = heard.as_ref().map(|heard| heard.at.to_string());
    let conflicts = heard.as_ref().map_or(0, |heard| heard.conflicts);
    let waiting = newest.saturating_sub(confirmed);
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "status", "station": config.station.id, "url": station.client.url(),
            "heard_at": at, "confirmed": confirmed, "newest": newest, "waiting": waiting,
            "conflicts": conflicts, "claimed": heard.map(|heard| heard.claimed).unwrap_or_default(),
        }))?,
        false => {
            let heard = at.map_or_else(
                || say!("heard of never", "从未收到回应"),
                |at| say!("heard of {at}", "最近回应 {at}"),
            );
            let fleet = say!("fleet {}", "总库 {}", station.client.url());
            context.out.say(&fleet.then(&heard))?;
            context.out.say(&say!(
                "{confirmed} of {newest} entries confirmed, {conflicts} conflicts",
                "记录已确认 {confirmed}/{newest}，冲突 {conflicts}"
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// Finds a unit by asking the fleet.
pub(super) fn find(text: &str, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let station = Station::enrolled(&config, &context.clock())?;
    let found = fleet::wait(station.client.find(text))??;
    if found.is_empty() {
        return Err(super::stored::unknown(text));
    }
    for unit in found {
        match context.out.is_json() {
            true => context.out.json(&unit)?,
            false => {
                let part = |name: &str| unit[name].as_str().unwrap_or("?").to_owned();
                let at = say!(" at station {}", "，站 {}", part("station"));
                let state = super::stored::state_said(&part("state"));
                context.out.say(&Say::same(part("serial")).then(&state).with(&at))?;
            }
        }
    }
    Ok(Exit::Done)
}
