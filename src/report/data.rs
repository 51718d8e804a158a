//! A report for programs: one JSON object, and a table.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::cell::Cell;
use super::model::{Report, Subject, cycle_times, share};
use super::page::by_frequency;
use crate::domain::clock::Timestamp;
use crate::domain::local::{Zone, day_to_text};
use crate::domain::story::Outcomes;

use super::model::Factory;

/// The report as one JSON object, times in UTC.
pub fn json(report: &Report, factory: &Factory) -> Value {
    let figures = &report.figures;
    let Outcomes { passed, failed, interrupted } = figures.stats.attempts;
    let named = |name: &Option<String>, key: &str, counts: &Outcomes| {
        let mut row = with_yield(*counts);
        row[key] = json!(name);
        row
    };
    let (name, day) = match &report.subject {
        Subject::Shift(name, day) => (Some(name.clone()), Some(*day)),
        Subject::Day(day) | Subject::Week(day) => (None, Some(*day)),
        Subject::Time => (None, None),
        Subject::Order(id) => (Some(id.as_str().to_owned()), None),
    };
    json!({
        "report": report.subject.as_str(),
        "name": name,
        "date": day.map(day_to_text),
        "from": report.span.map(|span| span.from.to_string()),
        "until": report.span.map(|span| span.until.to_string()),
        "timezone": factory.zone.name(),
        "station": factory.station,
        "product": factory.product,
        "made_at": report.made_at.to_string(),
        "passed": passed,
        "failed": failed,
        "interrupted": interrupted,
        "uncertain": report.holds.count,
        "first_pass_yield": figures.stats.first_pass_yield,
        "plan": report.plan,
        "work_order": report.order.as_ref().map(|row| json!({
            "id": row.work_order.id,
            "product": row.work_order.product,
            "quantity": row.work_order.quantity,
            "proven": row.proven,
            "under_way": row.open,
            "closed": row.closed,
        })),
        "by_hour": hours(report),
        "by_day": figures.by_day.iter().map(|(day, of)| {
            let mut row = with_yield(of.attempts);
            row["day"] = json!(day_to_text(*day));
            row["first_pass_yield"] = json!(share(of.first));
            row
        }).collect::<Vec<_>>(),
        "trend": report.trend.iter().map(|(day, first)| {
            json!({ "day": day_to_text(*day), "first_pass_yield": share(*first), "passed": first.passed, "failed": first.failed })
        }).collect::<Vec<_>>(),
        "by_code": by_frequency(figures).into_iter().map(|(code, count)| json!({
            "code": code,
            "count": count,
            "units": figures.behind.get(code),
        })).collect::<Vec<_>>(),
        "by_slot": figures.stats.by_slot.iter().map(|(slot, counts)| named(&Some(slot.clone()), "slot", counts)).collect::<Vec<_>>(),
        "by_operator": figures.by_operator.iter().map(|(id, counts)| named(id, "operator", counts)).collect::<Vec<_>>(),
        "by_firmware": figures.by_firmware.iter().map(|(version, counts)| named(version, "firmware", counts)).collect::<Vec<_>>(),
        "cycle_ms": cycle_times(&figures.durations_ms).map(|times| json!({
            "count": times.count,
            "shortest": times.shortest_ms,
            "median": times.median_ms,
            "p95": times.slow_ms,
            "longest": times.longest_ms,
            "bins": times.bins.iter().map(|bin| json!({ "from": bin.from_ms, "until": bin.until_ms, "count": bin.count })).collect::<Vec<_>>(),
        })),
        "on_hold": report.holds.units,
        "waiting_for_cloud": {
            "count": report.backlog.count,
            "oldest": report.backlog.oldest.map(|at| at.to_string()),
        },
    })
}

#[derive(Serialize)]
struct Counts {
    #[serde(flatten)]
    outcomes: Outcomes,
    #[serde(rename = "yield")]
    share: Option<f64>,
}

fn with_yield(outcomes: Outcomes) -> Value {
    json!(Counts { outcomes, share: share(outcomes) })
}

fn hours(report: &Report) -> Vec<Value> {
    let bar = |bar: &super::model::Bar| {
        let Outcomes { passed, failed, interrupted } = bar.outcomes;
        json!({
            "from": bar.span.from.to_string(), "until": bar.span.until.to_string(),
            "passed": passed, "failed": failed, "interrupted": interrupted, "plan": bar.plan,
        })
    };
    // Of a long time there are no hours; its days stand in "by_day".
    if report.by_day { Vec::new() } else { report.bars.iter().map(bar).collect() }
}

/// The columns of the table: what a row is of, its name, and what was counted.
const COLUMNS: [&str; 8] =
    ["section", "name", "passed", "failed", "interrupted", "count", "yield", "plan"];

/// The report as one table with commas, a section after the other.
pub fn csv(report: &Report, zone: &Zone, sink: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new();
    let mut table = table.terminator(csv::Terminator::CRLF).from_writer(sink);
    table.write_record(COLUMNS)?;
    for row in rows(report, zone) {
        table.write_record(row.map(|cell| cell.written()))?;
    }
    table.flush()
}

fn rows(report: &Report, zone: &Zone) -> Vec<[Cell; 8]> {
    let figures = &report.figures;
    let first = figures.stats.first_pass_yield;
    let mut rows = vec![outcome_row(
        "total",
        Cell::text(Some("")),
        figures.stats.attempts,
        first,
        report.plan,
    )];
    rows.extend(report.bars.iter().map(|bar| {
        let name = Cell::plain(Some(minute(bar.span.from, zone)));
        let section = if report.by_day { "day" } else { "hour" };
        outcome_row(section, name, bar.outcomes, share(bar.outcomes), bar.plan)
    }));
    rows.extend(report.trend.iter().map(|(day, first)| {
        outcome_row(
            "first_attempts_of_day",
            Cell::plain(Some(day_to_text(*day))),
            *first,
            share(*first),
            None,
        )
    }));
    rows.extend(
        by_frequency(figures)
            .into_iter()
            .map(|(code, count)| count_row("code", Cell::text(Some(code)), count)),
    );
    let named = |section: &'static str, name: Option<&String>, counts: &Outcomes| {
        outcome_row(section, Cell::text(name), *counts, share(*counts), None)
    };
    rows.extend(
        figures.stats.by_slot.iter().map(|(slot, counts)| named("slot", Some(slot), counts)),
    );
    rows.extend(
        figures.by_operator.iter().map(|(id, counts)| named("operator", id.as_ref(), counts)),
    );
    rows.extend(
        figures
            .by_firmware
            .iter()
            .map(|(version, counts)| named("firmware", version.as_ref(), counts)),
    );
    if let Some(times) = cycle_times(&figures.durations_ms) {
        let of = |name: &str, value: i64| {
            count_row("cycle_ms", Cell::text(Some(name)), value.max(0).unsigned_abs())
        };
        rows.extend([
            of("median", times.median_ms),
            of("p95", times.slow_ms),
            of("longest", times.longest_ms),
        ]);
    }
    rows.extend(
        report
            .holds
            .units
            .iter()
            .map(|unit| count_row("on_hold", Cell::text(Some(&unit.serial)), 1)),
    );
    rows.push(count_row("uncertain", Cell::text(Some("")), report.holds.count));
    rows.push(count_row("waiting_for_cloud", Cell::text(Some("")), report.backlog.count));
    rows
}

/// Date and minute as a spreadsheet reads them; with the offset where the clock shows them twice.
fn minute(at: Timestamp, zone: &Zone) -> String {
    let minute: String = zone.show(at).chars().take(16).collect();
    match zone.comes_twice(at) {
        true => format!("{minute} {}", zone.offset(at)),
        false => minute,
    }
}

fn outcome_row(
    section: &str,
    name: Cell,
    outcomes: Outcomes,
    share: Option<f64>,
    plan: Option<f64>,
) -> [Cell; 8] {
    let Outcomes { passed, failed, interrupted } = outcomes;
    [
        Cell::plain(Some(section)),
        name,
        Cell::plain(Some(passed)),
        Cell::plain(Some(failed)),
        Cell::plain(Some(interrupted)),
        Cell::plain(Some(passed + failed + interrupted)),
        Cell::plain(share.map(|share| format!("{share:.4}"))),
        Cell::plain(plan.map(|plan| format!("{plan:.1}"))),
    ]
}

fn count_row(section: &str, name: Cell, count: u64) -> [Cell; 8] {
    let none = || Cell::plain(None::<u64>);
    [
        Cell::plain(Some(section)),
        name,
        none(),
        none(),
        none(),
        Cell::plain(Some(count)),
        none(),
        none(),
    ]
}
