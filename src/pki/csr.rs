//! Signing requests: what a device hands in for a key that it made itself.
//!
//! A request is believed only as a [`VerifiedCsr`], which [`verify_csr`] alone makes. The
//! certificate's subject is the station's own matter; of the request only the key is used.

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::asn1_rs::Tag;
use x509_parser::certification_request::{X509CertificationRequest, X509CertificationRequestInfo};
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::oid_registry::{
    OID_SIG_ECDSA_WITH_SHA256, OID_X509_COMMON_NAME, OID_X509_EXT_KEY_USAGE,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::ca_certificate::p256_key_in;
use super::error::PkiError;
use crate::domain::identity::SigningRequest;
use crate::domain::ids::{HardwareId, PublicKey, to_hex};
use crate::domain::say::Phrase;

/// A public key whose owner showed that it has the private one, and named itself rightly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCsr {
    public_key: PublicKey,
}

impl VerifiedCsr {
    /// The key to certify.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// Checks a request: it is whole, asks for the key that the device announced, names this
/// device and nothing else, and is signed with that key.
pub fn verify_csr(
    request: &SigningRequest,
    hardware: &HardwareId,
) -> Result<VerifiedCsr, PkiError> {
    let refused = |problem| PkiError::SigningRequest { problem };
    let (rest, found) = X509CertificationRequest::from_der(&request.der).map_err(|_| {
        refused(Phrase {
            english: "is no PKCS #10 request in DER",
            chinese: "不是 DER 格式的 PKCS #10 请求",
        })
    })?;
    let info = &found.certification_request_info;
    let name = to_hex(hardware.as_bytes());
    let parts = [
        (
            rest.is_empty(),
            Phrase { english: "has bytes behind its end", chinese: "结尾之后还有内容" },
        ),
        (info.version.0 == 0, Phrase { english: "is of an unknown version", chinese: "版本未知" }),
        (
            is_common_name(&info.subject, &name),
            Phrase {
                english: "does not name this device as its subject",
                chinese: "主题不是这台设备",
            },
        ),
        (asks_for_nothing_else(info), Phrase { english: "has attributes", chinese: "带有属性" }),
        (
            p256_key_in(&info.subject_pki).as_ref() == Some(&request.public_key),
            Phrase {
                english: "asks for another key than the device announced",
                chinese: "请求的密钥与设备告知的不同",
            },
        ),
        (
            is_signed(&found, &request.public_key),
            Phrase {
                english: "is not signed with the key that it asks for",
                chinese: "没有用它请求的密钥签名",
            },
        ),
    ];
    match parts.into_iter().find(|(holds, _)| !holds) {
        Some((_, problem)) => Err(refused(problem)),
        None => Ok(VerifiedCsr { public_key: request.public_key }),
    }
}

/// Whether the subject of a request is written as the protocol's page demands: every part of
/// it as a UTF8String. The line takes any form; a device's maker should hear of another one.
pub fn has_utf8_subject(der: &[u8]) -> bool {
    let Ok((_, request)) = X509CertificationRequest::from_der(der) else { return false };
    let subject = &request.certification_request_info.subject;
    subject.iter_attributes().all(|part| part.attr_value().header.tag() == Tag::Utf8String)
}

/// Whether a request asks for nothing but a certificate, or names besides what its key is for, as
/// a modem's does that has no other form. The station decides that itself.
fn asks_for_nothing_else(info: &X509CertificationRequestInfo<'_>) -> bool {
    info.iter_attributes().all(|attribute| match attribute.parsed_attribute() {
        ParsedCriAttribute::ExtensionRequest(wanted) => {
            wanted.extensions.iter().all(|extension| extension.oid == OID_X509_EXT_KEY_USAGE)
        }
        _ => false,
    })
}

fn is_common_name(subject: &X509Name<'_>, name: &str) -> bool {
    let found = subject.iter_attributes().map(|part| (part.attr_type(), part.as_str().ok()));
    found.eq([(&OID_X509_COMMON_NAME, Some(name))])
}

fn is_signed(request: &X509CertificationRequest<'_>, key: &PublicKey) -> bool {
    let algorithm = &request.signature_algorithm;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.as_bytes());
    let message = request.certification_request_info.raw;
    algorithm.algorithm == OID_SIG_ECDSA_WITH_SHA256
        && algorithm.parameters.is_none()
        && key.verify(message, &request.signature_value.data).is_ok()
}
