//! The next segment of a ledger in memory, for whoever keeps a copy elsewhere and says how far
//! it has come. Nothing is written; the entries are held against the chain as they are packed.

use rusqlite::params;

use crate::ask::reader::Reader;
use crate::domain::cause::cause;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::StationId;
use crate::error::LedgerError;
use crate::journal::entry::InstanceId;
use crate::journal::head::Head;
use crate::journal::witness::Owner;
use crate::tables::sql::stored;

use super::segments::{Packed, header_of};

/// A segment's bytes, and the head with which it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The number of its first entry.
    pub first: u64,
    /// Its last entry.
    pub head: Head,
}

impl Reader {
    /// The station and the random id of this ledger; none where it has no entry yet.
    pub fn owner(&self) -> Result<Option<(StationId, InstanceId)>, LedgerError> {
        Ok(Owner::read(&self.connection)?.map(|owner| (owner.station, owner.instance)))
    }

    /// Whether this very entry is in the ledger; "none yet" is in each.
    pub fn has_entry(&self, head: Head) -> Result<bool, LedgerError> {
        if head == Head::NONE {
            return Ok(true);
        }
        let sql = "SELECT 1 FROM journal WHERE seq = ?1 AND hash = ?2";
        Ok(self.connection.prepare_cached(sql)?.exists(params![stored(head.seq), head.hash.0])?)
    }

    /// The segment that continues there, none where nothing follows. An entry that is not in
    /// this ledger is continued by nothing.
    pub fn parcel_behind(
        &self,
        behind: Head,
        verifier: &dyn HeadVerifier,
    ) -> Result<Option<Parcel>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let newest = Head::read(&self.connection)?;
        if newest.seq <= behind.seq || !self.has_entry(behind)? {
            return Ok(None);
        }
        let Packed { packer, signed } = self.pack(behind, newest.seq)?;
        let head = signed.head;
        let header = header_of(self, behind, signed, verifier)?;
        let first = header.entries().0;
        let mut bytes = Vec::new();
        packer.write(header, &mut bytes).map_err(|error| LedgerError::Backup(cause(&error)))?;
        Ok(Some(Parcel { bytes, first, head }))
    }
}
