//! What is personal and no evidence: names, what PINs are held against, wrong PINs.
//!
//! These rows stand outside the journal, so that a name can be erased and a PIN's verifier
//! is in no copy of the chain. What they say of somebody who becomes known or gets another
//! PIN is written in the transaction of that record ([`Private`]); a try at a PIN is
//! counted in a transaction of its own, before the PIN is looked at, so that neither two
//! processes nor a power cut give anybody more tries.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{PinVerifier, WRONG_PINS, is_locked, locked_until};
use crate::ledger::error::LedgerError;
use crate::ledger::keep::files;

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
    pub(in crate::ledger) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
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

impl Persons {
    /// The personal rows of the ledger in a data directory.
    pub(in crate::ledger) fn open(data_dir: &Path) -> Result<Persons, LedgerError> {
        Ok(Persons { connection: files::open_to_write(&files::existing(data_dir)?)? })
    }

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
