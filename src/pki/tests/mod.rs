//! The authority from outside: its files, what it issues, and OpenSSL's opinion of that.

mod authority;
mod check;
mod csr;
mod issue;
mod journal;
mod openssl;
mod roots;
mod verification;
mod verifiers;

use std::fs;
use std::path::{Path, PathBuf};

use p256::SecretKey;
use p256::elliptic_curve::Generate;
use rcgen::CertificateParams;
use tempfile::TempDir;

use super::init::init_with;
use super::key_file::{self, Hardness};
use super::signer::{SigningKey, public_point};
use super::*;
use crate::domain::certificate::Certificate;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ClientId, PublicKey};

/// 2026-11-24T02:28:09.5Z
const NOW: Timestamp = Timestamp(1_795_487_289_500_000);
const DAY: i64 = 86_400;

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse".to_owned()).unwrap()
}

fn later(days: i64) -> Timestamp {
    Timestamp(NOW.0 + days * DAY * 1_000_000)
}

/// A directory with an authority in it.
struct Place {
    dir: TempDir,
    files: AuthorityPlace,
}

impl Place {
    /// Nothing made yet.
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let files = AuthorityPlace {
            certificate: at("ca.pem"),
            key: KeyPlace::File(at("ca.key")),
            chain: None,
        };
        Self { dir, files }
    }

    fn key_file(&self) -> PathBuf {
        self.dir.path().join("ca.key")
    }

    /// A CA as `authority init` makes it, but for a key file that opens fast.
    fn with_ca(valid_for: ValidFor) -> Self {
        let place = Self::empty();
        let fast = Hardness::RandomSecret;
        init_with(&place.files, &passphrase(), &request(valid_for), fast).unwrap();
        place
    }

    /// A CA certificate of any kind with a key of any kind, and a key file that opens fast.
    fn with_odd_ca(certificate: CertificateParams, key: &SecretKey, in_file: &SecretKey) -> Self {
        let place = Self::empty();
        let signer = SigningKey::for_certificates(key).unwrap();
        let pem = certificate.self_signed(&signer).unwrap().pem();
        fs::write(&place.files.certificate, pem).unwrap();
        let sealed = key_file::encrypt(in_file, &passphrase(), Hardness::RandomSecret).unwrap();
        fs::write(place.key_file(), sealed.as_bytes()).unwrap();
        place
    }

    fn load(&self) -> Authority {
        Authority::load(&self.files, &passphrase()).unwrap()
    }

    fn refusal(&self) -> PkiError {
        Authority::load(&self.files, &passphrase()).unwrap_err()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn request(valid_for: ValidFor) -> AuthorityRequest {
    let common_name = "Acme factory 7 CA".to_owned();
    AuthorityRequest { common_name, valid_for, backdate: CA_BACKDATE, now: NOW }
}

fn profile(names: Option<(&str, &str)>, valid_for: &str) -> Profile {
    let (organization, unit) = names.unzip();
    let owned = |name: Option<&str>| name.map(str::to_owned);
    let valid_for = valid_for.parse().unwrap();
    Profile::new(owned(organization), owned(unit), valid_for, Profile::BACKDATE).unwrap()
}

fn new_key() -> SecretKey {
    SecretKey::try_generate().unwrap()
}

fn device(client_id: &str) -> IssueRequest {
    IssueRequest {
        public_key: public_point(&new_key()).unwrap(),
        client_id: client_id.parse::<ClientId>().unwrap(),
        sn: random_sn().unwrap(),
        now: NOW,
    }
}

fn write_pem(path: &Path, certificate: &Certificate) {
    fs::write(path, certificate_pem(&certificate.der).unwrap()).unwrap();
}

fn code(error: &PkiError) -> &'static str {
    error.code().as_str()
}

fn some_point() -> PublicKey {
    public_point(&new_key()).unwrap()
}
