//! Records with a certificate in them, as the journal's JSON has them.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::certificate::{Certificate, Proof};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, ImageDigest, PublicKey, Serial, SlotName,
    deserialize_text, hex_pairs, to_hex,
};
use crate::domain::person::Person;
use crate::domain::record::{Adopted, AttemptRef, Issued};

/// Bytes as lowercase hexadecimal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HexBytes(pub(crate) Vec<u8>);

impl FromStr for HexBytes {
    type Err = &'static str;

    /// Reads pairs of hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex_pairs(text).map(HexBytes).ok_or("not pairs of hexadecimal digits")
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        deserialize_text(d)
    }
}

/// [`Issued`] with the certificate's DER as text.
#[derive(Serialize, Deserialize)]
pub(crate) struct CertificateText {
    attempt: AttemptRef,
    certificate_sn: CertificateSn,
    fingerprint: Fingerprint,
    public_key: PublicKey,
    issuer: Fingerprint,
    not_before: Timestamp,
    not_after: Timestamp,
    image: ImageDigest,
    der: HexBytes,
}

impl CertificateText {
    pub(crate) fn of(issued: &Issued) -> Self {
        let certificate = &issued.certificate;
        CertificateText {
            attempt: issued.attempt.clone(),
            certificate_sn: certificate.sn,
            fingerprint: certificate.fingerprint,
            public_key: certificate.public_key,
            issuer: certificate.issuer,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            image: issued.image,
            der: HexBytes(certificate.der.to_vec()),
        }
    }

    pub(crate) fn into_issued(self) -> Issued {
        let certificate = Certificate {
            sn: self.certificate_sn,
            der: Arc::from(self.der.0),
            fingerprint: self.fingerprint,
            public_key: self.public_key,
            issuer: self.issuer,
            not_before: self.not_before,
            not_after: self.not_after,
        };
        Issued { attempt: self.attempt, certificate: Arc::new(certificate), image: self.image }
    }
}

/// [`Adopted`] with the certificate's DER as text.
#[derive(Serialize, Deserialize)]
pub(crate) struct AdoptedText {
    serial: Serial,
    client_id: ClientId,
    hardware: HardwareId,
    model: String,
    firmware: String,
    slot: SlotName,
    certificate_sn: CertificateSn,
    fingerprint: Fingerprint,
    public_key: PublicKey,
    issuer: Fingerprint,
    not_before: Timestamp,
    not_after: Timestamp,
    image: ImageDigest,
    der: HexBytes,
    proof: Proof,
    restart: String,
    reason: String,
    by: Person,
}

impl AdoptedText {
    pub(crate) fn of(adopted: &Adopted) -> Self {
        let certificate = &adopted.certificate;
        AdoptedText {
            serial: adopted.serial.clone(),
            client_id: adopted.client_id.clone(),
            hardware: adopted.hardware.clone(),
            model: adopted.model.clone(),
            firmware: adopted.firmware.clone(),
            slot: adopted.slot.clone(),
            certificate_sn: certificate.sn,
            fingerprint: certificate.fingerprint,
            public_key: certificate.public_key,
            issuer: certificate.issuer,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            image: adopted.image,
            der: HexBytes(certificate.der.to_vec()),
            proof: adopted.proof,
            restart: adopted.restart.clone(),
            reason: adopted.reason.clone(),
            by: adopted.by.clone(),
        }
    }

    pub(crate) fn into_adopted(self) -> Adopted {
        let certificate = Certificate {
            sn: self.certificate_sn,
            der: Arc::from(self.der.0),
            fingerprint: self.fingerprint,
            public_key: self.public_key,
            issuer: self.issuer,
            not_before: self.not_before,
            not_after: self.not_after,
        };
        Adopted {
            serial: self.serial,
            client_id: self.client_id,
            hardware: self.hardware,
            model: self.model,
            firmware: self.firmware,
            slot: self.slot,
            certificate: Arc::new(certificate),
            image: self.image,
            proof: self.proof,
            restart: self.restart,
            reason: self.reason,
            by: self.by,
        }
    }
}
