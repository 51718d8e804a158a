//! Certificates as the cloud looks at them: parsed from PEM, their issuer verified for real.

use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::domain::ids::to_hex;

/// What the emulation must know of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Its DER.
    pub(super) der: Vec<u8>,
    /// Its serial number: hex with an even number of digits, no sign byte.
    pub(super) sn: String,
    /// The subject's common name, empty where there is none.
    pub(super) cn: String,
    /// The subject's organizational unit.
    pub(super) ou: String,
    /// The issuer's common name.
    pub(super) issuer_cn: String,
    /// Whether it may issue certificates.
    pub(super) is_ca: bool,
    /// The beginning of its validity in milliseconds.
    pub(super) not_before: i64,
    /// The end of its validity in milliseconds.
    pub(super) not_after: i64,
}

impl Certificate {
    /// Reads the one certificate of a PEM text; more than one is refused.
    pub(super) fn read(pem: &str) -> Result<Self, &'static str> {
        let mut blocks = Pem::iter_from_buffer(pem.as_bytes());
        let block = blocks.next().and_then(Result::ok).ok_or("no PEM")?;
        if block.label != "CERTIFICATE" {
            return Err("the PEM block is no certificate");
        }
        if blocks.next().is_some() {
            return Err("more than one PEM block");
        }
        Self::parse(&block.contents)
    }

    fn parse(der: &[u8]) -> Result<Self, &'static str> {
        let found = parsed(der).ok_or("no certificate in DER")?;
        let constraints = found.basic_constraints().map_err(|_| "two basic constraints")?;
        Ok(Self {
            der: der.to_vec(),
            sn: magnitude(found.raw_serial()),
            cn: first(found.subject().iter_common_name()),
            ou: first(found.subject().iter_organizational_unit()),
            issuer_cn: common_name(found.issuer()),
            is_ca: constraints.is_some_and(|found| found.value.ca),
            not_before: found.validity().not_before.timestamp() * 1_000,
            not_after: found.validity().not_after.timestamp() * 1_000,
        })
    }

    /// Whether `issuer` issued it: the name, and the signature by its key.
    pub(super) fn is_issued_by(&self, issuer: &Certificate) -> bool {
        let (Some(found), Some(issuer)) = (parsed(&self.der), parsed(&issuer.der)) else {
            return false;
        };
        found.issuer().as_raw() == issuer.subject().as_raw()
            && found.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// Whether it is valid at this time in milliseconds.
    pub(super) fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

fn parsed(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der)
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, certificate)| certificate)
}

fn common_name(name: &X509Name<'_>) -> String {
    first(name.iter_common_name())
}

fn first<'a>(
    mut parts: impl Iterator<Item = &'a x509_parser::x509::AttributeTypeAndValue<'a>>,
) -> String {
    parts.next().and_then(|part| part.as_str().ok()).unwrap_or_default().to_owned()
}

/// A serial number without its sign byte, in an even number of digits.
fn magnitude(raw: &[u8]) -> String {
    let start = raw.iter().position(|byte| *byte != 0).unwrap_or(raw.len().saturating_sub(1));
    to_hex(&raw[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_its_magnitude() {
        assert_eq!(magnitude(&[0, 0x80, 0x85]), "8085");
        assert_eq!(magnitude(&[0x0e, 0xef]), "0eef");
        assert_eq!(magnitude(&[1]), "01");
        assert_eq!(magnitude(&[0]), "00");
    }

    #[test]
    fn what_is_no_single_certificate_is_refused() {
        assert_eq!(Certificate::read(""), Err("no PEM"));
        let key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
        assert_eq!(Certificate::read(key), Err("the PEM block is no certificate"));
        let torn = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert_eq!(Certificate::read(torn), Err("no certificate in DER"));
        assert_eq!(Certificate::read(&torn.repeat(2)), Err("more than one PEM block"));
    }
}
