//! The notes of the journal's head outside the ledger.
//!
//! A note is written after the commit whose head it tells, so it is never ahead of the
//! ledger. It is renamed into place and not synced: the ledger survives a power cut by
//! SQLite's own syncs, a note is a witness against tampering. A power cut may leave an
//! older one, or an empty one, which counts as none.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::bounds;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{PublicKey, StationId};
use crate::domain::say::Say;
use crate::error::{LedgerError, witness_in_chinese};
use crate::keep::files::{make_temporary, temporary_beside};

use super::entry::{Hash, InstanceId};
use super::head::{Head, SignedHead};
use super::payload::HexBytes;

/// The note of the newest head beside the ledger.
pub const HEAD_FILE: &str = "journal.head";

/// A signed head outside the ledger, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) station: StationId,
    instance: HexBytes,
    pub(crate) seq: u64,
    hash: HexBytes,
    pub(crate) public_key: PublicKey,
    signature: HexBytes,
}

impl Note {
    pub(crate) fn new(station: &StationId, instance: &InstanceId, signed: &SignedHead) -> Self {
        Note {
            station: station.clone(),
            instance: HexBytes(instance.0.to_vec()),
            seq: signed.head.seq,
            hash: HexBytes(signed.head.hash.0.to_vec()),
            public_key: signed.public_key,
            signature: HexBytes(signed.signature.to_vec()),
        }
    }

    pub(crate) fn instance(&self) -> Option<InstanceId> {
        self.instance.0.as_slice().try_into().ok().map(InstanceId)
    }

    pub(crate) fn signed(&self) -> Option<SignedHead> {
        let hash = Hash(self.hash.0.as_slice().try_into().ok()?);
        let signature = self.signature.0.as_slice().try_into().ok()?;
        let head = Head { seq: self.seq, hash };
        Some(SignedHead { head, public_key: self.public_key, signature })
    }

    /// Whether it carries the signature of what it says, under the key that it names. One that
    /// does not was changed after it was written, and no reader counts it.
    pub(crate) fn is_signed(&self, verifier: &dyn HeadVerifier) -> bool {
        let (Some(instance), Some(signed)) = (self.instance(), self.signed()) else {
            return false;
        };
        signed.holds(&instance, verifier)
    }

    /// Reads a note; none where there is no file, or nothing in it that is a note.
    pub(crate) fn read(path: &Path) -> Result<Option<Note>, LedgerError> {
        match bounds::read_file(path, bounds::SETTINGS) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LedgerError::file(path, error)),
        }
    }

    /// Writes the note, and whether it is to be durable when that is done.
    pub(crate) fn write(&self, path: &Path, sync: bool) -> Result<(), LedgerError> {
        let temporary = temporary_beside(path);
        let written = self.write_to(&temporary, sync).and_then(|()| fs::rename(&temporary, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            LedgerError::file(path, error)
        })
    }

    fn write_to(&self, path: &Path, sync: bool) -> std::io::Result<()> {
        let mut file = make_temporary(path)?;
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        file.write_all(&bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    }
}

/// Whether a file is a note of a head, whoever signed it.
pub fn is_note(path: &Path) -> std::io::Result<bool> {
    let bytes = bounds::read_file(path, bounds::SETTINGS)?;
    Ok(serde_json::from_slice::<Note>(&bytes).is_ok())
}

/// Where heads are noted outside the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    pub(crate) beside: PathBuf,
    pub(crate) anchor: Option<PathBuf>,
}

impl Notes {
    pub(crate) fn of(data_dir: &Path, anchor: Option<&Path>) -> Self {
        let anchor = anchor.map(Path::to_path_buf);
        Notes { beside: data_dir.join(HEAD_FILE), anchor }
    }

    /// Each place with its name for people.
    pub(crate) fn places(&self) -> Vec<(&Path, String)> {
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
    pub(crate) fn read(&self, verifier: &dyn HeadVerifier) -> Vec<(Note, String)> {
        let found = self.found().into_iter();
        found
            .filter(|(_, note, _)| note.is_signed(verifier))
            .map(|(_, note, name)| (note, name))
            .collect()
    }

    /// Those that do not carry their signature: where they are, and their names for people.
    pub(crate) fn altered(&self, verifier: &dyn HeadVerifier) -> Vec<(&Path, String)> {
        let found = self.found().into_iter();
        found
            .filter(|(_, note, _)| !note.is_signed(verifier))
            .map(|(path, _, name)| (path, name))
            .collect()
    }

    fn found(&self) -> Vec<(&Path, Note, String)> {
        let places = self.places().into_iter();
        places
            .filter_map(|(path, name)| {
                Note::read(path).ok().flatten().map(|note| (path, note, name))
            })
            .collect()
    }

    /// Notes a committed head everywhere. What can't be written is told, not failed on:
    /// the commit is durable.
    pub(crate) fn write(
        &self,
        note: &Note,
        how: Noting,
        verifier: &dyn HeadVerifier,
    ) -> Result<(), LedgerError> {
        let mut result = Ok(());
        for (path, _) in self.places() {
            let newer = how != Noting::Anyway && is_ahead(path, note, verifier);
            if !newer {
                result = result.and(note.write(path, how != Noting::AfterCommit));
            }
        }
        result
    }
}

/// How a head is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noting {
    /// Unless a newer one stands there: another process may have committed since.
    AfterCommit,
    /// The same, and synced: the process ends.
    AtEnd,
    /// Whatever stands there, and synced: the ledger was restored.
    Anyway,
}

/// Whether a newer head of the same ledger stands there.
fn is_ahead(path: &Path, note: &Note, verifier: &dyn HeadVerifier) -> bool {
    let found = Note::read(path).ok().flatten();
    found.is_some_and(|found| {
        found.instance() == note.instance() && found.seq > note.seq && found.is_signed(verifier)
    })
}

/// What is to be told of a note that does not carry its signature.
pub(crate) fn altered(name: &str) -> Say {
    let chinese = witness_in_chinese(name);
    Say {
        english: format!(
            "{name} does not carry the signature of what it says: it was changed, and counts for nothing"
        ),
        chinese: format!("{chinese} 的签名与内容不符：它被改动，不作数"),
    }
}
