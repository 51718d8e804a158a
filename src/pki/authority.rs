//! The issuing authority: its certificate, what stands above it, and its key.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use x509_parser::certificate::X509Certificate;

use super::algorithm::{check_hash, check_signed};
use super::ca_certificate::{
    CA_CERTIFICATE, CaCertificate, check_is_ca, check_path_length, parse, refused,
};
use super::certificate_file::{certificate_pem, certificates_in, read_pem};
use super::error::PkiError;
use super::fingerprint::fingerprint_of;
use super::key_file::{self, Unreadable};
use super::passphrase::Passphrase;
use super::profile::{Profile, wrong};
use super::signer::SigningKey;
use super::token::{TokenKey, TokenSigner};
use crate::domain::cause::cause;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{Fingerprint, PublicKey};
use crate::domain::say::{Phrase, Say};
use crate::say;

const CA_CHAIN: &str = "certificate above the CA";
const SECONDS_A_DAY: i64 = 86_400;

/// Where an authority is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityPlace {
    /// The CA certificate, PEM or DER; without `chain`, perhaps with what stands above it.
    pub certificate: PathBuf,
    /// The CA key.
    pub key: KeyPlace,
    /// What stands above the CA, issuer first, where that has a file of its own.
    pub chain: Option<PathBuf>,
}

/// Where a CA key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file, encrypted PKCS#8 in PEM.
    File(PathBuf),
    /// In a token, which it never leaves.
    Token(TokenKey),
}

impl KeyPlace {
    /// As `authority show` says it.
    pub const fn kind(&self) -> &'static str {
        match self {
            KeyPlace::File(_) => "file",
            KeyPlace::Token(_) => "pkcs11",
        }
    }
}

/// What everyone may know of an authority; no passphrase is needed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityInfo {
    /// The CA's subject for people.
    pub subject: String,
    /// The CA certificate.
    pub certificate_pem: String,
    /// What stands above it, where there is something.
    pub chain_pem: Option<String>,
    /// Start of the CA's validity.
    pub not_before: Timestamp,
    /// End of the CA's validity.
    pub not_after: Timestamp,
    /// SHA-256 of the CA certificate's DER.
    pub fingerprint: Fingerprint,
    /// Where the key is kept: `file` or `pkcs11`.
    pub key: &'static str,
}

impl AuthorityInfo {
    /// Reads and checks the certificates alone.
    pub fn read(place: &AuthorityPlace) -> Result<Self, PkiError> {
        let (ca, chain) = read_all(place)?;
        Self::of(&ca, &chain, place.key.kind())
    }

    fn of(ca: &CaCertificate, chain: &[Vec<u8>], key: &'static str) -> Result<Self, PkiError> {
        let above: Vec<String> =
            chain.iter().map(|der| certificate_pem(der)).collect::<Result<_, _>>()?;
        Ok(Self {
            subject: ca.subject.clone(),
            certificate_pem: certificate_pem(&ca.der)?,
            chain_pem: (!above.is_empty()).then(|| above.concat()),
            not_before: ca.not_before,
            not_after: ca.not_after,
            fingerprint: ca.fingerprint,
            key,
        })
    }
}

impl AuthorityInfo {
    /// The CA's certificate and what stands above it, for who verifies devices.
    pub fn path_pem(&self) -> String {
        self.certificate_pem.clone() + self.chain_pem.as_deref().unwrap_or_default()
    }

    /// The subject of the first issuer above this CA that is not among these certificates
    /// (PEM or DER); none where they lead to a root, that is one that issued itself.
    ///
    /// A verifier that was given no root for a client's chain takes none of its clients:
    /// OpenSSL and what is built on it do not end a path below one unless they are told to.
    ///
    /// # Errors
    /// `PkiError::Authority` where the file holds something else, or not this CA.
    pub fn root_missing_in(&self, file: &[u8]) -> Result<Option<String>, PkiError> {
        let told = |problem: Say| refused("file for the broker", problem);
        let given = certificates_in(file).map_err(told)?;
        let own = given.iter().find(|der| fingerprint_of(der) == self.fingerprint);
        let mut end =
            own.ok_or_else(|| told(say!("does not hold {}", "里面没有 {}", self.subject)))?;
        // A path is no longer than what it is made of.
        for _ in 0..=given.len() {
            if parse(end).is_some_and(|last| !names_differ(&last, &last)) {
                return Ok(None);
            }
            match given.iter().find(|above| check_link(end, above, 0).is_ok()) {
                Some(above) => end = above,
                None => break,
            }
        }
        let issuer = parse(end).map(|last| last.issuer().to_string());
        Ok(Some(issuer.unwrap_or_default()))
    }
}

/// An authority that can issue: certificate and key, found to belong together.
pub struct Authority {
    pub(super) ca: CaCertificate,
    /// rcgen's view of the same, with the key.
    pub(super) issuer: rcgen::Issuer<'static, SigningKey>,
    chain: Vec<Vec<u8>>,
}

impl Authority {
    /// Opens the authority and tries it: its certificate may issue, the passphrase or PIN
    /// opens the key, the two belong together, and what it signs names it byte for byte.
    ///
    /// Whether it is valid *now* is asked by [`Authority::check_profile`] and at each issue.
    pub fn load(place: &AuthorityPlace, secret: &Passphrase) -> Result<Self, PkiError> {
        let (ca, chain) = read_all(place)?;
        let key = open_key(&place.key, secret, ca.public_key)?;
        Self::of_parts(ca, chain, key)
    }

    /// Refuses a place without its files, before anybody is asked for a secret.
    pub fn check_there(place: &AuthorityPlace) -> Result<(), PkiError> {
        let there = |what, path: &Path| match std::fs::metadata(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(missing(what, path, error)),
        };
        there(CA_CERTIFICATE, &place.certificate)?;
        if let Some(chain) = &place.chain {
            there(CA_CHAIN, chain)?;
        }
        match &place.key {
            KeyPlace::File(path) => there("CA key", path),
            KeyPlace::Token(_) => Ok(()),
        }
    }

    pub(super) fn of_parts(
        ca: CaCertificate,
        chain: Vec<Vec<u8>>,
        key: SigningKey,
    ) -> Result<Self, PkiError> {
        if *key.public_key() != ca.public_key {
            return Err(PkiError::Mismatch);
        }
        let issuer =
            rcgen::Issuer::from_ca_cert_der(&ca.der.to_vec().into(), key).map_err(|error| {
                let problem = say!("can't be issued with", "不能用来签发").then(&cause(&error));
                refused(CA_CERTIFICATE, problem)
            })?;
        let authority = Self { ca, issuer, chain };
        authority.rehearse()?;
        Ok(authority)
    }

    /// Refuses a profile whose certificates, made now, this CA can't issue.
    pub fn check_profile(&self, profile: &Profile, now: Timestamp) -> Result<(), PkiError> {
        self.ca.check_valid_at(now)?;
        self.end_of(profile, now).map(|_| ())
    }

    /// The end of validity by the profile: never shortened, and equal to the CA's is allowed.
    pub(super) fn end_of(&self, profile: &Profile, now: Timestamp) -> Result<Timestamp, PkiError> {
        let term = profile.valid_for();
        let no_date = || {
            wrong(
                "valid_for",
                &term.to_string(),
                Phrase { english: "ends after the year 9999", chinese: "到期在 9999 年之后" },
            )
        };
        let wanted = term.end(now).ok_or_else(no_date)?;
        let not_after = self.ca.not_after;
        if wanted > not_after {
            return Err(PkiError::TooShort { wanted, not_after });
        }
        Ok(wanted)
    }

    /// Why a signature did not come about.
    pub(super) fn cannot_sign(&self, error: &rcgen::Error) -> PkiError {
        self.issuer.key().cannot_sign(error)
    }

    /// Whole days until the CA ends; negative where it has.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.ca.not_after.seconds() - now.seconds()).div_euclid(SECONDS_A_DAY)
    }

    /// SHA-256 of the CA certificate's DER.
    pub fn fingerprint(&self) -> Fingerprint {
        self.ca.fingerprint
    }

    /// The CA certificate's DER.
    pub fn certificate_der(&self) -> Arc<[u8]> {
        Arc::clone(&self.ca.der)
    }

    /// Whether the key is in a token that was away when it was last asked for a signature, and
    /// is away still.
    pub fn is_away(&self) -> bool {
        self.issuer.key().is_away()
    }

    /// How long its token's library has not come back from what it was asked.
    pub fn silent_for(&self) -> Option<std::time::Duration> {
        self.issuer.key().silent_for()
    }

    /// The CA certificate and what stands above it, one DER behind the other, issuer first.
    pub fn chain_der(&self) -> Arc<[u8]> {
        let mut all = self.ca.der.to_vec();
        all.extend(self.chain.iter().flatten());
        all.into()
    }

    /// What `authority show` tells.
    pub fn info(&self) -> Result<AuthorityInfo, PkiError> {
        AuthorityInfo::of(&self.ca, &self.chain, self.issuer.key().kept_in())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("subject", &self.ca.subject).finish_non_exhaustive()
    }
}

/// The CA certificate and what stands above it: in the file of the chain, or behind the CA
/// in its own.
fn read_all(place: &AuthorityPlace) -> Result<(CaCertificate, Vec<Vec<u8>>), PkiError> {
    let mut found = read_file(CA_CERTIFICATE, CA_CERTIFICATE, &place.certificate)?;
    let ca = CaCertificate::from_der(&found.remove(0))?;
    let chain = match &place.chain {
        None => found,
        Some(_) if !found.is_empty() => {
            let problem = say!(
                "stands in a file with {} others, and what is above it belongs into `chain`",
                "所在文件里还有 {} 张，它上面的证书应放到 `chain`",
                found.len()
            );
            return Err(refused(CA_CERTIFICATE, problem));
        }
        Some(path) => above(&ca.der, read_file("CA chain", CA_CHAIN, path)?),
    };
    check_chain(&ca, &chain)?;
    Ok((ca, chain))
}

/// The certificates of a file, at least one.
fn read_file(
    file: &'static str,
    what: &'static str,
    path: &Path,
) -> Result<Vec<Vec<u8>>, PkiError> {
    let bytes = read_pem(path).map_err(|error| missing(file, path, error))?;
    certificates_in(&bytes).map_err(|problem| refused(what, problem))
}

/// The chain without the CA itself, which many tools put first.
pub(super) fn above(ca: &[u8], mut chain: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if chain.first().is_some_and(|der| der == ca) {
        chain.remove(0);
    }
    chain
}

fn missing(what: &'static str, path: &Path, source: io::Error) -> PkiError {
    PkiError::Missing { what, path: path.to_owned(), source }
}

/// Checks that each certificate above the CA issued the one before it, and may have.
pub(super) fn check_chain(ca: &CaCertificate, chain: &[Vec<u8>]) -> Result<(), PkiError> {
    let below = std::iter::once(&*ca.der).chain(chain.iter().map(Vec::as_slice));
    for (depth, (issued, issuer)) in (1..).zip(below.zip(chain)) {
        check_link(issued, issuer, depth).map_err(|problem| refused(CA_CHAIN, problem))?;
    }
    Ok(())
}

/// Checks one link; `depth` CAs stand below the issuer.
fn check_link(issued: &[u8], issuer: &[u8], depth: u32) -> Result<(), Say> {
    let unreadable = || say!("can't be read", "无法读取");
    let (issued, issuer) = parse(issued).zip(parse(issuer)).ok_or_else(unreadable)?;
    check_is_ca(&issuer)?;
    let named = |Say { english, chinese }: Say| {
        let subject = issuer.subject();
        Say {
            english: format!("({subject}) {english}"),
            chinese: format!("（{subject}）{chinese}"),
        }
    };
    check_hash(&issuer).map_err(named)?;
    if names_differ(&issued, &issuer) {
        return Err(say!(
            "({}) did not issue {}",
            "（{}）没有签发 {}",
            issuer.subject(),
            issued.subject()
        ));
    }
    check_signed(&issued, &issuer)?;
    check_path_length(&issuer, depth)
}

fn names_differ(issued: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    issued.issuer().as_raw() != issuer.subject().as_raw()
}

/// Opens the key that is to belong to this CA. One in a file says itself which it is; one in
/// a token is asked to sign.
pub(super) fn open_key(
    place: &KeyPlace,
    secret: &Passphrase,
    public_key: PublicKey,
) -> Result<SigningKey, PkiError> {
    match place {
        KeyPlace::File(path) => read_key(path, secret),
        KeyPlace::Token(key) => SigningKey::in_token(TokenSigner::open(key, secret)?, public_key),
    }
}

/// Of a key that reads well and does not sign.
const UNUSABLE: Phrase = Phrase { english: "can't be used", chinese: "无法使用" };

pub(super) fn read_key(path: &Path, passphrase: &Passphrase) -> Result<SigningKey, PkiError> {
    let wrong = |problem| PkiError::Key { path: path.to_owned(), problem };
    let bytes = read_pem(path).map_err(|error| missing("CA key", path, error))?;
    let key = key_file::decrypt_file(bytes, passphrase).map_err(|why| match why {
        Unreadable::Passphrase => PkiError::Passphrase { path: path.to_owned() },
        Unreadable::Content(problem) => wrong(problem),
        Unreadable::Memory(mib) => PkiError::Memory { path: path.to_owned(), mib },
    })?;
    SigningKey::for_certificates(&key).map_err(|_| wrong(UNUSABLE))
}
