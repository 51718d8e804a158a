//! Another implementation must agree: the `openssl` program on what the station makes.

use std::process::{Command, Output};

use super::*;

fn openssl(arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).output().unwrap()
}

fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Whether OpenSSL would let a client with this certificate in, at the moment `at`.
fn verify(ca: &Path, device: &Path, purpose: &str, at: Timestamp) -> Output {
    let at = at.seconds().to_string();
    let strict = ["verify", "-x509_strict", "-purpose", purpose, "-attime", &at];
    openssl(&[&strict[..], &["-CAfile", text(ca), text(device)]].concat())
}

/// A CA certificate with two OUs, and its key, as OpenSSL makes them.
pub(super) fn ca_with_two_units(place: &Place) {
    make_ca(place, "/O=Acme/OU=Plant/OU=Line 3/CN=Acme CA");
}

fn make_ca(place: &Place, subject: &str) {
    let key_file = place.key_file();
    let (key, certificate) = (text(&key_file), text(&place.files.certificate));
    let curve = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let sealed = ["-aes-256-cbc", "-pass", "pass:correct horse", "-out", key];
    succeeded(&openssl(&[&curve[..], &sealed].concat()));
    let request = ["req", "-x509", "-days", "20000", "-subj", subject, "-out", certificate];
    let with_key = ["-key", key, "-passin", "pass:correct horse"];
    let ca = ["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"];
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    succeeded(&openssl(&[&request[..], &with_key, &ca, &usage].concat()));
}

#[test]
fn openssl_accepts_every_profile() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let authority = place.load();
    let names = Some(("Acme 器件", "Thermometers"));
    for profile in [
        profile(None, "20y"),
        profile(names, "20y"),
        profile(names, "no-expiry"),
        profile(None, "no-expiry"),
        profile(None, "1d"),
        profile(names, "825d"),
    ] {
        let certificate = authority.issue(&device("TH200-00000001"), &profile).unwrap();
        let path = place.path("device.pem");
        write_pem(&path, &certificate);
        let verdict = verify(&place.files.certificate, &path, "sslclient", NOW);
        assert!(succeeded(&verdict).trim_end().ends_with(": OK"), "{profile:?}");
        let as_server = verify(&place.files.certificate, &path, "sslserver", NOW);
        assert!(!as_server.status.success());
    }
}

#[test]
fn openssl_refuses_under_another_ca_and_outside_the_validity() {
    let (place, other) = (Place::with_ca(ValidFor::NoExpiry), Place::with_ca(ValidFor::NoExpiry));
    let certificate = place.load().issue(&device("TH-1"), &profile(None, "10d")).unwrap();
    let path = place.path("device.pem");
    write_pem(&path, &certificate);
    let ca = &place.files.certificate;
    assert!(!verify(&other.files.certificate, &path, "sslclient", NOW).status.success());
    assert!(!verify(ca, &path, "sslclient", later(11)).status.success());
    assert!(!verify(ca, &path, "sslclient", later(-2)).status.success());
    assert!(verify(ca, &path, "sslclient", later(9)).status.success());
}

#[test]
fn openssl_opens_the_key_that_init_wrote() {
    let place = Place::empty();
    init(&place.files, &passphrase(), &request(ValidFor::NoExpiry)).unwrap();
    let key_file = place.key_file();
    let key = text(&key_file);
    let public = ["pkey", "-pubout", "-in", key, "-passin", "pass:correct horse"];
    let of_key = succeeded(&openssl(&public));
    let certificate = text(&place.files.certificate);
    let of_certificate = succeeded(&openssl(&["x509", "-noout", "-pubkey", "-in", certificate]));
    assert_eq!(of_key, of_certificate);
    let wrong = ["pkey", "-pubout", "-in", key, "-passin", "pass:wrong"];
    assert!(!openssl(&wrong).status.success());
}

#[test]
fn a_ca_that_openssl_made_issues() {
    let place = Place::empty();
    make_ca(&place, "/C=CN/O=Acme/CN=Acme CA");
    let authority = place.load();
    let now = authority.info().unwrap().not_before;
    let request = IssueRequest { now, ..device("TH-1") };
    let certificate = authority.issue(&request, &profile(Some(("Acme", "TH")), "20y")).unwrap();
    let path = place.path("device.pem");
    write_pem(&path, &certificate);
    succeeded(&verify(&place.files.certificate, &path, "sslclient", now));
}

/// Encrypts the CA's key file anew, with these options.
fn encrypt_anew(place: &Place, options: &[&str]) {
    let key_file = place.key_file();
    let (key, other) = (text(&key_file), place.path("other.key"));
    let files = ["pkcs8", "-topk8", "-in", key, "-out", text(&other)];
    let with = ["-passin", "pass:correct horse", "-passout", "pass:correct horse"];
    succeeded(&openssl(&[&files[..], &with, options].concat()));
    fs::rename(other, key).unwrap();
}

#[test]
fn a_key_file_with_an_old_cipher_is_refused_with_the_way_to_a_new_one() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    encrypt_anew(&place, &["-v2", "des3"]);
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-KEY");
    let way = "`openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc`";
    assert!(error.to_string().contains(way), "{error}");
    encrypt_anew(&place, &["-scrypt", "-v2", "aes-256-cbc"]);
    place.load();
}

#[test]
fn a_journal_keys_certificate_is_no_devices() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let der = place.load().certify_journal_key(&some_point(), &"S1".parse().unwrap(), NOW).unwrap();
    let path = place.path("journal.pem");
    fs::write(&path, certificate_pem(&der).unwrap()).unwrap();
    succeeded(&verify(&place.files.certificate, &path, "any", NOW));
    assert!(!verify(&place.files.certificate, &path, "sslclient", NOW).status.success());
}
