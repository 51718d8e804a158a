//! `station ledger stats`: counts and yield, of everything, of a day or of a shift.

use serde::Serialize;

use super::context::Context;
use crate::app::report_of::{day_of, no_shift};
use crate::cli::StatsOf;
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::local::{Span, Zone, day_to_text};
use crate::domain::story::percent;
use crate::ledger::Reader;
use crate::ledger::views::{Outcomes, Stats};
use crate::shell::Failure;

/// What is counted where it is not everything.
struct Period {
    name: String,
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
                context.out.json(&OfPeriod { from, until, stats: &stats })
            }
            None => context.out.json(&stats),
        };
    }
    let mut lines = in_words(&stats);
    if let Some(Period { name, span }) = period {
        let [from, until] = [span.from, span.until].map(|at| zone.show(at));
        lines.insert(0, format!("{name}, {from} to {until}, {zone}"));
        lines.extend(stats.by_hour.iter().map(|(hour, counts)| by_hour(hour, counts, zone)));
    }
    lines.into_iter().try_for_each(|line| context.out.line(line))
}

fn period(config: &Config, of: &StatsOf, now: Timestamp) -> Result<Option<Period>, Failure> {
    let zone = &config.station.zone;
    let today = zone.day_of(now);
    let day = of.day.as_deref().map(|text| day_of(text, today)).transpose()?;
    let Some(name) = &of.shift else {
        return Ok(day.map(|day| Period { name: day_to_text(day), span: zone.day(day) }));
    };
    let shift = config.shifts.iter().find(|shift| shift.name == *name);
    let shift = shift.ok_or_else(|| no_shift(&config.shifts, name))?;
    // Without a day, the last one that has begun: at three in the morning, yesterday's night.
    let day = day.unwrap_or_else(|| match shift.on(today, zone).from <= now {
        true => today,
        false => today - 1,
    });
    let name = format!("{} of {}", shift.name, day_to_text(day));
    Ok(Some(Period { name, span: shift.on(day, zone) }))
}

fn in_words(stats: &Stats) -> Vec<String> {
    let mut lines: Vec<String> =
        stats.units.iter().map(|(state, count)| format!("units {state:<12} {count}")).collect();
    let attempts = stats.attempts;
    lines.push(format!(
        "attempts {} passed, {} failed, {} cut off",
        attempts.passed, attempts.failed, attempts.interrupted
    ));
    if let Some(share) = stats.first_pass_yield {
        lines.push(format!("first pass yield {}", percent(share)));
    }
    lines.extend(stats.by_code.iter().map(|(code, count)| format!("{code:<24} {count}")));
    lines.extend(stats.by_slot.iter().map(|(slot, counts)| {
        format!("slot {slot:<8} {} passed, {} failed", counts.passed, counts.failed)
    }));
    lines
}

fn by_hour(start: &str, counts: &Outcomes, zone: &Zone) -> String {
    let start = Timestamp::from_rfc3339(start).map_or_else(|| start.to_owned(), |at| zone.show(at));
    format!("hour {start}  {} passed, {} failed", counts.passed, counts.failed)
}
