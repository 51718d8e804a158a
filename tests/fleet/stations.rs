//! Stations: a directory with station.toml, a CA and a ledger each.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::demo::Factory;
use provisioning_station::app::fleet::Station as Asking;
use provisioning_station::app::from_config;
use provisioning_station::config::Config;
use provisioning_station::domain::certificate::Proof;
use provisioning_station::domain::clock::Clock;
use provisioning_station::domain::ids::{CertificateSn, HardwareId, ImageDigest, Serial, to_hex};
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, Issued, ProvenRecord, Record,
};
use tempfile::TempDir;

use crate::database::Database;
use crate::program::at;
use crate::quick_key;
use crate::server::{Server, code};

pub(crate) struct Station {
    pub(crate) dir: PathBuf,
    pub(crate) name: String,
    pub(crate) config: Config,
}

/// Stations that share nothing but a parent directory.
pub(crate) struct Yard(TempDir);

impl Yard {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A station without devices.
    pub(crate) fn station(&self, name: &str) -> Station {
        let dir = self.path().join(name);
        drop(Factory::lay_out_as(name, &dir, 0, 0).unwrap());
        let passphrase = fs::read_to_string(dir.join("demo-passphrase")).unwrap();
        quick_key::encrypt_anew(&dir.join("ca.key"), passphrase.trim_end());
        Station::open(dir, name)
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::start())
}

impl Station {
    pub(crate) fn open(dir: PathBuf, name: &str) -> Self {
        let config = Config::load(&dir.join("station.toml"), None).unwrap();
        Self { dir, name: name.to_owned(), config }
    }

    /// Makes it a member.
    pub(crate) fn enrol(&self, database: &Database, server: &Server) {
        self.enrol_by(database, &server.url);
    }

    pub(crate) fn enrol_by(&self, database: &Database, url: &str) {
        let code = code(database, &self.name);
        at(&self.dir, &["fleet", "enrol", url, "--code", &code]).well();
    }

    pub(crate) fn push(&self) -> crate::program::Run {
        at(&self.dir, &["fleet", "push"])
    }

    /// What it asks its fleet with.
    pub(crate) fn asking(&self) -> Asking {
        Asking::enrolled(&self.config, &clock()).unwrap()
    }

    /// Records units as a line does, without devices: their keys are made up.
    pub(crate) fn make(&self, serials: &[&str]) {
        self.make_for(None, serials);
    }

    /// The same for a work order.
    pub(crate) fn make_for(&self, work_order: Option<&str>, serials: &[&str]) {
        let (ledger, _) = from_config::open_ledger(&self.config, &clock()).unwrap();
        let writer = ledger.writer();
        let authority = from_config::authority(&self.config).unwrap();
        let profile = from_config::profile(&self.config).unwrap();
        let slot = "A".parse().unwrap();
        let der = to_hex(&authority.certificate_der());
        let seen = AuthoritySeen { fingerprint: authority.fingerprint(), der };
        writer.record(Record::AuthoritySeen(seen)).unwrap();
        for serial in serials {
            let serial: Serial = serial.parse().unwrap();
            let client_id = serial.as_str().parse().unwrap();
            let made = authority.sample_client(&client_id, &profile, clock().now().wall);
            let certificate = Arc::new(made.unwrap().certificate);
            let sn = certificate.sn;
            let record = |record| writer.record(record).unwrap();
            let mut begun = begun(&serial, sn, &self.name, &slot);
            begun.work_order = work_order.map(|id| id.parse().unwrap());
            let done = record(Record::Begun(begun));
            let attempt = AttemptRef { serial: serial.clone(), attempt: done.attempt };
            let image = ImageDigest::new([7; 32]);
            record(Record::Issued(Issued { attempt: attempt.clone(), certificate, image }));
            record(Record::CommitAsked(attempt.clone()));
            let restart = "command".to_owned();
            let proof = Proof::Possession;
            record(Record::Proven(ProvenRecord { attempt: attempt.clone(), proof, restart }));
            record(Record::Ended(Ended { attempt, end: End::Passed, void: false }));
        }
        drop(ledger);
    }

    /// One more entry.
    pub(crate) fn note(&self, number: usize) {
        let id = format!("WO-{number}");
        at(&self.dir, &["work-order", "create", &id, "--quantity", "5"]).well();
    }

    /// How many entries it has.
    pub(crate) fn entries(&self) -> u64 {
        let verified = at(&self.dir, &["ledger", "verify"]);
        verified.last()["entries"].as_u64().unwrap_or_else(|| panic!("{verified:?}"))
    }

    /// The same ledger on another machine.
    pub(crate) fn copied(&self, to: PathBuf) -> Station {
        let done = std::process::Command::new("cp").arg("-a").arg(&self.dir).arg(&to).status();
        assert!(done.unwrap().success());
        let _ = fs::remove_file(to.join("data/line.lock"));
        Station::open(to, &self.name)
    }
}

fn begun(
    serial: &Serial,
    certificate_sn: CertificateSn,
    station: &str,
    slot: &provisioning_station::domain::ids::SlotName,
) -> Begun {
    let hardware: HardwareId =
        HardwareId::from_bytes(format!("{station}{serial}").as_bytes()).unwrap();
    Begun {
        grant: None,
        serial: serial.clone(),
        client_id: serial.as_str().parse().unwrap(),
        hardware,
        model: "SIM-1".to_owned(),
        firmware: "1".to_owned(),
        certificate_sn,
        slot: slot.clone(),
        product: Some("TH200".to_owned()),
        label: None,
        work_order: None,
        operator: None,
    }
}
