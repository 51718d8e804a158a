//! Sums for the statistics, kept by the transactions that change them.

use rusqlite::{Connection, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::Fingerprint;
use crate::domain::registration::CloudInstance;

use super::states::AttemptOutcome;

/// Units by state.
pub(super) const UNITS: &str = "units";
/// Ended attempts by outcome.
pub(super) const ATTEMPTS: &str = "attempts";
/// Ended first attempts by outcome.
pub(super) const FIRST: &str = "first";
/// Certificates that a cloud instance accepted, by CA and instance.
pub(super) const ACCEPTED: &str = "accepted";
/// Failed and interrupted attempts by code.
pub(super) const CODES: &str = "codes";

/// Changes one sum.
pub(super) fn add(
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
pub(super) const fn by_slot(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "slot-pass",
        AttemptOutcome::Fail => "slot-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "slot-interrupted",
    }
}

/// The sum's name for attempts of one hour with this outcome.
pub(super) const fn by_hour(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pass => "hour-pass",
        AttemptOutcome::Fail => "hour-fail",
        AttemptOutcome::Interrupted | AttemptOutcome::Running => "hour-interrupted",
    }
}

/// The sum's name for certificates of one CA in one instance.
pub(super) fn accepted(issuer: &Fingerprint, cloud: &CloudInstance) -> String {
    format!("{issuer} {} {} {}", cloud.site, cloud.region, cloud.instance)
}

/// Counts one attempt that ended.
pub(super) fn attempt_ended(
    connection: &Connection,
    outcome: AttemptOutcome,
    slot: &str,
    code: Option<&str>,
    first: bool,
    at: Timestamp,
) -> rusqlite::Result<()> {
    add(connection, ATTEMPTS, outcome.as_str(), 1)?;
    add(connection, by_slot(outcome), slot, 1)?;
    let hour = at.seconds().div_euclid(3600).to_string();
    add(connection, by_hour(outcome), &hour, 1)?;
    if first {
        add(connection, FIRST, outcome.as_str(), 1)?;
    }
    code.map_or(Ok(()), |code| add(connection, CODES, code, 1))
}

/// Every sum of one kind, by name.
pub(super) fn read(connection: &Connection, what: &str) -> rusqlite::Result<Vec<(String, i64)>> {
    let sql = "SELECT name, value FROM counts WHERE what = ?1 AND value <> 0 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([what], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
