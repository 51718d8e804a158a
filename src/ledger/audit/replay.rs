//! A replay of the journal into an empty ledger, and the comparison with the real tables.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Rows};

use crate::apply::{Held, apply_next};
use crate::domain::cause::Told;
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::Entry;
use crate::keep::files;
use crate::say;
use crate::tables::schema::{self, EVIDENCE};

/// KiB of memory for its pages; what is more goes to the temporary file.
const CACHE_KIB: i64 = 96 << 10;

/// The same where a line works beside it.
const LITTLE_CACHE_KIB: i64 = 512;

/// Units whose rows are in memory until they are written.
const UNITS: usize = 4096;

/// The same where a line works beside it.
const FEW_UNITS: usize = 256;

/// About so many bytes of rows are compared at once.
const BATCH: usize = 64 << 10;

/// An empty ledger that entries are applied to. It lies in memory and, where it grows, in
/// a temporary file that no name leads to.
pub(crate) struct Replay {
    connection: Connection,
    held: Held,
}

impl Replay {
    pub(crate) fn new(beside_a_line: bool) -> Result<Replay, LedgerError> {
        match beside_a_line {
            true => Self::holding(FEW_UNITS, LITTLE_CACHE_KIB),
            false => Self::holding(UNITS, CACHE_KIB),
        }
    }

    /// One that holds so many units, and so many KiB of pages.
    pub(crate) fn holding(units: usize, cache: i64) -> Result<Replay, LedgerError> {
        let connection = files::open_temporary()?;
        schema::migrate(&connection)?;
        for (index, _) in schema::spare_indices(&connection)? {
            connection.execute_batch(&format!("DROP INDEX {index}"))?;
        }
        connection.pragma_update(None, "ignore_check_constraints", true)?;
        connection.pragma_update(None, "foreign_keys", false)?;
        connection.pragma_update(None, "cache_size", -cache)?;
        connection.set_prepared_statement_cache_capacity(256);
        let held = Held::units(units, &connection)?;
        Ok(Replay { connection, held })
    }

    pub(crate) fn begin(&self) -> Result<(), LedgerError> {
        Ok(self.connection.execute_batch("BEGIN")?)
    }

    pub(crate) fn end(&self) -> Result<(), LedgerError> {
        self.held.save(&self.connection)?;
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    /// Applies one entry; one that can't be applied is a bad entry, unless the replay itself found
    /// no memory or no room.
    pub(crate) fn entry(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let applied = apply_next(&self.connection, entry, &mut self.held);
        applied.map_err(|error| match error.is_of_the_system() {
            true => error,
            false => LedgerError::Journal {
                entry: entry.seq,
                why: say!("it can't follow on what stands before it", "它接不上前面的内容")
                    .then(&error.sentence()),
            },
        })
    }

    /// Gives the rows of every evidence table as [`pack`] has them, an empty batch behind each
    /// table, until nobody takes them any more.
    pub(crate) fn give_rows(
        &self,
        mut give: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<(), LedgerError> {
        for (table, key) in EVIDENCE {
            let wanted = pack(&self.connection, table, key, |batch| Ok(give(batch)))?;
            if !wanted {
                break;
            }
        }
        Ok(())
    }

    /// Finds the first row of a table that is not as the replay has it.
    pub(super) fn difference(
        &self,
        ledger: &Connection,
        table: &str,
        key: &str,
    ) -> Result<LedgerError, LedgerError> {
        let sql = in_order(table, key);
        let (mut found, mut wanted) = (ledger.prepare(&sql)?, self.connection.prepare(&sql)?);
        let names: Vec<String> = found.column_names().map(ToOwned::to_owned).collect();
        let (mut found, mut wanted) = (found.query([])?, wanted.query([])?);
        loop {
            let (here, there) = (values(&mut found, &names)?, values(&mut wanted, &names)?);
            let ended = here.is_none() && there.is_none();
            if here != there || ended {
                return Ok(LedgerError::Tables(difference(table, &names, here, there)));
            }
        }
    }
}

fn in_order(table: &str, key: &str) -> String {
    format!("SELECT * FROM {table} ORDER BY {key}")
}

/// Gives a table's rows as bytes, which are the same where the rows are, and an empty batch
/// behind them; false where `take` did not want them all.
pub(crate) fn pack(
    connection: &Connection,
    table: &str,
    key: &str,
    mut take: impl FnMut(Vec<u8>) -> Result<bool, LedgerError>,
) -> Result<bool, LedgerError> {
    let mut statement = connection.prepare(&in_order(table, key))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(row) = rows.next()? {
        for index in 0..columns {
            pack_value(&mut batch, row.get_ref(index)?);
        }
        if batch.len() >= BATCH && !take(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))?
        {
            return Ok(false);
        }
    }
    Ok((batch.is_empty() || take(batch)?) && take(Vec::new())?)
}

/// A value as its type, its length and its bytes, so that no two values look the same.
fn pack_value(bytes: &mut Vec<u8>, value: ValueRef<'_>) {
    let (kind, content): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_ne_bytes()),
        ValueRef::Real(number) => (2, &number.to_ne_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    bytes.push(kind);
    bytes.extend_from_slice(&content.len().to_ne_bytes());
    bytes.extend_from_slice(content);
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
) -> Say {
    let (here, there) = match (here, there) {
        (Some(here), Some(there)) if here.first() == there.first() => (here, there),
        (Some(here), Some(there)) if shown(&there) < shown(&here) => {
            return say!("{table} lacks the row {}", "{table} 缺少行 {}", shown(&there));
        }
        (None, Some(there)) => {
            return say!("{table} lacks the row {}", "{table} 缺少行 {}", shown(&there));
        }
        (Some(here), _) => {
            return say!("{table} has a row {} too many", "{table} 多出行 {}", shown(&here));
        }
        (None, None) => return say!("{table} differs", "{table} 不同"),
    };
    let columns: Vec<&str> = names
        .iter()
        .zip(here.iter().zip(&there))
        .filter_map(|(name, (here, there))| (here != there).then_some(name.as_str()))
        .collect();
    say!(
        "{table}, row {}: {} differs",
        "{table} 的行 {}：{} 不同",
        shown(&here),
        columns.join(", ")
    )
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
