//! Reads a certificate that was just signed back, as a stranger would, and compares it
//! with what was asked for.
//!
//! It shares nothing with the code that wrote the certificate but the values asked for.

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, ParsedExtension};
use x509_parser::oid_registry::{OID_SIG_ECDSA_WITH_SHA256, Oid};
use x509_parser::x509::{X509Name, X509Version};

use super::ca_certificate::{CaCertificate, p256_key_of, parse, subject_key_id, validity_of};
use super::error::PkiError;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{CertificateSn, PublicKey};

/// Extensions that an issued certificate has, and no other: AKI, SKI, BC, KU, EKU.
const EXTENSIONS: usize = 5;
/// KeyUsage with digitalSignature alone.
const DIGITAL_SIGNATURE: u16 = 1;

/// What an issued certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A device's identity: EKU clientAuth.
    Device,
    /// The station's journal key: EKU documentSigning (RFC 9336). An EKU that is not
    /// clientAuth, because a certificate without any is good for every purpose.
    Journal,
}

impl Purpose {
    /// id-kp-documentSigning.
    pub(super) const DOCUMENT_SIGNING: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 36];

    /// Whether these purposes are this one alone.
    fn is_all_of(self, found: &ExtendedKeyUsage<'_>) -> bool {
        let others = found.any
            || found.server_auth
            || found.code_signing
            || found.email_protection
            || found.time_stamping
            || found.ocsp_signing;
        match self {
            Purpose::Device => found.client_auth && !others && found.other.is_empty(),
            Purpose::Journal => {
                let signing = Oid::from(Purpose::DOCUMENT_SIGNING).ok();
                !found.client_auth
                    && !others
                    && found.other.first() == signing.as_ref()
                    && found.other.len() == 1
            }
        }
    }
}

/// What was asked for.
pub(super) struct Expected<'a> {
    pub(super) sn: &'a CertificateSn,
    pub(super) organization: Option<&'a str>,
    pub(super) organizational_unit: Option<&'a str>,
    pub(super) common_name: &'a str,
    pub(super) public_key: &'a PublicKey,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) purpose: Purpose,
}

/// Refuses a certificate that differs from what was asked for in any part, or that does
/// not verify under the CA.
pub(super) fn check(
    der: &[u8],
    expected: &Expected<'_>,
    ca: &CaCertificate,
) -> Result<(), PkiError> {
    let found = parse(der).ok_or(PkiError::Differs { part: "its form" })?;
    let parts = [
        ("version", found.version() == X509Version::V3),
        ("serial number", found.raw_serial() == expected.sn.as_bytes()),
        ("subject", subject_is(found.subject(), expected)),
        ("issuer", found.issuer().as_raw() == ca.subject_der),
        ("validity", validity_of(&found) == (expected.not_before, expected.not_after)),
        ("public key", p256_key_of(&found).as_ref() == Some(expected.public_key)),
        ("set of extensions", found.extensions().len() == EXTENSIONS),
        ("basic constraints", is_no_ca(&found)),
        ("key usage", only_signs(&found)),
        ("extended key usage", serves(&found, expected.purpose)),
        ("subject key identifier", subject_key_id(&found).is_some_and(|id| id.len() == 20)),
        ("authority key identifier", authority_key_id(&found) == Some(&ca.key_id)),
        ("signature", is_signed_by(&found, &ca.public_key)),
    ];
    match parts.iter().find(|(_, same)| !same) {
        Some((part, _)) => Err(PkiError::Differs { part }),
        None => Ok(()),
    }
}

/// Whether the subject is O, OU (where given) and CN, in this order, once each.
fn subject_is(found: &X509Name<'_>, expected: &Expected<'_>) -> bool {
    use x509_parser::oid_registry::{
        OID_X509_COMMON_NAME, OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT,
    };

    let wanted = [
        (OID_X509_ORGANIZATION_NAME, expected.organization),
        (OID_X509_ORGANIZATIONAL_UNIT, expected.organizational_unit),
        (OID_X509_COMMON_NAME, Some(expected.common_name)),
    ];
    let wanted = wanted.iter().filter_map(|(oid, text)| Some((oid, Some((*text)?))));
    found.iter_attributes().map(|part| (part.attr_type(), part.as_str().ok())).eq(wanted)
}

pub(super) fn is_no_ca(found: &X509Certificate<'_>) -> bool {
    let constraints = found.basic_constraints().ok().flatten();
    constraints.is_some_and(|found| {
        found.critical && !found.value.ca && found.value.path_len_constraint.is_none()
    })
}

pub(super) fn only_signs(found: &X509Certificate<'_>) -> bool {
    let usage = found.key_usage().ok().flatten();
    usage.is_some_and(|found| found.critical && found.value.flags == DIGITAL_SIGNATURE)
}

pub(super) fn serves(found: &X509Certificate<'_>, purpose: Purpose) -> bool {
    let purposes = found.extended_key_usage().ok().flatten();
    purposes.is_some_and(|found| purpose.is_all_of(found.value))
}

fn authority_key_id<'a>(certificate: &X509Certificate<'a>) -> Option<&'a [u8]> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    })
}

/// Whether a P-256 key signed this certificate.
pub(super) fn is_signed_by(found: &X509Certificate<'_>, key: &PublicKey) -> bool {
    let algorithm = &found.signature_algorithm.algorithm;
    let same = *algorithm == found.tbs_certificate.signature.algorithm;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.as_bytes());
    let signed = key.verify(found.tbs_certificate.as_ref(), &found.signature_value.data);
    same && *algorithm == OID_SIG_ECDSA_WITH_SHA256 && signed.is_ok()
}
