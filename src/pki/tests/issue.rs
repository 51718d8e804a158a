//! Device certificates, read with x509-parser alone.

use std::time::Duration;

use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate, X509Version};

use super::*;
use crate::domain::certificate::Proof;
use crate::domain::device::Verified;

fn key_ids(certificate: &X509Certificate<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let (mut own, mut issuers) = (None, None);
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => own = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                issuers = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            _ => {}
        }
    }
    (own, issuers)
}

#[test]
fn a_certificate_is_what_the_design_says() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let request = device("TH200-00000001");
    let issued = authority.issue(&request, &profile(Some(("Acme", "器件")), "20y")).unwrap();
    let (rest, found) = X509Certificate::from_der(&issued.der).unwrap();
    assert!(rest.is_empty());
    assert_eq!(found.version(), X509Version::V3);
    assert_eq!(found.subject().to_string(), "O=Acme, OU=器件, CN=TH200-00000001");
    assert_eq!(found.issuer().to_string(), "CN=Acme factory 7 CA");
    assert_eq!(found.raw_serial(), request.sn.as_bytes());
    assert_eq!(&*found.public_key().subject_public_key.data, request.public_key.as_bytes());
    assert_eq!(found.signature_algorithm.algorithm.to_id_string(), "1.2.840.10045.4.3.2");
    let constraints = found.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && !constraints.value.ca);
    let usage = found.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.digital_signature());
    assert_eq!(usage.value.flags.count_ones(), 1);
    let purpose = found.extended_key_usage().unwrap().unwrap();
    assert!(purpose.value.client_auth && !purpose.value.server_auth && !purpose.value.any);
    assert_eq!(found.extensions().len(), 5);
}

#[test]
fn the_record_of_a_certificate_says_what_is_in_it() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let request = device("TH-1");
    let issued = authority.issue(&request, &profile(None, "825d")).unwrap();
    assert_eq!(issued.sn, request.sn);
    assert_eq!(issued.public_key, request.public_key);
    assert_eq!(issued.issuer, authority.fingerprint());
    assert_eq!(issued.fingerprint, fingerprint_of(&issued.der));
    assert_eq!(issued.not_before, Timestamp((NOW.seconds() - DAY) * 1_000_000));
    assert_eq!(issued.not_after, Timestamp((NOW.seconds() + 825 * DAY) * 1_000_000));
}

#[test]
fn the_authoritys_key_id_is_the_cas_own() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let issued = authority.issue(&device("TH-1"), &profile(None, "20y")).unwrap();
    let ca = authority.certificate_der();
    let (_, ca) = X509Certificate::from_der(&ca).unwrap();
    let (_, found) = X509Certificate::from_der(&issued.der).unwrap();
    assert_eq!(key_ids(&found).1, key_ids(&ca).0);
    assert!(key_ids(&ca).0.is_some());
    assert!(key_ids(&found).0.is_some_and(|own| own.len() == 20));
}

#[test]
fn dates_beyond_2049_are_written_in_full() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let forever = authority.issue(&device("TH-1"), &profile(None, "no-expiry")).unwrap();
    let long = authority.issue(&device("TH-2"), &profile(None, "30y")).unwrap();
    let short = authority.issue(&device("TH-3"), &profile(None, "20y")).unwrap();
    let holds = |der: &[u8], text: &[u8]| der.windows(text.len()).any(|part| part == text);
    assert!(holds(&forever.der, b"\x18\x0f99991231235959Z"));
    assert!(holds(&long.der, b"\x18\x0f20561124022809Z"));
    assert!(holds(&short.der, b"\x17\x0d461124022809Z"));
    assert!(holds(&short.der, b"\x17\x0d261123022809Z"));
}

#[test]
fn back_dating_never_reaches_before_the_ca() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let long = Profile::new(None, None, ValidFor::Years(1), Duration::from_secs(5 * 86_400));
    let issued = authority.issue(&device("TH-1"), &long.unwrap()).unwrap();
    assert_eq!(issued.not_before.seconds(), NOW.seconds() - 2 * DAY);
}

#[test]
fn a_profile_to_the_cas_own_end_is_allowed_and_a_second_more_is_not() {
    let authority = Place::with_ca(ValidFor::Days(825)).load();
    let equal = profile(None, "825d");
    authority.check_profile(&equal, NOW).unwrap();
    let issued = authority.issue(&device("TH-1"), &equal).unwrap();
    assert_eq!(issued.not_after, authority.info().unwrap().not_after);
    let second_later = IssueRequest { now: Timestamp(NOW.0 + 1_000_000), ..device("TH-2") };
    let error = authority.issue(&second_later, &equal).unwrap_err();
    assert_eq!(code(&error), "E-CA-TOO-SHORT");
    let error = authority.check_profile(&equal, second_later.now).unwrap_err();
    assert_eq!(code(&error), "E-CA-TOO-SHORT");
}

#[test]
fn no_expiry_needs_a_ca_without_one() {
    let forever = profile(None, "no-expiry");
    let authority = Place::with_ca(ValidFor::Years(1000)).load();
    assert_eq!(code(&authority.check_profile(&forever, NOW).unwrap_err()), "E-CA-TOO-SHORT");
    let authority = Place::with_ca(forever.valid_for().of_its_authority()).load();
    authority.check_profile(&forever, NOW).unwrap();
}

#[test]
fn a_ca_that_is_not_valid_now_issues_nothing() {
    let authority = Place::with_ca(ValidFor::Days(10)).load();
    let short = profile(None, "1d");
    for now in [later(-3), later(11)] {
        let error = authority.issue(&IssueRequest { now, ..device("TH-1") }, &short).unwrap_err();
        assert_eq!(code(&error), "E-CA-EXPIRED");
        assert_eq!(code(&authority.check_profile(&short, now).unwrap_err()), "E-CA-EXPIRED");
        let certified = authority.certify_journal_key(&some_point(), &"S1".parse().unwrap(), now);
        assert_eq!(code(&certified.unwrap_err()), "E-CA-EXPIRED");
    }
}

#[test]
fn a_point_that_is_not_on_the_curve_gets_no_certificate() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let request = IssueRequest { public_key: PublicKey::new([4; 65]), ..device("TH-1") };
    let error = authority.issue(&request, &profile(None, "20y")).unwrap_err();
    assert_eq!(code(&error), "E-CA-ISSUE");
    assert!(error.to_string().contains("public key"), "{error}");
}

#[test]
fn the_longest_names_are_issued() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let (o, ou, cn) = ("組".repeat(64), "x".repeat(64), "C".repeat(64));
    assert!(authority.issue(&device(&cn), &profile(Some((&o, &ou)), "no-expiry")).is_ok());
}

#[test]
fn serial_numbers_keep_their_first_byte_in_range() {
    for _ in 0..200 {
        assert!((0x10..=0x7f).contains(&random_sn().unwrap().as_bytes()[0]));
    }
}

#[test]
fn zero_and_what_is_beyond_the_order_are_no_scalars() {
    let mut order = [0xff; 32];
    order[4..8].fill(0);
    order[16..].copy_from_slice(&0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551_u128.to_be_bytes());
    assert_eq!(public_key_of(&[0; 32]), None);
    assert_eq!(public_key_of(&order), None);
    order[31] -= 1;
    assert!(public_key_of(&order).is_some());
}

#[test]
fn the_public_key_of_one_is_the_base_point() {
    let mut one = [0; 32];
    one[31] = 1;
    let point = public_key_of(&one).unwrap().to_string();
    assert!(point.starts_with("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a1"), "{point}");
}

#[test]
fn a_made_key_is_the_scalar_of_its_public_key_and_never_the_same() {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let mut scalar = [0; 32];
        let public_key = make_key(&mut scalar).unwrap();
        assert_eq!(public_key_of(&scalar), Some(public_key));
        assert!(seen.insert(scalar));
    }
}

#[test]
fn only_the_issued_key_over_the_asked_message_is_possession() {
    use p256::ecdsa::signature::Signer;
    use p256::ecdsa::{Signature, SigningKey};

    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let key = new_key();
    let public_key = public_point(&key).unwrap();
    let request = IssueRequest { public_key, ..device("TH-1") };
    let certificate = authority.issue(&request, &profile(None, "20y")).unwrap();
    let sign = |key: &SecretKey, message: &[u8]| -> [u8; 64] {
        let signature: Signature = SigningKey::from(key).sign(message);
        signature.to_bytes().into()
    };
    let good = sign(&key, b"challenge");
    let judge =
        |message: &[u8], signature: &[u8; 64]| check_possession(&certificate, message, signature);
    assert_eq!(judge(b"challenge", &good), Verified::Yes(Proof::Possession));
    assert_eq!(judge(b"challenge of yesterday", &good), Verified::Wrong);
    assert_eq!(judge(b"challenge", &sign(&new_key(), b"challenge")), Verified::Wrong);
    assert_eq!(judge(b"challenge", &[0; 64]), Verified::Wrong);
    let mut bent = good;
    bent[63] ^= 1;
    assert_eq!(judge(b"challenge", &bent), Verified::Wrong);
}
