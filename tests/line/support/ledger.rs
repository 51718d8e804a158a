//! What stands in a ledger, read behind the program's back.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// A ledger's file.
pub(crate) struct Ledger(pub(crate) Connection);

/// One certificate as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateRow {
    pub(crate) serial: String,
    pub(crate) state: String,
    pub(crate) der: Vec<u8>,
    pub(crate) image: Vec<u8>,
}

impl Ledger {
    pub(crate) fn file(data_dir: &Path) -> PathBuf {
        data_dir.join("ledger.db")
    }

    pub(crate) fn open(data_dir: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self(Connection::open_with_flags(Self::file(data_dir), flags).unwrap())
    }

    /// The certificates of all units.
    pub(crate) fn certificates(&self) -> Vec<CertificateRow> {
        let sql =
            "SELECT serial, state, unhex(CAST(substr(entry, 23) AS TEXT) ->> '$.record.der'), image
            FROM certificates JOIN journal ON seq = issued_seq ORDER BY serial, issued_seq";
        let mut statement = self.0.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(CertificateRow {
                serial: row.get(0)?,
                state: row.get(1)?,
                der: row.get(2)?,
                image: row.get(3)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Those in that state.
    pub(crate) fn in_state(&self, state: &str) -> Vec<CertificateRow> {
        let mut rows = self.certificates();
        rows.retain(|row| row.state == state);
        rows
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn entries(&self) -> i64 {
        self.count("SELECT count(*) FROM journal")
    }

    /// What someone with an editor does to it, not held back by foreign keys.
    pub(crate) fn tamper(&self, sql: &str) {
        self.0.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        self.0.execute_batch(sql).unwrap();
        // So that the file alone can be copied.
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
}
