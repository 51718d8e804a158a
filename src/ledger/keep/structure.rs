//! Whether a ledger's file is whole as a database: SQLite's own checks.
//!
//! They come before anything that is read by an index: they alone tell that an index holds
//! what its table holds, and they visit each page once, whatever it points to.

use rusqlite::Connection;

use crate::domain::say::Say;
use crate::domain::text::printable;
use crate::error::{Difference, LedgerError, Oddity};
use crate::say;
use crate::tables::sql::counted;

/// Up to so many bytes the whole of a file is looked at whenever a line starts. Damage in a
/// larger one is found by its next backup or audit, or when it is met.
pub(crate) const SMALL: u64 = 32 << 20;

/// How closely the file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileCheck {
    /// Not at all.
    Skip,
    /// Its structure, and not whether each index holds what its table holds.
    Quick,
    /// The whole of a small one, which takes a tenth of a second; otherwise its structure.
    BySize,
    /// All of it, indices and constraints too.
    #[default]
    Whole,
}

impl FileCheck {
    /// Looks; what is found is an error.
    pub(crate) fn run(self, connection: &Connection) -> Result<(), LedgerError> {
        match self {
            FileCheck::Skip => Ok(()),
            FileCheck::BySize if bytes(connection)? <= SMALL => FileCheck::Whole.run(connection),
            FileCheck::Quick | FileCheck::BySize => says_ok(connection, "PRAGMA quick_check(1)"),
            FileCheck::Whole => says_ok(connection, "PRAGMA integrity_check(1)"),
        }
    }
}

/// How large an open ledger is, its log put in.
pub(crate) fn bytes(connection: &Connection) -> Result<u64, LedgerError> {
    let number = |pragma: &str| -> rusqlite::Result<i64> {
        connection.query_row(pragma, [], |row| row.get(0))
    };
    let (pages, size) = (number("PRAGMA page_count")?, number("PRAGMA page_size")?);
    Ok(counted(pages).saturating_mul(counted(size)))
}

fn says_ok(connection: &Connection, pragma: &str) -> Result<(), LedgerError> {
    let found: String = connection.query_row(pragma, [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        line => Err(wrong_index(line)
            .map_or_else(|| damage(line), |index| LedgerError::Schema(vec![index]))),
    }
}

/// What a line of SQLite's check says that is about no index. A page that it could not get for want
/// of memory, or of a way to the file, says nothing of the file: nobody may set it aside for that.
fn damage(line: &str) -> LedgerError {
    let code = line.rsplit_once("error code=").and_then(|(_, code)| code.trim().parse().ok());
    let unread = code
        .map(|code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
        .map(LedgerError::Read)
        .filter(LedgerError::is_of_the_system);
    unread.unwrap_or_else(|| LedgerError::Nonsense(Say::same(printable(line))))
}

/// The indices that do not hold what their tables hold; other damage is an error.
pub(crate) fn wrong_indices(connection: &Connection) -> Result<Vec<Difference>, LedgerError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(1000)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut indices = Vec::new();
    for line in lines {
        let line = line?;
        match wrong_index(&line) {
            Some(index) => indices.push(index),
            None if line == "ok" => {}
            None => return Err(damage(&line)),
        }
    }
    Ok(indices)
}

/// The index of which a line of SQLite's check says that its table holds something else:
/// "row 7 missing from index units_open", "non-unique entry in index …" and the like.
fn wrong_index(line: &str) -> Option<Difference> {
    let (_, name) = line.rsplit_once(" index ")?;
    let (oddity, kind) = (Oddity::Wrong, "index".to_owned());
    Some(Difference { oddity, kind, name: printable(name).into_owned() })
}

/// Whether each row names rows that are there.
pub(crate) fn references(connection: &Connection) -> Result<(), LedgerError> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        None => Ok(()),
        Some(row) => {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Err(LedgerError::Nonsense(say!(
                "a row of {table} names none of {parent}",
                "{table} 的一行指向不存在的 {parent}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn a_page_that_was_not_read_for_want_of_memory_is_no_damage() {
        let said = |code: &str| {
            damage(&format!(
                "*** in database main ***\nTree 7 page 75: unable to get the page. error code={code}"
            ))
        };
        for (code, wanted) in [("7", Code::Shortage), ("10", Code::LedgerOpen)] {
            let error = said(code);
            assert_eq!((error.code(), error.is_about_its_contents()), (wanted, false), "{code}");
        }
        for damaged in [said("11"), said("?"), damage("Tree 7 page 75: free space corruption")] {
            assert_eq!(
                (damaged.code(), damaged.is_about_its_contents()),
                (Code::LedgerCorrupt, true)
            );
        }
    }
}
