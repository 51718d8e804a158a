//! The files of roots that a device is to trust.

use p256::pkcs8::EncodePrivateKey;
use pkcs8::LineEnding;

use super::*;

#[test]
fn roots_are_taken_in_the_order_of_the_file() {
    let (one, two) = (Place::with_ca(ValidFor::NoExpiry), Place::with_ca(ValidFor::Days(9)));
    let pem = |place: &Place| fs::read_to_string(&place.files.certificate).unwrap();
    let path = one.path("roots.pem");
    fs::write(&path, format!("# ours\n{}\n# theirs\n{}", pem(&one), pem(&two))).unwrap();
    let first = one.load().certificate_der();
    let both = [&*first, &*two.load().certificate_der()].concat();
    assert_eq!(*server_roots(&path).unwrap(), *both);
    fs::write(&path, &first).unwrap();
    assert_eq!(server_roots(&path).unwrap(), first);
}

#[test]
fn a_servers_own_certificate_is_no_root() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let leaf = place.load().issue(&device("broker"), &profile(None, "1y")).unwrap();
    let path = place.path("roots.pem");
    let both = fs::read_to_string(&place.files.certificate).unwrap();
    fs::write(&path, both + &certificate_pem(&leaf.der).unwrap()).unwrap();
    let error = server_roots(&path).unwrap_err();
    assert_eq!(code(&error), "E-CONFIG-VALUE");
    assert!(error.to_string().contains("certificate 2 (CN=broker) can't be"), "{error}");
}

#[test]
fn files_of_something_else_are_refused() {
    let place = Place::with_ca(ValidFor::NoExpiry);
    let path = place.path("roots.pem");
    let good = fs::read_to_string(&place.files.certificate).unwrap();
    let key = new_key().to_pkcs8_pem(LineEnding::LF).unwrap();
    for (bytes, says) in [
        (String::new(), "holds no certificate"),
        ("hello\n".to_owned(), "holds no certificate"),
        (good.replace("-----END", "--END"), "damaged"),
        (good.replacen("MII", "MIJ", 1), "block 1 is not an X.509 certificate"),
        (good + key.as_str(), "holds a private key"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = server_roots(&path).unwrap_err();
        assert_eq!(code(&error), "E-CONFIG-VALUE");
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
    let error = server_roots(&place.path("missing.pem")).unwrap_err();
    assert!(error.to_string().contains("can't be read"), "{error}");
}
