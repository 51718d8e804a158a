//! A report as data: which attempts it is of, what was counted of them, and the plan they are
//! held against.

use std::collections::BTreeMap;

use crate::domain::clock::Timestamp;
use crate::domain::figures::{Figures, Holds, Scope};
use crate::domain::ids::WorkOrderId;
use crate::domain::local::{Shift, Span, Zone};
use crate::domain::story::Outcomes;
use crate::domain::work_order::WorkOrderRow;
use crate::ledger::{Backlog, LedgerError, Reader};

/// The days of the trend, the report's own last one included.
const TREND_DAYS: i64 = 28;

/// More hours than these are shown by day.
const MOST_HOURS: usize = 49;

/// More days than these are not shown one by one.
const MOST_DAYS: usize = 400;

const HOUR: i64 = 3_600_000_000;

/// Whose report it is, and by whose clock.
#[derive(Debug, Clone)]
pub struct Factory {
    /// The station's id.
    pub station: String,
    /// The product's name.
    pub product: String,
    /// The time zone.
    pub zone: Zone,
    /// The shifts.
    pub shifts: Vec<Shift>,
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A shift, by its name, that began on this day.
    Shift(String, i64),
    /// A day, counted from 1970-01-01.
    Day(i64),
    /// The week that begins on this day.
    Week(i64),
    /// Some other time.
    Time,
    /// A work order.
    Order(WorkOrderId),
}

impl Subject {
    /// Its name in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Subject::Shift(..) => "shift",
            Subject::Day(_) => "day",
            Subject::Week(_) => "week",
            Subject::Time => "time",
            Subject::Order(_) => "work-order",
        }
    }
}

/// What is asked for: a subject, and the time it takes where it is no work order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What it is about.
    pub subject: Subject,
    /// Its attempts.
    pub scope: Scope,
}

/// An hour or a day of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// From when to when.
    pub span: Span,
    /// Attempts that began in it.
    pub outcomes: Outcomes,
    /// The units that were planned for it.
    pub plan: Option<f64>,
}

/// A whole report.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// From when to when; of a work order, its first and its last attempt.
    pub span: Option<Span>,
    /// The work order.
    pub order: Option<WorkOrderRow>,
    /// What was counted.
    pub figures: Figures,
    /// What is on HOLD of it now.
    pub holds: Holds,
    /// What waits for the cloud now: of the work order, or of everything.
    pub backlog: Backlog,
    /// How many units were planned.
    pub plan: Option<f64>,
    /// Output by hour, or by day where there are too many hours.
    pub bars: Vec<Bar>,
    /// Whether those are days.
    pub by_day: bool,
    /// How units' first attempts ended on each day with any, up to the report's end.
    pub trend: BTreeMap<i64, Outcomes>,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Report {
    /// Asks the ledger for everything that the report shows.
    pub fn make(
        asked: Asked,
        factory: &Factory,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let Asked { subject, scope } = asked;
        let zone = &factory.zone;
        let figures = reader.figures(&scope, zone)?;
        let holds = reader.on_hold(&scope)?;
        let (backlog, order, span) = match &scope {
            Scope::Within(within) => (reader.backlog()?, None, Some(*within)),
            Scope::Order(id) => {
                (reader.backlog_of(id)?, reader.work_order(id)?, whole_hours(&figures, zone))
            }
        };
        let trend = match (&scope, span) {
            (Scope::Within(within), _) => reader.first_by_day(before(*within, zone), zone)?,
            (Scope::Order(_), _) => {
                figures.by_day.iter().map(|(day, counted)| (*day, counted.first)).collect()
            }
        };
        let plan = match (&order, span) {
            (Some(row), _) => Some(f64::from(row.work_order.quantity)),
            (None, Some(span)) => planned(span, factory),
            (None, None) => None,
        };
        let (bars, by_day) = bars(span, &figures, factory);
        Ok(Self {
            subject,
            span,
            order,
            figures,
            holds,
            backlog,
            plan,
            bars,
            by_day,
            trend,
            made_at: now,
        })
    }
}

/// From the hour of the first attempt to the end of the last one's.
fn whole_hours(figures: &Figures, zone: &Zone) -> Option<Span> {
    let (from, last) = figures.between?;
    Some(Span { from: zone.hour_of(from), until: Timestamp(zone.hour_of(last).0 + HOUR) })
}

/// The days before the report's end, which the trend shows.
fn before(within: Span, zone: &Zone) -> Span {
    let last = zone.day_of(Timestamp(within.until.0.saturating_sub(1)));
    Span { from: zone.day(last - TREND_DAYS + 1).from, until: within.until }
}

/// The units that shifts were to make in this time; none where no shift has a plan.
fn planned(span: Span, factory: &Factory) -> Option<f64> {
    let zone = &factory.zone;
    let planned: Vec<(&Shift, u32)> =
        factory.shifts.iter().filter_map(|shift| Some((shift, shift.plan?))).collect();
    if planned.is_empty() {
        return None;
    }
    // A shift that began the day before may reach into the first one.
    let days = zone.day_of(span.from) - 1..=zone.day_of(span.until);
    let of_day = |day: i64| -> f64 {
        let of_shift = |(shift, plan): &(&Shift, u32)| {
            let whole = shift.on(day, zone);
            f64::from(*plan) * whole.and(span).micros() as f64 / whole.micros().max(1) as f64
        };
        planned.iter().map(of_shift).sum()
    };
    Some(days.map(of_day).sum())
}

/// Each hour of the time, or each day of it; those in which nothing happened too.
fn bars(span: Option<Span>, figures: &Figures, factory: &Factory) -> (Vec<Bar>, bool) {
    let Some(span) = span else { return (Vec::new(), false) };
    let zone = &factory.zone;
    let hours = hours_of(span, zone);
    let Some(hours) = hours else {
        let days = zone.day_of(span.from)..=zone.day_of(Timestamp(span.until.0 - 1));
        let bar = |day: i64| {
            let span = zone.day(day).and(span);
            let outcomes = figures.by_day.get(&day).map(|of| of.attempts).unwrap_or_default();
            Bar { span, outcomes, plan: planned(span, factory) }
        };
        return (days.take(MOST_DAYS).map(bar).collect(), true);
    };
    let bar = |hour: Span| {
        // What begins within an hour is counted under the hour's own beginning.
        let name = zone.hour_of(hour.from).to_string();
        let outcomes = figures.stats.by_hour.get(&name).copied().unwrap_or_default();
        Bar { span: hour, outcomes, plan: planned(hour, factory) }
    };
    (hours.into_iter().map(bar).collect(), false)
}

/// The hours of a time, the first and the last cut to it; none where there are too many.
fn hours_of(span: Span, zone: &Zone) -> Option<Vec<Span>> {
    let mut hours = Vec::new();
    let mut from = span.from;
    while from < span.until {
        if hours.len() == MOST_HOURS {
            return None;
        }
        let until = Timestamp(zone.hour_of(from).0 + HOUR).min(span.until);
        hours.push(Span { from, until });
        from = until;
    }
    Some(hours)
}

/// The share that passed, of those that passed or failed.
pub(super) fn share(outcomes: Outcomes) -> Option<f64> {
    let counted = outcomes.passed + outcomes.failed;
    (counted > 0).then(|| outcomes.passed as f64 / counted as f64)
}

/// How long passes took.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CycleTimes {
    pub(super) count: usize,
    pub(super) shortest_ms: i64,
    pub(super) median_ms: i64,
    /// Of twenty, nineteen took no longer.
    pub(super) slow_ms: i64,
    pub(super) longest_ms: i64,
    /// Each as wide as the others, but the last, which has no end.
    pub(super) bins: Vec<Bin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bin {
    pub(super) from_ms: i64,
    pub(super) until_ms: Option<i64>,
    pub(super) count: usize,
}

/// The bins of the distribution.
const BINS: i64 = 14;

/// The distribution of lengths that are in order; none where there are none.
pub(super) fn cycle_times(ordered_ms: &[i64]) -> Option<CycleTimes> {
    let at = |share: f64| {
        let index = ((ordered_ms.len() as f64 * share).ceil() as usize).saturating_sub(1);
        ordered_ms.get(index).copied()
    };
    let (shortest_ms, longest_ms) = (*ordered_ms.first()?, *ordered_ms.last()?);
    let (median_ms, slow_ms) = (at(0.5)?, at(0.95)?);
    let first = shortest_ms.max(0);
    let width = wide((slow_ms - first).max(1) as f64 / (BINS - 2) as f64);
    let first = first / width * width;
    let mut bins: Vec<Bin> = (0..BINS)
        .map(|index| {
            let from_ms = first + index * width;
            Bin { from_ms, until_ms: Some(from_ms + width), count: 0 }
        })
        .collect();
    for length in ordered_ms {
        let index = usize::try_from((length - first) / width).unwrap_or(0);
        let last = bins.len() - 1;
        bins[index.min(last)].count += 1;
    }
    if let Some(last) = bins.last_mut() {
        last.until_ms = None;
    }
    let count = ordered_ms.len();
    Some(CycleTimes { count, shortest_ms, median_ms, slow_ms, longest_ms, bins })
}

/// The next length that people count by: 1, 2 or 5 with zeros.
fn wide(least: f64) -> i64 {
    let mut power = 1;
    loop {
        for step in [1, 2, 5] {
            if (step * power) as f64 >= least {
                return step * power;
            }
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factory(zone: &str) -> Factory {
        let shift = |name: &str, from: &str, to: &str, plan| Shift {
            name: name.to_owned(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            plan,
        };
        Factory {
            station: "line-1".to_owned(),
            product: "TH200".to_owned(),
            zone: zone.parse().unwrap(),
            shifts: vec![
                shift("early", "06:00", "14:00", Some(80)),
                shift("night", "22:00", "06:00", Some(40)),
            ],
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn an_hour_s_plan_is_its_share_of_its_shift_s() {
        let factory = factory("Asia/Shanghai");
        let of = |from, until| planned(Span { from: at(from), until: at(until) }, &factory);
        assert_eq!(of("2026-01-05T22:00:00Z", "2026-01-05T23:00:00Z"), Some(10.0), "06:00 there");
        assert_eq!(of("2026-01-05T18:00:00Z", "2026-01-05T19:00:00Z"), Some(5.0), "02:00 there");
        assert_eq!(of("2026-01-05T06:00:00Z", "2026-01-05T07:00:00Z"), Some(0.0), "14:00 there");
        let day = factory.zone.day(factory.zone.day_of(at("2026-01-05T06:00:00Z")));
        assert_eq!(planned(day, &factory), Some(120.0));
    }

    #[test]
    fn the_day_on_which_the_clock_is_set_back_has_25_hours() {
        let factory = factory("Europe/Berlin");
        let day = factory.zone.day(factory.zone.day_of(at("2026-10-25T12:00:00Z")));
        let (bars, by_day) = bars(Some(day), &Figures::default(), &factory);
        assert_eq!((bars.len(), by_day), (25, false));
        let night: f64 = bars[..7].iter().filter_map(|bar| bar.plan).sum();
        assert!((night - 40.0 * 7.0 / 9.0).abs() < 1e-9, "{night}");
    }

    #[test]
    fn cycle_times_lie_in_bins_of_one_width() {
        assert_eq!(cycle_times(&[]), None);
        let lengths: Vec<i64> = (1..=100).map(|number| number * 10).collect();
        let times = cycle_times(&lengths).unwrap();
        assert_eq!((times.median_ms, times.slow_ms, times.longest_ms), (500, 950, 1000));
        assert_eq!(times.bins.iter().map(|bin| bin.count).sum::<usize>(), 100);
        assert_eq!(times.bins[1], Bin { from_ms: 100, until_ms: Some(200), count: 10 });
        let same = cycle_times(&[7, 7, 7]).unwrap();
        assert_eq!(same.bins.iter().map(|bin| bin.count).sum::<usize>(), 3);
    }
}
