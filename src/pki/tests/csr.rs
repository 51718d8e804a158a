//! Signing requests: one that is right, and each way to be wrong.

use rcgen::{
    CertificateParams, DnType, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    SanType,
};

use crate::csr::verify_csr;
use crate::domain::code::Code;
use crate::domain::identity::SigningRequest;
use crate::domain::ids::{HardwareId, PublicKey};

const NAME: &str = "1032547698badcfe";

fn hardware() -> HardwareId {
    HardwareId::from_bytes(&[0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]).unwrap()
}

fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

fn signed(parameters: &CertificateParams, key: &KeyPair) -> SigningRequest {
    let der = parameters.serialize_request(key).unwrap().der().to_vec();
    let public_key = PublicKey::from_bytes(key.public_key_raw());
    SigningRequest { public_key: public_key.unwrap_or(OTHER), der }
}

const OTHER: PublicKey = PublicKey::new([4; 65]);

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn refused(request: &SigningRequest) -> String {
    let error = verify_csr(request, &hardware()).unwrap_err();
    assert_eq!(error.code(), Code::DevCsr);
    error.to_string()
}

#[test]
fn a_request_that_names_this_device_and_is_signed_with_its_key_is_verified() {
    let request = signed(&named(NAME), &key());
    let verified = verify_csr(&request, &hardware()).unwrap();
    assert_eq!(*verified.public_key(), request.public_key);
}

#[test]
fn a_request_of_another_device_is_refused() {
    let request = signed(&named("1032547698badcff"), &key());
    assert!(refused(&request).contains("does not name this device"));
    let mut two = named(NAME);
    two.distinguished_name.push(DnType::OrganizationName, "Example");
    assert!(refused(&signed(&two, &key())).contains("does not name this device"));
}

#[test]
fn a_request_for_another_key_than_was_announced_is_refused() {
    let request = SigningRequest { public_key: OTHER, ..signed(&named(NAME), &key()) };
    assert!(refused(&request).contains("another key than the device announced"));
    let other_kind = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    assert!(refused(&signed(&named(NAME), &other_kind)).contains("another key"));
}

#[test]
fn a_request_that_is_not_signed_with_its_key_is_refused() {
    let (one, other) = (signed(&named(NAME), &key()), signed(&named(NAME), &key()));
    // The key of one in the request of the other: its signature is the other's.
    let at = |request: &SigningRequest| {
        let key = request.public_key.as_bytes();
        request.der.windows(65).position(|part| part == key).unwrap()
    };
    let mut der = other.der.clone();
    der[at(&other)..at(&other) + 65].copy_from_slice(one.public_key.as_bytes());
    let forged = SigningRequest { public_key: one.public_key, der };
    assert!(refused(&forged).contains("not signed with the key"));
}

#[test]
fn a_request_with_attributes_or_bytes_behind_it_is_refused() {
    let mut parameters = named(NAME);
    parameters.subject_alt_names = vec![SanType::DnsName("device".try_into().unwrap())];
    assert!(refused(&signed(&parameters, &key())).contains("has attributes"));
    let mut longer = signed(&named(NAME), &key());
    longer.der.push(0);
    assert!(refused(&longer).contains("behind its end"));
}

#[test]
fn what_is_no_request_at_all_is_refused() {
    let request = signed(&named(NAME), &key());
    for length in [0, 1, request.der.len() / 2, request.der.len() - 1] {
        let cut = SigningRequest { der: request.der[..length].to_vec(), ..request.clone() };
        assert!(refused(&cut).contains("no PKCS #10"), "{length}");
    }
}

#[test]
fn a_request_may_say_what_its_key_is_for() {
    let mut parameters = named(NAME);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let request = signed(&parameters, &key());
    let verified = verify_csr(&request, &hardware()).unwrap();
    assert_eq!(*verified.public_key(), request.public_key);
}
