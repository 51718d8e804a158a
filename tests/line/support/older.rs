//! A ledger as an older program left it: its schema by that program's own statements, its
//! journal byte for byte, its rows as that program wrote them.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// The statements of the schemas, in their order; none of them ever changes.
const SCHEMAS: [&str; 9] = [
    include_str!("../../../src/ledger/tables/schema.sql"),
    include_str!("../../../src/ledger/tables/outbox.sql"),
    include_str!("../../../src/ledger/tables/people.sql"),
    include_str!("../../../src/ledger/tables/gaps.sql"),
    include_str!("../../../src/ledger/tables/history.sql"),
    include_str!("../../../src/ledger/tables/cloud_authorities.sql"),
    include_str!("../../../src/ledger/tables/product.sql"),
    include_str!("../../../src/ledger/tables/labels.sql"),
    include_str!("../../../src/ledger/tables/reports.sql"),
];

/// The schema of the first program that was handed out, 0.1.0.
pub(crate) const FIRST: usize = 7;

/// The last schema in which a certificate stood in its row too.
pub(crate) const BEFORE_ONCE: usize = 9;

/// Its sums of times: of UTC's hours and days, by when an attempt ended.
const SUMS: &str = "DELETE FROM counts WHERE what LIKE 'quarter-%';
    INSERT INTO counts SELECT 'hour-' || outcome, CAST(ended_us / 3600000000 AS TEXT), count(*)
        FROM attempts WHERE ended_us IS NOT NULL GROUP BY 1, 2;
    INSERT INTO counts SELECT 'attempts@' || (ended_us / 86400000000), outcome, count(*)
        FROM attempts WHERE ended_us IS NOT NULL GROUP BY 1, 2;
    INSERT INTO counts SELECT 'first@' || (ended_us / 86400000000), outcome, count(*)
        FROM attempts WHERE ended_us IS NOT NULL AND attempt = 1 GROUP BY 1, 2;
    INSERT INTO counts
        SELECT 'slot-' || outcome || '@' || (ended_us / 86400000000), slot, count(*)
        FROM attempts WHERE ended_us IS NOT NULL GROUP BY 1, 2;
    INSERT INTO counts SELECT 'codes@' || (ended_us / 86400000000), code, count(*)
        FROM attempts WHERE ended_us IS NOT NULL AND code IS NOT NULL GROUP BY 1, 2";

/// Makes a ledger that nobody has open one of an older schema. What that schema has no column
/// for must not have been used.
pub(crate) fn make_older(ledger: &Path, schema: usize) {
    let older = ledger.with_extension("older");
    let _ = fs::remove_file(&older);
    let connection = Connection::open(&older).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA journal_mode = WAL").unwrap();
    for statements in &SCHEMAS[..schema] {
        connection.execute_batch(statements).unwrap();
    }
    connection.pragma_update(None, "user_version", schema as i64).unwrap();
    connection.execute("ATTACH ?1 AS today", [ledger.to_str().unwrap()]).unwrap();
    for table in names(&connection, "SELECT name FROM main.sqlite_schema WHERE type = 'table'") {
        let columns = names(&connection, &format!("SELECT name FROM pragma_table_info('{table}')"));
        let values: Vec<String> = columns.iter().map(|column| value(&table, column)).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let sql =
            format!("INSERT INTO main.{table} ({columns}) SELECT {values} FROM today.{table} t");
        connection.execute_batch(&sql).unwrap();
    }
    connection.execute_batch("DETACH today").unwrap();
    connection.execute_batch(SUMS).unwrap();
    connection.close().unwrap();
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", ledger.display()));
    }
    fs::set_permissions(&older, fs::metadata(ledger).unwrap().permissions()).unwrap();
    fs::rename(&older, ledger).unwrap();
}

/// A certificate stood in its row too; it is taken from its entry.
fn value(table: &str, column: &str) -> String {
    match (table, column) {
        ("certificates", "der") => "(SELECT unhex(CAST(substr(entry, 23) AS TEXT) ->> \
             '$.record.der') FROM today.journal j WHERE j.seq = t.issued_seq)"
            .to_owned(),
        _ => format!("t.{column}"),
    }
}

fn names(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}
