//! The lists of revoked certificates that were signed.

use rusqlite::{OptionalExtension, params};

use crate::domain::ids::Fingerprint;
use crate::domain::outbox::NewestList;
use crate::domain::record::Record;
use crate::error::LedgerError;
use crate::journal::entry::{Entry, Fact};

use super::reader::Reader;

impl Reader {
    /// The newest list of this CA, where one was signed here.
    pub fn newest_list(&self, authority: &Fingerprint) -> Result<Option<NewestList>, LedgerError> {
        let sql = "SELECT entry FROM acts JOIN journal ON journal.seq = acts.seq
            WHERE act = 'crl-issued' AND reason LIKE ?1 ORDER BY acts.seq DESC LIMIT 1";
        // What the act says of itself: so many of that CA.
        let of = params![format!("% of CA {authority}")];
        let found: Option<Vec<u8>> =
            self.connection.prepare(sql)?.query_row(of, |row| row.get(0)).optional()?;
        let Some(bytes) = found else { return Ok(None) };
        // The audit tells of an entry that can't be read.
        let Ok(entry) = Entry::decode(&bytes) else { return Ok(None) };
        let Fact::Record(Record::CrlIssued(issued), _) = entry.fact else { return Ok(None) };
        Ok(Some(NewestList { made: entry.wall, next: issued.next }))
    }
}
