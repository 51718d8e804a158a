//! Makes a new authority: a P-256 key, encrypted at rest or in a token, and its own
//! certificate; or one that is thrown away.

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

use super::authority::{Authority, AuthorityInfo, AuthorityPlace, KeyPlace, read_key};
use super::ca_certificate::CaCertificate;
use super::certificate_file::certificate_pem;
use super::error::PkiError;
use super::file::{OWNER_ONLY, PUBLIC, write_new};
use super::issue::{random_sn, utc};
use super::key_file::{self, Hardness};
use super::passphrase::Passphrase;
use super::profile::{ValidFor, wrong};
use super::signer::SigningKey;
use super::token::TokenSigner;
use crate::domain::clock::Timestamp;
use crate::domain::say::Phrase;
use crate::say;

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

/// Makes a CA where none is: first the key, then the certificate, both durable.
pub fn init(
    place: &AuthorityPlace,
    secret: &Passphrase,
    request: &AuthorityRequest,
) -> Result<AuthorityInfo, PkiError> {
    init_with(place, secret, request, Hardness::Passphrase)
}

pub(super) fn init_with(
    place: &AuthorityPlace,
    secret: &Passphrase,
    request: &AuthorityRequest,
    hardness: Hardness,
) -> Result<AuthorityInfo, PkiError> {
    refuse_existing(place)?;
    // What is wrong with the request is found before there is a key.
    let parameters = parameters(request)?;
    let key = make_key(&place.key, secret, hardness)?;
    if let Err(error) = certify(&key, &parameters, place) {
        // A key without a certificate would be in the way of the next try.
        remove_key(&place.key, &key);
        return Err(error);
    }
    AuthorityInfo::read(&AuthorityPlace { chain: None, ..place.clone() })
}

/// Makes a CA of a key that is there already, in its token or file, and has no certificate.
pub fn init_with_existing_key(
    place: &AuthorityPlace,
    secret: &Passphrase,
    request: &AuthorityRequest,
) -> Result<AuthorityInfo, PkiError> {
    // Of its files the certificate alone must be missing.
    if place.certificate.symlink_metadata().is_ok() {
        return Err(PkiError::Exists { path: place.certificate.clone() });
    }
    let parameters = parameters(request)?;
    let key = match &place.key {
        KeyPlace::File(path) => read_key(path, secret)?,
        KeyPlace::Token(key) => in_token(TokenSigner::open(key, secret)?)?,
    };
    certify(&key, &parameters, place)?;
    AuthorityInfo::read(&AuthorityPlace { chain: None, ..place.clone() })
}

/// Writes the self-signed certificate of a key. Whatever `load` would refuse is refused
/// before it is written.
fn certify(
    key: &SigningKey,
    parameters: &CertificateParams,
    place: &AuthorityPlace,
) -> Result<(), PkiError> {
    let der = self_signed(key, parameters)?;
    CaCertificate::from_der(&der)?;
    write(&place.certificate, certificate_pem(&der)?.as_bytes(), PUBLIC)
}

/// Makes a key where there is none; it is durable then.
pub(super) fn make_key(
    place: &KeyPlace,
    secret: &Passphrase,
    hardness: Hardness,
) -> Result<SigningKey, PkiError> {
    match place {
        KeyPlace::File(path) => {
            let key = new_key()?;
            let sealed = key_file::encrypt(&key, secret, hardness)
                .map_err(|problem| PkiError::Key { path: path.clone(), problem })?;
            write(path, sealed.as_bytes(), OWNER_ONLY)?;
            for_certificates(&key)
        }
        KeyPlace::Token(key) => in_token(TokenSigner::generate(key, secret)?),
    }
}

/// The key that is there already, if there is one.
pub(super) fn existing_key(
    place: &KeyPlace,
    secret: &Passphrase,
) -> Result<Option<SigningKey>, PkiError> {
    match place {
        KeyPlace::File(path) if path.symlink_metadata().is_ok() => read_key(path, secret).map(Some),
        KeyPlace::Token(key) if TokenSigner::has(key, secret)? => {
            in_token(TokenSigner::open(key, secret)?).map(Some)
        }
        KeyPlace::File(_) | KeyPlace::Token(_) => Ok(None),
    }
}

/// Takes a key back that was just made, as far as that can be done.
fn remove_key(place: &KeyPlace, key: &SigningKey) {
    match (place, key) {
        (KeyPlace::File(path), _) => drop(fs::remove_file(path)),
        (_, SigningKey::Token { signer, .. }) => drop(signer.destroy()),
        (KeyPlace::Token(_), SigningKey::File { .. }) => {}
    }
}

/// A token's key, with the public one that is beside it.
pub(super) fn in_token(signer: TokenSigner) -> Result<SigningKey, PkiError> {
    let public_key = signer.public_key()?;
    SigningKey::in_token(signer, public_key)
}

/// Makes a CA in memory alone, which is gone with the process: for identities that protect
/// nothing.
pub fn throw_away(request: &AuthorityRequest) -> Result<Authority, PkiError> {
    let key = for_certificates(&new_key()?)?;
    let ca = CaCertificate::from_der(&self_signed(&key, &parameters(request)?)?)?;
    Authority::of_parts(ca, Vec::new(), key)
}

pub(super) fn new_key() -> Result<SecretKey, PkiError> {
    SecretKey::try_generate().map_err(|_| PkiError::Sign {
        problem: say!("the system gives no random bytes", "系统不给随机数"),
    })
}

fn for_certificates(key: &SecretKey) -> Result<SigningKey, PkiError> {
    SigningKey::for_certificates(key).map_err(|_| PkiError::Sign {
        problem: say!("the new key can't be used", "新密钥无法使用"),
    })
}

/// Refuses where a file of the authority is there; a token refuses by itself.
fn refuse_existing(place: &AuthorityPlace) -> Result<(), PkiError> {
    let key = match &place.key {
        KeyPlace::File(path) => Some(path),
        KeyPlace::Token(_) => None,
    };
    match [key, Some(&place.certificate), place.chain.as_ref()]
        .into_iter()
        .flatten()
        .find(|path| path.symlink_metadata().is_ok())
    {
        Some(path) => Err(PkiError::Exists { path: path.clone() }),
        None => Ok(()),
    }
}

pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let failed = |source| PkiError::Write { path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
    }
    write_new(path, bytes, mode).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => PkiError::Exists { path: path.to_owned() },
        _ => failed(source),
    })
}

fn self_signed(key: &SigningKey, parameters: &CertificateParams) -> Result<Vec<u8>, PkiError> {
    let signed = parameters.self_signed(key).map_err(|error| key.cannot_sign(&error))?;
    Ok(signed.der().to_vec())
}

fn parameters(request: &AuthorityRequest) -> Result<CertificateParams, PkiError> {
    let term = request.valid_for;
    let no_date = || {
        wrong(
            "days",
            &term.to_string(),
            Phrase { english: "ends after the year 9999", chinese: "到期在 9999 年之后" },
        )
    };
    let back = i64::try_from(request.backdate.as_micros()).unwrap_or(i64::MAX);
    let mut parameters = of_a_ca(&request.common_name)?;
    parameters.serial_number = Some(SerialNumber::from_slice(random_sn()?.as_bytes()));
    parameters.not_before = utc(Timestamp(request.now.0.saturating_sub(back)))?;
    parameters.not_after = utc(term.end(request.now).ok_or_else(no_date)?)?;
    Ok(parameters)
}

/// What a station's CA is, whoever signs it: one that issues devices' certificates and lists
/// of revoked ones, and no CA below it.
pub(super) fn of_a_ca(common_name: &str) -> Result<CertificateParams, PkiError> {
    check_common_name(common_name)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn check_common_name(name: &str) -> Result<(), PkiError> {
    let field = "common name";
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(wrong(
            field,
            name,
            Phrase {
                english: "is empty or has control characters", chinese: "是空的或有控制字符"
            },
        ));
    }
    if name.chars().count() > COMMON_NAME_LIMIT {
        return Err(wrong(
            field,
            name,
            Phrase { english: "at most 64 characters are allowed", chinese: "最多 64 个字符" },
        ));
    }
    Ok(())
}
