//! Whether the wall clock can be right, held against the journal.

use std::time::Duration;

use rusqlite::Connection;

use crate::domain::clock::Timestamp;
use crate::error::LedgerError;

/// How far a clock may be behind the journal.
const BEHIND: Duration = Duration::from_secs(300);

/// The time of the newest entry that a clock is held against.
pub(crate) fn mark(connection: &Connection) -> rusqlite::Result<Timestamp> {
    connection.prepare_cached("SELECT clock_us FROM ledger")?.query_row([], |row| row.get(0))
}

/// Refuses a clock that is behind the journal, or too far ahead of it.
pub(crate) fn check(
    newest: Timestamp,
    now: Timestamp,
    max_gap: Duration,
) -> Result<(), LedgerError> {
    let micros = |limit: Duration| i64::try_from(limit.as_micros()).unwrap_or(i64::MAX);
    let ahead = now.0.saturating_sub(newest.0);
    match ahead < -micros(BEHIND) || ahead > micros(max_gap) {
        true => Err(LedgerError::ClockGap { now, newest }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const DAY: i64 = 24 * 60 * MINUTE;

    fn holds(ahead: i64) -> bool {
        let newest = Timestamp(1_700_000_000_000_000);
        let gap = Duration::from_secs(30 * 24 * 3600);
        check(newest, Timestamp(newest.0 + ahead), gap).is_ok()
    }

    #[test]
    fn a_clock_may_be_five_minutes_behind_and_thirty_days_ahead() {
        assert!(holds(0) && holds(-5 * MINUTE) && holds(30 * DAY));
        assert!(!holds(-5 * MINUTE - 1));
        assert!(!holds(30 * DAY + 1));
    }
}
