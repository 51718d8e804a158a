//! A replay of the journal into an empty ledger, and the comparison with the real tables.

use rusqlite::types::Value;
use rusqlite::{Connection, Rows};

use crate::ledger::apply::apply;
use crate::ledger::error::LedgerError;
use crate::ledger::journal::entry::Entry;
use crate::ledger::keep::files;
use crate::ledger::tables::schema::{self, EVIDENCE};

/// An empty ledger that entries are applied to. It lies in memory and, where it grows, in
/// a temporary file that no name leads to.
pub(in crate::ledger) struct Replay(Connection);

impl Replay {
    pub(in crate::ledger) fn new() -> Result<Replay, LedgerError> {
        let connection = files::open_temporary()?;
        schema::migrate(&connection)?;
        Ok(Replay(connection))
    }

    pub(in crate::ledger) fn begin(&self) -> Result<(), LedgerError> {
        Ok(self.0.execute_batch("BEGIN")?)
    }

    pub(in crate::ledger) fn end(&self) -> Result<(), LedgerError> {
        Ok(self.0.execute_batch("COMMIT")?)
    }

    /// Applies one entry; one that can't be applied is a bad entry.
    pub(in crate::ledger) fn entry(&self, entry: &Entry) -> Result<(), LedgerError> {
        apply(&self.0, entry).map_err(|error| LedgerError::Journal {
            entry: entry.seq,
            why: format!("it can't follow on what stands before it: {error}"),
        })
    }

    /// Compares every evidence table, row by row.
    pub(in crate::ledger) fn compare(&self, ledger: &Connection) -> Result<(), LedgerError> {
        for (table, key) in EVIDENCE {
            self.compare_table(ledger, table, key)?;
        }
        Ok(())
    }

    fn compare_table(
        &self,
        ledger: &Connection,
        table: &str,
        key: &str,
    ) -> Result<(), LedgerError> {
        let sql = format!("SELECT * FROM {table} ORDER BY {key}");
        let (mut found, mut wanted) = (ledger.prepare(&sql)?, self.0.prepare(&sql)?);
        let names: Vec<String> = found.column_names().map(ToOwned::to_owned).collect();
        let (mut found, mut wanted) = (found.query([])?, wanted.query([])?);
        loop {
            let (here, there) = (values(&mut found, &names)?, values(&mut wanted, &names)?);
            match (here, there) {
                (None, None) => return Ok(()),
                (Some(here), Some(there)) if here == there => {}
                (here, there) => {
                    return Err(LedgerError::Tables(difference(table, &names, here, there)));
                }
            }
        }
    }
}

fn values(rows: &mut Rows<'_>, names: &[String]) -> Result<Option<Vec<Value>>, LedgerError> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let values = (0..names.len()).map(|index| row.get(index));
    Ok(Some(values.collect::<Result<_, _>>()?))
}

fn difference(
    table: &str,
    names: &[String],
    here: Option<Vec<Value>>,
    there: Option<Vec<Value>>,
) -> String {
    let (here, there) = match (here, there) {
        (Some(here), Some(there)) if here.first() == there.first() => (here, there),
        (Some(here), Some(there)) if shown(&there) < shown(&here) => {
            return format!("{table} lacks the row {}", shown(&there));
        }
        (None, Some(there)) => return format!("{table} lacks the row {}", shown(&there)),
        (Some(here), _) => return format!("{table} has a row {} too many", shown(&here)),
        (None, None) => return format!("{table} differs"),
    };
    let columns: Vec<&str> = names
        .iter()
        .zip(here.iter().zip(&there))
        .filter_map(|(name, (here, there))| (here != there).then_some(name.as_str()))
        .collect();
    format!("{table}, row {}: {} differs", shown(&here), columns.join(", "))
}

/// A row's first value as people read it.
fn shown(row: &[Value]) -> String {
    match row.first() {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Blob(bytes)) => crate::domain::ids::to_hex(bytes),
        _ => "?".to_owned(),
    }
}
