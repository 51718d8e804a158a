//! Units by whatever a person has at hand: a label, a certificate, a device, or the beginning
//! of one.
//!
//! What is named as a whole goes before what merely begins so: nobody who has a whole number
//! wants the longer ones too.

use rusqlite::{ToSql, params};

use crate::domain::ids::Serial;
use crate::domain::story::{FoundUnit, NamedBy};
use crate::error::LedgerError;

use super::history::{digits, past};
use super::reader::Reader;

/// A look by one kind of name: the name, and the statement that takes the lowest value, the
/// first behind the highest, and how many at most.
const TEXTS: [(NamedBy, &str); 2] = [
    (NamedBy::Serial, "SELECT serial FROM units WHERE serial >= ?1 AND serial < ?2 LIMIT ?3"),
    (
        NamedBy::ClientId,
        "SELECT serial FROM units WHERE client_id >= ?1 AND client_id < ?2
            ORDER BY client_id LIMIT ?3",
    ),
];

/// The same for what is written in hexadecimal.
const NUMBERS: [(NamedBy, &str); 3] = [
    (
        NamedBy::CertificateSn,
        "SELECT serial FROM certificates WHERE sn >= ?1 AND sn < ?2 ORDER BY sn LIMIT ?3",
    ),
    (
        NamedBy::Fingerprint,
        "SELECT serial FROM certificates WHERE fingerprint >= ?1 AND fingerprint < ?2
            ORDER BY fingerprint LIMIT ?3",
    ),
    (
        NamedBy::Hardware,
        "SELECT DISTINCT serial FROM attempts
            WHERE hardware IS NOT NULL AND hardware >= ?1 AND hardware < ?2
            ORDER BY hardware LIMIT ?3",
    ),
];

impl Reader {
    /// The units that a text names, at most `limit` and one more where there are more.
    /// Hexadecimal may be written with colons. One snapshot.
    pub fn find(&self, text: &str, limit: u32) -> Result<Vec<FoundUnit>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let plain = text.replace(':', "");
        let whole = self.named(text, &plain, true, limit)?;
        match whole.is_empty() {
            true => self.named(text, &plain, false, limit),
            false => Ok(whole),
        }
    }

    fn named(
        &self,
        text: &str,
        plain: &str,
        whole: bool,
        limit: u32,
    ) -> Result<Vec<FoundUnit>, LedgerError> {
        let mut found = Vec::new();
        // The first text behind exactly this one, or behind all that begin so.
        let end = if whole { format!("{text}\0") } else { past(text) };
        for (by, sql) in TEXTS {
            self.add_found(&mut found, (by, whole), sql, [&text, &end], limit)?;
        }
        let Some((low, high)) = digits(plain) else { return Ok(found) };
        let is_even = plain.len().is_multiple_of(2);
        let end = if whole { [low.as_slice(), &[0]].concat() } else { high };
        for (by, sql) in NUMBERS.into_iter().filter(|_| is_even || !whole) {
            self.add_found(&mut found, (by, whole), sql, [&low, &end], limit)?;
        }
        Ok(found)
    }

    /// Adds what one statement finds; a unit that was found already stays as it was found.
    fn add_found(
        &self,
        found: &mut Vec<FoundUnit>,
        (by, whole): (NamedBy, bool),
        sql: &str,
        [low, end]: [&dyn ToSql; 2],
        limit: u32,
    ) -> Result<(), LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let most = limit.saturating_add(1);
        let rows = statement.query_map(params![low, end, most], |row| row.get(0))?;
        for serial in rows {
            let serial: Serial = serial?;
            let is_new = found.iter().all(|unit| unit.serial != serial);
            if is_new && found.len() < most as usize {
                found.push(FoundUnit { serial, by, whole });
            }
        }
        Ok(())
    }
}
