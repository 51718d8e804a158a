//! Chains that another tool made, judged as those who will verify them judge.

use std::process::{Command, Output};

use super::*;

fn openssl(place: &Place, line: &str) -> Output {
    let arguments = line.split_whitespace();
    Command::new("openssl").args(arguments).current_dir(place.dir.path()).output().unwrap()
}

fn made(place: &Place, line: &str) {
    let output = openssl(place, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A line CA on P-256 below a root whose key and hash are these; the key's passphrase is the
/// usual one.
fn below(root_key: &str, root_hash: &str, constraints: &str) -> Place {
    let mut place = Place::empty();
    made(&place, &format!("genpkey {root_key} -out root.key"));
    let root = "req -x509 -new -key root.key -subj /CN=Root -days 20000 -out root.pem -sha256";
    let of_root = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
    made(&place, &format!("{root} {of_root}"));
    let p256 = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    made(&place, &format!("genpkey {p256} -out clear.key"));
    made(&place, "req -new -key clear.key -subj /CN=Line -out line.csr");
    let extensions = format!(
        "basicConstraints={constraints}\nkeyUsage=critical,keyCertSign,cRLSign\n\
                              subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    );
    fs::write(place.path("ext"), extensions).unwrap();
    let sign = "x509 -req -in line.csr -CA root.pem -CAkey root.key -CAcreateserial -days 20000";
    made(&place, &format!("{sign} -extfile ext -out ca.pem {root_hash}"));
    let key = fs::read_to_string(place.path("clear.key")).unwrap();
    let key: SecretKey = p256::pkcs8::DecodePrivateKey::from_pkcs8_pem(&key).unwrap();
    let sealed = key_file::encrypt(&key, &passphrase(), Hardness::RandomSecret).unwrap();
    fs::write(place.key_file(), sealed.as_bytes()).unwrap();
    place.files.chain = Some(place.path("root.pem"));
    place
}

const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
const CRITICAL: &str = "critical,CA:TRUE,pathlen:0";

fn ec(curve: &str) -> String {
    format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}")
}

#[test]
fn a_ca_below_each_usual_root_is_taken() {
    for key in [RSA.to_owned(), ec("P-256"), ec("P-384"), "-algorithm ED25519".to_owned()] {
        let hash = if key.contains("ED25519") { "" } else { "-sha384" };
        below(&key, hash, CRITICAL).load();
    }
}

#[test]
fn a_line_ca_signed_with_sha_1_is_refused_with_who_would_refuse_it() {
    let place = below(RSA, "-sha1", CRITICAL);
    let error = place.refusal();
    assert_eq!(code(&error), "E-CA-PROFILE");
    let said = error.to_string();
    for word in ["RSA with SHA-1", "OpenSSL at its default security level", "rustls"] {
        assert!(said.contains(word), "{said}");
    }
    // OpenSSL's own verdict on such a chain, at the level that its TLS clients have.
    let verify = "verify -auth_level 2 -CAfile root.pem ca.pem";
    assert!(!openssl(&place, verify).status.success());
    assert!(openssl(&below(RSA, "-sha256", CRITICAL), verify).status.success());
}

#[test]
fn what_can_not_be_checked_is_named_and_is_no_forgery() {
    for (key, hash, names) in [
        (ec("P-521"), "-sha512", ["ECDSA with SHA-512", "P-521"]),
        (ec("P-384"), "-sha512", ["ECDSA with SHA-512", "P-384"]),
        (ec("brainpoolP256r1"), "-sha256", ["ECDSA with SHA-256", "brainpoolP256r1"]),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024".to_owned(), "-sha256", ["1024", "rustls"]),
    ] {
        let said = below(&key, hash, CRITICAL).refusal().to_string();
        assert!(!said.contains("did not issue"), "{said}");
        assert!(names.iter().all(|name| said.contains(name)), "{said}");
    }
}

#[test]
fn a_ca_as_easy_rsa_makes_it_is_taken() {
    below(RSA, "-sha256", "CA:TRUE").load();
}

#[test]
fn a_key_that_is_not_taken_is_told_by_what_it_is() {
    let place = below(RSA, "-sha256", CRITICAL);
    made(&place, "ec -in clear.key -aes256 -passout pass:correct -out ca.key");
    let said = place.refusal().to_string();
    assert!(said.contains("in the traditional form"), "{said}");
    let sealed =
        "pkcs8 -topk8 -in clear.key -passout pass:correct -v2 aes-256-cbc -v2prf hmacWithSHA1";
    made(&place, &format!("{sealed} -out ca.key"));
    let said = place.refusal().to_string();
    assert!(said.contains("HMAC-SHA-1") && !said.contains("not PEM"), "{said}");

    let place = Place::empty();
    made(&place, &format!("genpkey {} -pkeyopt ec_param_enc:named_curve -out c.key", ec("P-256")));
    made(&place, "ec -in c.key -conv_form compressed -out short.key");
    let ca = "req -x509 -new -key short.key -subj /CN=Short -days 9 -out ca.pem \
              -addext keyUsage=critical,keyCertSign";
    made(&place, ca);
    let said = place.refusal().to_string();
    assert!(said.contains("compressed point"), "{said}");
}
