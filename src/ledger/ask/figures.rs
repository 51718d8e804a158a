//! The figures around a line: pace, yield, statistics of a period. From sums that the
//! transactions keep and from a look by index, so that they cost the same for any ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::params;

use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkOrderId;
use crate::domain::question::Period;
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

    /// The same of a whole day.
    pub fn day_yield(&self, now: Timestamp) -> Result<Option<f64>, LedgerError> {
        let first = self.outcomes(&counts::of_day(counts::FIRST, counts::day(now)))?;
        Ok(share(first.passed, first.failed))
    }

    /// Counts and yield of a period; units by state only of everything.
    pub fn statistics(&self, period: Period) -> Result<Stats, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let what = |what: &str| match period {
            Period::All => what.to_owned(),
            Period::Day(day) => counts::of_day(what, day),
        };
        let first = self.outcomes(&what(counts::FIRST))?;
        Ok(Stats {
            units: match period {
                Period::All => self.sums(counts::UNITS)?,
                Period::Day(_) => BTreeMap::new(),
            },
            attempts: self.outcomes(&what(counts::ATTEMPTS))?,
            first_pass_yield: share(first.passed, first.failed),
            by_code: self.sums(&what(counts::CODES))?,
            by_slot: self.outcomes_by(|outcome| self.sums(&what(counts::by_slot(outcome))))?,
            by_hour: self.hours(period)?,
        })
    }

    fn hours(&self, period: Period) -> Result<BTreeMap<String, Outcomes>, LedgerError> {
        let hours = match period {
            Period::Day(day) => (day * 24, day * 24 + 23),
            Period::All => {
                let newest = self.newest_wall()?.seconds().div_euclid(3600);
                (newest - HOURS + 1, newest)
            }
        };
        self.outcomes_by(|outcome| {
            let what = counts::by_hour(outcome);
            let sums = counts::read_range(&self.connection, what, hours)?;
            Ok(sums.into_iter().map(|(name, value)| (hour(name), counted(value))).collect())
        })
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

fn share(passed: u64, failed: u64) -> Option<f64> {
    (passed + failed > 0).then(|| ratio(passed, passed + failed))
}
