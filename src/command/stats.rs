//! `station ledger stats`: counts and yield, of everything, of a day or of a shift.

use serde::Serialize;

use super::context::Context;
use crate::app::report_of::{day_of, no_shift};
use crate::cli::StatsOf;
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::local::{Span, Zone, day_to_text};
use crate::domain::say::Say;
use crate::domain::state::UnitState;
use crate::domain::story::percent;
use crate::ledger::Reader;
use crate::ledger::views::{Outcomes, Stats};
use crate::say;
use crate::shell::Failure;
use crate::text::unit_state_said;

/// What is counted where it is not everything.
struct Period {
    name: Say,
    span: Span,
}

#[derive(Serialize)]
struct OfPeriod<'a> {
    from: String,
    until: String,
    #[serde(flatten)]
    stats: &'a Stats,
}

/// Prints them.
pub(super) fn run(config: &Config, of: &StatsOf, context: &mut Context) -> Result<(), Failure> {
    let period = period(config, of, context.now())?;
    let zone = &config.station.zone;
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    let stats = match &period {
        Some(period) => reader.stats_within(period.span, zone)?,
        None => reader.stats(zone)?,
    };
    if context.out.is_json() {
        return match &period {
            Some(Period { span, .. }) => {
                let (from, until) = (span.from.to_string(), span.until.to_string());
                context.out.json(&OfPeriod { from, until, stats: &of_every_state(stats) })
            }
            None => context.out.json(&of_every_state(stats)),
        };
    }
    let mut lines = in_words(&stats);
    if let Some(Period { name, span }) = period {
        let [from, until] = [span.from, span.until].map(|at| zone.show(at));
        let within = say!(", {from} to {until}, {zone}", "，{from} 至 {until}，{zone}");
        lines.insert(0, name.with(&within));
        lines.extend(stats.by_hour.iter().map(|(hour, counts)| by_hour(hour, counts, zone)));
    }
    lines.iter().try_for_each(|line| context.out.say(line))
}

fn period(config: &Config, of: &StatsOf, now: Timestamp) -> Result<Option<Period>, Failure> {
    let zone = &config.station.zone;
    let today = zone.day_of(now);
    let day = of.day.as_deref().map(|text| day_of(text, today)).transpose()?;
    let Some(name) = &of.shift else {
        return Ok(day.map(|day| Period { name: Say::same(day_to_text(day)), span: zone.day(day) }));
    };
    let shift = config.shifts.iter().find(|shift| shift.name == *name);
    let shift = shift.ok_or_else(|| no_shift(&config.shifts, name))?;
    // Without a day, the last one that has begun: at three in the morning, yesterday's night.
    let day = day.unwrap_or_else(|| match shift.on(today, zone).from <= now {
        true => today,
        false => today - 1,
    });
    let (shift_name, on) = (&shift.name, day_to_text(day));
    let name = say!("{shift_name} of {on}", "{on} {shift_name}");
    Ok(Some(Period { name, span: shift.on(day, zone) }))
}

/// A program looks for a state by its name, also where no unit is in it.
fn of_every_state(mut stats: Stats) -> Stats {
    for state in UnitState::ALL {
        stats.units.entry(state.as_str().to_owned()).or_default();
    }
    stats
}

fn in_words(stats: &Stats) -> Vec<Say> {
    let mut lines: Vec<Say> =
        stats.units.iter().map(|(state, count)| of_state(state, *count)).collect();
    let Outcomes { passed, failed, interrupted } = stats.attempts;
    lines.push(say!(
        "attempts {passed} passed, {failed} failed, {interrupted} cut off",
        "尝试：合格 {passed}，不合格 {failed}，中断 {interrupted}"
    ));
    if let Some(share) = stats.first_pass_yield.map(percent) {
        lines.push(say!("first pass yield {share}", "一次通过率 {share}"));
    }
    lines
        .extend(stats.by_code.iter().map(|(code, count)| Say::same(format!("{code:<24} {count}"))));
    lines.extend(stats.by_slot.iter().map(|(slot, Outcomes { passed, failed, .. })| {
        say!(
            "slot {slot:<8} {passed} passed, {failed} failed",
            "工位 {slot:<8} 合格 {passed}，不合格 {failed}"
        )
    }));
    lines
}

fn of_state(state: &str, count: u64) -> Say {
    let word = state.parse().map_or_else(|_| Say::same(state), unit_state_said);
    say!("units ", "单元 ").with(&word.padded(12)).with(&Say::same(format!(" {count}")))
}

fn by_hour(start: &str, counts: &Outcomes, zone: &Zone) -> Say {
    let start = Timestamp::from_rfc3339(start).map_or_else(|| start.to_owned(), |at| zone.show(at));
    let Outcomes { passed, failed, .. } = counts;
    say!(
        "hour {start}  {passed} passed, {failed} failed",
        "{start} 起一小时  合格 {passed}，不合格 {failed}"
    )
}
