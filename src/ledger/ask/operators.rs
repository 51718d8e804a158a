//! Who is known at this station, and what their PINs are held against.

use std::path::Path;

use rusqlite::OptionalExtension;

use crate::domain::clock::Timestamp;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{OperatorRow, PinVerifier};
use crate::error::LedgerError;
use crate::keep::files;
use crate::keep::structure::FileCheck;
use crate::tables::operator_row::{OPERATOR, operator, read_operator, supervisors_besides};
use crate::tables::shape;
use crate::tables::sql::counted;

use super::reader::Reader;

impl Reader {
    /// Everybody who is known, by id.
    pub fn operators(&self, now: Timestamp) -> Result<Vec<OperatorRow>, LedgerError> {
        let sql = format!("{OPERATOR} ORDER BY operators.id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| read_operator(row, now))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One person.
    pub fn operator(
        &self,
        id: &OperatorId,
        now: Timestamp,
    ) -> Result<Option<OperatorRow>, LedgerError> {
        Ok(operator(&self.connection, id, now)?)
    }

    /// Whether anybody is known who may work at the line.
    pub fn knows_anybody(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM operators WHERE NOT disabled";
        Ok(self.connection.prepare_cached(sql)?.exists([])?)
    }

    /// Whether acts need a supervisor; of a ledger of an older program too.
    pub fn has_supervisor(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'operators'";
        let knows_persons = self.connection.prepare(sql)?.exists([])?;
        Ok(knows_persons && supervisors_besides(&self.connection, None)? > 0)
    }

    /// How many supervisors have a PIN that is shorter than is advised.
    pub fn short_pins(&self) -> Result<u64, LedgerError> {
        let sql = "SELECT count(*) FROM operators JOIN persons USING (id)
            WHERE role = 'supervisor' AND NOT disabled AND pin LIKE '%$short'";
        Ok(counted(self.connection.query_row(sql, [], |row| row.get(0))?))
    }

    /// What a PIN is held against, without counting a try: for a ledger that can't be
    /// written, such as a backup.
    pub fn pin_verifier(&self, id: &OperatorId) -> Result<Option<PinVerifier>, LedgerError> {
        let sql = "SELECT pin FROM persons WHERE id = ?1 AND pin IS NOT NULL";
        let found = self.connection.query_row(sql, [id], |row| row.get(0)).optional()?;
        Ok(found.map(PinVerifier))
    }

    /// Opens a backup of this or an older program to ask who may restore it.
    pub fn open_backup(path: &Path) -> Result<Reader, LedgerError> {
        let connection = files::open_untouchable(path)?;
        shape::check(&connection)?;
        FileCheck::Quick.run(&connection)?;
        Ok(Reader { connection })
    }

    /// Opens a ledger whose indices may be lost to ask who may have them made anew.
    pub fn open_to_mend(data_dir: &Path) -> Result<Reader, LedgerError> {
        let connection = files::open_to_audit(&files::existing(data_dir)?)?;
        shape::odd_indices(&connection)?;
        FileCheck::Quick.run(&connection)?;
        Ok(Reader { connection })
    }
}
