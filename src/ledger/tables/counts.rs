//! Sums for the statistics, kept by the transactions that change them.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::Fingerprint;
use crate::domain::registration::CloudInstance;

use super::states::AttemptOutcome;

/// Units by state.
pub(crate) const UNITS: &str = "units";
/// Ended attempts by outcome.
pub(crate) const ATTEMPTS: &str = "attempts";
/// Ended first attempts by outcome.
pub(crate) const FIRST: &str = "first";
/// Certificates that a cloud instance accepted, by CA, instance and product.
pub(crate) const ACCEPTED: &str = "accepted";
/// Failed and interrupted attempts by code.
pub(crate) const CODES: &str = "codes";

/// Changes one sum.
pub(crate) fn add(
    connection: &Connection,
    what: &str,
    name: &str,
    change: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO counts VALUES (?1, ?2, ?3)
        ON CONFLICT (what, name) DO UPDATE SET value = value + ?3";
    connection.prepare_cached(sql)?.execute(params![what, name, change])?;
    Ok(())
}

/// The sum's name for attempts of one slot with this outcome.
pub(crate) const fn by_slot(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "slot-pass",
        AttemptOutcome::Fail => "slot-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "slot-interrupted",
    }
}

/// The seconds of a quarter of an hour. Every hour of every zone's clock begins with one.
const QUARTER: i64 = 900;

/// The sum's name for attempts that began in one quarter of an hour, with this outcome.
pub(crate) const fn by_quarter(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "quarter-pass",
        AttemptOutcome::Fail => "quarter-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "quarter-interrupted",
    }
}

/// The quarter of an hour of a time, counted from 1970-01-01.
pub(crate) const fn quarter(at: Timestamp) -> i64 {
    at.seconds().div_euclid(QUARTER)
}

/// When the quarter of this name begins.
pub(crate) fn quarter_begins(name: &str) -> Option<Timestamp> {
    let seconds = name.parse::<i64>().ok()?.checked_mul(QUARTER)?;
    seconds.checked_mul(1_000_000).map(Timestamp)
}

/// The sum's name for certificates of one CA and product in one instance.
pub(crate) fn accepted(issuer: &Fingerprint, cloud: &CloudInstance, product: &str) -> String {
    format!("{issuer} {} {} {} {product}", cloud.site, cloud.region, cloud.instance)
}

/// The sum's name for first attempts of one work order with this outcome.
pub(crate) const fn by_order(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "order-first-pass",
        AttemptOutcome::Fail => "order-first-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "order-first-interrupted",
    }
}

/// An attempt that ended, as it is counted.
pub(crate) struct EndedAttempt<'a> {
    pub(crate) outcome: AttemptOutcome,
    pub(crate) slot: &'a str,
    pub(crate) code: Option<&'a str>,
    pub(crate) first: bool,
    pub(crate) work_order: Option<&'a str>,
    /// When it began: whose hour, day and shift it belongs to.
    pub(crate) began: Timestamp,
}

impl EndedAttempt<'_> {
    /// Gives each sum that counts it, altogether and among those of its time, to who counts.
    pub(crate) fn sums<E>(
        &self,
        mut count: impl FnMut(&'static str, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let EndedAttempt { outcome, slot, code, first, work_order, began } = *self;
        count(ATTEMPTS, outcome.as_str())?;
        count(by_slot(outcome), slot)?;
        count(by_quarter(outcome), &quarter(began).to_string())?;
        if first {
            count(FIRST, outcome.as_str())?;
            if let Some(id) = work_order {
                count(by_order(outcome), id)?;
            }
        }
        code.map_or(Ok(()), |code| count(CODES, code))
    }
}

/// Every sum of one kind, by name.
pub(crate) fn read(connection: &Connection, what: &str) -> rusqlite::Result<Vec<(String, i64)>> {
    let sql = "SELECT name, value FROM counts WHERE what = ?1 AND value <> 0 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([what], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Sums whose names lie within a range, both ends included: quarters are numbers of as many
/// digits for the next two hundred years.
pub(crate) fn read_range(
    connection: &Connection,
    what: &str,
    names: (i64, i64),
) -> rusqlite::Result<Vec<(String, i64)>> {
    let sql = "SELECT name, value FROM counts WHERE what = ?1 AND name BETWEEN ?2 AND ?3
        ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let values = params![what, names.0.to_string(), names.1.to_string()];
    let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// One sum.
pub(crate) fn one(connection: &Connection, what: &str, name: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT value FROM counts WHERE what = ?1 AND name = ?2";
    let found = connection.prepare_cached(sql)?.query_row([what, name], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(0))
}
