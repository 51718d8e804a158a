//! Makes a new authority: a P-256 key, encrypted at rest, and its own certificate; or one
//! that is thrown away.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use p256::SecretKey;
use p256::elliptic_curve::Generate;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose,
    SerialNumber,
};

use super::authority::{AuthorityFiles, AuthorityInfo};
use super::ca_certificate::CaCertificate;
use super::certificate_file::certificate_pem;
use super::file::{OWNER_ONLY, PUBLIC, write_new};
use super::issue::{cannot_sign, random_sn, utc};
use super::key_file::{self, Hardness};
use super::profile::{ValidFor, wrong};
use super::signer::SigningKey;
use super::{Authority, Passphrase, PkiError};
use crate::domain::clock::Timestamp;

/// How far a new CA's start of validity is set back: more than a device's, so that the
/// first devices get the whole of theirs.
pub const CA_BACKDATE: Duration = Duration::from_secs(48 * 3600);
/// RFC 5280's upper bound for a common name.
const COMMON_NAME_LIMIT: usize = 64;

/// What a new authority is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRequest {
    /// Its CN, 1 to 64 characters.
    pub common_name: String,
    /// How long it is valid from now; [`ValidFor::of_its_authority`] gives enough for a profile.
    pub valid_for: ValidFor,
    /// How far its start is set back, for example [`CA_BACKDATE`].
    pub backdate: Duration,
    /// The station's wall clock.
    pub now: Timestamp,
}

/// Makes a CA where no file of one exists: first the key, then the certificate, both durable.
pub fn init(
    files: &AuthorityFiles,
    passphrase: &Passphrase,
    request: &AuthorityRequest,
) -> Result<AuthorityInfo, PkiError> {
    init_with(files, passphrase, request, Hardness::Passphrase)
}

pub(super) fn init_with(
    files: &AuthorityFiles,
    passphrase: &Passphrase,
    request: &AuthorityRequest,
    hardness: Hardness,
) -> Result<AuthorityInfo, PkiError> {
    refuse_existing(files)?;
    let key = new_key()?;
    let der = self_signed(&key, request)?;
    // Whatever `load` would refuse is refused before anything is written.
    CaCertificate::from_der(&der)?;
    let sealed = key_file::encrypt(&key, passphrase, hardness)
        .map_err(|problem| PkiError::Key { path: files.key.clone(), problem })?;
    write(&files.key, sealed.as_bytes(), OWNER_ONLY)?;
    if let Err(error) = write(&files.certificate, certificate_pem(&der)?.as_bytes(), PUBLIC) {
        // A key without a certificate would be in the way of the next try.
        let _ = fs::remove_file(&files.key);
        return Err(error);
    }
    AuthorityInfo::read(&AuthorityFiles { chain: None, ..files.clone() })
}

/// Makes a CA in memory alone, which is gone with the process: for identities that protect
/// nothing.
pub fn throw_away(request: &AuthorityRequest) -> Result<Authority, PkiError> {
    let key = new_key()?;
    let ca = CaCertificate::from_der(&self_signed(&key, request)?)?;
    Authority::of_parts(ca, Vec::new(), for_certificates(&key)?)
}

fn new_key() -> Result<SecretKey, PkiError> {
    SecretKey::try_generate()
        .map_err(|_| PkiError::Sign { problem: "the system gives no random bytes".to_owned() })
}

fn for_certificates(key: &SecretKey) -> Result<SigningKey, PkiError> {
    SigningKey::for_certificates(key)
        .map_err(|_| PkiError::Sign { problem: "the new key can't be used".to_owned() })
}

fn refuse_existing(files: &AuthorityFiles) -> Result<(), PkiError> {
    let all = [Some(&files.key), Some(&files.certificate), files.chain.as_ref()];
    match all.into_iter().flatten().find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(PkiError::Exists { path: path.clone() }),
        None => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let failed = |source| PkiError::Write { path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
    }
    write_new(path, bytes, mode).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => PkiError::Exists { path: path.to_owned() },
        _ => failed(source),
    })
}

fn self_signed(key: &SecretKey, request: &AuthorityRequest) -> Result<Vec<u8>, PkiError> {
    let signer = for_certificates(key)?;
    let signed = parameters(request)?.self_signed(&signer).map_err(|error| cannot_sign(&error))?;
    Ok(signed.der().to_vec())
}

fn parameters(request: &AuthorityRequest) -> Result<CertificateParams, PkiError> {
    check_common_name(&request.common_name)?;
    let term = request.valid_for;
    let no_date = || wrong("days", &term.to_string(), "ends after the year 9999");
    let back = i64::try_from(request.backdate.as_micros()).unwrap_or(i64::MAX);
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, request.common_name.as_str());
    parameters.serial_number = Some(SerialNumber::from_slice(random_sn()?.as_bytes()));
    parameters.not_before = utc(Timestamp(request.now.0.saturating_sub(back)))?;
    parameters.not_after = utc(term.end(request.now).ok_or_else(no_date)?)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn check_common_name(name: &str) -> Result<(), PkiError> {
    let field = "common name";
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(wrong(field, name, "is empty or has control characters"));
    }
    if name.chars().count() > COMMON_NAME_LIMIT {
        return Err(wrong(field, name, "at most 64 characters are allowed"));
    }
    Ok(())
}
