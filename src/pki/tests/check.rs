//! The reading back finds each part that is not as it was asked for.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SanType, SerialNumber,
};
use time::macros::datetime;

use super::super::check::{Expected, Purpose, check};
use super::super::signer::Subject;
use super::*;
use crate::domain::ids::CertificateSn;

const SN: [u8; 16] = [0x42; 16];

/// A certificate as it should be, to be spoilt.
fn good() -> CertificateParams {
    let mut good = CertificateParams::default();
    good.distinguished_name = DistinguishedName::new();
    good.distinguished_name.push(DnType::OrganizationName, "Acme");
    good.distinguished_name.push(DnType::CommonName, "TH-1");
    good.serial_number = Some(SerialNumber::from_slice(&SN));
    good.not_before = datetime!(2026-11-24 00:00 UTC);
    good.not_after = datetime!(2027-11-24 00:00 UTC);
    good.is_ca = IsCa::ExplicitNoCa;
    good.use_authority_key_identifier_extension = true;
    good.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    good.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    good
}

struct Bench {
    authority: Authority,
    key: PublicKey,
}

impl Bench {
    fn new() -> Self {
        Self { authority: Place::with_ca(ValidFor::NoExpiry).load(), key: some_point() }
    }

    fn sign(&self, certificate: &CertificateParams) -> Vec<u8> {
        let signed = certificate.signed_by(&Subject(&self.key), &self.authority.issuer);
        signed.unwrap().der().to_vec()
    }

    /// What the check says of this DER where a good certificate is expected.
    fn verdict(&self, der: &[u8]) -> Result<(), PkiError> {
        let expected = Expected {
            sn: &CertificateSn::from_bytes(&SN).unwrap(),
            organization: Some("Acme"),
            organizational_unit: None,
            common_name: "TH-1",
            public_key: &self.key,
            not_before: Timestamp(1_795_478_400_000_000),
            not_after: Timestamp(1_827_014_400_000_000),
            purpose: Purpose::Device,
        };
        check(der, &expected, &self.authority.ca)
    }

    fn difference(&self, der: &[u8]) -> &'static str {
        match self.verdict(der) {
            Err(PkiError::Differs { part }) => part,
            other => panic!("{other:?}"),
        }
    }

    fn spoilt(&self, spoil: impl FnOnce(&mut CertificateParams)) -> &'static str {
        let mut certificate = good();
        spoil(&mut certificate);
        self.difference(&self.sign(&certificate))
    }
}

#[test]
fn a_certificate_as_asked_for_passes() {
    let bench = Bench::new();
    bench.verdict(&bench.sign(&good())).unwrap();
}

#[test]
fn another_serial_number_subject_or_validity_is_found() {
    let bench = Bench::new();
    let serial = SerialNumber::from_slice(&[0x43; 16]);
    assert_eq!(bench.spoilt(|c| c.serial_number = Some(serial)), "serial number");
    let name = |kind, text: &str| {
        let text = text.to_owned();
        bench.spoilt(|c| c.distinguished_name.push(kind, text))
    };
    assert_eq!(name(DnType::CommonName, "TH-2"), "subject");
    assert_eq!(name(DnType::OrganizationName, "acme"), "subject");
    assert_eq!(name(DnType::OrganizationalUnitName, "x"), "subject");
    let second_later = datetime!(2026-11-24 00:00:01 UTC);
    assert_eq!(bench.spoilt(|c| c.not_before = second_later), "validity");
    assert_eq!(bench.spoilt(|c| c.not_after = second_later), "validity");
}

#[test]
fn another_extension_is_found() {
    let bench = Bench::new();
    let none = |c: &mut CertificateParams| c.use_authority_key_identifier_extension = false;
    assert_eq!(bench.spoilt(none), "set of extensions");
    let name = SanType::DnsName("example.com".try_into().unwrap());
    assert_eq!(bench.spoilt(|c| c.subject_alt_names = vec![name]), "set of extensions");
    assert_eq!(bench.spoilt(|c| c.is_ca = IsCa::NoCa), "set of extensions");
    let ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    assert_eq!(bench.spoilt(|c| c.is_ca = ca), "basic constraints");
    let more = KeyUsagePurpose::KeyEncipherment;
    assert_eq!(bench.spoilt(|c| c.key_usages.push(more)), "key usage");
    for purpose in [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any] {
        assert_eq!(bench.spoilt(|c| c.extended_key_usages.push(purpose)), "extended key usage");
    }
    let signing = ExtendedKeyUsagePurpose::Other(Purpose::DOCUMENT_SIGNING.to_vec());
    assert_eq!(bench.spoilt(|c| c.extended_key_usages = vec![signing]), "extended key usage");
    let short = rcgen::KeyIdMethod::PreSpecified(vec![1; 4]);
    assert_eq!(bench.spoilt(|c| c.key_identifier_method = short), "subject key identifier");
}

#[test]
fn another_key_or_issuer_or_a_broken_signature_is_found() {
    let bench = Bench::new();
    let stranger = Bench::new();
    let der = bench.sign(&good());
    // The namesake has the same subject and another key, so another key id too.
    let by_namesake = Bench { key: bench.key, ..Bench::new() }.sign(&good());
    assert_eq!(bench.difference(&by_namesake), "authority key identifier");
    assert_eq!(bench.difference(&stranger.sign(&good())), "public key");
    let mut bent = der.clone();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    assert_eq!(bench.difference(&bent), "signature");
    assert_eq!(bench.difference(&der[..last]), "its form");
    assert_eq!(bench.difference(&[der, vec![0]].concat()), "its form");
}
