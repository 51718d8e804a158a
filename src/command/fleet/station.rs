//! `station fleet enrol`, `push`, `status`, `find`: what a station asks its fleet.

use serde_json::json;

use crate::app::fleet::{self, Station};
use crate::cli::FleetEnrol;
use crate::command::context::Context;
use crate::fleet::Heard;
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
        false => context.out.line(format!("station {station} belongs to the fleet at {url}"))?,
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
            context.out.line(format!(
                "sent {entries} entries in {segments} segments; the fleet has {confirmed}"
            ))?;
            if pushed.standing.conflicts > 0 {
                let conflicts = pushed.standing.conflicts;
                context.out.line(format!("{conflicts} conflicts wait for a person"))?;
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
            let heard = at.unwrap_or_else(|| "never".to_owned());
            context.out.line(format!("fleet {}: heard of {heard}", station.client.url()))?;
            context.out.line(format!(
                "{confirmed} of {newest} entries confirmed, {conflicts} conflicts"
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
                let (serial, station, state) = (part("serial"), part("station"), part("state"));
                context.out.line(format!("{serial}: {state} at station {station}"))?;
            }
        }
    }
    Ok(Exit::Done)
}
