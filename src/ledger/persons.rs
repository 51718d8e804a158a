//! What is personal and no evidence: names, what PINs are held against, wrong PINs.
//!
//! These rows stand outside the journal, so that a name can be erased and a PIN's verifier
//! is in no copy of the chain. What they say of somebody who becomes known or gets another
//! PIN is written in the transaction of that record ([`Private`]); a try at a PIN is
//! counted in a transaction of its own, before the PIN is looked at, so that neither two
//! processes nor a power cut give anybody more tries.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{
    OperatorRow, PinVerifier, Role, WRONG_PINS, is_locked, locked_until,
};

use super::error::LedgerError;
use super::files;
use super::reader::Reader;
use super::{Ledger, schema};

/// What is written beside a record and stands in no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// Whose.
    pub operator: OperatorId,
    /// Their name, where one is given.
    pub name: Option<String>,
    /// What their PIN is held against, where one is given.
    pub pin: Option<PinVerifier>,
}

impl Private {
    /// Overwrites what is given; another PIN starts with no wrong ones.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO persons (id, name, pin) VALUES (?1, ?2, ?3)
            ON CONFLICT (id) DO UPDATE SET name = coalesce(?2, name), pin = coalesce(?3, pin),
                wrong = iif(?3 IS NULL, wrong, 0), locked_us = iif(?3 IS NULL, locked_us, NULL)";
        let pin = self.pin.as_ref().map(|pin| pin.0.as_str());
        connection.prepare_cached(sql)?.execute(params![self.operator, self.name, pin])?;
        Ok(())
    }
}

/// The personal rows, over a connection of their own.
#[derive(Debug)]
pub struct Persons {
    connection: Connection,
}

impl Ledger {
    /// The personal rows.
    pub fn persons(&self) -> Result<Persons, LedgerError> {
        let path = files::existing(&self.settings.data_dir)?;
        Ok(Persons { connection: files::open_to_write(&path)? })
    }
}

impl Persons {
    /// Counts one try at a PIN and gives what it is held against; a locked PIN is refused.
    /// Whoever finds the PIN right says so with [`Persons::was_right`].
    pub fn begin_try(
        &self,
        operator: &OperatorId,
        now: Timestamp,
    ) -> Result<Result<PinVerifier, Fault>, LedgerError> {
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let sql = "SELECT pin, wrong, locked_us FROM persons WHERE id = ?1 AND pin IS NOT NULL";
        let found = transaction
            .prepare_cached(sql)?
            .query_row([operator], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((pin, wrong, locked)): Option<(String, u32, Option<Timestamp>)> = found else {
            let detail = format!("{operator} has no PIN");
            return Ok(Err(Fault::new(Code::PinWrong, detail)));
        };
        if let Some(since) = locked.filter(|since| is_locked(*since, now)) {
            let detail = format!("the PIN of {operator} is locked until {}", locked_until(since));
            return Ok(Err(Fault::new(Code::PinLocked, detail)));
        }
        // A lock that is over begins a new row of tries.
        let wrong = if locked.is_some() { 1 } else { wrong.saturating_add(1) };
        let locked = (wrong >= WRONG_PINS).then_some(now);
        let sql = "UPDATE persons SET wrong = ?2, locked_us = ?3 WHERE id = ?1";
        transaction.prepare_cached(sql)?.execute(params![operator, wrong, locked])?;
        transaction.commit().map_err(LedgerError::Write)?;
        Ok(Ok(PinVerifier(pin)))
    }

    /// The PIN of the try that was begun last was right.
    pub fn was_right(&self, operator: &OperatorId) -> Result<(), LedgerError> {
        let sql = "UPDATE persons SET wrong = 0, locked_us = NULL WHERE id = ?1";
        let done = self.connection.prepare_cached(sql).and_then(|mut sql| sql.execute([operator]));
        done.map(drop).map_err(LedgerError::Write)
    }

    /// Erases a name: overwritten in the file, and in its log once that was taken over.
    pub fn erase_name(&self, operator: &OperatorId) -> Result<(), LedgerError> {
        let erase = || {
            self.connection.pragma_update(None, "secure_delete", true)?;
            let sql = "UPDATE persons SET name = NULL WHERE id = ?1";
            self.connection.execute(sql, [operator])?;
            // Where readers are at work the log is taken over later.
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        erase().map_err(LedgerError::Write)
    }
}

const OPERATOR: &str = "SELECT operators.id, role, disabled, name, pin IS NOT NULL, locked_us
    FROM operators LEFT JOIN persons ON persons.id = operators.id";

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

    /// What a PIN is held against, without counting a try: for a ledger that can't be
    /// written, such as a backup.
    pub fn pin_verifier(&self, id: &OperatorId) -> Result<Option<PinVerifier>, LedgerError> {
        let sql = "SELECT pin FROM persons WHERE id = ?1 AND pin IS NOT NULL";
        let found = self.connection.query_row(sql, [id], |row| row.get(0)).optional()?;
        Ok(found.map(PinVerifier))
    }

    /// Opens a backup of this or an older program to ask who may restore it.
    pub fn open_backup(path: &std::path::Path) -> Result<Reader, LedgerError> {
        let connection = files::open_untouchable(path)?;
        match schema::version(&connection)? {
            found if found > schema::newest() => {
                Err(LedgerError::Newer { found, known: schema::newest() })
            }
            _ => Ok(Reader { connection }),
        }
    }
}

fn read_operator(row: &rusqlite::Row<'_>, now: Timestamp) -> rusqlite::Result<OperatorRow> {
    let locked: Option<Timestamp> = row.get(5)?;
    Ok(OperatorRow {
        id: row.get(0)?,
        role: row.get(1)?,
        disabled: row.get(2)?,
        name: row.get(3)?,
        has_pin: row.get(4)?,
        locked_until: locked.filter(|since| is_locked(*since, now)).map(locked_until),
    })
}

/// One person, as a connection sees them.
pub(super) fn operator(
    connection: &Connection,
    id: &OperatorId,
    now: Timestamp,
) -> rusqlite::Result<Option<OperatorRow>> {
    let sql = format!("{OPERATOR} WHERE operators.id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row([id], |row| read_operator(row, now)).optional()
}

/// How many supervisors may approve, `besides` not counted.
pub(super) fn supervisors_besides(
    connection: &Connection,
    besides: Option<&OperatorId>,
) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM operators WHERE role = ?1 AND NOT disabled AND id IS NOT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![Role::Supervisor, besides], |row| row.get(0))
}
