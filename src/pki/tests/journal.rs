//! The journal key: its file, its signatures, and its certificate.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::evidence::{HeadSigner, HeadVerifier, SignatureHolds};
use crate::domain::ids::StationId;

fn secret() -> Passphrase {
    Passphrase::new("5f".repeat(32)).unwrap()
}

fn station() -> StationId {
    "line-3".parse().unwrap()
}

#[test]
fn a_journal_key_is_made_once_and_then_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.key");
    assert!(JournalKey::load(&path, &secret()).unwrap().is_none());
    let made = JournalKey::load_or_create(&path, &secret()).unwrap();
    let loaded = JournalKey::load_or_create(&path, &secret()).unwrap();
    assert_eq!(made.public_key(), loaded.public_key());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn processes_that_come_first_together_share_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.key");
    let mut keys: Vec<PublicKey> = std::thread::scope(|scope| {
        let first = || JournalKey::load_or_create(&path, &secret()).unwrap().public_key();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(first)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    keys.dedup();
    assert_eq!(keys.len(), 1);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_journal_key_opens_with_its_own_secret_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.key");
    JournalKey::load_or_create(&path, &secret()).unwrap();
    let wrong = Passphrase::new("60".repeat(32)).unwrap();
    let error = JournalKey::load_or_create(&path, &wrong).unwrap_err();
    assert_eq!(code(&error), "E-LEDGER-KEY");
    fs::write(&path, "torn").unwrap();
    let error = JournalKey::load_or_create(&path, &secret()).unwrap_err();
    assert_eq!(code(&error), "E-LEDGER-KEY");
    assert_eq!(fs::read_to_string(&path).unwrap(), "torn");
}

#[test]
fn a_head_verifies_under_its_own_key_and_text_alone() {
    let dir = tempfile::tempdir().unwrap();
    let key = JournalKey::load_or_create(&dir.path().join("key"), &secret()).unwrap();
    let signature = key.sign(b"head").unwrap();
    let verify = |key: &PublicKey, message: &[u8]| Verifier.verify(key, message, &signature);
    assert_eq!(verify(&key.public_key(), b"head"), Some(SignatureHolds));
    assert_eq!(verify(&key.public_key(), b"another head"), None);
    assert_eq!(verify(&some_point(), b"head"), None);
    assert_eq!(verify(&PublicKey::new([4; 65]), b"head"), None);
}

#[test]
fn the_ca_certificate_alone_leads_to_the_journal_key() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let key = some_point();
    let certificate = authority.certify_journal_key(&key, &station(), NOW).unwrap();
    let found = journal_key_of(&certificate, &authority.certificate_der()).unwrap();
    assert_eq!(found, JournalCertificate { station: station(), public_key: key });
}

#[test]
fn a_journal_certificate_of_another_ca_is_refused() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let namesake = Place::with_ca(ValidFor::NoExpiry).load();
    let certificate = authority.certify_journal_key(&some_point(), &station(), NOW).unwrap();
    let error = journal_key_of(&certificate, &namesake.certificate_der()).unwrap_err();
    assert_eq!(code(&error), "E-LEDGER-JOURNAL");
    let mut bent = certificate;
    let last = bent.len() - 1;
    bent[last] ^= 1;
    assert!(journal_key_of(&bent, &authority.certificate_der()).is_err());
}

#[test]
fn a_devices_certificate_makes_no_journal_key() {
    let authority = Place::with_ca(ValidFor::NoExpiry).load();
    let device = authority.issue(&device("station-journal.line-3"), &profile(None, "20y")).unwrap();
    let error = journal_key_of(&device.der, &authority.certificate_der()).unwrap_err();
    assert!(error.to_string().contains("is not one for a journal key"), "{error}");
}

#[test]
fn a_journal_key_is_printed_without_its_secret() {
    let dir = tempfile::tempdir().unwrap();
    let key = JournalKey::load_or_create(&dir.path().join("key"), &secret()).unwrap();
    assert_eq!(format!("{key:?}"), format!("JournalKey({:?})", key.public_key()));
}
