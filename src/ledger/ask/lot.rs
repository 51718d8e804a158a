//! What shows a lot: entries of the journal as they stand there, and the signed head over them.

use rusqlite::{OptionalExtension, params};

use crate::domain::ids::{PublicKey, WorkOrderId, to_hex};
use crate::domain::lot::{JournalLine, SignedHeadText};
use crate::error::LedgerError;
use crate::tables::sql::{counted, stored};

use super::reader::Reader;

impl Reader {
    /// The newest head that is signed, as text; none before the first commit.
    pub fn signed_head(&self) -> Result<Option<SignedHeadText>, LedgerError> {
        let sql = "SELECT station, instance, heads.seq, hash, public_key, signature
            FROM heads JOIN journal_keys ON journal_keys.id = heads.key
            JOIN journal ON journal.seq = heads.seq, ledger
            ORDER BY heads.seq DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let head = statement.query_row([], |row| {
            let hex = |index| row.get::<_, Vec<u8>>(index).map(|bytes| to_hex(&bytes));
            Ok(SignedHeadText {
                station: row.get(0)?,
                instance: hex(1)?,
                seq: counted(row.get(2)?),
                hash: hex(3)?,
                public_key: to_hex(row.get::<_, PublicKey>(4)?.as_bytes()),
                signature: hex(5)?,
            })
        });
        Ok(head.optional()?)
    }

    /// The number of the entry with which a work order's first attempt began.
    pub fn lot_begins(&self, id: &WorkOrderId) -> Result<Option<u64>, LedgerError> {
        let sql = "SELECT min(started_seq) FROM attempts WHERE work_order = ?1";
        let first: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
        Ok(first.map(counted))
    }

    /// One page of the journal: entries from one number to another, both included.
    pub fn journal_lines(
        &self,
        from: u64,
        until: u64,
        limit: u32,
    ) -> Result<Vec<JournalLine>, LedgerError> {
        let sql = "SELECT seq, entry, hash FROM journal WHERE seq >= ?1 AND seq <= ?2
            ORDER BY seq LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let lines = statement.query_map(params![stored(from), stored(until), limit], |row| {
            Ok(JournalLine { seq: counted(row.get(0)?), entry: row.get(1)?, hash: row.get(2)? })
        })?;
        Ok(lines.collect::<Result<_, _>>()?)
    }
}
