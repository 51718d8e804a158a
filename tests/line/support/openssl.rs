//! OpenSSL as the judge of certificates.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Runs it to its end; gives both of its outputs.
#[track_caller]
pub(crate) fn openssl(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {text}");
    text
}

/// Why it refuses; empty where it does not.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    match output.status.success() {
        true => String::new(),
        false => String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).output().unwrap()
}

/// Certificates, DER one behind the other, one by one.
pub(crate) fn split(mut certificates: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if certificates.is_empty() {
            return None;
        }
        let [0x30, 0x82, high, low, ..] = certificates else { panic!("these are no certificates") };
        let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
        let (der, behind) = certificates.split_at(length);
        certificates = behind;
        Some(der)
    })
}

/// Writes certificates, DER one behind the other, to a PEM file.
pub(crate) fn pem_file(certificates: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for der in split(certificates) {
        file.write_all(provisioning_station::pki::certificate_pem(der).unwrap().as_bytes())
            .unwrap();
    }
    file
}

/// Demands that a client's certificate holds under a root, with what is between them.
#[track_caller]
pub(crate) fn assert_verifies(root: &Path, between: &[u8], certificate: &[u8]) {
    let (leaf, above) = (pem_file(certificate), pem_file(between));
    let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile"];
    arguments.push(root.to_str().unwrap());
    if !between.is_empty() {
        arguments.extend(["-untrusted", above.path().to_str().unwrap()]);
    }
    arguments.push(leaf.path().to_str().unwrap());
    openssl(&arguments);
}
