//! The journal's head and its signature, as they stand in the ledger.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::evidence::{HeadSigner, HeadVerifier};
use crate::domain::ids::PublicKey;
use crate::error::LedgerError;
use crate::tables::sql::{counted, stored};

use super::entry::{GENESIS, Hash, InstanceId};

/// What stands before every signed head, so that its signature is nothing else's.
const HEAD_TAG: &[u8] = b"provisioning-station journal head 1\n";

/// The last entry of a journal: its number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The entry's sequence number; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub const NONE: Head = Head { seq: 0, hash: GENESIS };

    /// The text that is signed.
    pub(crate) fn message(&self, instance: &InstanceId) -> Vec<u8> {
        let mut message = HEAD_TAG.to_vec();
        message.extend_from_slice(&instance.0);
        message.extend_from_slice(&self.seq.to_be_bytes());
        message.extend_from_slice(&self.hash.0);
        message
    }

    /// Reads the head of an open ledger.
    pub(crate) fn read(connection: &Connection) -> Result<Head, LedgerError> {
        let sql = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1";
        let found = connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))
            .optional()?;
        Ok(found.map_or(Head::NONE, |(seq, hash)| Head { seq: counted(seq), hash: Hash(hash) }))
    }
}

/// A head with its signature, as it stands in the ledger and in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedHead {
    pub(crate) head: Head,
    pub(crate) public_key: PublicKey,
    pub(crate) signature: [u8; 64],
}

impl SignedHead {
    /// Signs a head and puts it into the ledger; within the transaction of its entries.
    pub(crate) fn make(
        connection: &Connection,
        instance: &InstanceId,
        head: Head,
        signer: &dyn HeadSigner,
    ) -> Result<SignedHead, LedgerError> {
        let signature = signer.sign(&head.message(instance)).map_err(LedgerError::Sign)?;
        let signed = SignedHead { head, public_key: signer.public_key(), signature };
        signed.put(connection)?;
        Ok(signed)
    }

    /// Puts it into the ledger, with its key where that is new; within the transaction of its
    /// entries.
    pub(crate) fn put(&self, connection: &Connection) -> rusqlite::Result<()> {
        if !self.put_by_known_key(connection)? {
            let sql = "INSERT INTO journal_keys (public_key) VALUES (?1)";
            connection.execute(sql, [self.public_key])?;
            self.put_by_known_key(connection)?;
        }
        Ok(())
    }

    fn put_by_known_key(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO heads SELECT ?1, id, ?2 FROM journal_keys WHERE public_key = ?3";
        let values = params![stored(self.head.seq), self.signature, self.public_key];
        Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
    }

    /// Whether its signature verifies.
    pub(crate) fn holds(&self, instance: &InstanceId, verifier: &dyn HeadVerifier) -> bool {
        let message = self.head.message(instance);
        verifier.verify(&self.public_key, &message, &self.signature).is_some()
    }

    /// The newest signed head of an open ledger; its hash is that of the entry, where the
    /// entry is there.
    pub(crate) fn newest(connection: &Connection) -> Result<Option<SignedHead>, LedgerError> {
        let sql = "SELECT heads.seq, hash, public_key, signature FROM heads
            JOIN journal_keys ON journal_keys.id = heads.key
            LEFT JOIN journal ON journal.seq = heads.seq ORDER BY heads.seq DESC LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| {
            let hash = row.get::<_, Option<[u8; 32]>>(1)?.map_or(GENESIS, Hash);
            let head = Head { seq: counted(row.get(0)?), hash };
            Ok(SignedHead { head, public_key: row.get(2)?, signature: row.get(3)? })
        };
        Ok(connection.prepare_cached(sql)?.query_row([], read).optional()?)
    }
}
