//! `[authority]`: the issuing CA and where its key is.

use crate::say;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::kinds::{Placed, Section, under};
use super::raw;
use super::refusal::Refusal;
use super::words::AuthorityKind;

/// `[authority]`
#[derive(Debug, Clone)]
pub struct AuthoritySettings {
    /// Its certificate, PEM.
    pub certificate: PathBuf,
    /// Its key.
    pub key: AuthorityKey,
    /// What stands above it, PEM, its own issuer first.
    pub chain: Option<PathBuf>,
    /// Whether this CA issues for this station alone.
    pub exclusive: bool,
}

/// Where the issuing CA's key is, and where the secret is that opens it.
#[derive(Debug, Clone)]
pub enum AuthorityKey {
    /// In a file: `kind = "file"`.
    File {
        /// Encrypted PKCS#8, PEM.
        path: PathBuf,
        /// The file that holds its passphrase.
        passphrase_file: Option<PathBuf>,
    },
    /// In a token: `kind = "pkcs11"`.
    Pkcs11 {
        /// The PKCS#11 library.
        module: PathBuf,
        /// The token's label.
        token_label: String,
        /// The token's serial number, where several have that label.
        token_serial: Option<String>,
        /// The key's label.
        key_label: Option<String>,
        /// The key's id, where labels are not enough.
        key_id: Option<Vec<u8>>,
        /// The file that holds the user PIN.
        pin_file: Option<PathBuf>,
    },
}

impl AuthorityKey {
    /// Where it is, for people.
    pub fn place(&self) -> String {
        match self {
            AuthorityKey::File { path, .. } => path.display().to_string(),
            AuthorityKey::Pkcs11 { module, token_label, .. } => {
                format!("in token {token_label} by {}", module.display())
            }
        }
    }
}

pub(super) fn authority(
    raw: Section<raw::Authority>,
    dir: &Path,
) -> Result<AuthoritySettings, Refusal> {
    let key = match raw.keys().kind.map_or(AuthorityKind::File, |word| word.0) {
        AuthorityKind::File => key_in_file(&raw, dir)?,
        AuthorityKind::Pkcs11 => key_in_token(&raw, dir)?,
    };
    let raw = raw.into_keys();
    Ok(AuthoritySettings {
        certificate: raw.certificate.under(dir),
        key,
        chain: under(raw.chain, dir),
        exclusive: raw.exclusive.unwrap_or(false),
    })
}

fn key_in_file(raw: &Section<raw::Authority>, dir: &Path) -> Result<AuthorityKey, Refusal> {
    let section = raw.keys();
    if let Some(span) = of_a_token(section) {
        let why = say!(
            "belongs to a CA in an HSM, and this one is in files",
            "用于 HSM 中的 CA，而这个 CA 在文件中"
        );
        return Err(Refusal::Value { span, why });
    }
    Ok(AuthorityKey::File {
        path: section.key.as_ref().ok_or_else(|| raw.lacks("key"))?.under(dir),
        passphrase_file: section.passphrase_file.as_ref().map(|path| path.value().under(dir)),
    })
}

/// The first key that only a CA in a token has.
fn of_a_token(raw: &raw::Authority) -> Option<Range<usize>> {
    let module = raw.module.as_ref().map(Placed::span);
    let token_label = raw.token_label.as_ref().map(Placed::span);
    let serial = raw.token_serial.as_ref().map(Placed::span);
    let key_label = raw.key_label.as_ref().map(Placed::span);
    let key_id = raw.key_id.as_ref().map(Placed::span);
    let pin_file = raw.pin_file.as_ref().map(Placed::span);
    module.or(token_label).or(serial).or(key_label).or(key_id).or(pin_file)
}

/// A `key` that is left from a CA in files is not used, and does no harm.
fn key_in_token(raw: &Section<raw::Authority>, dir: &Path) -> Result<AuthorityKey, Refusal> {
    let section = raw.keys();
    if let Some(found) = &section.passphrase_file {
        return Err(found.refuse(say!(
            "belongs to a CA in files; a token is opened with `pin_file`",
            "用于文件中的 CA；令牌用 `pin_file` 打开"
        )));
    }
    if section.key_label.is_none() && section.key_id.is_none() {
        return Err(raw.lacks("key_label"));
    }
    let module = section.module.as_ref().ok_or_else(|| raw.lacks("module"))?;
    let token_label = section.token_label.as_ref().ok_or_else(|| raw.lacks("token_label"))?;
    Ok(AuthorityKey::Pkcs11 {
        module: module.value().under(dir),
        token_label: token_label.value().clone(),
        token_serial: section.token_serial.as_ref().map(|serial| serial.value().clone()),
        key_label: section.key_label.as_ref().map(|label| label.value().clone()),
        key_id: section.key_id.as_ref().map(|id| id.value().0.0.clone()),
        pin_file: section.pin_file.as_ref().map(|path| path.value().under(dir)),
    })
}
