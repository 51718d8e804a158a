//! Sums for the statistics, kept by the transactions that change them.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::Fingerprint;
use crate::domain::registration::CloudInstance;

use super::states::AttemptOutcome;

/// Units by state.
pub(in crate::ledger) const UNITS: &str = "units";
/// Ended attempts by outcome.
pub(in crate::ledger) const ATTEMPTS: &str = "attempts";
/// Ended first attempts by outcome.
pub(in crate::ledger) const FIRST: &str = "first";
/// Certificates that a cloud instance accepted, by CA, instance and product.
pub(in crate::ledger) const ACCEPTED: &str = "accepted";
/// Failed and interrupted attempts by code.
pub(in crate::ledger) const CODES: &str = "codes";

/// Changes one sum.
pub(in crate::ledger) fn add(
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
pub(in crate::ledger) const fn by_slot(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "slot-pass",
        AttemptOutcome::Fail => "slot-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "slot-interrupted",
    }
}

/// The sum's name for attempts of one hour with this outcome.
pub(in crate::ledger) const fn by_hour(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "hour-pass",
        AttemptOutcome::Fail => "hour-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "hour-interrupted",
    }
}

/// The sum's name for certificates of one CA and product in one instance.
pub(in crate::ledger) fn accepted(
    issuer: &Fingerprint,
    cloud: &CloudInstance,
    product: &str,
) -> String {
    format!("{issuer} {} {} {} {product}", cloud.site, cloud.region, cloud.instance)
}

/// The sum's name for first attempts of one work order with this outcome.
pub(in crate::ledger) const fn by_order(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "order-first-pass",
        AttemptOutcome::Fail => "order-first-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "order-first-interrupted",
    }
}

/// The sum's name for one day in UTC, counted from 1970-01-01.
pub(in crate::ledger) fn of_day(what: &str, day: i64) -> String {
    format!("{what}@{day}")
}

/// The day in UTC of a time.
pub(in crate::ledger) const fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(86_400)
}

/// An attempt that ended, as it is counted.
pub(in crate::ledger) struct EndedAttempt<'a> {
    pub(in crate::ledger) outcome: AttemptOutcome,
    pub(in crate::ledger) slot: &'a str,
    pub(in crate::ledger) code: Option<&'a str>,
    pub(in crate::ledger) first: bool,
    pub(in crate::ledger) work_order: Option<&'a str>,
    pub(in crate::ledger) at: Timestamp,
}

/// Counts one attempt that ended: altogether, and among those of its day.
pub(in crate::ledger) fn attempt_ended(
    connection: &Connection,
    ended: &EndedAttempt<'_>,
) -> rusqlite::Result<()> {
    let EndedAttempt { outcome, slot, code, first, work_order, at } = *ended;
    let both = |what: &str, name: &str| {
        add(connection, what, name, 1)?;
        add(connection, &of_day(what, day(at)), name, 1)
    };
    both(ATTEMPTS, outcome.as_str())?;
    both(by_slot(outcome), slot)?;
    let hour = at.seconds().div_euclid(3600).to_string();
    add(connection, by_hour(outcome), &hour, 1)?;
    if first {
        both(FIRST, outcome.as_str())?;
        if let Some(id) = work_order {
            add(connection, by_order(outcome), id, 1)?;
        }
    }
    code.map_or(Ok(()), |code| both(CODES, code))
}

/// Every sum of one kind, by name.
pub(in crate::ledger) fn read(
    connection: &Connection,
    what: &str,
) -> rusqlite::Result<Vec<(String, i64)>> {
    let sql = "SELECT name, value FROM counts WHERE what = ?1 AND value <> 0 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([what], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Sums whose names lie within a range, both ends included: hours are numbers of as many
/// digits for the next thousand years.
pub(in crate::ledger) fn read_range(
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
pub(in crate::ledger) fn one(
    connection: &Connection,
    what: &str,
    name: &str,
) -> rusqlite::Result<i64> {
    let sql = "SELECT value FROM counts WHERE what = ?1 AND name = ?2";
    let found = connection.prepare_cached(sql)?.query_row([what, name], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(0))
}
