//! `station fleet demo`

use serde_json::json;

use crate::app::fleet::{self, Opened};
use crate::app::fleet_demo::{Demo, STATIONS};
use crate::app::signals::{Until, Watch};
use crate::cli::FleetDemo;
use crate::command::context::Context;
use crate::say;
use crate::shell::{Exit, Failure};

/// Makes a fleet, lets its stations work, says what came of it.
pub(super) fn run(asked: &FleetDemo, context: &mut Context) -> Result<Exit, Failure> {
    // Each station's line hears a signal by itself; between them it is looked for.
    let watch = Watch::start(|| {})?;
    let demo = Demo::start(asked.dir.as_deref(), context.clock())?;
    let (url, database) = (demo.url(), demo.database());
    match context.out.is_json() {
        true => context.out.json(&json!({"event": "ready", "url": url, "database": database}))?,
        false => context.out.say(&say!(
            "the fleet is at {url}, its store at {database}",
            "总库在 {url}，数据库在 {database}"
        ))?,
    }
    let mut exit = Exit::Done;
    let mut first = 1;
    for number in 1..=STATIONS {
        if watch.was_asked() {
            return Ok(Exit::Stopped);
        }
        // What does not divide is made by the first ones.
        let units = asked.units / STATIONS + u32::from(number <= asked.units % STATIONS);
        let made = demo.run_station(number, (first, units), context.color)?;
        first += units;
        exit = exit.and(made.exit);
        let (station, conflicts) = (&made.station, made.pushed.standing.conflicts);
        match context.out.is_json() {
            true => context.out.json(&json!({
                "event": "station", "station": station, "dir": made.dir,
                "segments": made.pushed.segments, "entries": made.pushed.entries,
                "confirmed": made.pushed.standing.head.seq, "conflicts": conflicts,
                "not_passed": made.not_passed,
            }))?,
            false => context.out.say(&say!(
                "{station}: {units} units, {} entries sent, {conflicts} conflicts",
                "{station}：单元 {units}，已发送记录 {}，冲突 {conflicts}",
                made.pushed.entries
            ))?,
        }
        for (serial, code) in &made.not_passed {
            if !context.out.is_json() {
                context.out.line(format!("{station} {serial} {code}"))?;
            }
        }
    }
    if watch.was_asked() {
        exit = exit.and(Exit::Stopped);
    }
    summary(&database, context)?;
    if !asked.once && exit == Exit::Done {
        if !context.out.is_json() {
            context.out.say(&say!(
                "open {url} in a browser; Ctrl-C ends it",
                "在浏览器中打开 {url}；按 Ctrl-C 结束"
            ))?;
        }
        drop(watch);
        Until::told_to_stop()?.wait();
    }
    Ok(exit)
}

fn summary(database: &str, context: &mut Context) -> Result<(), Failure> {
    let (stations, segments, conflicts) = fleet::wait(async {
        let store = Opened { url: database, ca: None }.open().await?;
        let (stations, segments) = (store.stations().await?, store.segments().await?);
        Ok::<_, Failure>((stations, segments, store.conflicts(true, 10_000).await?))
    })??;
    let units: u64 = stations.iter().flat_map(|row| row.units.values()).sum();
    let segments: u64 = segments.values().sum();
    for conflict in &conflicts {
        if !context.out.is_json() {
            let of = say!("conflict {}: {}", "冲突 {}：{}", conflict.id, conflict.value);
            context.out.say(&of.then(&conflict.said()))?;
        }
    }
    let (stations, conflicts) = (stations.len(), conflicts.len());
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "summary", "stations": stations, "units": units, "conflicts": conflicts,
            "segments": segments,
        })),
        false => context.out.say(&say!(
            "{stations} stations, {units} units, {conflicts} conflicts, {segments} segments",
            "站 {stations}，单元 {units}，冲突 {conflicts}，日志段 {segments}"
        )),
    }
}
