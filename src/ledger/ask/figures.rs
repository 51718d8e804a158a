//! The figures around a line: pace, yield, statistics of a period. From sums that the
//! transactions keep and from a look by index, so that they cost the same for any ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Row, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkOrderId;
use crate::domain::local::{Span, Zone};
use crate::domain::pages::Pace;
use crate::error::LedgerError;
use crate::tables::counts;
use crate::tables::sql::counted;
use crate::tables::states::AttemptOutcome;

use super::reader::Reader;
use super::story::ratio;
use super::views::{Outcomes, Stats};

/// Over how long the pace of a line is measured.
const PACE: Duration = Duration::from_secs(3600);

/// The shortest time that is projected to an hour: three units in the first half minute
/// are no pace yet.
const SHORTEST: Duration = Duration::from_secs(120);

/// A longer time between two units is a break, and no part of a pace.
const BREAK: Duration = Duration::from_secs(600);

const HOUR: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The days whose hours are shown where no day is asked for.
const DAYS: i64 = 7;

impl Reader {
    /// The pace of the hour before `now`: of this work order, or of all where none is made. Its
    /// time is that in which units were made; none where too little of it is known, or the line
    /// rests.
    pub fn pace(
        &self,
        now: Timestamp,
        order: Option<&WorkOrderId>,
    ) -> Result<Option<Pace>, LedgerError> {
        let sql = "SELECT started_us FROM attempts WHERE started_us > ?1 AND started_us <= ?2
                AND outcome = 'pass' AND (?3 IS NULL OR work_order = ?3) ORDER BY started_us";
        let from = Timestamp(now.0.saturating_sub(micros(PACE)));
        let mut statement = self.connection.prepare_cached(sql)?;
        let starts = statement.query_map(params![from, now, order], |row| row.get(0))?;
        let starts: Vec<i64> = starts.collect::<Result<_, _>>()?;
        Ok(pace_of(&starts, now.0))
    }

    /// Of a work order's units whose first attempt passed or failed, the share in which it
    /// passed.
    pub fn order_yield(&self, id: &WorkOrderId) -> Result<Option<f64>, LedgerError> {
        let of = |outcome| counts::one(&self.connection, counts::by_order(outcome), id.as_str());
        let (passed, failed) = (of(AttemptOutcome::Pass)?, of(AttemptOutcome::Fail)?);
        Ok(share(counted(passed), counted(failed)))
    }

    /// The same of what began in this time.
    pub fn yield_within(&self, span: Span) -> Result<Option<f64>, LedgerError> {
        let sql = "SELECT count(*) FILTER (WHERE outcome = 'pass'),
                count(*) FILTER (WHERE outcome = 'fail')
            FROM attempts WHERE started_us >= ?1 AND started_us < ?2 AND attempt = 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let (passed, failed) = statement
            .query_row(params![span.from, span.until], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(share(counted(passed), counted(failed)))
    }

    /// How the attempts ended that began in this time.
    pub fn outcomes_within(&self, span: Span) -> Result<Outcomes, LedgerError> {
        let sql = "SELECT count(*) FILTER (WHERE outcome = 'pass'),
                count(*) FILTER (WHERE outcome = 'fail'),
                count(*) FILTER (WHERE outcome = 'interrupted')
            FROM attempts WHERE started_us >= ?1 AND started_us < ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![span.from, span.until], |row| {
            Ok(Outcomes {
                passed: counted(row.get(0)?),
                failed: counted(row.get(1)?),
                interrupted: counted(row.get(2)?),
            })
        })?)
    }

    /// Units that passed in each of the last `hours` by this clock, the present one last.
    pub fn passed_by_hour(
        &self,
        now: Timestamp,
        hours: usize,
        zone: &Zone,
    ) -> Result<Vec<u32>, LedgerError> {
        let before = micros(HOUR) * i64::try_from(hours.saturating_sub(1)).unwrap_or(0);
        let from = zone.hour_of(Timestamp(now.0.saturating_sub(before)));
        let sql = "SELECT started_us FROM attempts
            WHERE started_us >= ?1 AND started_us <= ?2 AND outcome = 'pass'";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut passed = vec![0_u32; hours];
        for start in statement.query_map(params![from, now], |row| row.get::<_, Timestamp>(0))? {
            let since = zone.hour_of(start?).0.saturating_sub(from.0) / micros(HOUR);
            let hour = usize::try_from(since).ok().and_then(|since| passed.get_mut(since));
            if let Some(count) = hour {
                *count = count.saturating_add(1);
            }
        }
        Ok(passed)
    }

    /// Counts and yield of everything, by the hours of this zone's clock.
    pub fn stats(&self, zone: &Zone) -> Result<Stats, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let by_hour = self.by_hour(zone, |what| counts::read(&self.connection, what))?;
        Ok(Stats { by_hour, ..self.sums_of_all()? })
    }

    /// The same, its hours those of the last days.
    pub fn recent_stats(&self, zone: &Zone) -> Result<Stats, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let newest = zone.hour_of(self.newest_wall()?);
        let from = Timestamp(newest.0.saturating_add(micros(HOUR) - micros(DAY) * DAYS));
        let quarters = (counts::quarter(from), counts::quarter(newest) + 3);
        let recent = |what: &str| counts::read_range(&self.connection, what, quarters);
        let by_hour = self.by_hour(zone, recent)?;
        Ok(Stats { by_hour, ..self.sums_of_all()? })
    }

    /// How attempts ended by the hours in which they began, from sums of quarters of an hour.
    fn by_hour(
        &self,
        zone: &Zone,
        read: impl Fn(&str) -> rusqlite::Result<Vec<(String, i64)>>,
    ) -> Result<BTreeMap<String, Outcomes>, LedgerError> {
        let mut hours: BTreeMap<String, Outcomes> = BTreeMap::new();
        for outcome in [AttemptOutcome::Pass, AttemptOutcome::Fail, AttemptOutcome::Interrupted] {
            for (quarter, value) in read(counts::by_quarter(outcome))? {
                let Some(begins) = counts::quarter_begins(&quarter) else { continue };
                let hour = hours.entry(zone.hour_of(begins).to_string()).or_default();
                count_all(hour, outcome, counted(value));
            }
        }
        Ok(hours)
    }

    /// Counts and yield of the attempts that began in this time, by the hours of this zone's
    /// clock. It looks at each of them in an index; units by state are of no time.
    pub fn stats_within(&self, span: Span, zone: &Zone) -> Result<Stats, LedgerError> {
        let sql = "SELECT outcome, slot, code, attempt = 1, started_us FROM attempts
            WHERE started_us >= ?1 AND started_us < ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![span.from, span.until])?;
        let mut tally = Tally::default();
        while let Some(row) = rows.next()? {
            tally.add(&Ended {
                outcome: row.get(0)?,
                slot: text(row, 1)?.unwrap_or_default(),
                code: text(row, 2)?,
                is_first: row.get(3)?,
                hour: zone.hour_of(row.get(4)?),
            });
        }
        Ok(tally.stats())
    }
}

/// An attempt, as it is counted.
pub(super) struct Ended<'a> {
    pub(super) outcome: AttemptOutcome,
    pub(super) slot: &'a str,
    pub(super) code: Option<&'a str>,
    pub(super) is_first: bool,
    /// When the hour began in which it did.
    pub(super) hour: Timestamp,
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The pace of units that began at these times and passed, in microseconds.
fn pace_of(starts: &[i64], now: i64) -> Option<Pace> {
    let ends = starts.iter().skip(1).copied().chain([now]);
    let gaps: Vec<i64> = starts.iter().zip(ends).map(|(start, end)| end - start).collect();
    if gaps.last().is_none_or(|rest| *rest > micros(BREAK)) {
        return None;
    }
    // What began before a break took as long as a unit does, which is not known: it counts with
    // neither its number nor its time.
    let worked: Vec<i64> = gaps.into_iter().filter(|gap| *gap <= micros(BREAK)).collect();
    let over = Duration::from_micros(u64::try_from(worked.iter().sum::<i64>()).unwrap_or(0));
    let units_an_hour = worked.len() as f64 / (over.as_secs_f64() / 3600.0);
    (over >= SHORTEST).then_some(Pace { units_an_hour, over })
}

/// What is counted of attempts that are looked at one by one.
#[derive(Default)]
pub(super) struct Tally {
    attempts: Outcomes,
    first: Outcomes,
    by_code: BTreeMap<String, u64>,
    by_slot: BTreeMap<String, Outcomes>,
    by_hour: BTreeMap<Timestamp, Outcomes>,
}

impl Tally {
    pub(super) fn add(&mut self, ended: &Ended<'_>) {
        let Ended { outcome, slot, code, is_first, hour } = *ended;
        if outcome == AttemptOutcome::Running {
            return;
        }
        count(&mut self.attempts, outcome);
        count(named(&mut self.by_slot, slot), outcome);
        count(self.by_hour.entry(hour).or_default(), outcome);
        if is_first {
            count(&mut self.first, outcome);
        }
        if let Some(code) = code {
            *named(&mut self.by_code, code) += 1;
        }
    }

    pub(super) fn stats(self) -> Stats {
        let hours = self.by_hour.into_iter();
        Stats {
            units: BTreeMap::new(),
            attempts: self.attempts,
            first_pass_yield: share(self.first.passed, self.first.failed),
            by_code: self.by_code,
            by_slot: self.by_slot,
            by_hour: hours.map(|(hour, counts)| (hour.to_string(), counts)).collect(),
        }
    }
}

/// A text where it stands in the row.
pub(super) fn text<'a>(row: &'a Row<'_>, index: usize) -> rusqlite::Result<Option<&'a str>> {
    Ok(row.get_ref(index)?.as_str_or_null()?)
}

/// The sum of this name, which is made where there is none yet.
fn named<'a, V: Default>(table: &'a mut BTreeMap<String, V>, name: &str) -> &'a mut V {
    table.entry(name.to_owned()).or_default()
}

/// Adds one that ended so.
pub(super) fn count(outcomes: &mut Outcomes, outcome: AttemptOutcome) {
    count_all(outcomes, outcome, 1);
}

/// Adds as many that ended so.
fn count_all(outcomes: &mut Outcomes, outcome: AttemptOutcome, number: u64) {
    match outcome {
        AttemptOutcome::Pass => outcomes.passed += number,
        AttemptOutcome::Fail => outcomes.failed += number,
        AttemptOutcome::Interrupted => outcomes.interrupted += number,
        AttemptOutcome::Running => {}
    }
}

fn share(passed: u64, failed: u64) -> Option<f64> {
    (passed + failed > 0).then(|| ratio(passed, passed + failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn pace(minutes: &[i64], now: i64) -> Option<(i64, u64)> {
        let starts: Vec<i64> = minutes.iter().map(|minute| minute * MINUTE).collect();
        let found = pace_of(&starts, now * MINUTE)?;
        Some((found.units_an_hour.round() as i64, found.over.as_secs() / 60))
    }

    #[test]
    fn a_pace_is_of_the_time_in_which_units_are_made() {
        assert_eq!(pace(&[0, 1, 2, 3], 4), Some((60, 4)));
        assert_eq!(pace(&[0], 1), None, "too little is known");
        assert_eq!(pace(&[0, 1, 2, 30, 31, 32], 33), Some((60, 5)), "after a break");
        assert_eq!(pace(&[0, 1, 2, 3], 14), None, "the line rests");
        assert_eq!(pace(&[], 14), None);
    }
}
