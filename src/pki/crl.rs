//! The list of certificates that are not to be used any more, signed by their CA.

use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};

use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::authority::{Authority, AuthorityInfo};
use super::ca_certificate::parse;
use super::error::PkiError;
use super::issue::utc;
use crate::domain::clock::Timestamp;
use crate::domain::ids::CertificateSn;

/// One certificate on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Its serial number.
    pub sn: CertificateSn,
    /// Whether another one took its place.
    pub superseded: bool,
    /// Since when it is not to be used.
    pub since: Timestamp,
}

/// What a list says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlNumbering {
    /// Its number; each list of a CA has a greater one than those before it.
    pub number: u64,
    /// When it is made.
    pub now: Timestamp,
    /// When the next one is to be expected.
    pub next: Timestamp,
}

/// Whether a text is one list of revoked certificates that this CA signed, PEM.
pub fn is_list_of(pem: &str, authority: &AuthorityInfo) -> bool {
    let Ok((rest, block)) = parse_x509_pem(pem.as_bytes()) else { return false };
    let Ok((_, ca)) = parse_x509_pem(authority.certificate_pem.as_bytes()) else { return false };
    let list = CertificateRevocationList::from_der(&block.contents).ok();
    let signed = list.zip(parse(&ca.contents)).is_some_and(|((_, list), ca)| {
        list.issuer().as_raw() == ca.subject().as_raw()
            && list.verify_signature(ca.public_key()).is_ok()
    });
    signed && block.label == "X509 CRL" && rest.trim_ascii().is_empty()
}

impl Authority {
    /// Signs a list of certificates that are not to be used any more; PEM.
    pub fn revocation_list(
        &self,
        revoked: &[RevokedCertificate],
        numbering: CrlNumbering,
    ) -> Result<String, PkiError> {
        let parameters = CertificateRevocationListParams {
            this_update: utc(numbering.now)?,
            next_update: utc(numbering.next)?,
            crl_number: SerialNumber::from_slice(&unsigned(numbering.number)),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect::<Result<_, _>>()?,
            // What the CA's certificate carries: a verifier finds it by that.
            key_identifier_method: KeyIdMethod::PreSpecified(self.ca.key_id.clone()),
        };
        let signed =
            parameters.signed_by(&self.issuer).map_err(|error| self.cannot_sign(&error))?;
        signed.pem().map_err(|error| self.cannot_sign(&error))
    }
}

/// A positive INTEGER's bytes, none too many.
fn unsigned(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    bytes.get(first..).unwrap_or_default().to_vec()
}

fn entry(certificate: &RevokedCertificate) -> Result<RevokedCertParams, PkiError> {
    let reason = match certificate.superseded {
        true => RevocationReason::Superseded,
        false => RevocationReason::CessationOfOperation,
    };
    Ok(RevokedCertParams {
        serial_number: SerialNumber::from_slice(certificate.sn.as_bytes()),
        revocation_time: utc(certificate.since)?,
        reason_code: Some(reason),
        invalidity_date: None,
    })
}
