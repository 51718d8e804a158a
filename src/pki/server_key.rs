//! The key of a server that the station plays: encrypted at rest like the CA's.

use crate::domain::cause::cause;
use crate::domain::say::Say;
use crate::say;
use std::path::Path;

use p256::pkcs8::EncodePrivateKey;
use zeroize::Zeroizing;

use super::certificate_file::read_pem;
use super::error::PkiError;
use super::key_file::{self, Unreadable};
use super::passphrase::Passphrase;

/// Decrypts a P-256 key file, encrypted PKCS#8 in PEM; gives PKCS#8 in DER.
pub fn read_server_key(
    path: &Path,
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let wrong = |problem: Say| PkiError::ServerKey { path: path.to_owned(), problem };
    let bytes = read_pem(path)
        .map_err(|error| wrong(say!("can't be read", "无法读取").then(&cause(&error))))?;
    let key = key_file::decrypt_file(bytes, passphrase).map_err(|why| match why {
        Unreadable::Passphrase => wrong(say!("does not open with this passphrase", "口令打不开它")),
        Unreadable::Content(problem) => wrong(problem.into()),
        Unreadable::Memory(mib) => PkiError::Memory { path: path.to_owned(), mib },
    })?;
    Ok(key.to_pkcs8_der().map_err(|_| wrong(say!("can't be encoded", "无法编码")))?.to_bytes())
}
