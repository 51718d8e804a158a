//! A ledger with proven units, made by its own writer.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::cloud::{CA_DER, MemoryCloud, ca, fingerprint, name};
use crate::domain::certificate::{Certificate, Proof};
use crate::domain::clock::{Clock, Now, Timestamp};
use crate::domain::ids::{CertificateSn, HardwareId, ImageDigest, PublicKey, Serial, to_hex};
use crate::domain::outbox::CloudChosen;
use crate::domain::person::Person;
use crate::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, Issued, PersonAct, ProvenRecord, Record,
};
use crate::domain::registration::{CloudStatus, Registering};
use crate::domain::state::{RegistrationState, UnitState};
use crate::ledger::{Audit, Ledger, Reader, verify};
use crate::pki::{JournalKey, Passphrase, Verifier};
use crate::plan::Rules;
use crate::{Books, Event, Halt, Settings, Stop, Summary, sync};

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Now {
        Now { monotonic: Duration::ZERO, wall: Timestamp(1_790_000_000_000_000) }
    }
}

pub(super) fn serial(number: u32) -> Serial {
    format!("TH-{number:08}").parse().unwrap()
}

pub(super) fn sn(number: u32) -> CertificateSn {
    let mut bytes = [0x10; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    CertificateSn::from_bytes(&bytes).unwrap()
}

pub(super) fn der(number: u32) -> Vec<u8> {
    format!("the DER of certificate {number}").into_bytes()
}

fn certificate(number: u32) -> Arc<Certificate> {
    let mut key = [4; 65];
    key[61..].copy_from_slice(&number.to_be_bytes());
    Arc::new(Certificate {
        sn: sn(number),
        fingerprint: fingerprint(&der(number)),
        der: Arc::from(der(number)),
        public_key: PublicKey::new(key),
        issuer: ca(),
        not_before: Timestamp(0),
        not_after: Timestamp::NO_EXPIRY,
    })
}

fn person() -> Person {
    Person { operator: None, uid: 1000 }
}

/// A ledger, a cloud, and what a run is to do.
pub(super) struct Bench {
    dir: TempDir,
    pub(super) ledger: Ledger,
    pub(super) reader: Reader,
    pub(super) cloud: MemoryCloud,
    pub(super) settings: Settings,
    pub(super) has_revoker: bool,
    pub(super) halt: Halt,
}

/// What a run told.
pub(super) struct Told {
    pub(super) events: Vec<Event>,
    pub(super) summary: Summary,
    pub(super) stop: Option<Stop>,
}

impl Bench {
    /// With units 1 to n proven, each with the certificate of its number.
    pub(super) fn new(units: u32) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        crate::ledger::make_data_dir(&data_dir).unwrap();
        let passphrase = Passphrase::new("test".to_owned()).unwrap();
        let key = JournalKey::load_or_create(&dir.path().join("journal.key"), &passphrase).unwrap();
        let settings = crate::ledger::Settings {
            data_dir,
            station: "LINE-1".parse().unwrap(),
            anchor: None,
            reserve_bytes: 0,
            max_clock_gap: Duration::from_secs(86_400),
            require_grant: false,
        };
        let ledger = Ledger::open(settings, Arc::new(key), Arc::new(Still)).unwrap();
        let reader = ledger.reader().unwrap();
        let rules =
            Rules { registering: Registering::Manual, may_revoke: true, retry_rejected: false };
        let settings = Settings {
            rules,
            initial_status: CloudStatus::Active,
            rate_per_second: 500,
            most_per_second: 15,
            shares: None,
            confirm: crate::Confirm::None,
            claimed: std::collections::BTreeMap::new(),
            full: false,
            dry_run: false,
            limit: None,
            deadline: None,
            only: None,
            exclusive: false,
            patience: Duration::from_millis(1),
        };
        let (cloud, halt) = (MemoryCloud::new(), Halt::default());
        let bench = Bench { dir, ledger, reader, cloud, settings, has_revoker: true, halt };
        let seen = AuthoritySeen { fingerprint: ca(), der: to_hex(CA_DER) };
        bench.record(Record::AuthoritySeen(seen));
        (1..=units).for_each(|number| bench.prove(number, number));
        bench.choose("mqtt-a");
        bench
    }

    pub(super) fn record(&self, record: Record) {
        self.ledger.writer().record(record).unwrap();
    }

    pub(super) fn choose(&self, instance: &str) {
        let chosen = CloudChosen { cloud: name(instance), by: person() };
        self.record(Record::CloudChosen(chosen));
    }

    /// Proves a unit with a certificate on the device of the unit's number.
    pub(super) fn prove(&self, unit: u32, cert: u32) {
        let writer = self.ledger.writer();
        let mut hardware = *b"\xa0devHARD";
        hardware[4..].copy_from_slice(&unit.to_be_bytes());
        let begun = Begun {
            serial: serial(unit),
            client_id: serial(unit).as_str().parse().unwrap(),
            hardware: HardwareId::from_bytes(&hardware).unwrap(),
            model: "MODEL".to_owned(),
            firmware: "1.0".to_owned(),
            certificate_sn: sn(cert),
            slot: "A".parse().unwrap(),
            product: Some("TH200".to_owned()),
            label: None,
            work_order: None,
            grant: None,
            operator: None,
        };
        let attempt = writer.record(Record::Begun(begun)).unwrap().attempt;
        let of = AttemptRef { serial: serial(unit), attempt };
        let mut image = [7; 32];
        image[..4].copy_from_slice(&cert.to_be_bytes());
        let issued = Issued {
            attempt: of.clone(),
            certificate: certificate(cert),
            image: ImageDigest::new(image),
        };
        let (proof, restart) = (Proof::Possession, "command".to_owned());
        for record in [
            Record::Issued(issued),
            Record::CommitAsked(of.clone()),
            Record::Proven(ProvenRecord { attempt: of.clone(), proof, restart }),
            Record::Ended(Ended { attempt: of, end: End::Passed, void: false }),
        ] {
            writer.record(record).unwrap();
        }
    }

    pub(super) fn act(&self, kind: fn(PersonAct) -> Record, unit: u32) {
        let reason = "because".to_owned();
        self.record(kind(PersonAct {
            serial: serial(unit),
            reason,
            by: person(),
            new_device: false,
        }));
    }

    pub(super) fn run(&self) -> Told {
        let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let sink = std::rc::Rc::clone(&told);
        let books = Books {
            writer: (!self.settings.dry_run).then(|| self.ledger.writer()),
            reader: self.ledger.reader().unwrap(),
            clock: Arc::new(Still),
        };
        let revoker = self.has_revoker.then(|| self.cloud.clone());
        let mut settings = self.settings.clone();
        settings.rules.may_revoke = self.has_revoker;
        let run = sync(
            self.cloud.clone(),
            revoker,
            books,
            settings,
            self.halt.clone(),
            Box::new(move |event| sink.borrow_mut().push(event)),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (summary, stop) = runtime.block_on(run);
        Told { events: told.take(), summary, stop }
    }

    pub(super) fn state(&self, unit: u32) -> UnitState {
        self.reader.unit_story(&serial(unit)).unwrap().unwrap().state
    }

    pub(super) fn registration(&self, cert: u32) -> RegistrationState {
        self.reader.known(&sn(cert)).unwrap().unwrap().registration
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.cloud.sky.borrow().calls.clone()
    }

    pub(super) fn head(&self) -> u64 {
        self.reader.head().unwrap().seq
    }

    pub(super) fn assert_it_verifies(&self) {
        let data = self.dir.path().join("data");
        let found = verify(&data, &Verifier, &Audit::default()).unwrap();
        assert!(found.valid, "{:?}", found.why);
    }
}
