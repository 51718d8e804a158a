//! The history that a person pages through: attempts by time, or by what they search for.
//!
//! A page looks at a bounded number of rows ([`LOOKED_AT`]), however few of them pass the
//! filters, so that no search takes long; a page may be short or empty and still be
//! followed by one. What filters look at stands in the indexes.

use std::collections::BTreeSet;

use rusqlite::{Params, Row, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{Serial, SlotName};
use crate::domain::local::Span;
use crate::domain::pages::{HistoryKey, HistoryLine, HistoryPage, HistoryQuery};
use crate::domain::state::AttemptOutcome;
use crate::error::LedgerError;

use super::reader::Reader;

/// The most rows that one page looks at.
const LOOKED_AT: usize = 20_000;

/// The most units that a search by anything but a serial finds.
const FOUND: u32 = 500;

/// The fewest hexadecimal digits that are looked for in binary columns: fewer match
/// thousands.
const FEWEST_DIGITS: usize = 4;

/// What a filter looks at.
struct Looked {
    key: HistoryKey,
    outcome: AttemptOutcome,
    slot: SlotName,
    code: Option<String>,
}

fn read_looked(row: &Row<'_>) -> rusqlite::Result<Looked> {
    let (started_at, serial, attempt) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let key = HistoryKey { started_at, serial, attempt };
    Ok(Looked { key, outcome: row.get(3)?, slot: row.get(4)?, code: row.get(5)? })
}

impl Looked {
    /// Whether it passes what the query's own statement did not ask for.
    fn passes(&self, query: &HistoryQuery) -> bool {
        let at = self.key.started_at;
        query.outcome.is_none_or(|outcome| outcome == self.outcome)
            && query.slot.as_ref().is_none_or(|slot| *slot == self.slot)
            && query.code.is_none_or(|code| self.code.as_deref() == Some(code.as_str()))
            && query.within.is_none_or(|span| span.from <= at && at < span.until)
    }
}

/// Rows that passed, and where the look ended before its rows did.
#[derive(Default)]
struct Look {
    keys: Vec<HistoryKey>,
    next: Option<HistoryKey>,
}

const COLUMNS: &str = "SELECT started_us, serial, attempt, outcome, slot, code FROM attempts";

impl Reader {
    /// One page of attempts; one snapshot.
    pub fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let text = query.text.trim();
        let (look, too_many) = match text.is_empty() {
            true => (self.by_time(query)?, false),
            false => self.by_text(text, query)?,
        };
        let lines = look.keys.iter().map(|key| self.history_line(key));
        let lines = lines.collect::<Result<_, _>>()?;
        Ok(HistoryPage { lines, next: look.next, too_many })
    }

    fn by_time(&self, query: &HistoryQuery) -> Result<Look, LedgerError> {
        let until = query.after.clone().map(|key| (key.started_at, key.serial, key.attempt));
        let (at, serial, attempt) = match &until {
            Some((at, serial, attempt)) => (*at, serial.as_str(), *attempt),
            None => (Timestamp(i64::MAX), "", 0),
        };
        let all = Span { from: Timestamp(i64::MIN), until: Timestamp(i64::MAX) };
        let Span { from, until: end } = query.within.unwrap_or(all);
        let not_passed = query.code.is_some()
            || matches!(query.outcome, Some(AttemptOutcome::Fail | AttemptOutcome::Interrupted));
        let filter = match (query.code, not_passed) {
            (Some(_), _) => "code = ?6 AND",
            (None, true) => "?6 IS NULL AND code IS NOT NULL AND",
            (None, false) => "?6 IS NULL AND",
        };
        let sql = format!(
            "{COLUMNS} WHERE {filter} started_us >= ?4 AND started_us < ?5
                AND (started_us, serial, attempt) < (?1, ?2, ?3)
            ORDER BY started_us DESC, serial DESC, attempt DESC"
        );
        let code = query.code.map(|code| code.as_str());
        self.pass_over(&sql, params![at, serial, attempt, from, end, code], query)
    }

    /// Looks at rows in their order until the page is full or enough were looked at.
    fn pass_over(
        &self,
        sql: &str,
        values: impl Params,
        query: &HistoryQuery,
    ) -> Result<Look, LedgerError> {
        let mut look = Look::default();
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, read_looked)?;
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX).max(1);
        for (row, seen) in rows.zip(1..) {
            let row = row?;
            let passes = row.passes(query);
            if passes && look.keys.len() == wanted {
                look.next = look.keys.last().cloned();
                break;
            }
            if passes {
                look.keys.push(row.key.clone());
            }
            if seen == LOOKED_AT {
                look.next = Some(row.key);
                break;
            }
        }
        Ok(look)
    }

    /// By serial, and among the units that the text names in another way.
    fn by_text(&self, text: &str, query: &HistoryQuery) -> Result<(Look, bool), LedgerError> {
        let end = past(text);
        let (serial, attempt) = query.after.as_ref().map_or(("", 0), |key| {
            let HistoryKey { serial, attempt, .. } = key;
            (serial.as_str(), *attempt)
        });
        let sql = format!(
            "{COLUMNS} WHERE serial >= ?1 AND serial < ?2 AND (serial, attempt) > (?3, ?4)
            ORDER BY serial, attempt"
        );
        let mut look = self.pass_over(&sql, params![text, end, serial, attempt], query)?;
        let (others, too_many) = self.units_named(text, &end)?;
        let sql = format!("{COLUMNS} WHERE serial = ?1 AND (serial, attempt) > (?2, ?3)");
        for other in others {
            let found = self.pass_over(&sql, params![other, serial, attempt], query)?;
            look.keys.extend(found.keys);
        }
        let order = |key: &HistoryKey| (key.serial.clone(), key.attempt);
        look.keys.sort_by_key(order);
        // What lies behind the end of the look by serial comes with its page.
        if let Some(last) = look.next.as_ref().map(order) {
            look.keys.retain(|key| order(key) <= last);
        }
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX).max(1);
        if look.keys.len() > wanted {
            look.keys.truncate(wanted);
            look.next = look.keys.last().cloned();
        }
        Ok((look, too_many))
    }

    /// Units whose client id, certificate or device begins so and whose serial does not;
    /// and whether there are more than were looked at.
    fn units_named(&self, text: &str, end: &str) -> Result<(BTreeSet<Serial>, bool), LedgerError> {
        let sql = "SELECT serial FROM units WHERE client_id >= ?1 AND client_id < ?2 LIMIT ?3";
        let mut found: BTreeSet<Serial> = BTreeSet::new();
        let mut too_many = self.collect(&mut found, sql, params![text, end, FOUND + 1])?;
        if let Some((low, high)) = digits(text) {
            for sql in [
                "SELECT serial FROM certificates WHERE sn >= ?1 AND sn < ?2 LIMIT ?3",
                "SELECT serial FROM certificates
                    WHERE fingerprint >= ?1 AND fingerprint < ?2 LIMIT ?3",
                "SELECT serial FROM attempts
                    WHERE hardware IS NOT NULL AND hardware >= ?1 AND hardware < ?2 LIMIT ?3",
            ] {
                too_many |= self.collect(&mut found, sql, params![low, high, FOUND + 1])?;
            }
        }
        let all = found.len();
        found.retain(|serial| !serial.as_str().starts_with(text));
        // Where every unit that was found is found by its serial too, nothing is missing.
        Ok((found.clone(), too_many && (all == 0 || !found.is_empty())))
    }

    fn collect(
        &self,
        found: &mut BTreeSet<Serial>,
        sql: &str,
        values: impl Params,
    ) -> Result<bool, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| row.get(0))?;
        let rows: Vec<Serial> = rows.collect::<Result<_, _>>()?;
        let too_many = rows.len() > FOUND as usize;
        found.extend(rows.into_iter().take(FOUND as usize));
        Ok(too_many)
    }

    fn history_line(&self, key: &HistoryKey) -> Result<HistoryLine, LedgerError> {
        let sql = "SELECT a.serial, a.attempt, u.state, a.slot, a.outcome, a.code, a.started_us,
                a.ended_us, a.operator
            FROM attempts a JOIN units u USING (serial) WHERE a.serial = ?1 AND a.attempt = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![key.serial, key.attempt], |row| {
            Ok(HistoryLine {
                serial: row.get(0)?,
                attempt: row.get(1)?,
                state: row.get(2)?,
                slot: row.get(3)?,
                outcome: row.get(4)?,
                code: row.get(5)?,
                started_at: row.get(6)?,
                ended_at: row.get(7)?,
                operator: row.get(8)?,
            })
        })?)
    }
}

/// The first text behind all that begin with this one.
pub(super) fn past(text: &str) -> String {
    format!("{text}{}", char::MAX)
}

/// The bytes from which on, and before which, everything begins with these digits.
pub(super) fn digits(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    if digits.len() < FEWEST_DIGITS {
        return None;
    }
    let bytes = |filler: u8| -> Vec<u8> {
        let pair = |pair: &[u8]| pair[0] << 4 | pair.get(1).copied().unwrap_or(filler);
        digits.chunks(2).map(pair).collect()
    };
    let (low, mut high) = (bytes(0), bytes(0xf));
    // Longer than any column, so that it lies behind whatever begins with it.
    high.resize(80, 0xff);
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_give_the_bytes_around_all_that_begin_so() {
        let (low, high) = digits("a1b2c").unwrap();
        assert_eq!(low, [0xa1, 0xb2, 0xc0]);
        assert_eq!(&high[..4], [0xa1, 0xb2, 0xcf, 0xff]);
        let within = |bytes: &[u8]| low.as_slice() <= bytes && bytes < high.as_slice();
        assert!(within(&[0xa1, 0xb2, 0xc0]) && within(&[0xa1, 0xb2, 0xcf, 0xff, 0xff]));
        assert!(!within(&[0xa1, 0xb2, 0xd0]) && !within(&[0xa1, 0xb2, 0xbf, 0xff]));
        assert_eq!(digits("a1b"), None, "too few");
        assert_eq!(digits("TH200-1"), None);
    }
}
