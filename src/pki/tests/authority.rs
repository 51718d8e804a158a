//! Making and opening an authority, and every reason to refuse one.

use std::os::unix::fs::PermissionsExt;

use p256::pkcs8::EncodePrivateKey;
use pkcs8::LineEnding;
use rcgen::{
    BasicConstraints, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
};
use time::macros::datetime;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use super::*;

/// A CA certificate as it should be, to be spoilt.
fn good() -> CertificateParams {
    let mut good = CertificateParams::default();
    good.distinguished_name = rcgen::DistinguishedName::new();
    good.distinguished_name.push(DnType::CommonName, "Acme");
    good.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    good.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    good.not_before = datetime!(2026-01-01 00:00 UTC);
    good.not_after = datetime!(2056-01-01 00:00 UTC);
    good
}

fn refusal_of(spoil: impl FnOnce(&mut CertificateParams)) -> PkiError {
    let mut certificate = good();
    spoil(&mut certificate);
    let key = new_key();
    Place::with_odd_ca(certificate, &key, &key).refusal()
}

#[test]
fn a_good_certificate_of_another_program_is_taken() {
    let key = new_key();
    let authority = Place::with_odd_ca(good(), &key, &key).load();
    assert!(authority.issue(&device("TH-1"), &profile(None, "20y")).is_ok());
}

#[test]
fn init_makes_a_ca_by_its_profile() {
    let place = Place::with_ca(ValidFor::Days(3650));
    let der = read_certificates(&place.files.certificate).unwrap().remove(0);
    let (_, ca) = X509Certificate::from_der(&der).unwrap();
    let constraints = ca.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = ca.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert_eq!(usage.value.flags.count_ones(), 2);
    let has_key_id = |e: &&x509_parser::extensions::X509Extension<'_>| {
        matches!(e.parsed_extension(), ParsedExtension::SubjectKeyIdentifier(_))
    };
    assert_eq!(ca.extensions().iter().filter(has_key_id).count(), 1);
    assert_eq!(ca.raw_serial().len(), 16);
    assert!((0x10..=0x7f).contains(&ca.raw_serial()[0]));
    assert_eq!(ca.subject().to_string(), "CN=Acme factory 7 CA");
    assert_eq!(ca.validity().not_before.timestamp(), NOW.seconds() - 2 * DAY);
    assert_eq!(ca.validity().not_after.timestamp(), NOW.seconds() + 3650 * DAY);
}

#[test]
fn the_key_file_is_encrypted_and_its_owners_alone() {
    let place = Place::empty();
    init(&place.files, &passphrase(), &request(ValidFor::NoExpiry)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.key_file()), 0o600);
    assert_eq!(mode(&place.files.certificate), 0o644);
    let text = fs::read_to_string(place.key_file()).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
}

#[test]
fn another_passphrase_opens_nothing() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let wrong = Passphrase::new("correct horse ".to_owned()).unwrap();
    let error = Authority::load(&place.files, &wrong).unwrap_err();
    assert_eq!(code(&error), "E-CA-PASSPHRASE");
    assert!(!error.to_string().contains("horse"), "{error}");
}

#[test]
fn garbage_after_a_lucky_padding_is_still_a_wrong_passphrase() {
    let sealed = key_file::encrypt(&new_key(), &passphrase(), Hardness::RandomSecret).unwrap();
    for attempt in 0..300 {
        let wrong = Passphrase::new(format!("wrong {attempt}")).unwrap();
        let why = key_file::decrypt(&sealed, &wrong).unwrap_err();
        assert_eq!(why, key_file::Unreadable::Passphrase);
    }
}

#[test]
fn init_overwrites_nothing() {
    for name in ["ca.pem", "ca.key", "chain.pem"] {
        let mut place = Place::empty();
        place.files.chain = Some(place.path("chain.pem"));
        fs::write(place.path(name), "precious").unwrap();
        let error = init(&place.files, &passphrase(), &request(ValidFor::NoExpiry)).unwrap_err();
        assert_eq!(code(&error), "E-CA-EXISTS", "{name}");
        assert_eq!(fs::read_to_string(place.path(name)).unwrap(), "precious");
        assert_eq!(fs::read_dir(place.dir.path()).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn init_where_nothing_can_be_written_leaves_nothing() {
    let mut place = Place::empty();
    fs::write(place.path("file"), "").unwrap();
    place.files.certificate = place.path("file").join("ca.pem");
    let error = init(&place.files, &passphrase(), &request(ValidFor::NoExpiry)).unwrap_err();
    assert_eq!(code(&error), "E-OUTPUT");
    assert!(!place.key_file().exists());
}

#[test]
fn a_common_name_is_checked_before_anything_is_made() {
    for name in ["", " ", "a\u{7}b", &"x".repeat(65)] {
        let place = Place::empty();
        let odd = AuthorityRequest { common_name: name.to_owned(), ..request(ValidFor::NoExpiry) };
        let error = init(&place.files, &passphrase(), &odd).unwrap_err();
        assert_eq!(code(&error), "E-CONFIG-VALUE");
        assert_eq!(fs::read_dir(place.dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn missing_files_are_named() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    fs::remove_file(place.key_file()).unwrap();
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-MISSING");
    assert!(error.to_string().contains("CA key") && error.to_string().contains("ca.key"));
    fs::remove_file(&place.files.certificate).unwrap();
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-MISSING");
    assert!(error.to_string().contains("ca.pem"), "{error}");
}

#[test]
fn a_key_in_clear_is_refused_with_the_way_to_encrypt_it() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let clear = new_key().to_pkcs8_pem(LineEnding::LF).unwrap();
    fs::write(place.key_file(), clear.as_bytes()).unwrap();
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-KEY");
    assert!(error.to_string().contains("is not encrypted"), "{error}");
    assert!(error.to_string().contains("openssl pkcs8 -topk8"), "{error}");
}

#[test]
fn a_key_file_of_something_else_is_refused() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    fs::write(place.key_file(), "hello").unwrap();
    assert_eq!(code(&place.refusal()), "E-CA-KEY");
    fs::copy(&place.files.certificate, place.key_file()).unwrap();
    assert_eq!(code(&place.refusal()), "E-CA-KEY");
}

#[test]
fn key_and_certificate_must_belong_together() {
    let place = Place::with_odd_ca(good(), &new_key(), &new_key());
    assert_eq!(code(&place.refusal()), "E-CA-MISMATCH");
}

#[test]
fn a_certificate_that_may_not_issue_is_refused_with_its_reason() {
    let not_a_ca = refusal_of(|ca| ca.is_ca = IsCa::ExplicitNoCa);
    let no_constraints = refusal_of(|ca| ca.is_ca = IsCa::NoCa);
    let may_not_sign = refusal_of(|ca| ca.key_usages = vec![KeyUsagePurpose::CrlSign]);
    let no_usage = refusal_of(|ca| ca.key_usages = vec![]);
    let for_servers = refusal_of(|ca| {
        ca.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let unknown = refusal_of(|ca| {
        let mut odd = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        odd.set_criticality(true);
        ca.custom_extensions = vec![odd];
    });
    for (error, says) in [
        (not_a_ca, "is not a CA's (CA:FALSE)"),
        (no_constraints, "is not a CA's (it has no basic constraints)"),
        (may_not_sign, "lacks keyCertSign"),
        (no_usage, "lacks keyCertSign"),
        (for_servers, "may not issue client certificates"),
        (unknown, "has a critical extension that is not supported (1.2.3.4)"),
    ] {
        assert_eq!(code(&error), "E-CA-PROFILE", "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_ca_of_another_curve_is_refused() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    fs::write(&place.files.certificate, good().self_signed(&key).unwrap().pem()).unwrap();
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-PROFILE");
    assert!(error.to_string().contains("not P-256"), "{error}");
}

#[test]
fn what_is_behind_the_ca_in_its_file_is_above_it_and_nowhere_else() {
    let mut place = Place::with_ca(ValidFor::NoExpiry);
    let stranger = Place::with_ca(ValidFor::NoExpiry);
    let both = [&place, &stranger].map(|of| fs::read(&of.files.certificate).unwrap()).concat();
    fs::write(&place.files.certificate, both).unwrap();
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-PROFILE");
    assert!(error.to_string().contains("did not issue"), "{error}");

    place.files.chain = Some(place.path("chain.pem"));
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-PROFILE");
    assert!(error.to_string().contains("belongs into `chain`"), "{error}");
}

#[test]
fn a_subject_that_cannot_be_repeated_is_found_at_the_start() {
    // Two organisational units: rcgen keeps one, so devices would name an issuer that is
    // not this CA. OpenSSL makes the certificate, because rcgen can't.
    let place = Place::empty();
    super::openssl::ca_with_two_units(&place);
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-PROFILE");
    assert!(error.to_string().contains("issuer differs"), "{error}");
}

#[test]
fn a_chain_must_lead_upwards_from_the_ca() {
    let root_key = new_key();
    let root_signer = SigningKey::for_certificates(&root_key).unwrap();
    let mut root = good();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(DnType::CommonName, "Acme root");
    let root_pem = root.self_signed(&root_signer).unwrap().pem();
    let issuer = rcgen::Issuer::new(root, root_signer);

    let key = new_key();
    let mut place = Place::with_odd_ca(good(), &key, &key);
    let ca_key = SigningKey::for_certificates(&key).unwrap();
    let ca_pem = good().signed_by(&ca_key, &issuer).unwrap().pem();
    fs::write(&place.files.certificate, &ca_pem).unwrap();
    place.files.chain = Some(place.path("chain.pem"));

    fs::write(place.path("chain.pem"), ca_pem + &root_pem).unwrap();
    let authority = place.load();
    let ca_length = authority.certificate_der().len();
    let root_der = pem_der(&root_pem);
    assert_eq!(authority.chain_der()[ca_length..], root_der);
    assert_eq!(authority.info().unwrap().chain_pem, Some(root_pem.clone().replace("\r\n", "\n")));

    let stranger = Place::with_ca(ValidFor::NoExpiry);
    fs::copy(&stranger.files.certificate, place.path("chain.pem")).unwrap();
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-PROFILE");
    assert!(error.to_string().contains("did not issue"), "{error}");
}

fn pem_der(pem: &str) -> Vec<u8> {
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents
}

#[test]
fn what_is_shown_needs_no_passphrase() {
    let place = Place::with_ca(ValidFor::Days(100));
    let info = AuthorityInfo::read(&place.files).unwrap();
    assert_eq!(info, place.load().info().unwrap());
    assert_eq!(info.certificate_pem, fs::read_to_string(&place.files.certificate).unwrap());
    assert_eq!(info.not_after.seconds(), NOW.seconds() + 100 * DAY);
    assert_eq!((info.key, info.chain_pem), ("file", None));
}

#[test]
fn days_left_are_whole_days_and_go_below_zero() {
    let authority = Place::with_ca(ValidFor::Days(100)).load();
    assert_eq!(authority.days_left(NOW), 100);
    assert_eq!(authority.days_left(Timestamp(NOW.0 + 1_000_000)), 99);
    assert_eq!(authority.days_left(later(102)), -2);
}

#[test]
fn secrets_are_not_printed() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let text = format!("{:?} {:?}", place.load(), passphrase());
    assert_eq!(text, "Authority { subject: \"CN=Acme factory 7 CA\", .. } Passphrase(…)");
}
