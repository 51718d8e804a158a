//! Certificates for keys that devices make: one again for the same key, void for another.

use super::testing::*;
use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::record::{Begun, Issued, Record};
use crate::{Ledger, Reader};

/// Unit 1 with certificate 1, which its interrupted attempt left issued.
fn interrupted(ledger: &Ledger) {
    let of = take(ledger, begun(1), 1, Until::Issued);
    ledger.writer().record(ended(of, failure(), false)).unwrap();
}

/// Begins an attempt that reserves another serial number than any certificate has.
fn begin_again(ledger: &Ledger, begun: Begun) -> u32 {
    let record = Record::Begun(Begun { certificate_sn: sn(900), ..begun });
    ledger.writer().record(record).unwrap().attempt
}

fn state(reader: &Reader, number: u32) -> CertificateState {
    reader.certificate(&sn(number)).unwrap().unwrap().state
}

fn resumable(reader: &Reader, unit: u32, device: u32, key: u32) -> bool {
    let key = certificate(key).public_key;
    reader.resumable(&serial(unit), &hardware(device), &key).unwrap().is_some()
}

#[test]
fn the_same_certificate_may_be_issued_again_and_goes_on_to_proven() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    interrupted(&ledger);
    assert!(resumable(&reader, 1, 1, 1));
    let of = attempt(1, begin_again(&ledger, begun(1)));
    let (certificate, image) = (certificate(1), image(77));
    let again = Issued { attempt: of.clone(), certificate, image };
    writer.record(Record::Issued(again)).unwrap();
    assert_eq!(reader.certificate(&sn(1)).unwrap().unwrap().image, image, "the newer image");
    writer.record(Record::CommitAsked(of.clone())).unwrap();
    writer.record(proven(of)).unwrap();
    assert_eq!(state(&reader, 1), CertificateState::Proven);
    assert!(!resumable(&reader, 1, 1, 1), "only before its commit is asked");
}

#[test]
fn a_certificate_for_a_new_key_makes_the_one_that_was_left_void() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let reader = ledger.reader().unwrap();
    interrupted(&ledger);
    take(&ledger, begun(1), 2, Until::Issued);
    assert_eq!(state(&reader, 1), CertificateState::Void);
    assert_eq!(state(&reader, 2), CertificateState::Issued);
    assert!(!resumable(&reader, 1, 1, 1), "void is final");
}

#[test]
fn a_void_certificate_is_not_issued_again_and_its_key_gets_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let of = take(&ledger, begun(1), 1, Until::Issued);
    ledger.writer().record(ended(of, failure(), true)).unwrap();
    let of = attempt(1, begin_again(&ledger, begun(1)));
    let again = ledger.writer().record(issued(of.clone(), 1));
    assert_eq!(refusal(again).code, Code::Bug, "its serial number was not reserved");
    assert_eq!(refused_for_key_of(&ledger, 1, of), Code::KeyDuplicate);
}

#[test]
fn a_unit_that_is_scrapped_leaves_no_certificate_that_could_be_issued_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    interrupted(&ledger);
    ledger.writer().record(Record::UnitScrapped(act(1))).unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(state(&reader, 1), CertificateState::Void);
    assert!(!resumable(&reader, 1, 1, 1));
}

#[test]
fn a_person_may_void_what_an_interrupted_attempt_left_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let reader = ledger.reader().unwrap();
    interrupted(&ledger);
    ledger.writer().record(Record::UnitVoided(act(1))).unwrap();
    assert_eq!(state(&reader, 1), CertificateState::Void);
    assert!(!resumable(&reader, 1, 1, 1), "void is final");
    let again = ledger.writer().record(Record::UnitVoided(act(1)));
    assert_eq!(refusal(again).code, Code::UnitState);
    take(&ledger, begun(1), 2, Until::Issued);
    assert_eq!(state(&reader, 2), CertificateState::Issued);
}

/// A new certificate for the key of an old one, under the number that was reserved.
fn refused_for_key_of(ledger: &Ledger, number: u32, of: crate::domain::record::AttemptRef) -> Code {
    let mut new = (*certificate(900)).clone();
    new.public_key = certificate(number).public_key;
    let record = Issued { attempt: of, certificate: new.into(), image: image(900) };
    refusal(ledger.writer().record(Record::Issued(record))).code
}

#[test]
fn the_same_key_on_other_hardware_or_of_another_unit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let reader = ledger.reader().unwrap();
    interrupted(&ledger);
    assert!(!resumable(&reader, 1, 2, 1), "another device");
    assert!(!resumable(&reader, 2, 1, 1), "another unit");
    let elsewhere = Begun { hardware: hardware(2), ..begun(1) };
    let of = attempt(1, begin_again(&ledger, elsewhere));
    assert_eq!(refusal(ledger.writer().record(issued(of.clone(), 1))).code, Code::Bug);
    assert_eq!(refused_for_key_of(&ledger, 1, of), Code::KeyDuplicate);
}
