//! Whether a database has the program's own tables and indices, statement by statement,
//! and nothing beside them.
//!
//! The rows of a ledger are guarded by its constraints and found by its indices. So a
//! trigger, a view or an index of somebody else's is as good as an edit of the rows, and
//! is looked for before any row is believed. What a schema of some number looks like is
//! not written down a second time: the migrations make it, in memory.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rusqlite::Connection;

use crate::domain::text::printable;
use crate::error::{Difference, LedgerError, Oddity};

use super::schema;
use crate::say;

/// A thing in a schema: its kind and its name.
type Thing = (Vec<u8>, Vec<u8>);

/// The table that it belongs to, and the statement that made it; what SQLite makes itself
/// has none.
type Making = (Vec<u8>, Option<Vec<u8>>);

/// What a database is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shape(BTreeMap<Thing, Making>);

impl Shape {
    /// Reads it as bytes: what stands in a file that somebody made may be no text.
    fn read(connection: &Connection) -> Result<Shape, LedgerError> {
        let sql = "SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB),
            CAST(sql AS BLOB) FROM sqlite_schema";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut shape = Shape::default();
        while let Some(row) = rows.next()? {
            let text = |index| row.get::<_, Option<Vec<u8>>>(index).map(Option::unwrap_or_default);
            let thing = (text(0)?, text(1)?);
            if shape.0.insert(thing, (text(2)?, row.get(3)?)).is_some() {
                return Err(LedgerError::Nonsense(say!(
                    "its schema names a thing twice",
                    "结构中有重复的名称"
                )));
            }
        }
        Ok(shape)
    }

    /// What `self`, found, has otherwise than `wanted`, in the order of their names.
    fn differences(&self, wanted: &Shape) -> Vec<Difference> {
        let odd = |oddity, (kind, name): &Thing| Difference {
            oddity,
            kind: shown(kind),
            name: shown(name),
        };
        let missing = wanted.0.iter().filter_map(|(thing, wanted)| match self.0.get(thing) {
            None => Some(odd(Oddity::Missing, thing)),
            Some(found) if found != wanted => Some(odd(Oddity::Changed, thing)),
            Some(_) => None,
        });
        let foreign = self.0.keys().filter(|thing| !wanted.0.contains_key(*thing));
        missing.chain(foreign.map(|thing| odd(Oddity::Foreign, thing))).collect()
    }

    /// The statement of a thing that has one.
    fn statement(&self, kind: &str, name: &str) -> Option<String> {
        let (_, sql) = self.0.get(&(kind.into(), name.into()))?;
        String::from_utf8(sql.clone()?).ok()
    }
}

fn shown(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes)).into_owned()
}

/// The shape of every schema that this program knows, by its number; made once.
fn known() -> Result<&'static [Shape], LedgerError> {
    static KNOWN: OnceLock<Vec<Shape>> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    let connection = Connection::open_in_memory()?;
    let mut shapes = vec![Shape::read(&connection)?];
    while schema::migrate_by_one(&connection)? {
        shapes.push(Shape::read(&connection)?);
    }
    Ok(KNOWN.get_or_init(|| shapes))
}

/// What a database has otherwise than a ledger of its schema's number.
pub(crate) fn differences(connection: &Connection) -> Result<Vec<Difference>, LedgerError> {
    Ok(Shape::read(connection)?.differences(wanted(connection)?))
}

/// What a database with its schema's number should be.
fn wanted(connection: &Connection) -> Result<&'static Shape, LedgerError> {
    let found = schema::version(connection)?;
    let shapes = known()?;
    let wanted = usize::try_from(found).ok().and_then(|number| shapes.get(number));
    wanted.ok_or(LedgerError::Newer { found, known: schema::newest() })
}

/// Refuses a database that is not made as this program makes a ledger of its schema's
/// number, with the names of what differs.
pub(crate) fn check(connection: &Connection) -> Result<(), LedgerError> {
    let encoding: String = connection.query_row("PRAGMA encoding", [], |row| row.get(0))?;
    if encoding != "UTF-8" {
        let what = say!(
            "its texts are said to be {}, not UTF-8",
            "它的文本标为 {}，不是 UTF-8",
            printable(&encoding)
        );
        return Err(LedgerError::Nonsense(what));
    }
    match differences(connection)? {
        none if none.is_empty() => Ok(()),
        some => Err(LedgerError::Schema(some)),
    }
}

/// The same where nothing but indices differs, or the statistics that `ANALYZE` leaves
/// behind; a database with any other difference is refused.
pub(crate) fn odd_indices(connection: &Connection) -> Result<Vec<Difference>, LedgerError> {
    let is_index = |Difference { oddity, kind, name }: &Difference| {
        let statistics = kind == "table" && name.starts_with("sqlite_stat");
        (kind == "index" && !name.starts_with("sqlite_"))
            || (statistics && *oddity == Oddity::Foreign)
    };
    let found = differences(connection)?;
    match found.iter().all(is_index) {
        true => Ok(found),
        false => Err(LedgerError::Schema(found)),
    }
}

/// The statement that makes an index of a database's schema.
pub(crate) fn index_statement(
    connection: &Connection,
    name: &str,
) -> Result<Option<String>, LedgerError> {
    Ok(wanted(connection)?.statement("index", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        schema::migrate(&connection).unwrap();
        connection
    }

    fn refusal(connection: &Connection) -> String {
        check(connection).unwrap_err().to_string()
    }

    #[test]
    fn every_schema_of_this_program_is_known() {
        let connection = Connection::open_in_memory().unwrap();
        check(&connection).unwrap();
        while schema::migrate_by_one(&connection).unwrap() {
            check(&connection).unwrap();
        }
        assert_eq!(known().unwrap().len() as i64, schema::newest() + 1);
    }

    fn digest(shape: &Shape) -> String {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        for ((kind, name), (table, sql)) in &shape.0 {
            let sql = sql.as_deref().unwrap_or_default();
            for part in [kind, name, table, sql] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
        crate::domain::ids::to_hex(&hasher.finalize()[..8])
    }

    /// What older programs wrote into the files that lie in factories, made by the SQLite
    /// that is built in; schema 0 first. A new schema adds a line. If another line fails, a
    /// new SQLite words a statement otherwise than the one that wrote those files: then
    /// `check` must learn to take both, before any ledger is refused for it.
    #[test]
    fn sqlite_words_the_statements_as_it_always_did() {
        let digests: Vec<String> = known().unwrap().iter().map(digest).collect();
        assert_eq!(
            digests,
            [
                "e3b0c44298fc1c14",
                "52e718880a2198bb",
                "b9197b2e31bdfa28",
                "aec9db338537069b",
                "644884f841f001e9",
                "c1b55342ef18213e",
                "89866773a75fad63",
                "40de90804cbffe14",
                "d1f93937d0411e61",
                "dbbe60b9cf8f28ff",
                "6a7ca8a59e4cce1c",
                "448daf9923cc2187",
                "362b62d82b6b9d15",
                // Sums alone were counted anew.
                "362b62d82b6b9d15",
            ]
        );
    }

    #[test]
    fn what_does_not_belong_there_is_named() {
        let cases = [
            (
                "CREATE TRIGGER watch BEFORE INSERT ON outbox BEGIN SELECT raise(ignore); END",
                "the trigger watch does not belong there",
            ),
            ("CREATE VIEW known AS SELECT 1", "the view known does not belong there"),
            ("CREATE TABLE gifts (x)", "the table gifts does not belong there"),
            ("CREATE INDEX twice ON units (client_id)", "the index twice does not belong there"),
            ("DROP INDEX units_open", "the index units_open is missing"),
            (
                "DROP INDEX units_open; CREATE INDEX units_open ON units (serial) WHERE 0",
                "the index units_open is not as this program makes it",
            ),
            (
                "ALTER TABLE units ADD COLUMN note TEXT",
                "the table units is not as this program makes it",
            ),
        ];
        for (sql, words) in cases {
            let connection = newest();
            connection.execute_batch(sql).unwrap();
            assert!(refusal(&connection).contains(words), "{sql}: {}", refusal(&connection));
        }
    }

    #[test]
    fn a_schema_under_another_number_is_not_that_schema() {
        let connection = newest();
        connection.pragma_update(None, "user_version", 3).unwrap();
        let refusal = refusal(&connection);
        assert!(
            refusal.contains("the index outbox_open is not as this program makes it"),
            "{refusal}"
        );
        connection.pragma_update(None, "user_version", -1).unwrap();
        assert!(matches!(check(&connection), Err(LedgerError::Newer { found: -1, .. })));
    }

    #[test]
    fn names_that_are_no_text_are_named_all_the_same() {
        let connection = newest();
        connection.execute_batch("CREATE TABLE \"a\u{1b}[2Jb\" (x)").unwrap();
        let refusal = refusal(&connection);
        assert!(!refusal.contains('\u{1b}') && refusal.contains("[2Jb"), "{refusal}");
    }
}
