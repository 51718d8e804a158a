//! A factory with proven units and an emulated cloud, in a directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::{cloud, from_config};
use provisioning_station::cloud::{CertificateFilter, Registrar};
use provisioning_station::config::Config;
use provisioning_station::domain::certificate::Proof;
use provisioning_station::domain::clock::Clock;
use provisioning_station::domain::ids::{HardwareId, ImageDigest, PublicKey, Serial, to_hex};
use provisioning_station::domain::record::{
    AttemptRef, AuthoritySeen, Begun, End, Ended, Issued, ProvenRecord, Record,
};
use provisioning_station::domain::registration::{CloudCertificate, CloudStatus};
use provisioning_station::ledger::{Ledger, Reader};
use provisioning_station::pki::{Authority, IssueRequest, random_sn};
use provisioning_station::sim::cloud as sim;
use serde_json::Value;
use tempfile::TempDir;

use crate::quick_key;

/// What the CA's key is encrypted with.
pub(crate) const PASSPHRASE: &str = "a passphrase";
pub(crate) const SECRET_ID: &str = "AKIDemulatedcloud";
pub(crate) const SECRET_KEY: &str = "for-the-emulated-cloud-alone";

/// A factory that is gone with its test.
pub(crate) struct Factory {
    folder: TempDir,
    /// Further lines of `[cloud]`.
    pub(crate) more: String,
    /// Further lines of `[authority]`.
    pub(crate) authority: &'static str,
    pub(crate) instance: &'static str,
    pub(crate) endpoint: String,
    /// The lot that units are proven in.
    pub(crate) work_order: Option<&'static str>,
    /// How many units were proven so far; each has a device of its own.
    devices: u32,
}

/// What a command printed and how it ended.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) errors: String,
}

impl Ran {
    fn of(output: &Output) -> Ran {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Ran { exit: output.status.code().unwrap_or(-1), lines, errors }
    }

    #[track_caller]
    pub(crate) fn expect(self, exit: i32) -> Ran {
        assert_eq!(self.exit, exit, "{:#?}\n{}", self.lines, self.errors);
        self
    }

    pub(crate) fn summary(&self) -> &Value {
        self.lines.last().unwrap()
    }

    /// The lines of one event.
    pub(crate) fn events(&self, name: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == name).collect()
    }
}

pub(crate) fn label(number: u32) -> String {
    format!("TH200-{number:08}")
}

/// An emulated cloud as a test usually wants it: it takes any number of calls.
pub(crate) fn emulated() -> sim::Options {
    sim::Options { rate: Some(0), ..sim::Options::default() }
}

impl Factory {
    /// With a CA that the cloud knows.
    pub(crate) fn enrolled(cloud: &sim::SimulatedCloud) -> Factory {
        let factory = Factory::new(&cloud.url());
        factory.run(&["authority", "register"]).expect(0);
        factory
    }

    /// With a CA that the cloud has never seen.
    pub(crate) fn new(endpoint: &str) -> Factory {
        let factory = Factory {
            folder: tempfile::tempdir().unwrap(),
            more: String::new(),
            authority: "",
            instance: "mqtt-emulated",
            endpoint: endpoint.to_owned(),
            work_order: None,
            devices: 0,
        };
        factory.configure();
        for (name, text) in
            [("passphrase", PASSPHRASE), ("secret-id", SECRET_ID), ("secret-key", SECRET_KEY)]
        {
            factory.secret(name, text);
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let mut root = rcgen::CertificateParams::new(vec![]).unwrap();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        root.distinguished_name.push(rcgen::DnType::CommonName, "Broker root");
        fs::write(factory.path("root.pem"), root.self_signed(&key).unwrap().pem()).unwrap();
        factory.run(&["authority", "init", "--common-name", "Sync test CA"]).expect(0);
        quick_key::encrypt_anew(&factory.path("ca.key"), PASSPHRASE);
        factory
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn secret(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes station.toml anew.
    pub(crate) fn configure(&self) {
        let Factory { more, authority, instance, endpoint, .. } = self;
        let text = format!(
            "[station]\nid = \"line-1\"\ndata_dir = \"data\"\n\
             [product]\nname = \"TH200\"\nserial_pattern = \"TH200-[0-9]{{8}}\"\n\
             client_id = \"{{serial}}\"\n\
             [certificate]\norganization = \"Example\"\nvalid_for = \"20y\"\n\
             [authority]\ncertificate = \"ca.pem\"\nkey = \"ca.key\"\n\
             passphrase_file = \"passphrase\"\n{authority}\n\
             [broker]\nhost = \"mqtt.example.com\"\nserver_root = \"root.pem\"\n\
             [ledger]\nreserve = \"1MiB\"\n\
             [[slots]]\nname = \"A\"\nport = \"/dev/null\"\n\
             [cloud]\nendpoint = \"{endpoint}\"\nregion = \"ap-guangzhou\"\n\
             instance_id = \"{instance}\"\nrate_per_second = 500\ncall_limit = \"2s\"\n\
             secret_id_file = \"secret-id\"\nsecret_key_file = \"secret-key\"\n{more}\n"
        );
        fs::write(self.path("station.toml"), text).unwrap();
    }

    pub(crate) fn go_to(&mut self, cloud: &sim::SimulatedCloud) {
        self.endpoint = cloud.url();
        self.configure();
    }

    pub(crate) fn config(&self) -> Config {
        Config::load(&self.path("station.toml"), None).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STATION_") {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(self.path("station.toml")).arg("--json").args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn sync(&self) -> Ran {
        self.run(&["sync"])
    }

    fn clock() -> Arc<dyn Clock> {
        Arc::new(SystemClock::start())
    }

    pub(crate) fn ledger(&self) -> Ledger {
        from_config::open_ledger(&self.config(), &Self::clock()).unwrap().0
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path("data"), None).unwrap()
    }

    /// Proves units, each on a device of its own, and finishes them.
    pub(crate) fn prove(&mut self, units: impl IntoIterator<Item = u32>) {
        let config = self.config();
        let (ledger, authority) = (self.ledger(), from_config::authority(&config).unwrap());
        let seen = AuthoritySeen {
            fingerprint: authority.fingerprint(),
            der: to_hex(&authority.certificate_der()),
        };
        ledger.writer().record(Record::AuthoritySeen(seen)).unwrap();
        for unit in units {
            self.prove_one(&ledger, &authority, unit);
        }
    }

    fn prove_one(&mut self, ledger: &Ledger, authority: &Authority, unit: u32) {
        let now = Self::clock().now().wall;
        let serial: Serial = label(unit).parse().unwrap();
        let key = p256::SecretKey::generate();
        let point = key.public_key().to_sec1_point(false);
        let request = IssueRequest {
            public_key: PublicKey::from_bytes(point.as_bytes()).unwrap(),
            client_id: label(unit).parse().unwrap(),
            sn: random_sn().unwrap(),
            now,
        };
        let profile = from_config::profile(&self.config()).unwrap();
        let certificate = Arc::new(authority.issue(&request, &profile).unwrap());
        let standing = ledger.reader().unwrap().standing(&serial).unwrap();
        self.devices += 1;
        let own = standing.proven.map(|proven| proven.hardware);
        let fresh =
            || HardwareId::from_bytes(&[&[0xa0; 4][..], &self.devices.to_be_bytes()].concat());
        let begun = Begun {
            serial: serial.clone(),
            client_id: request.client_id,
            hardware: own.unwrap_or_else(|| fresh().unwrap()),
            model: "SIM-1".to_owned(),
            firmware: "1".to_owned(),
            certificate_sn: request.sn,
            slot: "A".parse().unwrap(),
            product: Some("TH200".to_owned()),
            label: None,
            work_order: self.work_order.map(|id| id.parse().unwrap()),
            grant: None,
            operator: None,
        };
        let writer = ledger.writer();
        let attempt = writer.record(Record::Begun(begun)).unwrap().attempt;
        let of = AttemptRef { serial, attempt };
        let mut image = [9; 32];
        image[..4].copy_from_slice(&self.devices.to_be_bytes());
        let image = ImageDigest::new(image);
        let (proof, restart) = (Proof::Possession, "command".to_owned());
        for record in [
            Record::Issued(Issued { attempt: of.clone(), certificate, image }),
            Record::CommitAsked(of.clone()),
            Record::Proven(ProvenRecord { attempt: of.clone(), proof, restart }),
            Record::Ended(Ended { attempt: of, end: End::Passed, void: false }),
        ] {
            writer.record(record).unwrap();
        }
    }

    /// Every certificate that the cloud has of the CAs that it has.
    pub(crate) fn in_cloud(&self) -> Vec<CloudCertificate> {
        let client = cloud::client(&self.config()).unwrap();
        let work = async {
            let mut all = Vec::new();
            for ca in client.authorities().await.unwrap() {
                let filter = CertificateFilter::Authority(ca.sn);
                let mut of_ca = Vec::new();
                loop {
                    let offset = u64::try_from(of_ca.len()).unwrap();
                    let page = client.certificates(&filter, offset, 100).await.unwrap();
                    if page.certificates.is_empty() {
                        break;
                    }
                    of_ca.extend(page.certificates);
                }
                all.extend(of_ca);
            }
            all
        };
        cloud::runtime().unwrap().block_on(work)
    }

    /// The status in the cloud of a unit's certificates, oldest first; none: not there.
    pub(crate) fn statuses(&self, unit: u32) -> Vec<Option<CloudStatus>> {
        let there = self.in_cloud();
        let story = self.reader().unit_story(&label(unit).parse().unwrap()).unwrap().unwrap();
        let of =
            |fingerprint| there.iter().find(|found| found.fingerprint == Some(fingerprint))?.status;
        story.certificates.iter().map(|one| of(one.fingerprint_sha256)).collect()
    }

    /// Revokes a unit's certificate in the cloud, as a person at the console does.
    pub(crate) fn revoke_by_hand(&self, unit: u32) {
        let client = cloud::client(&self.config()).unwrap();
        let found = self.in_cloud();
        let sn = &found.iter().find(|found| found.client_id == label(unit)).unwrap().sn;
        let revoked = client.set_status(sn, CloudStatus::Revoked);
        cloud::runtime().unwrap().block_on(revoked).unwrap();
    }

    /// Where a unit stands, and its newest certificate's registration.
    pub(crate) fn standing(&self, unit: u32) -> (String, String) {
        let shown = self.run(&["unit", "show", &label(unit)]).expect(0);
        let registration = &shown.lines[0]["certificates"].as_array().unwrap().last().unwrap()["registration"]
            ["state"];
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        (word(&shown.lines[0]["state"]), word(registration))
    }

    #[track_caller]
    pub(crate) fn assert_it_verifies(&self) {
        let ran = self.run(&["ledger", "verify"]).expect(0);
        assert_eq!(ran.summary()["valid"], true);
    }
}
