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
use crate::domain::operators::{Lock, PinVerifier, WRONG_PINS};
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::keep::files;
use crate::say;

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
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO persons (id, name, pin) VALUES (?1, ?2, ?3)
            ON CONFLICT (id) DO UPDATE SET name = coalesce(?2, name), pin = coalesce(?3, pin),
                wrong = iif(?3 IS NULL, wrong, 0), locked_us = iif(?3 IS NULL, locked_us, NULL)";
        let pin = self.pin.as_ref().map(|pin| pin.0.as_str());
        connection.prepare_cached(sql)?.execute(params![self.operator, self.name, pin])?;
        Ok(())
    }
}

/// Wrong PINs since the last right one, or since the PIN was set, by the journal's acts.
fn wrong_in_journal(connection: &Connection, operator: &OperatorId) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM acts WHERE act = 'pin-wrong' AND reason = ?1 AND seq > (
        SELECT coalesce(max(seq), 0) FROM acts
        WHERE (act = 'pin-right' AND reason = ?1) OR (act = 'pin-changed'
            AND (reason = ?1 OR substr(reason, 1, length(?1) + 1) = ?1 || ',')))";
    connection.prepare_cached(sql)?.query_row([operator], |row| row.get(0))
}

/// The personal rows, over a connection of their own.
#[derive(Debug)]
pub struct Persons {
    connection: Connection,
}

impl Persons {
    /// The personal rows of the ledger in a data directory.
    pub(crate) fn open(data_dir: &Path) -> Result<Persons, LedgerError> {
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
            let detail = say!("{operator} has no PIN", "{operator} 没有 PIN");
            return Ok(Err(Fault::said(Code::PinWrong, detail)));
        };
        // Whoever could set this row back would have to set the journal back as well.
        let wrong = wrong.max(wrong_in_journal(&transaction, operator)?);
        let locked = match Lock::of(wrong, locked, now) {
            Lock::Open => None,
            Lock::Until(end) => Some(say!("until {end}", "到 {end} 为止")),
            Lock::UntilReset => Some(say!(
                "after {wrong} wrong tries, until it is set anew",
                "错了 {wrong} 次，须重新设置"
            )),
        };
        if let Some(how) = locked {
            let Say { english, chinese } = how;
            let detail = Say {
                english: format!("the PIN of {operator} is locked {english}"),
                chinese: format!("{operator} 的 PIN 已锁定：{chinese}"),
            };
            return Ok(Err(Fault::said(Code::PinLocked, detail)));
        }
        let wrong = wrong.saturating_add(1);
        let locked = wrong.is_multiple_of(WRONG_PINS).then_some(now);
        let sql = "UPDATE persons SET wrong = ?2, locked_us = ?3 WHERE id = ?1";
        transaction.prepare_cached(sql)?.execute(params![operator, wrong, locked])?;
        transaction.commit().map_err(LedgerError::Write)?;
        Ok(Ok(PinVerifier(pin)))
    }

    /// The PIN of the try that was begun last was right. Says whether wrong ones stand in the
    /// journal, so that a record must end their row.
    pub fn was_right(&self, operator: &OperatorId) -> Result<bool, LedgerError> {
        let wrong = wrong_in_journal(&self.connection, operator)?;
        let sql = "UPDATE persons SET wrong = 0, locked_us = NULL WHERE id = ?1";
        let done = self.connection.prepare_cached(sql).and_then(|mut sql| sql.execute([operator]));
        done.map_err(LedgerError::Write)?;
        Ok(wrong > 0)
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
