//! What the ledger's own row says of its newest entry.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::clock::Timestamp;
use crate::journal::entry::Kind;
use crate::tables::sql::{counted, stored};

/// A clock may run this far ahead of the journal within one entry without being held
/// for wrong, in microseconds; further only a unit's begin or a person takes it.
const CLOCK_STEP: i64 = 24 * 3600 * 1_000_000;

/// The newest entry's number and time, and the time up to which the clock is believed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    last_seq: u64,
    newest: Timestamp,
    clock: Timestamp,
}

impl Marks {
    /// Those of a ledger whose only entry founds it.
    pub(super) fn of_the_first(seq: u64, wall: Timestamp) -> Self {
        Marks { last_seq: seq, newest: wall, clock: wall }
    }

    /// None where the ledger is not founded yet.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT last_seq, newest_us, clock_us FROM ledger";
        let mut statement = connection.prepare_cached(sql)?;
        let marks = statement.query_row([], |row| {
            let (newest, clock) = (row.get(1)?, row.get(2)?);
            Ok(Marks { last_seq: counted(row.get(0)?), newest, clock })
        });
        marks.optional()
    }

    /// Up to when the clock is believed.
    pub(crate) const fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Follows an entry; the clock's mark follows slowly, so that one entry under a wrong clock
    /// does not make it right.
    pub(super) fn follow(&mut self, kind: Kind, seq: u64, wall: Timestamp) {
        (self.last_seq, self.newest) = (seq, wall);
        self.clock = match kind {
            Kind::ClockAccepted => wall,
            Kind::Begun => self.clock.max(wall),
            _ if wall >= self.clock && wall.0 <= self.clock.0.saturating_add(CLOCK_STEP) => wall,
            _ => self.clock,
        };
    }

    /// Nothing is saved of a ledger that is not founded yet.
    pub(crate) fn save(marks: Option<Self>, connection: &Connection) -> rusqlite::Result<()> {
        let Some(Marks { last_seq, newest, clock }) = marks else { return Ok(()) };
        let sql = "UPDATE ledger SET last_seq = ?1, newest_us = ?2, clock_us = ?3";
        let values = params![stored(last_seq), newest, clock];
        connection.prepare_cached(sql)?.execute(values).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the clock is believed up to after an entry of this kind, a step being 1.
    fn clock(kind: Kind, steps: f64) -> f64 {
        let mut marks = Marks::of_the_first(1, Timestamp(0));
        marks.follow(kind, 2, Timestamp((steps * CLOCK_STEP as f64) as i64));
        assert_eq!((marks.last_seq, marks.newest.0 != 0), (2, steps != 0.0));
        marks.clock.0 as f64 / CLOCK_STEP as f64
    }

    #[test]
    fn a_clock_that_jumps_is_believed_where_a_unit_begins_or_a_person_says_so() {
        assert_eq!(clock(Kind::Issued, 1.0), 1.0, "a step at most");
        assert_eq!(clock(Kind::Issued, 1.5), 0.0, "too far ahead");
        assert_eq!(clock(Kind::Issued, -0.5), 0.0, "set back");
        assert_eq!(clock(Kind::Begun, 1.5), 1.5);
        assert_eq!(clock(Kind::Begun, -0.5), 0.0);
        assert_eq!(clock(Kind::ClockAccepted, -0.5), -0.5);
    }
}
