//! The order key: who orders units signs with it how many a station may make.
//!
//! It lies where orders are made, encrypted like a CA's, and not at the stations that it grants
//! to. Its certificate comes from a station's CA or from an offline root.

use std::path::{Path, PathBuf};

use p256::SecretKey;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
};

use super::authority::{Authority, KeyPlace};
use super::certificate_file::{certificate_pem, certificates_in, read_pem};
use super::check::{Expected, Purpose};
use super::error::PkiError;
use super::file::PUBLIC;
use super::init::{make_key, write};
use super::issue::random_sn;
use super::key_file::{Hardness, Unreadable, decrypt_file};
use super::order_certificate::{self, COMMON_NAME_PREFIX};
use super::passphrase::Passphrase;
use super::profile::ValidFor;
use super::signer::{SigningFailed, SigningKey};
use super::subordinate::AuthorityCsr;
use crate::domain::cause::cause;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, RawSignature, SignedGrant, Signer};
use crate::domain::ids::PublicKey;
use crate::domain::say::{Phrase, Say};
use crate::say;

/// How far a new certificate's start is set back, for a station whose clock is behind.
const BACKDATE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// RFC 5280's upper bound for a common name, less what stands before the name.
const LONGEST_NAME: usize = 64 - COMMON_NAME_PREFIX.len();

/// Where an order key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlace {
    /// The key, encrypted PKCS#8 in PEM.
    pub key: PathBuf,
    /// Its certificate, PEM or DER.
    pub certificate: PathBuf,
}

/// An order key with its certificate, found to belong together.
pub struct OrderKey {
    key: SigningKey,
    certificate: Vec<u8>,
    signer: Signer,
}

impl OrderKey {
    /// Opens it; a certificate that is not valid now is refused.
    pub fn open(place: &OrderPlace, secret: &Passphrase, now: Timestamp) -> Result<Self, PkiError> {
        let (certificate, signer) = read_certificate(&place.certificate)?;
        order_certificate::check_valid_at(&certificate, now)
            .map_err(|problem| wrong(&place.certificate, problem))?;
        let key = open_with(&place.key, secret, SigningKey::for_messages)?;
        belongs(place, key.public_key(), &signer)?;
        Ok(Self { key, certificate, signer })
    }

    /// Who signs with it.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Signs a grant.
    pub fn sign(&self, grant: Grant) -> Result<SignedGrant, PkiError> {
        let no_signature = || PkiError::Sign {
            problem: say!("the order key can't sign", "订货密钥不能签名"),
        };
        let raw = self.key.sign(&grant.signed_bytes()).map_err(|_| no_signature())?;
        let signature = RawSignature(raw.try_into().map_err(|_| no_signature())?);
        Ok(SignedGrant { grant, certificate: self.certificate.clone(), signature })
    }
}

impl std::fmt::Debug for OrderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderKey").field("name", &self.signer.name).finish_non_exhaustive()
    }
}

/// Makes an order key where there is none, and has a CA certify it.
pub fn make_order_key(
    place: &OrderPlace,
    secret: &Passphrase,
    name: &str,
    by: &Authority,
    valid_for: ValidFor,
    now: Timestamp,
) -> Result<Signer, PkiError> {
    check_name(name)?;
    if let Some(path) = [&place.certificate, &place.key].into_iter().find(|path| is_there(path)) {
        return Err(PkiError::Exists { path: path.clone() });
    }
    // What is wrong with the term is found before there is a key.
    let not_after = term(by, valid_for, now)?;
    let key = make_key(&KeyPlace::File(place.key.clone()), secret, Hardness::Passphrase)?;
    let certified = certify(by, key.public_key(), name, not_after, now)
        .and_then(|der| write(&place.certificate, certificate_pem(&der)?.as_bytes(), PUBLIC));
    if let Err(error) = certified {
        // A key without a certificate would be in the way of the next try.
        let _ = std::fs::remove_file(&place.key);
        return Err(error);
    }
    read_certificate(&place.certificate).map(|(_, signer)| signer)
}

fn term(by: &Authority, valid_for: ValidFor, now: Timestamp) -> Result<Timestamp, PkiError> {
    let wanted = valid_for.end(now).unwrap_or(Timestamp::NO_EXPIRY);
    let not_after = by.ca.not_after;
    match wanted > not_after {
        true => Err(PkiError::TooShort { wanted, not_after }),
        false => Ok(wanted),
    }
}

fn certify(
    by: &Authority,
    key: &PublicKey,
    name: &str,
    not_after: Timestamp,
    now: Timestamp,
) -> Result<Vec<u8>, PkiError> {
    by.ca.check_valid_at(now)?;
    by.sign_checked(&Expected {
        sn: &random_sn()?,
        organization: None,
        organizational_unit: None,
        common_name: &format!("{COMMON_NAME_PREFIX}{name}"),
        public_key: key,
        not_before: by.start_of(now, BACKDATE),
        not_after,
        // The purpose is to sign documents, as a journal key's; the name keeps them apart.
        purpose: Purpose::Journal,
    })
}

/// Signs a request for an offline root with the order key; makes the key where there is none.
pub fn request_order_key(
    place: &OrderPlace,
    secret: &Passphrase,
    name: &str,
) -> Result<AuthorityCsr, PkiError> {
    check_name(name)?;
    let file = KeyPlace::File(place.key.clone());
    let made_key = !is_there(&place.key);
    let key = match made_key {
        true => make_key(&file, secret, Hardness::Passphrase)?,
        false => open_with(&place.key, secret, SigningKey::for_certificates)?,
    };
    let signed = parameters(name).serialize_request(&key).map_err(|error| key.cannot_sign(&error));
    let pem = signed?.pem().map_err(|error| key.cannot_sign(&error))?;
    Ok(AuthorityCsr { pem, made_key })
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    let common_name = format!("{COMMON_NAME_PREFIX}{name}");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::Other(Purpose::DOCUMENT_SIGNING.to_vec())];
    parameters
}

/// Takes the certificate that a root signed for the order key, and writes it beside the key;
/// nothing is written unless it holds, and nothing over another one.
pub fn import_order_certificate(
    place: &OrderPlace,
    secret: &Passphrase,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Signer, PkiError> {
    let refused = |problem: Say| wrong(&place.certificate, problem);
    let all = certificates_in(bytes).map_err(refused)?;
    let own = all.first().ok_or_else(|| refused(say!("holds no certificate", "里面没有证书")))?;
    let signer = order_certificate::signer_of(own).map_err(refused)?;
    order_certificate::check_valid_at(own, now).map_err(refused)?;
    let key = open_with(&place.key, secret, SigningKey::for_messages)?;
    belongs(place, key.public_key(), &signer)?;
    write(&place.certificate, certificate_pem(own)?.as_bytes(), PUBLIC)?;
    Ok(signer)
}

/// Who signs with an order key, by its certificate alone; no passphrase is needed.
pub fn order_signer(place: &OrderPlace) -> Result<Signer, PkiError> {
    read_certificate(&place.certificate).map(|(_, signer)| signer)
}

fn read_certificate(path: &Path) -> Result<(Vec<u8>, Signer), PkiError> {
    let bytes = read_pem(path).map_err(|error| missing(path, &error))?;
    let mut all = certificates_in(&bytes).map_err(|problem| wrong(path, problem))?;
    let own = all.remove(0);
    let signer = order_certificate::signer_of(&own).map_err(|problem| wrong(path, problem))?;
    Ok((own, signer))
}

fn belongs(place: &OrderPlace, key: &PublicKey, signer: &Signer) -> Result<(), PkiError> {
    match *key == signer.public_key {
        true => Ok(()),
        false => {
            let problem = say!("does not belong to {}", "不属于 {}", place.certificate.display());
            Err(wrong(&place.key, problem))
        }
    }
}

fn check_name(name: &str) -> Result<(), PkiError> {
    let is_sound = !name.trim().is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.chars().any(char::is_control);
    let problem = Phrase {
        english: "is empty, longer than 49 characters, or has control characters",
        chinese: "是空的、超过 49 个字符，或有控制字符",
    };
    let refused = || PkiError::Profile { field: "name", value: name.to_owned(), problem };
    is_sound.then_some(()).ok_or_else(refused)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn missing(path: &Path, error: &std::io::Error) -> PkiError {
    wrong(path, say!("can't be read", "无法读取").then(&cause(error)))
}

/// Opens the key's file, for one kind of signatures.
fn open_with(
    path: &Path,
    secret: &Passphrase,
    purpose: fn(&SecretKey) -> Result<SigningKey, SigningFailed>,
) -> Result<SigningKey, PkiError> {
    let bytes = read_pem(path).map_err(|error| missing(path, &error))?;
    let key = decrypt_file(bytes, secret).map_err(|why| match why {
        Unreadable::Passphrase => {
            wrong(path, say!("does not open with the passphrase given", "给出的口令打不开它"))
        }
        Unreadable::Content(problem) => wrong(path, problem.into()),
        Unreadable::Memory(mib) => PkiError::Memory { path: path.to_owned(), mib },
    })?;
    purpose(&key).map_err(|SigningFailed| wrong(path, say!("can't be used", "无法使用")))
}

fn wrong(path: &Path, problem: Say) -> PkiError {
    PkiError::OrderKey { path: path.to_owned(), problem }
}
