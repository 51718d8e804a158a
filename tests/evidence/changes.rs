//! What is done to a copy of a ledger's file, drawn from a seed or one of each kind.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::dice::Dice;

/// Tables whose rows are evidence. `persons` is none, and says so in `docs/ledger.md`.
const NOT_EVIDENCE: &[&str] = &["persons"];

/// One thing that was done.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A bit of the ledger's file.
    Bit { place: u64, bit: u8 },
    /// A bit of the note beside it.
    NoteBit { place: u64, bit: u8 },
    /// Statements of somebody who has the file and any tool.
    Sql(String),
    /// One column of one row, or the whole row.
    Row { table: String, row: u64, column: Option<usize> },
    /// An index that says what it should and holds nothing.
    Empty { index: String },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Opens it with everything allowed.
fn anything(data_dir: &Path) -> Connection {
    let connection = Connection::open(data_dir.join("ledger.db")).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             PRAGMA writable_schema = ON;",
        )
        .unwrap();
    connection
}

impl Change {
    /// Does it; false where the file itself does not let it be done.
    pub(crate) fn make(&self, data_dir: &Path) -> bool {
        match self {
            Change::Bit { place, bit } => flip(&data_dir.join("ledger.db"), *place, *bit),
            Change::NoteBit { place, bit } => flip(&data_dir.join("journal.head"), *place, *bit),
            Change::Sql(sql) => by_sql(data_dir, |c| c.execute_batch(sql)),
            Change::Row { table, row, column } => {
                by_sql(data_dir, |c| edit(c, table, *row, *column))
            }
            Change::Empty { index } => by_sql(data_dir, |c| empty(c, index)),
        }
    }
}

fn by_sql(data_dir: &Path, act: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> bool {
    let connection = anything(data_dir);
    act(&connection).is_ok() && connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").is_ok()
}

fn flip(path: &Path, place: u64, bit: u8) -> bool {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, place).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << bit)], place).unwrap();
    true
}

/// Another value of the same type, so that no type betrays it.
fn other(value: Value) -> Value {
    match value {
        Value::Null => Value::Integer(1),
        Value::Integer(number) => Value::Integer(number ^ 1),
        Value::Real(number) => Value::Real(number + 1.0),
        Value::Text(mut text) => {
            let last = text.pop();
            text.push(if last == Some('7') { '3' } else { '7' });
            Value::Text(text)
        }
        Value::Blob(mut bytes) => {
            match bytes.last_mut() {
                Some(last) => *last ^= 1,
                None => bytes.push(1),
            }
            Value::Blob(bytes)
        }
    }
}

fn edit(
    connection: &Connection,
    table: &str,
    row: u64,
    column: Option<usize>,
) -> rusqlite::Result<()> {
    let (columns, key) = columns(connection, table)?;
    let quoted = columns.join(", ");
    let sql = format!("SELECT {quoted} FROM {table} LIMIT 1 OFFSET {row}");
    let found: Vec<Value> = connection
        .query_row(&sql, [], |found| (0..columns.len()).map(|index| found.get(index)).collect())?;
    let by = key.iter().map(|index| format!("{} IS ?", columns[*index])).collect::<Vec<_>>();
    let by = by.join(" AND ");
    let keys = key.iter().map(|index| found[*index].clone());
    match column {
        None => {
            let sql = format!("DELETE FROM {table} WHERE {by}");
            connection.execute(&sql, params_from_iter(keys))?;
        }
        Some(column) => {
            let sql = format!("UPDATE {table} SET {} = ? WHERE {by}", columns[column]);
            let new = other(found[column].clone());
            connection.execute(&sql, params_from_iter(std::iter::once(new).chain(keys)))?;
        }
    }
    Ok(())
}

/// A table's columns, and which of them are its key.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<String>, Vec<usize>)> {
    let mut statement = connection.prepare("SELECT name, pk FROM pragma_table_info(?1)")?;
    let found = statement.query_map([table], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    let found: Vec<(String, i64)> = found.collect::<Result<_, _>>()?;
    let key = (0..found.len()).filter(|index| found[*index].1 > 0).collect();
    Ok((found.into_iter().map(|(name, _)| name).collect(), key))
}

/// The index is made anew so that it holds nothing, and then its old words are put back.
fn empty(connection: &Connection, index: &str) -> rusqlite::Result<()> {
    let sql = "SELECT sql, tbl_name FROM sqlite_schema WHERE name = ?1";
    let (words, table): (String, String) =
        connection.query_row(sql, [index], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let on = words.find(" ON ").unwrap_or(0);
    let head = words.split(" WHERE ").next().unwrap_or_default();
    debug_assert!(on > 0 && head.contains(&table));
    connection.execute_batch(&format!("DROP INDEX {index}; {head} WHERE 0"))?;
    let sql = "UPDATE sqlite_schema SET sql = ?2 WHERE name = ?1";
    connection.execute(sql, [index, &words])?;
    Ok(())
}

/// What there is in a ledger to change.
pub(crate) struct Ground {
    size: u64,
    note: u64,
    tables: Vec<(String, u64, usize)>,
    indices: Vec<String>,
}

impl Ground {
    /// Looks at the ledger of a directory.
    pub(crate) fn of(data_dir: &Path) -> Ground {
        let connection = Connection::open(data_dir.join("ledger.db")).unwrap();
        let names = |kind: &str| -> Vec<String> {
            let sql = "SELECT name FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL
                ORDER BY name";
            let mut statement = connection.prepare(sql).unwrap();
            let names = statement.query_map([kind], |row| row.get(0)).unwrap();
            names.collect::<Result<_, _>>().unwrap()
        };
        let tables = names("table").into_iter().filter(|name| !NOT_EVIDENCE.contains(&&**name));
        let sized = tables.map(|table| {
            let sql = format!("SELECT count(*) FROM {table}");
            let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            let width = columns(&connection, &table).unwrap().0.len();
            (table, u64::try_from(rows).unwrap(), width)
        });
        let tables = sized.filter(|(_, rows, _)| *rows > 0).collect();
        let size = |name: &str| fs::metadata(data_dir.join(name)).unwrap().len();
        let (size, note) = (size("ledger.db"), size("journal.head"));
        Ground { size, note, tables, indices: names("index") }
    }

    /// A bit: of the whole file, and one in four of its first pages, where each counts more.
    pub(crate) fn bit(&self, dice: &mut Dice) -> Change {
        let among = match dice.below(4) {
            0 => 100,
            1 => 4 * 4096,
            _ => self.size,
        };
        Change::Bit { place: dice.below(among.min(self.size)), bit: bit(dice) }
    }

    /// A bit of the note.
    pub(crate) fn note_bit(&self, dice: &mut Dice) -> Change {
        Change::NoteBit { place: dice.below(self.note), bit: bit(dice) }
    }

    /// A row of any table: one column, or all of it.
    pub(crate) fn row(&self, dice: &mut Dice) -> Change {
        let (table, rows, width) = dice.one_of(&self.tables).clone();
        self.row_of(dice, &table, rows, width)
    }

    fn row_of(&self, dice: &mut Dice, table: &str, rows: u64, width: usize) -> Change {
        let column = usize::try_from(dice.below(width as u64 + 1)).unwrap();
        let column = Some(column).filter(|column| *column < width);
        Change::Row { table: table.to_owned(), row: dice.below(rows), column }
    }

    /// Each index lost, odd or empty, and each foreign statement once.
    pub(crate) fn statements(&self) -> Vec<Change> {
        let lost = self.indices.iter().map(|index| Change::Sql(format!("DROP INDEX {index}")));
        let odd = self.indices.iter().map(|index| {
            let sql = format!(
                "UPDATE sqlite_schema SET sql = replace(sql || ' WHERE 0', ' WHERE ', ' WHERE 0 AND ')
                 WHERE name = '{index}' AND sql NOT LIKE '% WHERE 0%'"
            );
            Change::Sql(sql)
        });
        let empty = self.indices.iter().map(|index| Change::Empty { index: index.clone() });
        let triggers = self.tables.iter().map(|(table, _, _)| {
            Change::Sql(format!(
                "CREATE TRIGGER watch_{table} BEFORE INSERT ON {table} BEGIN SELECT raise(ignore); END"
            ))
        });
        let foreign = FOREIGN.iter().map(|sql| Change::Sql((*sql).to_owned()));
        lost.chain(odd).chain(empty).chain(triggers).chain(foreign).collect()
    }
}

fn bit(dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(8)).unwrap()
}

/// What does not belong in a ledger, and what belongs there otherwise.
const FOREIGN: &[&str] = &[
    "CREATE TABLE gifts (x)",
    "CREATE VIEW known AS SELECT * FROM units",
    "CREATE INDEX units_twice ON units (client_id)",
    "CREATE UNIQUE INDEX units_by_slot ON attempts (slot, serial, attempt)",
    "CREATE TRIGGER t AFTER UPDATE ON units BEGIN UPDATE units SET finished = 1; END",
    "ALTER TABLE units ADD COLUMN note TEXT",
    "ANALYZE",
    "DROP TABLE heads",
    "PRAGMA user_version = 6",
    "PRAGMA user_version = 0",
    "UPDATE sqlite_schema SET sql = replace(sql, 'serial            TEXT PRIMARY KEY',
        'serial            TEXT COLLATE NOCASE PRIMARY KEY') WHERE name = 'units'",
    "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (finished IN (0, 1))', '')
        WHERE name = 'units'",
    "UPDATE sqlite_schema SET sql = replace(sql, 'DEFAULT 0 CHECK (proven >= 0)', 'DEFAULT 1')
        WHERE name = 'work_orders'",
    "UPDATE sqlite_schema SET name = 'units_by_states' WHERE name = 'units_by_state'",
    "UPDATE sqlite_schema SET tbl_name = 'attempts' WHERE name = 'units_by_state'",
    "UPDATE sqlite_schema SET rootpage =
        (SELECT rootpage FROM sqlite_schema WHERE name = 'units_open_hardware')
        WHERE name = 'units_proven_hardware'",
    "DELETE FROM sqlite_schema WHERE name = 'certificates_by_client_id'",
    "INSERT INTO journal_keys (public_key) VALUES (zeroblob(65))",
];
