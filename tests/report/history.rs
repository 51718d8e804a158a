//! A ledger with a known history: a night across midnight and across the end of summer time,
//! the shift after it, two persons, two slots, a work order, faults and reworks.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use provisioning_station::app::demo::Factory;
use provisioning_station::app::from_config;
use provisioning_station::config::Config;
use provisioning_station::domain::certificate::{Certificate, Proof};
use provisioning_station::domain::clock::{Clock, Now, Timestamp};
use provisioning_station::domain::code::Code;
use provisioning_station::domain::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, ImageDigest, PublicKey, Serial,
};
use provisioning_station::domain::label::CheckCharacter;
use provisioning_station::domain::person::Person;
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, FailedEarly, Finished, Issued, LabelRead,
    PersonAct, ProvenRecord, Record, Step, WorkOrderCreated,
};
use provisioning_station::domain::work_order::WorkOrder;
use provisioning_station::ledger::{Ledger, Writer};
use sha2::{Digest, Sha256};

/// The work order.
pub(crate) const ORDER: &str = "WO-1042";

/// The evening before the clock is set back in Europe, some time into the night shift.
const FIRST: &str = "2025-10-25T19:40:00Z";

/// From one attempt's beginning to the next one's.
const STEP: Duration = Duration::from_secs(11 * 60 + 7);

/// Attempts of the history.
const ATTEMPTS: u32 = 90;

/// A clock that stands where it was put.
struct Hands(AtomicI64);

impl Hands {
    fn move_by(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Now {
        let wall = Timestamp(self.0.load(Ordering::SeqCst));
        Now { monotonic: Duration::from_micros(u64::try_from(wall.0).unwrap()), wall }
    }
}

/// A station with that history.
pub(crate) struct History {
    factory: Factory,
    _dir: tempfile::TempDir,
}

/// What the device, the label and the person of an attempt say.
pub(crate) struct Said {
    pub(crate) firmware: String,
    pub(crate) model: String,
    pub(crate) message: String,
    pub(crate) label: Option<String>,
}

/// The books while they are written.
struct Pen {
    clock: Arc<Hands>,
    ledger: Ledger,
    issuer: Fingerprint,
}

impl History {
    /// The whole history.
    pub(crate) fn whole() -> Self {
        let (history, pen) = Self::begun();
        let mut number = 0;
        for index in 0..ATTEMPTS {
            // Every seventh attempt fails, and its unit is tried again at once.
            if index % 7 != 4 {
                number += 1;
            }
            pen.attempt(index, number);
        }
        history
    }

    /// One unit that passes, one that fails, and both say this.
    pub(crate) fn that_says(said: &Said) -> Self {
        let (history, pen) = Self::begun();
        for (index, end) in [(0, "pass"), (1, "fail")] {
            pen.turn(index, index + 1, end, said);
        }
        history
    }

    fn begun() -> (Self, Pen) {
        let dir = tempfile::tempdir().unwrap();
        let factory = Factory::lay_out(Some(&dir.path().join("station")), 0, 1).unwrap();
        let toml = std::fs::read_to_string(factory.config()).unwrap();
        let toml = toml.replacen("[station]\n", "[station]\ntimezone = \"Europe/Berlin\"\n", 1);
        let shift = |name: &str, from: &str, to: &str, plan: u32| {
            format!(
                "\n[[shifts]]\nname = \"{name}\"\nfrom = \"{from}\"\nto = \"{to}\"\nplan = {plan}\n"
            )
        };
        let shifts = shift("night", "22:00", "06:00", 54) + &shift("early", "06:00", "14:00", 48);
        std::fs::write(factory.config(), toml + &shifts).unwrap();
        let config = Config::load(&factory.config(), None).unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(Timestamp::from_rfc3339(FIRST).unwrap().0)));
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let (ledger, _) = from_config::open_ledger(&config, &shared).unwrap();
        let der = b"no certificate, but the name of one".to_vec();
        let issuer = Fingerprint::new(Sha256::digest(&der).into());
        let pen = Pen { clock, ledger, issuer };
        let der = der.iter().map(|byte| format!("{byte:02x}")).collect();
        pen.write(Record::AuthoritySeen(AuthoritySeen { fingerprint: issuer, der }));
        let work_order = WorkOrder {
            id: ORDER.parse().unwrap(),
            product: config.product.name.clone(),
            quantity: 60,
            serial_pattern: None,
            serial_range: None,
            check_character: CheckCharacter::None,
            hardware_ids: Vec::new(),
            profile: config.profile_digest().unwrap(),
        };
        pen.write(Record::WorkOrderCreated(WorkOrderCreated { work_order, by: person() }));
        (Self { factory, _dir: dir }, pen)
    }

    /// Where the ledger lies.
    pub(crate) fn ledger(&self) -> rusqlite::Connection {
        let config = Config::load(&self.factory.config(), None).unwrap();
        let path = config.station.data_dir.join("ledger.db");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        rusqlite::Connection::open_with_flags(path, flags).unwrap()
    }

    /// The ledger's file, to be changed behind the program's back.
    pub(crate) fn books(&self) -> rusqlite::Connection {
        let config = Config::load(&self.factory.config(), None).unwrap();
        rusqlite::Connection::open(config.station.data_dir.join("ledger.db")).unwrap()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.factory.dir.clone()
    }

    /// The binary over this ledger.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.arg("--config").arg(self.factory.config()).args(line.split_whitespace());
        command
    }

    /// What it writes; it must succeed.
    pub(crate) fn says(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same as JSON.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.says(line)).unwrap()
    }
}

impl Pen {
    fn write(&self, record: Record) {
        self.writer().record(record).unwrap();
    }

    fn writer(&self) -> Writer {
        self.ledger.writer()
    }

    /// The attempt of this number: it begins when the clock gets there, and takes its time.
    fn attempt(&self, index: u32, number: u32) {
        let end = match index {
            20 => "hold",
            33 => "rework",
            // The last one has begun, and its device was asked for nothing yet.
            89 => "begun",
            _ if index % 7 == 3 => "fail",
            _ if index % 11 == 5 => "early",
            _ if index % 13 == 6 => "cut",
            _ => "pass",
        };
        let said = Said {
            firmware: if index.is_multiple_of(3) { "1.1.0" } else { "1.0.2" }.to_owned(),
            model: "TH200".to_owned(),
            message: "no answer within 3000 ms".to_owned(),
            label: None,
        };
        self.turn(index, number, end, &said);
    }

    fn turn(&self, index: u32, number: u32, end: &str, said: &Said) {
        let serial: Serial = format!("TH200-{number:08}").parse().unwrap();
        let client_id: ClientId = serial.as_str().parse().unwrap();
        let slot: provisioning_station::domain::ids::SlotName =
            if index.is_multiple_of(2) { "A" } else { "B" }.parse().unwrap();
        let operator = match index {
            _ if index % 10 == 9 => None,
            0..45 => Some("p1".parse().unwrap()),
            _ => Some("p2".parse().unwrap()),
        };
        let work_order = (!index.is_multiple_of(4)).then(|| ORDER.parse().unwrap());
        let label = said.label.clone().map(|text| LabelRead { text, rule: Some(1) });
        let took = Duration::from_millis(1_900 + u64::from(index * 37 % 900));
        let rest = STEP - took;
        if end == "early" {
            let (code, message) = (Code::DevOtherLabel, said.message.clone());
            let end = End::Failed { step: Step::Identify, code, message };
            let early = FailedEarly { serial, client_id, slot, label, work_order, operator, end };
            self.write(Record::FailedEarly(early));
            return self.clock.move_by(STEP);
        }
        let certificate = certificate(index, self.issuer);
        let sn = certificate.sn;
        let attempt = AttemptRef { serial: serial.clone(), attempt: self.next_attempt(&serial) };
        self.write(Record::Begun(Begun {
            serial: serial.clone(),
            client_id,
            hardware: HardwareId::from_bytes(&[b"SIM-".as_slice(), &number.to_be_bytes()].concat())
                .unwrap(),
            model: said.model.clone(),
            firmware: said.firmware.clone(),
            certificate_sn: sn,
            slot,
            product: Some("TH200".to_owned()),
            label,
            work_order,
            grant: None,
            operator,
        }));
        let image = ImageDigest::new(Sha256::digest(sn.as_bytes()).into());
        let certificate = Arc::new(certificate);
        self.write(Record::Issued(Issued { attempt: attempt.clone(), certificate, image }));
        let ended = |end, void| Record::Ended(Ended { attempt: attempt.clone(), end, void });
        if matches!(end, "fail" | "cut") {
            self.clock.move_by(took);
            let (step, message) = (Step::Write, said.message.clone());
            self.write(match end {
                "fail" => ended(End::Failed { step, code: Code::DevTimeout, message }, true),
                _ => ended(End::Interrupted { step, code: Code::Stopped, message }, true),
            });
            return self.clock.move_by(rest);
        }
        if end == "begun" {
            return;
        }
        self.write(Record::CommitAsked(attempt.clone()));
        if end == "hold" {
            return self.clock.move_by(STEP);
        }
        let restart = "command".to_owned();
        let proof = Proof::Possession;
        self.write(Record::Proven(ProvenRecord { attempt: attempt.clone(), proof, restart }));
        let finished = Finished { serial: serial.clone(), certificate_sn: sn };
        self.write(Record::Finished(finished));
        self.clock.move_by(took);
        self.write(ended(End::Passed, false));
        if end == "rework" {
            let (reason, by) = ("flash replaced".to_owned(), person());
            self.write(Record::ReworkAllowed(PersonAct { serial, reason, by, new_device: false }));
            self.clock.move_by(Duration::from_secs(60));
            // Once more, and then it stays.
            return self.turn(index + 200, number, "pass", said);
        }
        self.clock.move_by(rest);
    }

    fn next_attempt(&self, serial: &Serial) -> u32 {
        let reader = self.ledger.reader().unwrap();
        let story = reader.unit_story(serial).unwrap();
        story.map_or(1, |story| u32::try_from(story.attempts.len()).unwrap() + 1)
    }
}

fn certificate(index: u32, issuer: Fingerprint) -> Certificate {
    let der: Arc<[u8]> = Arc::from(format!("no certificate, but number {index}").into_bytes());
    let (mut key, mut sn) = ([4; 65], [0x1f; 16]);
    key[61..].copy_from_slice(&index.to_be_bytes());
    sn[12..].copy_from_slice(&index.to_be_bytes());
    let begin = Timestamp::from_rfc3339("2025-01-01T00:00:00Z").unwrap();
    Certificate {
        sn: CertificateSn::from_bytes(&sn).unwrap(),
        fingerprint: Fingerprint::new(Sha256::digest(&der).into()),
        der,
        public_key: PublicKey::new(key),
        issuer,
        not_before: begin,
        not_after: Timestamp::NO_EXPIRY,
    }
}

fn person() -> Person {
    Person { operator: Some("s1".parse().unwrap()), uid: 0 }
}
