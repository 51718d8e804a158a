//! The journal's head: its signature, and the notes of it outside the ledger.
//!
//! A note is written after the commit whose head it tells, so it is never ahead of the
//! ledger. It is renamed into place and not synced: the ledger survives a power cut by
//! SQLite's own syncs, a note is a witness against tampering. A power cut may leave an
//! older one, or an empty one, which counts as none.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::domain::evidence::HeadSigner;
use crate::domain::ids::{PublicKey, StationId};

use super::error::LedgerError;
use super::journal::{Entry, GENESIS, Hash, InstanceId};
use super::payload::HexBytes;
use super::sql::{counted, stored};
use super::{apply, witness};

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
    pub(super) const NONE: Head = Head { seq: 0, hash: GENESIS };

    /// The text that is signed.
    pub(super) fn message(&self, instance: &InstanceId) -> Vec<u8> {
        let mut message = HEAD_TAG.to_vec();
        message.extend_from_slice(&instance.0);
        message.extend_from_slice(&self.seq.to_be_bytes());
        message.extend_from_slice(&self.hash.0);
        message
    }

    /// Reads the head of an open ledger.
    pub(super) fn read(connection: &Connection) -> Result<Head, LedgerError> {
        let sql = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1";
        let found = connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))
            .optional()?;
        Ok(found.map_or(Head::NONE, |(seq, hash)| Head { seq: counted(seq), hash: Hash(hash) }))
    }

    /// Appends an entry behind this head and puts it into the tables. The head moves on.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        entry: &Entry,
    ) -> Result<(), LedgerError> {
        let wrong = |error: serde_json::Error| LedgerError::Nonsense(error.to_string());
        let bytes = entry.encode().map_err(wrong)?;
        let hash = self.hash.of_next(&bytes);
        let sql = "INSERT INTO journal VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute(params![stored(entry.seq), bytes, hash.0])?;
        apply::apply(connection, entry)?;
        *self = Head { seq: entry.seq, hash };
        Ok(())
    }
}

/// A head with its signature, as it stands in the ledger and in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedHead {
    pub(super) head: Head,
    pub(super) public_key: PublicKey,
    pub(super) signature: [u8; 64],
}

impl SignedHead {
    /// Signs a head and puts it into the ledger; within the transaction of its entries.
    pub(super) fn make(
        connection: &Connection,
        instance: &InstanceId,
        head: Head,
        signer: &dyn HeadSigner,
    ) -> Result<SignedHead, LedgerError> {
        let signature = signer.sign(&head.message(instance)).map_err(LedgerError::Sign)?;
        let signed = SignedHead { head, public_key: signer.public_key(), signature };
        let sql = "INSERT INTO journal_keys (public_key) VALUES (?1) ON CONFLICT DO NOTHING";
        connection.prepare_cached(sql)?.execute([signed.public_key])?;
        let sql = "INSERT INTO heads SELECT ?1, id, ?2 FROM journal_keys WHERE public_key = ?3";
        let values = params![stored(head.seq), signature, signed.public_key];
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(signed)
    }

    /// The newest signed head of an open ledger; its hash is that of the entry, where the
    /// entry is there.
    pub(super) fn newest(connection: &Connection) -> Result<Option<SignedHead>, LedgerError> {
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

/// A signed head outside the ledger, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) station: StationId,
    instance: HexBytes,
    pub(super) seq: u64,
    hash: HexBytes,
    pub(super) public_key: PublicKey,
    signature: HexBytes,
}

impl Note {
    pub(super) fn new(station: &StationId, instance: &InstanceId, signed: &SignedHead) -> Self {
        Note {
            station: station.clone(),
            instance: HexBytes(instance.0.to_vec()),
            seq: signed.head.seq,
            hash: HexBytes(signed.head.hash.0.to_vec()),
            public_key: signed.public_key,
            signature: HexBytes(signed.signature.to_vec()),
        }
    }

    pub(super) fn instance(&self) -> Option<InstanceId> {
        self.instance.0.as_slice().try_into().ok().map(InstanceId)
    }

    pub(super) fn signed(&self) -> Option<SignedHead> {
        let hash = Hash(self.hash.0.as_slice().try_into().ok()?);
        let signature = self.signature.0.as_slice().try_into().ok()?;
        let head = Head { seq: self.seq, hash };
        Some(SignedHead { head, public_key: self.public_key, signature })
    }

    /// Reads a note; none where there is no file, or nothing in it that is a note.
    pub(super) fn read(path: &Path) -> Result<Option<Note>, LedgerError> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LedgerError::file(path, error)),
        }
    }

    /// Writes the note, and whether it is to be durable when that is done.
    pub(super) fn write(&self, path: &Path, sync: bool) -> Result<(), LedgerError> {
        let temporary = temporary_beside(path);
        let written = self.write_to(&temporary, sync).and_then(|()| fs::rename(&temporary, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            LedgerError::file(path, error)
        })
    }

    fn write_to(&self, path: &Path, sync: bool) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        file.write_all(&bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    }
}

/// A name for a temporary file beside `path` that nobody else uses.
pub(super) fn temporary_beside(path: &Path) -> PathBuf {
    static USED: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let number = USED.fetch_add(1, Ordering::Relaxed);
    let name = format!(".{}.{}.{number}.tmp", name.unwrap_or_default(), std::process::id());
    path.with_file_name(name)
}

/// Where heads are noted outside the ledger.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    pub(super) beside: PathBuf,
    pub(super) anchor: Option<PathBuf>,
}

impl Notes {
    pub(super) fn of(data_dir: &Path, anchor: Option<&Path>) -> Self {
        let anchor = anchor.map(Path::to_path_buf);
        Notes { beside: data_dir.join(super::HEAD_FILE), anchor }
    }

    /// Each place with its name for people.
    pub(super) fn places(&self) -> Vec<(&Path, String)> {
        let beside = (self.beside.as_path(), format!("the head file {}", self.beside.display()));
        let anchor = self.anchor.as_deref();
        let anchor = anchor.map(|path| (path, format!("the anchor {}", path.display())));
        std::iter::once(beside).chain(anchor).collect()
    }

    /// Reads every note there is. Do this before the ledger is looked at: another process
    /// may commit and note in between, and a note must not seem to be ahead.
    ///
    /// One that can't be read counts as missing, so that a spoilt anchor does not stop a
    /// line; the first commit tells that it can't be written.
    pub(super) fn read(&self) -> Vec<(Note, String)> {
        let places = self.places().into_iter();
        places
            .filter_map(|(path, name)| Note::read(path).ok().flatten().map(|note| (note, name)))
            .collect()
    }

    /// Notes a committed head everywhere. What can't be written is told, not failed on:
    /// the commit is durable.
    pub(super) fn write(&self, note: &Note, how: Noting) -> Result<(), LedgerError> {
        let mut result = Ok(());
        for (path, _) in self.places() {
            let newer = how != Noting::Anyway && witness::is_ahead(path, note);
            if !newer {
                result = result.and(note.write(path, how != Noting::AfterCommit));
            }
        }
        result
    }
}

/// How a head is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noting {
    /// Unless a newer one stands there: another process may have committed since.
    AfterCommit,
    /// The same, and synced: the process ends.
    AtEnd,
    /// Whatever stands there, and synced: the ledger was restored.
    Anyway,
}
