//! What waits for the cloud, as a screen shows it: by the index of open rows, and of no
//! more of them than anybody looks at.

use rusqlite::params;

use crate::domain::clock::Timestamp;
use crate::domain::pages::{RegistrationTrouble, Registrations, SyncRun};
use crate::domain::state::RegistrationState;
use crate::error::LedgerError;
use crate::tables::sql::counted;
use crate::tables::states::open_row;

use super::reader::Reader;

/// Open rows that are counted: beyond, "100000" says enough.
const COUNTED: u32 = 100_000;

/// Troubles that are shown.
const SHOWN: u32 = 200;

/// How much waits, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Open rows.
    pub count: u64,
    /// Since when the oldest proof waits to be registered.
    pub oldest: Option<Timestamp>,
}

impl Reader {
    /// How much waits for the cloud.
    pub fn backlog(&self) -> Result<Backlog, LedgerError> {
        let sql = concat!(
            "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE ",
            open_row!(""),
            " LIMIT ?1)"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = counted(statement.query_row([COUNTED], |row| row.get(0))?);
        let oldest = self.oldest_unregistered()?.map(|(_, since)| since);
        Ok(Backlog { count, oldest })
    }

    /// When the cloud was last called. A call that lies behind the newest entry was made under a
    /// clock that has been set right since, and counts where there is no other.
    pub fn last_answer_of_cloud(&self) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT coalesce(
                (SELECT max(sent_us) FROM outbox WHERE sent_us <= (SELECT newest_us FROM ledger)),
                (SELECT max(sent_us) FROM outbox WHERE sent_us IS NOT NULL))";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// What waits for the cloud, and what went wrong there; one snapshot.
    pub fn registrations(&self) -> Result<Registrations, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        Ok(Registrations {
            counts: self.open_by_state()?,
            troubles: self.troubles()?,
            last_sync: self.last_answer_of_cloud()?,
            run: SyncRun::default(),
        })
    }

    fn open_by_state(&self) -> Result<Vec<(RegistrationState, u64)>, LedgerError> {
        let sql = concat!(
            "SELECT coalesce(r.state, 'waiting'), count(*)
            FROM (SELECT certificate_sn FROM outbox WHERE ",
            open_row!(""),
            " LIMIT ?1) o
            LEFT JOIN clouds ON clouds.current = 1
            LEFT JOIN registrations r ON r.certificate_sn = o.certificate_sn
                AND r.site = clouds.site AND r.region = clouds.region
                AND r.instance = clouds.instance
            GROUP BY 1 ORDER BY 1"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let counts = statement.query_map([COUNTED], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let counts: Vec<(RegistrationState, i64)> = counts.collect::<Result<_, _>>()?;
        Ok(counts.into_iter().map(|(state, count)| (state, counted(count))).collect())
    }

    fn troubles(&self) -> Result<Vec<RegistrationTrouble>, LedgerError> {
        let sql = concat!(
            "SELECT c.serial, o.client_id, coalesce(r.state, 'waiting'), o.tries,
                o.last_code, o.last_error
            FROM (SELECT * FROM outbox WHERE ",
            open_row!(""),
            " LIMIT ?1) o
            JOIN certificates c ON c.sn = o.certificate_sn
            LEFT JOIN clouds ON clouds.current = 1
            LEFT JOIN registrations r ON r.certificate_sn = o.certificate_sn
                AND r.site = clouds.site AND r.region = clouds.region
                AND r.instance = clouds.instance
            WHERE o.last_code IS NOT NULL ORDER BY o.id DESC LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let troubles = statement.query_map(params![COUNTED, SHOWN], |row| {
            let (code, error): (String, Option<String>) = (row.get(4)?, row.get(5)?);
            Ok(RegistrationTrouble {
                serial: row.get(0)?,
                client_id: row.get(1)?,
                state: row.get(2)?,
                tries: row.get(3)?,
                last_error: Some(error.map_or(code.clone(), |error| format!("{code}: {error}"))),
            })
        })?;
        Ok(troubles.collect::<Result<_, _>>()?)
    }
}
