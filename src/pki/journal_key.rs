//! The station's journal key: signs the head of the ledger's journal.

use std::io;
use std::path::Path;

use p256::SecretKey;
use p256::elliptic_curve::Generate;

use super::error::PkiError;
use super::file::{OWNER_ONLY, write_new};
use super::key_file::{self, Hardness, Unreadable};
use super::passphrase::Passphrase;
use super::signature::Verifier;
use super::signer::SigningKey;
use crate::domain::bounds;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::{HeadSigner, HeadVerifier, SignatureHolds};
use crate::domain::ids::PublicKey;
use crate::domain::say::Phrase;
use crate::say;

/// A P-256 key that signs nothing but heads of this station's journal.
pub struct JournalKey(SigningKey);

impl JournalKey {
    /// Opens the key at `path`, or makes it there where there is none.
    ///
    /// `secret` must be random, 128 bits or more, and not a passphrase that a person
    /// chose: the key file is made to open fast, not to be hard to guess at. Of several
    /// processes that come first at once, one makes the key and the others take it.
    pub fn load_or_create(path: &Path, secret: &Passphrase) -> Result<Self, PkiError> {
        match Self::load(path, secret)? {
            Some(key) => Ok(key),
            None => Self::create(path, secret),
        }
    }

    /// Opens the key at `path`; none where there is no file.
    pub fn load(path: &Path, secret: &Passphrase) -> Result<Option<Self>, PkiError> {
        let text = match bounds::read_text_file(path, bounds::CERTIFICATES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error("read", path, error)),
        };
        let key = key_file::decrypt(&text, secret).map_err(|why| match why {
            Unreadable::Passphrase => unusable(path, OTHER_SECRET),
            Unreadable::Content(problem) => unusable(path, problem),
            Unreadable::Memory(mib) => PkiError::Memory { path: path.to_owned(), mib },
        })?;
        Self::of(&key, path).map(Some)
    }

    fn create(path: &Path, secret: &Passphrase) -> Result<Self, PkiError> {
        let key = SecretKey::try_generate().map_err(|_| unusable(path, NO_RANDOM))?;
        let sealed = key_file::encrypt(&key, secret, Hardness::RandomSecret)
            .map_err(|problem| unusable(path, problem))?;
        match write_new(path, sealed.as_bytes(), OWNER_ONLY) {
            Ok(()) => Self::of(&key, path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let vanished = || unusable(path, VANISHED);
                Self::load(path, secret)?.ok_or_else(vanished)
            }
            Err(error) => Err(file_error("write", path, error)),
        }
    }

    fn of(key: &SecretKey, path: &Path) -> Result<Self, PkiError> {
        SigningKey::for_messages(key).map(Self).map_err(|_| unusable(path, UNUSABLE))
    }
}

impl HeadVerifier for JournalKey {
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds> {
        Verifier.verify(public_key, message, signature)
    }
}

impl HeadSigner for JournalKey {
    fn public_key(&self) -> PublicKey {
        *self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Fault> {
        let signature = self.0.sign(message).ok().and_then(|raw| raw.try_into().ok());
        signature.ok_or_else(|| {
            Fault::said(Code::LedgerKey, say!("the journal key can't sign", "日志密钥不能签名"))
        })
    }
}

impl std::fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JournalKey").field(self.0.public_key()).finish()
    }
}

const UNUSABLE: Phrase = Phrase { english: "can't be used", chinese: "无法使用" };
const OTHER_SECRET: Phrase = Phrase {
    english: "does not open with this station's secret",
    chinese: "用本站的口令打不开",
};
const NO_RANDOM: Phrase = Phrase {
    english: "needs random bytes, and the system gives none",
    chinese: "需要随机数，而系统不给",
};
const VANISHED: Phrase =
    Phrase { english: "vanished while it was being opened", chinese: "打开时消失了" };

fn unusable(path: &Path, problem: Phrase) -> PkiError {
    PkiError::JournalKey { path: path.to_owned(), problem }
}

fn file_error(deed: &'static str, path: &Path, source: io::Error) -> PkiError {
    PkiError::JournalKeyFile { deed, path: path.to_owned(), source }
}
