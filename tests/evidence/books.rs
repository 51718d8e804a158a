//! A closed ledger with units in every state, and copies of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provisioning_station::domain::certificate::{Certificate, Proof};
use provisioning_station::domain::clock::{Clock, Now, Timestamp};
use provisioning_station::domain::code::Code;
use provisioning_station::domain::evidence::HeadSigner;
use provisioning_station::domain::ids::{
    CertificateSn, Fingerprint, HardwareId, ImageDigest, ProfileDigest, PublicKey, Serial,
    WorkOrderId, to_hex,
};
use provisioning_station::domain::label::CheckCharacter;
use provisioning_station::domain::operators::{OperatorAdded, Role};
use provisioning_station::domain::outbox::{Answer, Answered, CloudChosen, Sent, Shipped};
use provisioning_station::domain::person::Person;
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, FailedEarly, Finished, Issued, PersonAct,
    ProvenRecord, Record, Step, WorkOrderAct, WorkOrderCreated,
};
use provisioning_station::domain::registration::{CloudInstance, CloudStatus};
use provisioning_station::domain::work_order::WorkOrder;
use provisioning_station::ledger::{Ledger, Settings, make_data_dir};
use provisioning_station::pki::{JournalKey, Passphrase};
use sha2::{Digest, Sha256};

/// A Monday in 2026.
pub(crate) const START: i64 = 1_790_000_000_000_000;

const CA_DER: &[u8] = b"the DER of a test CA";

/// A clock that stands still.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Now {
        Now { monotonic: Duration::ZERO, wall: Timestamp(START) }
    }
}

/// A closed ledger of `units` units, with the key that signs it.
pub(crate) struct Books {
    dir: tempfile::TempDir,
    pub(crate) key: Arc<JournalKey>,
    pub(crate) units: u32,
}

impl Books {
    /// Makes it, in memory where the machine has a place for that.
    pub(crate) fn new(units: u32) -> Books {
        let shm = Path::new("/dev/shm");
        let dir = match shm.is_dir() {
            true => tempfile::tempdir_in(shm).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let secret = Passphrase::new("a secret of this run alone".to_owned()).unwrap();
        make_data_dir(&dir.path().join("sound")).unwrap();
        let path = dir.path().join("journal.key");
        let key = Arc::new(JournalKey::load_or_create(&path, &secret).unwrap());
        let books = Books { dir, key, units };
        books.fill();
        books
    }

    /// Where the untouched one lies.
    pub(crate) fn sound(&self) -> PathBuf {
        self.dir.path().join("sound")
    }

    /// A fresh copy of it; the one before is gone.
    pub(crate) fn copy(&self) -> PathBuf {
        let copy = self.dir.path().join("copy");
        let _ = std::fs::remove_dir_all(&copy);
        make_data_dir(&copy).unwrap();
        for name in ["ledger.db", "journal.head"] {
            std::fs::copy(self.sound().join(name), copy.join(name)).unwrap();
        }
        copy
    }

    /// Opens the ledger of a directory as a line does.
    pub(crate) fn open(&self, data_dir: &Path) -> Result<Ledger, Code> {
        let key: Arc<dyn HeadSigner> = Arc::clone(&self.key) as Arc<dyn HeadSigner>;
        Ledger::open(settings(data_dir), key, Arc::new(Still)).map_err(|error| error.code())
    }

    fn fill(&self) {
        let ledger = self.open(&self.sound()).unwrap();
        let writer = ledger.writer();
        let record = |record| writer.record(record).unwrap().attempt;
        record(authority_seen());
        for (id, quantity, devices) in ORDERS {
            record(order(id, *quantity, *devices));
        }
        record(Record::CloudChosen(CloudChosen { cloud: cloud(), by: person() }));
        for number in 1..=self.units {
            live(&record, number);
        }
        record(Record::WorkOrderClosed(WorkOrderAct { work_order: id("CLOSED"), by: person() }));
        self.register(&ledger);
        let known =
            OperatorAdded { operator: "boss".parse().unwrap(), role: Role::Operator, by: person() };
        record(Record::OperatorAdded(known));
    }

    /// Every third that waits for the cloud is registered, and every sixth leaves.
    fn register(&self, ledger: &Ledger) {
        let reader = ledger.reader().unwrap();
        for (place, row) in reader.outbox(0, 1000).unwrap().into_iter().enumerate() {
            if place % 3 != 0 {
                continue;
            }
            let (id, certificate_sn, operation) = (row.id, row.sn, row.operation);
            let sent = Sent { row: id, certificate_sn, operation };
            let answer =
                Answer::Done { status: Some(CloudStatus::Active), sn: Some(row.sn.to_string()) };
            let answered = Answered { row: id, certificate_sn, operation, answer };
            let writer = ledger.writer();
            writer.record(Record::Sent(sent)).unwrap();
            writer.record(Record::Answered(answered)).unwrap();
            if place % 6 == 0 {
                let shipped = Shipped { serial: row.serial, certificate_sn, by: person() };
                // One whose rework is allowed stays.
                let _ = writer.record(Record::Shipped(shipped));
            }
        }
    }
}

/// Work orders: id, quantity, devices that it is limited to.
const ORDERS: &[(&str, u32, u32)] =
    &[("OPEN", 10_000, 0), ("CLOSED", 10, 0), ("FULL", 1, 0), ("LISTED", 50, 3)];

pub(crate) fn settings(data_dir: &Path) -> Settings {
    Settings {
        data_dir: data_dir.to_path_buf(),
        station: "LINE-1".parse().unwrap(),
        anchor: None,
        reserve_bytes: 0,
        max_clock_gap: Duration::from_secs(86_400),
        require_grant: false,
    }
}

/// What becomes of unit n, by its number.
fn live(record: &dyn Fn(Record) -> u32, number: u32) {
    let kind = number % 20;
    if kind == 1 {
        record(Record::FailedEarly(failed_early(number)));
        return;
    }
    let attempt = record(Record::Begun(begun(number, number)));
    let of = AttemptRef { serial: serial(number), attempt };
    if kind == 2 {
        return;
    }
    record(issued(&of, number));
    match kind {
        3 => return,
        4 => {
            record(ended(&of, failure(), true));
            return;
        }
        _ => {}
    }
    record(Record::CommitAsked(of.clone()));
    match kind {
        5 => return,
        6 => {
            record(ended(&of, failure(), true));
            return;
        }
        _ => {}
    }
    prove(record, &of);
    match kind {
        7 => drop(record(Record::UnitVoided(act(number)))),
        8 => drop(record(Record::UnitScrapped(act(number)))),
        9 => drop(record(Record::ReworkAllowed(act(number)))),
        10 => {
            record(Record::ReworkAllowed(act(number)));
            let again = 10_000 + number;
            let attempt = record(Record::Begun(begun(number, again)));
            let of = AttemptRef { serial: serial(number), attempt };
            record(issued(&of, again));
            record(Record::CommitAsked(of.clone()));
            prove(record, &of);
        }
        11 => drop(record(Record::Finished(Finished {
            serial: serial(number),
            certificate_sn: sn(number),
        }))),
        _ => {}
    }
}

fn prove(record: &dyn Fn(Record) -> u32, of: &AttemptRef) {
    let (proof, restart) = (Proof::Possession, "command".to_owned());
    record(Record::Proven(ProvenRecord { attempt: of.clone(), proof, restart }));
    record(ended(of, End::Passed, false));
}

pub(crate) fn person() -> Person {
    Person { operator: None, uid: 1000 }
}

pub(crate) fn act(number: u32) -> PersonAct {
    PersonAct {
        serial: serial(number),
        reason: "because".to_owned(),
        by: person(),
        new_device: false,
    }
}

pub(crate) fn id(text: &str) -> WorkOrderId {
    text.parse().unwrap()
}

pub(crate) fn order(name: &str, quantity: u32, devices: u32) -> Record {
    let work_order = WorkOrder {
        id: id(name),
        product: "TH200".to_owned(),
        quantity,
        serial_pattern: None,
        serial_range: None,
        check_character: CheckCharacter::None,
        hardware_ids: (1..=devices).map(hardware).collect(),
        profile: ProfileDigest::new([7; 32]),
    };
    Record::WorkOrderCreated(WorkOrderCreated { work_order, by: person() })
}

pub(crate) fn authority_seen() -> Record {
    Record::AuthoritySeen(AuthoritySeen { fingerprint: ca(), der: to_hex(CA_DER) })
}

pub(crate) fn cloud() -> CloudInstance {
    let (site, region) = ("mqtt.example.com".to_owned(), "ap-guangzhou".to_owned());
    CloudInstance { site, region, instance: "mqtt-a".to_owned() }
}

fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(der).into())
}

pub(crate) fn ca() -> Fingerprint {
    fingerprint(CA_DER)
}

pub(crate) fn serial(number: u32) -> Serial {
    format!("TH-{number:08}").parse().unwrap()
}

pub(crate) fn hardware(number: u32) -> HardwareId {
    HardwareId::from_bytes(&[&[0xd0; 4][..], &number.to_be_bytes()].concat()).unwrap()
}

pub(crate) fn sn(number: u32) -> CertificateSn {
    let mut bytes = [0x10; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    CertificateSn::from_bytes(&bytes).unwrap()
}

pub(crate) fn certificate(number: u32) -> Arc<Certificate> {
    let mut key = [4; 65];
    key[61..].copy_from_slice(&number.to_be_bytes());
    // As long as a real one.
    let der = format!("the DER of certificate {number}, {}", "x".repeat(450)).into_bytes();
    Arc::new(Certificate {
        sn: sn(number),
        fingerprint: fingerprint(&der),
        der: Arc::from(der),
        public_key: PublicKey::new(key),
        issuer: ca(),
        not_before: Timestamp(0),
        not_after: Timestamp::NO_EXPIRY,
    })
}

pub(crate) fn image(number: u32) -> ImageDigest {
    ImageDigest::new(Sha256::digest(number.to_be_bytes()).into())
}

/// Unit n on device n, with certificate `cert`. Unit 12 fills the small work order.
pub(crate) fn begun(number: u32, cert: u32) -> Begun {
    let work_order = match number {
        12 => Some(id("FULL")),
        13..=15 => Some(id("CLOSED")),
        number if number % 4 == 0 => Some(id("OPEN")),
        _ => None,
    };
    Begun {
        serial: serial(number),
        client_id: serial(number).as_str().parse().unwrap(),
        hardware: hardware(number),
        model: "MODEL".to_owned(),
        firmware: "1.0".to_owned(),
        certificate_sn: sn(cert),
        slot: "A".parse().unwrap(),
        product: Some("TH200".to_owned()),
        label: None,
        work_order,
        grant: None,
        operator: None,
    }
}

pub(crate) fn failed_early(number: u32) -> FailedEarly {
    FailedEarly {
        serial: serial(number),
        client_id: serial(number).as_str().parse().unwrap(),
        slot: "B".parse().unwrap(),
        label: None,
        work_order: None,
        operator: None,
        end: failure(),
    }
}

pub(crate) fn issued(of: &AttemptRef, cert: u32) -> Record {
    Record::Issued(Issued {
        attempt: of.clone(),
        certificate: certificate(cert),
        image: image(cert),
    })
}

pub(crate) fn ended(of: &AttemptRef, end: End, void: bool) -> Record {
    Record::Ended(Ended { attempt: of.clone(), end, void })
}

pub(crate) fn failure() -> End {
    let message = "no answer within 3000 ms".to_owned();
    End::Failed { step: Step::Write, code: Code::DevTimeout, message }
}
