//! The figures around a line: pace, yield, statistics of a period. From sums that the
//! transactions keep and from a look by index, so that they cost the same for any ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Row, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkOrderId;
use crate::domain::local::{Span, Zone};
use crate::ledger::error::LedgerError;
use crate::ledger::tables::counts;
use crate::ledger::tables::sql::counted;
use crate::ledger::tables::states::AttemptOutcome;

use super::reader::Reader;
use super::story::{hour, ratio};
use super::views::{Outcomes, Stats};

/// Over how long the pace of a line is measured.
const PACE: Duration = Duration::from_secs(3600);

/// The shortest time that is projected to an hour: three units in the first half minute
/// are no pace yet.
const SHORTEST: Duration = Duration::from_secs(300);

/// The hours that are shown where no day is asked for.
const HOURS: i64 = 7 * 24;

impl Reader {
    /// Units that passed in the hour before `now`, projected to a whole hour.
    pub fn pace(&self, now: Timestamp) -> Result<Option<f64>, LedgerError> {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let sql = "SELECT count(*), min(started_us) FROM attempts
            WHERE started_us > ?1 AND started_us <= ?2 AND outcome = 'pass'";
        let from = Timestamp(now.0.saturating_sub(micros(PACE)));
        let mut statement = self.connection.prepare_cached(sql)?;
        let (passed, first): (u32, Option<i64>) =
            statement.query_row(params![from, now], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some(first) = first else { return Ok(None) };
        let time = now.0.saturating_sub(first).max(micros(SHORTEST));
        let hours = Duration::from_micros(u64::try_from(time).unwrap_or(1)).as_secs_f64() / 3600.0;
        Ok(Some(f64::from(passed) / hours))
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

    /// Counts and yield of everything, its hours those of the last days.
    pub fn recent_stats(&self) -> Result<Stats, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let newest = self.newest_wall()?.seconds().div_euclid(3600);
        let hours = (newest - HOURS + 1, newest);
        let by_hour = self.outcomes_by(|outcome| {
            let what = counts::by_hour(outcome);
            let sums = counts::read_range(&self.connection, what, hours)?;
            Ok(sums.into_iter().map(|(name, value)| (hour(name), counted(value))).collect())
        })?;
        Ok(Stats { by_hour, ..self.sums_of_all()? })
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

    fn outcomes_by(
        &self,
        sums: impl Fn(AttemptOutcome) -> Result<BTreeMap<String, u64>, LedgerError>,
    ) -> Result<BTreeMap<String, Outcomes>, LedgerError> {
        let mut table: BTreeMap<String, Outcomes> = BTreeMap::new();
        for (name, value) in sums(AttemptOutcome::Pass)? {
            table.entry(name).or_default().passed = value;
        }
        for (name, value) in sums(AttemptOutcome::Fail)? {
            table.entry(name).or_default().failed = value;
        }
        for (name, value) in sums(AttemptOutcome::Interrupted)? {
            table.entry(name).or_default().interrupted = value;
        }
        Ok(table)
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
    match outcome {
        AttemptOutcome::Pass => outcomes.passed += 1,
        AttemptOutcome::Fail => outcomes.failed += 1,
        AttemptOutcome::Interrupted => outcomes.interrupted += 1,
        AttemptOutcome::Running => {}
    }
}

fn share(passed: u64, failed: u64) -> Option<f64> {
    (passed + failed > 0).then(|| ratio(passed, passed + failed))
}
