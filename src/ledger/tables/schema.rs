//! The schema as an append-only list of migrations over `user_version`.
//!
//! A migration that was released is never edited: a change is a new one at the end. A
//! ledger with more migrations than this program knows is refused, never touched.
//!
//! Each is one transaction, so whatever ends the program leaves the schema before it or the
//! one behind it. On a large ledger one takes minutes; it tells how far it is.

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection};

use crate::cut;
use crate::domain::long_work;
use crate::error::LedgerError;

/// Migration n brings `user_version` from n to n + 1.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("outbox.sql"),
    include_str!("people.sql"),
    include_str!("gaps.sql"),
    include_str!("history.sql"),
    include_str!("cloud_authorities.sql"),
    include_str!("product.sql"),
    include_str!("labels.sql"),
    include_str!("reports.sql"),
    include_str!("once.sql"),
    include_str!("printed.sql"),
    include_str!("grants.sql"),
    include_str!("begun.sql"),
];

/// The tables that follow from the journal and are compared with a replay of it, with
/// the columns that order their rows.
pub(crate) const EVIDENCE: &[(&str, &str)] = &[
    ("ledger", "id"),
    ("line_sessions", "seq"),
    ("authorities", "fingerprint"),
    ("work_orders", "id"),
    ("work_order_devices", "work_order, hardware"),
    ("units", "serial"),
    ("attempts", "serial, attempt"),
    ("certificates", "sn"),
    ("clouds", "id"),
    ("cloud_authorities", "authority, site, region, instance"),
    ("registrations", "certificate_sn, site, region, instance"),
    ("outbox", "id"),
    ("acts", "seq"),
    ("operators", "id"),
    ("label_choice", "id"),
    ("labels", "serial, copy"),
    ("grants", "work_order, number"),
    ("grant_places", "serial, work_order"),
    ("counts", "what, name"),
];

/// The indices without which entries can't be applied: they find rows that are changed, or
/// are named by an `ON CONFLICT`. All others guard the ledger's rows and find them for people.
const NEEDED: [&str; 4] =
    ["certificates_by_unit", "clouds_current", "outbox_by_certificate", "outbox_open_once"];

/// The indices without which a replay gives the same rows, each with the statement that makes
/// it: one that is not there has not to be kept.
pub(crate) fn spare_indices(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
        ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let all: Vec<(String, String)> = all.collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|(name, _)| !NEEDED.contains(&name.as_str())).collect())
}

/// The newest schema that this program knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The schema of an open database; 0 for an empty one.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Refuses a database that has not the newest schema.
pub(crate) fn check_version(connection: &Connection) -> Result<(), LedgerError> {
    let (found, known) = (version(connection)?, newest());
    match found {
        found if (0..known).contains(&found) => Err(LedgerError::Older { found, known }),
        found if found != known => Err(LedgerError::Newer { found, known }),
        _ => Ok(()),
    }
}

/// Brings the database to the newest schema, each step in a transaction of its own.
pub(crate) fn migrate(connection: &Connection) -> Result<(), LedgerError> {
    migrate_by(connection, MIGRATIONS)
}

fn migrate_by(connection: &Connection, migrations: &[&str]) -> Result<(), LedgerError> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let _references = Unreferenced::until_dropped(connection)?;
    loop {
        match version(connection)? {
            found if found > known => return Err(LedgerError::Newer { found, known }),
            found if found == known => return Ok(()),
            _ => migrate_once(connection, migrations)?,
        }
    }
}

/// Brings the database one schema further; false where it has the newest one.
pub(super) fn migrate_by_one(connection: &Connection) -> Result<bool, LedgerError> {
    let further = version(connection)? < newest();
    if further {
        let _references = Unreferenced::until_dropped(connection)?;
        migrate_once(connection, MIGRATIONS)?;
    }
    Ok(further)
}

fn migrate_once(connection: &Connection, migrations: &[&str]) -> Result<(), LedgerError> {
    let apply = || {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        // Read inside the transaction: another process may be migrating too.
        let found = version(connection)?;
        let step = usize::try_from(found).ok().and_then(|index| migrations.get(index));
        // Only what holds something has anything to lose.
        let is_in_use = found > 0 && has_entries(connection)?;
        if let Some(step) = step {
            run_each(connection, step, is_in_use)?;
            connection.pragma_update(None, "user_version", found + 1)?;
        }
        connection.execute_batch("COMMIT")?;
        if is_in_use {
            cut::point(cut::Kind::Migrated, "schema");
        }
        Ok(())
    };
    apply().map_err(|error: rusqlite::Error| {
        // The first error is the one to tell.
        let _ = connection.execute_batch("ROLLBACK");
        LedgerError::write(error)
    })
}

fn has_entries(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'journal')";
    let has_journal: bool = connection.query_row(sql, [], |row| row.get(0))?;
    match has_journal {
        true => connection.query_row("SELECT EXISTS (SELECT 1 FROM journal)", [], |row| row.get(0)),
        false => Ok(false),
    }
}

/// Runs the statements of a migration, and tells how far it is.
fn run_each(connection: &Connection, step: &str, is_in_use: bool) -> rusqlite::Result<()> {
    let total = u64::try_from(step.matches(";\n").count()).unwrap_or(0);
    let mut statements = Batch::new(connection, step);
    let mut done = 0;
    while let Some(mut statement) = statements.next()? {
        statement.execute([])?;
        done += 1;
        long_work::tell(done, total.max(done));
        if is_in_use {
            cut::point(cut::Kind::Migrating, "schema");
        }
    }
    Ok(())
}

/// While it lives, rows may name others that are not there: a table that others name can't
/// be made anew otherwise, and a transaction can't turn that off within itself.
struct Unreferenced<'a>(&'a Connection, bool);

impl<'a> Unreferenced<'a> {
    fn until_dropped(connection: &'a Connection) -> rusqlite::Result<Self> {
        let before = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
        connection.pragma_update(None, "foreign_keys", false)?;
        Ok(Unreferenced(connection, before))
    }
}

impl Drop for Unreferenced<'_> {
    fn drop(&mut self) {
        // It can't fail outside a transaction, and inside one it does nothing.
        let _ = self.0.pragma_update(None, "foreign_keys", self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(connection: &Connection) -> Vec<String> {
        let sql = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
                   ORDER BY type, name";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_older_ledger_upgraded_equals_a_fresh_one() {
        let fresh = Connection::open_in_memory().unwrap();
        migrate(&fresh).unwrap();
        for length in 0..MIGRATIONS.len() {
            let old = Connection::open_in_memory().unwrap();
            migrate_by(&old, &MIGRATIONS[..length]).unwrap();
            assert_eq!(usize::try_from(version(&old).unwrap()).unwrap(), length);
            migrate(&old).unwrap();
            assert_eq!(shape(&old), shape(&fresh), "from schema {length}");
            assert_eq!(version(&old).unwrap(), newest());
        }
    }

    #[test]
    fn migrations_go_on_from_where_the_ledger_stands() {
        let steps = ["CREATE TABLE a (x INTEGER) STRICT", "ALTER TABLE a ADD COLUMN y TEXT"];
        let old = Connection::open_in_memory().unwrap();
        migrate_by(&old, &steps[..1]).unwrap();
        old.execute("INSERT INTO a (x) VALUES (7)", []).unwrap();
        migrate_by(&old, &steps).unwrap();
        let kept: i64 = old.query_row("SELECT x FROM a WHERE y IS NULL", [], |r| r.get(0)).unwrap();
        assert_eq!((kept, version(&old).unwrap()), (7, 2));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_schema_before_it() {
        let steps = ["CREATE TABLE a (x INTEGER) STRICT", "CREATE TABLE b (x INTEGER); nonsense"];
        let ledger = Connection::open_in_memory().unwrap();
        assert!(migrate_by(&ledger, &steps).is_err());
        assert_eq!(version(&ledger).unwrap(), 1);
        assert!(!shape(&ledger).iter().any(|line| line.starts_with("table b")));
    }

    #[test]
    fn a_newer_ledger_is_refused() {
        let ledger = Connection::open_in_memory().unwrap();
        ledger.pragma_update(None, "user_version", newest() + 1).unwrap();
        let error = migrate(&ledger).unwrap_err();
        assert_eq!(error.code(), crate::domain::code::Code::LedgerNewer);
    }

    #[test]
    fn every_table_but_the_journals_own_and_what_is_personal_is_evidence() {
        let fresh = Connection::open_in_memory().unwrap();
        migrate(&fresh).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'
                   AND name NOT IN ('journal', 'journal_keys', 'heads', 'persons') ORDER BY name";
        let mut statement = fresh.prepare(sql).unwrap();
        let tables: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let mut known: Vec<&str> = EVIDENCE.iter().map(|(table, _)| *table).collect();
        known.sort_unstable();
        assert_eq!(tables, known);
    }
}
