//! A ledger to test with: a key made in the test, a clock that is set, records by name.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::Generate;
use sha2::{Digest, Sha256};

use crate::domain::certificate::{Certificate, Proof};
use crate::domain::clock::{Clock, Now, Timestamp};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::{HeadSigner, HeadVerifier, SignatureHolds};
use crate::domain::ids::{
    CertificateSn, Fingerprint, HardwareId, ImageDigest, PublicKey, Serial, to_hex,
};
use crate::domain::outbox::{Answer, Answered, CloudChosen, Sent};
use crate::domain::person::Person;
use crate::domain::record::{
    Adopted, AttemptRef, AuthoritySeen, Begun, End, Ended, Issued, PersonAct, ProvenRecord, Record,
    Recorded, Refusal, Restored, Step,
};
use crate::domain::registration::{CloudInstance, CloudStatus};
use crate::outbox::OutboxRow;
use crate::{Ledger, LedgerError, Restoring, Settings};

/// A Monday in 2026.
pub(crate) const START: i64 = 1_790_000_000_000_000;

pub(crate) struct TestKey(SigningKey);

impl TestKey {
    pub(crate) fn fresh() -> Arc<TestKey> {
        Arc::new(TestKey(SigningKey::generate()))
    }
}

impl TestKey {
    /// A key whose signatures are the same each time, as RFC 6979 makes them.
    pub(crate) fn fixed() -> TestKey {
        TestKey(SigningKey::from_slice(&[7; 32]).unwrap())
    }
}

/// The key of the test station.
pub(crate) static KEY: LazyLock<Arc<TestKey>> = LazyLock::new(TestKey::fresh);

impl HeadSigner for TestKey {
    fn public_key(&self) -> PublicKey {
        let point = self.0.verifying_key().to_sec1_point(false);
        PublicKey::from_bytes(point.as_bytes()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Fault> {
        let signature: Signature = self.0.sign(message);
        Ok(signature.to_bytes().into())
    }
}

impl HeadVerifier for TestKey {
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds> {
        Checker.verify(public_key, message, signature)
    }
}

pub(crate) struct Checker;

impl HeadVerifier for Checker {
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds> {
        let key = VerifyingKey::from_sec1_bytes(public_key.as_bytes()).ok()?;
        let signature = Signature::from_slice(signature).ok()?;
        key.verify(message, &signature).ok().map(|()| SignatureHolds)
    }
}

/// A clock that says what the test sets.
#[derive(Default)]
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    pub(crate) fn new() -> Arc<SetClock> {
        Self::at(Timestamp(START))
    }

    pub(crate) fn at(start: Timestamp) -> Arc<SetClock> {
        Arc::new(SetClock(AtomicI64::new(start.0)))
    }

    pub(crate) fn advance(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Now {
        Now { monotonic: Duration::ZERO, wall: Timestamp(self.0.load(Ordering::Relaxed)) }
    }
}

pub(crate) fn settings(dir: &Path) -> Settings {
    Settings {
        data_dir: dir.join("data"),
        station: "LINE-1".parse().unwrap(),
        anchor: None,
        reserve_bytes: 0,
        max_clock_gap: Duration::from_secs(30 * 24 * 3600),
        require_grant: false,
    }
}

/// Brings a ledger back from a copy or a directory of segments.
pub(crate) fn restore(from: &Path, to: &Settings) -> Result<Restored, LedgerError> {
    let clock = SetClock::new();
    Restoring::begin(from, to, &Checker)?.finish(&**KEY, &Checker, clock.as_ref(), person())
}

pub(crate) fn open(settings: Settings) -> Ledger {
    Ledger::open(settings, KEY.clone(), SetClock::new()).unwrap()
}

pub(crate) fn serial(number: u32) -> Serial {
    format!("TH-{number:08}").parse().unwrap()
}

pub(crate) fn hardware(number: u32) -> HardwareId {
    let mut bytes = *b"\xa0devHARD";
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    HardwareId::from_bytes(&bytes).unwrap()
}

pub(crate) fn sn(number: u32) -> CertificateSn {
    let mut bytes = [0x10; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    CertificateSn::from_bytes(&bytes).unwrap()
}

pub(crate) fn image(number: u32) -> ImageDigest {
    ImageDigest::new(Sha256::digest(number.to_be_bytes()).into())
}

pub(crate) const CA_DER: &[u8] = b"the DER of a test CA";

pub(crate) fn ca() -> Fingerprint {
    Fingerprint::new(Sha256::digest(CA_DER).into())
}

pub(crate) fn certificate(number: u32) -> Arc<Certificate> {
    let der: Arc<[u8]> = Arc::from(format!("the DER of certificate {number}").into_bytes());
    let mut key = [4; 65];
    key[61..].copy_from_slice(&number.to_be_bytes());
    Arc::new(Certificate {
        sn: sn(number),
        fingerprint: Fingerprint::new(Sha256::digest(&der).into()),
        der,
        public_key: PublicKey::new(key),
        issuer: ca(),
        not_before: Timestamp(START - 86_400_000_000),
        not_after: Timestamp(253_402_300_799_000_000),
    })
}

pub(crate) fn authority_seen() -> Record {
    Record::AuthoritySeen(AuthoritySeen { fingerprint: ca(), der: to_hex(CA_DER) })
}

/// Unit n on device n with certificate serial number n.
pub(crate) fn begun(number: u32) -> Begun {
    Begun {
        serial: serial(number),
        client_id: serial(number).as_str().parse().unwrap(),
        hardware: hardware(number),
        model: "MODEL".to_owned(),
        firmware: "1.0".to_owned(),
        certificate_sn: sn(number),
        slot: "A".parse().unwrap(),
        product: None,
        label: None,
        work_order: None,
        grant: None,
        operator: None,
    }
}

pub(crate) fn attempt(number: u32, attempt: u32) -> AttemptRef {
    AttemptRef { serial: serial(number), attempt }
}

pub(crate) fn issued(of: AttemptRef, cert: u32) -> Record {
    Record::Issued(Issued { attempt: of, certificate: certificate(cert), image: image(cert) })
}

pub(crate) fn proven(of: AttemptRef) -> Record {
    let restart = "command".to_owned();
    Record::Proven(ProvenRecord { attempt: of, proof: Proof::Possession, restart })
}

pub(crate) fn ended(of: AttemptRef, end: End, void: bool) -> Record {
    Record::Ended(Ended { attempt: of, end, void })
}

pub(crate) fn failure() -> End {
    let message = "no answer within 3000 ms".to_owned();
    End::Failed { step: Step::Write, code: Code::DevTimeout, message }
}

pub(crate) fn act(number: u32) -> PersonAct {
    PersonAct {
        serial: serial(number),
        reason: "because".to_owned(),
        by: person(),
        new_device: false,
    }
}

pub(crate) fn person() -> Person {
    Person { operator: Some("7".parse().unwrap()), uid: 1000 }
}

/// Unit n as it was read from device n, with certificate n.
pub(crate) fn adopted(number: u32) -> Adopted {
    Adopted {
        serial: serial(number),
        client_id: serial(number).as_str().parse().unwrap(),
        hardware: hardware(number),
        model: "MODEL".to_owned(),
        firmware: "1.0".to_owned(),
        slot: "A".parse().unwrap(),
        certificate: certificate(number),
        image: image(number),
        proof: Proof::Possession,
        restart: "command".to_owned(),
        reason: "in tray 9".to_owned(),
        by: person(),
    }
}

/// An instance by its id.
pub(crate) fn cloud(instance: &str) -> CloudInstance {
    let (site, region) = ("mqtt.example.com".to_owned(), "ap-guangzhou".to_owned());
    CloudInstance { site, region, instance: instance.to_owned() }
}

pub(crate) fn choose(instance: &str) -> Record {
    Record::CloudChosen(CloudChosen { cloud: cloud(instance), by: person() })
}

pub(crate) fn sent(row: &OutboxRow) -> Record {
    let OutboxRow { id, sn, operation, .. } = *row;
    Record::Sent(Sent { row: id, certificate_sn: sn, operation })
}

pub(crate) fn answered(row: &OutboxRow, answer: Answer) -> Record {
    let OutboxRow { id, sn, operation, .. } = *row;
    Record::Answered(Answered { row: id, certificate_sn: sn, operation, answer })
}

/// Done, and this is where it stands now.
pub(crate) fn done(status: CloudStatus) -> Answer {
    Answer::Done { status: Some(status), sn: Some("1f".to_owned()) }
}

/// The fault of a record that was refused alone.
pub(crate) fn refusal(result: Result<Recorded, Refusal>) -> Fault {
    match result {
        Err(Refusal::Row(fault)) => fault,
        other => panic!("not refused alone: {other:?}"),
    }
}

/// How far a unit is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Until {
    Begun,
    Issued,
    Asked,
    Proven,
    Passed,
}

/// Takes unit n as far as asked in a new attempt that uses certificate `cert`.
pub(crate) fn take(ledger: &Ledger, mut begun: Begun, cert: u32, until: Until) -> AttemptRef {
    let writer = ledger.writer();
    begun.certificate_sn = sn(cert);
    let serial = begun.serial.clone();
    let number = writer.record(Record::Begun(begun)).unwrap().attempt;
    let of = AttemptRef { serial, attempt: number };
    let steps = [
        (Until::Issued, issued(of.clone(), cert)),
        (Until::Asked, Record::CommitAsked(of.clone())),
        (Until::Proven, proven(of.clone())),
        (Until::Passed, ended(of.clone(), End::Passed, false)),
    ];
    for (reached, record) in steps {
        if reached <= until {
            writer.record(record).unwrap();
        }
    }
    of
}

/// A fresh ledger that knows the test CA.
pub(crate) fn fresh(dir: &Path) -> Ledger {
    let ledger = open(settings(dir));
    ledger.writer().record(authority_seen()).unwrap();
    ledger
}

/// Copies a closed ledger's directory.
pub(crate) fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
