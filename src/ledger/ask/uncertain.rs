//! The units of which only their own devices can tell what they hold.

use rusqlite::params;

use crate::domain::story::{Uncertain, UncertainUnit};
use crate::error::LedgerError;
use crate::tables::sql::counted;

use super::reader::Reader;

impl Reader {
    /// How many units are uncertain, and at most so many of them, the oldest first. A unit that
    /// is between its commit and its proof at this moment is one of them. One snapshot.
    pub fn uncertain(&self, limit: u32) -> Result<Uncertain, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let sql = "SELECT count(*) FROM units WHERE state = 'uncertain'";
        let count = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        let sql = "SELECT u.serial, u.open_work_order, a.slot, a.operator, a.hardware, a.started_us
            FROM units u JOIN attempts a ON a.serial = u.serial AND a.attempt = u.open_attempt
            WHERE u.state = 'uncertain' ORDER BY a.started_seq LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let units = statement.query_map(params![limit], |row| {
            Ok(UncertainUnit {
                serial: row.get(0)?,
                work_order: row.get(1)?,
                slot: row.get(2)?,
                operator: row.get(3)?,
                hardware: row.get(4)?,
                since: row.get(5)?,
            })
        })?;
        Ok(Uncertain { count: counted(count), units: units.collect::<Result<_, _>>()? })
    }
}
