//! A station's ledger with as many units as a benchmark wants, made by the ledger's own
//! writer.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::demo::Factory;
use provisioning_station::app::{cloud, enrol, from_config, sync};
use provisioning_station::config::Config;
use provisioning_station::domain::certificate::{Certificate, Proof};
use provisioning_station::domain::clock::Clock;
use provisioning_station::domain::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, ImageDigest, PublicKey, Serial, to_hex,
};
use provisioning_station::domain::outbox::{CloudChosen, RegisteredByHand};
use provisioning_station::domain::person::Person;
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, Finished, Issued, ProvenRecord, Record,
};
use provisioning_station::ledger::{Ledger, Ticket, Writer};
use provisioning_station::pki::{
    Authority, IssueRequest, Profile, certificate_pem, make_key, random_sn,
};
use provisioning_station::sim::cloud::SimulatedCloud;
use provisioning_station::sync::Summary;
use sha2::{Digest, Sha256};

/// Records that are handed in before their ends are waited for.
const AT_ONCE: usize = 1_000;

/// The same for a ledger that grows as on a line, where a commit has two records or so.
const A_COMMIT: usize = 2;

/// A station whose cloud is an emulation.
pub(crate) struct Books {
    config: Config,
    clock: Arc<dyn Clock>,
    authority: Authority,
    profile: Profile,
    ca_sn: RefCell<String>,
    /// Its directory, and its devices.
    factory: Factory,
}

impl Books {
    /// A station that registers so many a second.
    pub(crate) fn new(emulation: &SimulatedCloud, rate: u32) -> Self {
        Self::with_devices(emulation, rate, 0)
    }

    /// The same with so many blank devices, one after the other in one slot.
    pub(crate) fn with_devices(emulation: &SimulatedCloud, rate: u32, devices: u32) -> Self {
        let factory = Factory::lay_out(None, devices, 1).unwrap();
        let mut config = Config::load(&factory.config(), None).unwrap();
        let section = config.cloud.as_mut().unwrap();
        section.endpoint = emulation.url().parse().unwrap();
        section.rate_per_second = rate;
        let authority = from_config::authority(&config).unwrap();
        let profile = from_config::profile(&config).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let ca_sn = RefCell::default();
        let books = Self { config, clock, authority, profile, ca_sn, factory };
        books.write(|writer| {
            let (fingerprint, der) =
                (books.authority.fingerprint(), to_hex(&books.authority.certificate_der()));
            writer.record(Record::AuthoritySeen(AuthoritySeen { fingerprint, der })).unwrap();
        });
        books
    }

    /// The configuration and where it is.
    pub(crate) fn config(&self) -> (&Config, PathBuf) {
        (&self.config, self.factory.config())
    }

    /// The ledger, opened to write.
    pub(crate) fn ledger(&self) -> Ledger {
        from_config::open_ledger(&self.config, &self.clock).unwrap().0
    }

    /// One unit from its certificate to its end, each record durable before the next.
    pub(crate) fn attempt(&self, writer: &Writer, number: u32) {
        for record in way_of(number, self.certificate(number)) {
            writer.record(record).unwrap();
        }
    }

    /// Makes the CA known to the cloud.
    pub(crate) fn enrol(&self) {
        let enrolled = enrol::run(&self.config, &self.clock, person()).unwrap();
        self.ca_sn.replace(enrolled.ca_sn.0);
    }

    /// The CA as the cloud names it.
    pub(crate) fn ca_sn(&self) -> String {
        self.ca_sn.borrow().clone()
    }

    /// Proves units with certificates of the CA.
    pub(crate) fn prove(&self, units: RangeInclusive<u32>) {
        self.write(|writer| {
            self.take_all(writer, units, &|number| self.certificate(number), None, AT_ONCE);
        });
    }

    /// Units that are registered already. A sync looks at their certificates no more, so
    /// these are none.
    pub(crate) fn made_up(&self, units: RangeInclusive<u32>) {
        self.registered(units, &|number| made_up(number, self.authority.fingerprint()), AT_ONCE);
    }

    /// Units that are registered already, with certificates of the CA.
    pub(crate) fn real(&self, units: RangeInclusive<u32>) {
        self.registered(units, &|number| self.certificate(number), AT_ONCE);
    }

    /// The same with two records a signed head, as a line makes them.
    pub(crate) fn grown(&self, units: RangeInclusive<u32>) {
        self.registered(units, &|number| self.certificate(number), A_COMMIT);
    }

    fn registered(
        &self,
        units: RangeInclusive<u32>,
        certificate: &dyn Fn(u32) -> Certificate,
        at_once: usize,
    ) {
        let name = cloud::instance(&self.config).unwrap();
        self.write(|writer| {
            let chosen = CloudChosen { cloud: name.clone(), by: person() };
            writer.record(Record::CloudChosen(chosen)).unwrap();
            let by_hand = |sn| {
                let (cloud, by) = (name.clone(), person());
                Record::RegisteredByHand(RegisteredByHand { certificate_sn: sn, cloud, by })
            };
            self.take_all(writer, units, certificate, Some(&by_hand), at_once);
        });
        self.enrol();
    }

    /// Certificates as PEM, with their client ids.
    pub(crate) fn issue(&self, units: RangeInclusive<u32>) -> Vec<(String, String)> {
        let of = |number| {
            let pem = certificate_pem(&self.certificate(number).der).unwrap();
            (serial(number).as_str().to_owned(), pem)
        };
        units.map(of).collect()
    }

    /// One whole sync, as `station sync` does it.
    pub(crate) fn sync(&self) -> Summary {
        let wanted = sync::Wanted::default();
        let tell = Box::new(|_| {});
        let ended = sync::run(&self.config, &self.clock, &wanted, &person(), tell).unwrap();
        assert!(ended.faults.is_empty(), "{ended:?}");
        ended.summary
    }

    fn write(&self, work: impl FnOnce(&Writer)) {
        work(&self.ledger().writer());
    }

    fn certificate(&self, number: u32) -> Certificate {
        let mut scalar: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
        let request = IssueRequest {
            public_key: make_key(&mut scalar).unwrap(),
            client_id: client_id(number),
            sn: random_sn().unwrap(),
            now: self.clock.now().wall,
        };
        self.authority.issue(&request, &self.profile).unwrap()
    }

    fn take_all(
        &self,
        writer: &Writer,
        units: RangeInclusive<u32>,
        certificate: &dyn Fn(u32) -> Certificate,
        then: Option<&dyn Fn(CertificateSn) -> Record>,
        at_once: usize,
    ) {
        let mut tickets = Vec::new();
        for number in units {
            let certificate = certificate(number);
            let last = then.map(|then| then(certificate.sn));
            for record in way_of(number, certificate).into_iter().chain(last) {
                tickets.push(writer.submit(record));
                if tickets.len() >= at_once {
                    wait_for(tickets.drain(..));
                }
            }
        }
        wait_for(tickets);
    }
}

fn wait_for(tickets: impl IntoIterator<Item = Ticket>) {
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

/// The records of a unit that passes.
fn way_of(number: u32, certificate: Certificate) -> Vec<Record> {
    let (serial, sn) = (serial(number), certificate.sn);
    let attempt = AttemptRef { serial: serial.clone(), attempt: 1 };
    let begun = Begun {
        serial: serial.clone(),
        client_id: client_id(number),
        hardware: hardware(number),
        model: "SIM-1".to_owned(),
        firmware: "1.0.0".to_owned(),
        certificate_sn: sn,
        slot: "A".parse().unwrap(),
        product: Some("TH200".to_owned()),
        label: None,
        work_order: None,
        grant: None,
        operator: None,
    };
    let image = ImageDigest::new(Sha256::digest(sn.as_bytes()).into());
    let issued = Issued { attempt: attempt.clone(), certificate: Arc::new(certificate), image };
    let restart = "command".to_owned();
    let proven = ProvenRecord { attempt: attempt.clone(), proof: Proof::Possession, restart };
    vec![
        Record::Begun(begun),
        Record::Issued(issued),
        Record::CommitAsked(attempt.clone()),
        Record::Proven(proven),
        Record::Finished(Finished { serial, certificate_sn: sn }),
        Record::Ended(Ended { attempt, end: End::Passed, void: false }),
    ]
}

fn made_up(number: u32, issuer: Fingerprint) -> Certificate {
    let der: Arc<[u8]> = Arc::from(format!("no certificate, but number {number}").into_bytes());
    let mut key = [4; 65];
    key[61..].copy_from_slice(&number.to_be_bytes());
    let now = SystemClock::start().now().wall;
    Certificate {
        sn: random_sn().unwrap(),
        fingerprint: Fingerprint::new(Sha256::digest(&der).into()),
        der,
        public_key: PublicKey::new(key),
        issuer,
        not_before: now,
        not_after: now,
    }
}

pub(crate) fn serial(number: u32) -> Serial {
    format!("TH200-{number:08}").parse().unwrap()
}

fn client_id(number: u32) -> ClientId {
    serial(number).as_str().parse().unwrap()
}

fn hardware(number: u32) -> HardwareId {
    HardwareId::from_bytes(&[b"SIM-".as_slice(), &number.to_be_bytes()].concat()).unwrap()
}

fn person() -> Person {
    Person { operator: None, uid: 0 }
}
