//! A station's CA below an offline root: the request that goes to the root, and the chain
//! that comes back.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::authority::{Authority, AuthorityInfo, AuthorityPlace, check_chain, open_key};
use super::ca_certificate::{CA_CERTIFICATE, CaCertificate, parse, refused, validity_of};
use super::certificate_file::{certificate_pem, certificates_in, read_pem};
use super::error::PkiError;
use super::file::PUBLIC;
use super::init::{existing_key, make_key, of_a_ca, write};
use super::key_file::Hardness;
use super::passphrase::Passphrase;
use crate::domain::clock::Timestamp;
use crate::domain::say::Phrase;
use crate::say;

/// A request for a certificate of this CA, to be signed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityCsr {
    /// PKCS #10 in PEM: subject, `CA:TRUE` with path length 0, keyCertSign and cRLSign.
    pub pem: String,
    /// Whether the key was made for it.
    pub made_key: bool,
}

/// Signs a request with the authority's key; makes the key where there is none.
pub fn request(
    place: &AuthorityPlace,
    secret: &Passphrase,
    common_name: &str,
) -> Result<AuthorityCsr, PkiError> {
    let parameters = of_a_ca(common_name)?;
    let known = existing_key(&place.key, secret)?;
    let made_key = known.is_none();
    let key = match known {
        Some(key) => key,
        None => make_key(&place.key, secret, Hardness::Passphrase)?,
    };
    let signed = parameters.serialize_request(&key).map_err(|error| key.cannot_sign(&error))?;
    let pem = signed.pem().map_err(|error| key.cannot_sign(&error))?;
    Ok(AuthorityCsr { pem, made_key })
}

/// Takes the certificate that a root signed, with what stands above it, and writes both to
/// where the authority is kept; nothing is written unless all of it holds, and nothing over
/// another certificate. What is there already is left as it is.
///
/// `bytes` is PEM or DER: the station's own certificate first, then its issuer, and so on.
pub fn import(
    place: &AuthorityPlace,
    secret: &Passphrase,
    bytes: &[u8],
    now: Timestamp,
) -> Result<AuthorityInfo, PkiError> {
    let mut all = certificates_in(bytes).map_err(|problem| refused("chain", problem))?;
    let ca = CaCertificate::from_der(&all.remove(0))?;
    ca.check_valid_at(now)?;
    check_chain(&ca, &all)?;
    check_valid_above(&all, now)?;
    let (own, above) = match &place.chain {
        Some(_) if all.is_empty() => return Err(refused(CA_CERTIFICATE, ALONE.into())),
        Some(path) => (vec![ca.der.to_vec()], Some((path, all.clone()))),
        None => ([vec![ca.der.to_vec()], all.clone()].concat(), None),
    };
    let key = open_key(&place.key, secret, ca.public_key)?;
    // Signs once, so that what would fail at the first device fails here.
    Authority::of_parts(ca, all, key)?;
    let own = Draft::new(&place.certificate, &own)?;
    let above = above.map(|(path, chain)| Draft::new(path, &chain)).transpose()?;
    let written = above.as_ref().map_or(Ok(false), Draft::write)?;
    if let Err(error) = own.write() {
        // Half of it would be in the way of the next try.
        if let Some(draft) = above.filter(|_| written) {
            let _ = fs::remove_file(&draft.path);
        }
        return Err(error);
    }
    AuthorityInfo::read(place)
}

const ALONE: Phrase = Phrase {
    english: "stands alone, and station.toml names a file for what is above it: put its issuer \
              behind it, or take `[authority] chain` out",
    chinese: "只有它自己，而 station.toml 指定了放上级证书的文件：把它的签发者放在后面，或去掉 \
              `[authority] chain`",
};

/// A file of certificates that is to be there.
struct Draft {
    path: PathBuf,
    pem: String,
    is_there: bool,
}

impl Draft {
    /// Refuses where other certificates are there.
    fn new(path: &Path, certificates: &[Vec<u8>]) -> Result<Self, PkiError> {
        let pem: Vec<String> =
            certificates.iter().map(|der| certificate_pem(der)).collect::<Result<_, _>>()?;
        let is_there = match read_pem(path) {
            Ok(bytes) if certificates_in(&bytes).is_ok_and(|found| found == certificates) => true,
            Ok(_) => return Err(PkiError::Exists { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(source) => return Err(PkiError::Write { path: path.to_owned(), source }),
        };
        Ok(Self { path: path.to_owned(), pem: pem.concat(), is_there })
    }

    /// Whether it had to be written.
    fn write(&self) -> Result<bool, PkiError> {
        if self.is_there {
            return Ok(false);
        }
        write(&self.path, self.pem.as_bytes(), PUBLIC).map(|()| true)
    }
}

fn check_valid_above(chain: &[Vec<u8>], now: Timestamp) -> Result<(), PkiError> {
    for certificate in chain.iter().filter_map(|der| parse(der)) {
        let (not_before, not_after) = validity_of(&certificate);
        if !(not_before.seconds()..=not_after.seconds()).contains(&now.seconds()) {
            let problem = say!(
                "({}) is valid from {not_before} to {not_after}, and now it is {now}",
                "（{}）的有效期是 {not_before} 到 {not_after}，现在是 {now}",
                certificate.subject()
            );
            return Err(refused("certificate above the CA", problem));
        }
    }
    Ok(())
}
