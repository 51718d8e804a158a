#!/usr/bin/env bash
# rcgen 0.14.10: a certificate whose serial number is not set gets one that is made from its
# public key. Two certificates that one CA issues for one key, with other names and other
# dates, so carry the same number, which RFC 5280 forbids an issuer to give twice. One would
# guess a random number or an error. A device that makes its own key and is certified again
# after a rework is such a case: brokers and revocation lists tell certificates by issuer and
# number, so the list that revokes the old one revokes the new one too.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'T'
[package]
name = "seen"
version = "0.0.0"
edition = "2024"
[dependencies]
rcgen = { version = "=0.14.10", default-features = false, features = ["crypto", "pem", "ring", "x509-parser"] }
x509-parser = "=0.18.1"
T
cat >src/main.rs <<'T'
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

fn number(der: &[u8]) -> String {
    x509_parser::parse_x509_certificate(der).unwrap().1.raw_serial_as_string()
}

fn main() {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(ca, KeyPair::generate().unwrap());
    let device = KeyPair::generate().unwrap();
    let issue = |name: &str, year: i32, key: &KeyPair| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        number(params.signed_by(key, &issuer).unwrap().der())
    };
    let (first, second) = (issue("unit-1", 2025, &device), issue("unit-1-rework", 2026, &device));
    let other = issue("unit-2", 2026, &KeyPair::generate().unwrap());
    println!("one key, first certificate:  {first}\none key, second certificate: {second}");
    println!("another key:                 {other}");
    assert_eq!(first, second);
    assert_ne!(first, other);
}
T
cargo run -q
