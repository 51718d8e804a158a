//! A factory in a directory: station.toml, a CA, a server root and slots whose devices
//! are simulated.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use provisioning_station::sim::{self, FaultSpec, Options, SimulatedSlot, Timings};
use tempfile::TempDir;

use super::{Finished, LONG, Ledger, Process, quick_key};

/// What the CA's key is encrypted with.
pub(crate) const PASSPHRASE: &str = "a passphrase for tests";

/// From what the ids of all simulated devices here follow.
pub(crate) const SEED: u64 = 7;

/// What is not usual about a factory.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) slots: usize,
    /// Bits a second, as station.toml says; what the simulator paces is another matter.
    pub(crate) baud: u32,
    /// Further lines of `[station]`.
    pub(crate) station: &'static str,
    /// Further lines of `[product]`.
    pub(crate) product: &'static str,
    /// The lines of `[ledger]`.
    pub(crate) ledger: &'static str,
    pub(crate) station_id: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            slots: 1,
            baud: 115_200,
            station: "device_wait = \"20s\"",
            product: "",
            ledger: "reserve = \"1MiB\"",
            station_id: "line-1",
        }
    }
}

/// A factory that is gone with its test.
pub(crate) struct Factory {
    folder: TempDir,
    slots: Vec<String>,
    /// What the binary finds in its environment besides.
    variables: Vec<(&'static str, OsString)>,
}

/// A serial of the product's pattern.
pub(crate) fn label(number: usize) -> String {
    format!("TH200-{number:08}")
}

/// Serials from 1, one a line.
pub(crate) fn labels(count: usize) -> String {
    (1..=count).map(|number| label(number) + "\n").collect()
}

/// A label that names its slot.
pub(crate) fn named(slot: &str, number: usize) -> String {
    format!("{slot}\t{}\n", label(number))
}

fn slot_name(index: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number).unwrap());
    match index {
        0..26 => letter(index).to_string(),
        _ => format!("A{}", letter(index - 26)),
    }
}

impl Factory {
    /// One slot and nothing unusual.
    pub(crate) fn usual() -> Self {
        Self::with(&Plan::default())
    }

    pub(crate) fn with_slots(slots: usize) -> Self {
        Self::with(&Plan { slots, ..Plan::default() })
    }

    pub(crate) fn with(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let factory =
            Self { folder, slots: (0..plan.slots).map(slot_name).collect(), variables: Vec::new() };
        factory.configure(plan);
        for (name, contents) in authority() {
            let path = factory.path(name);
            fs::write(&path, contents).unwrap();
            keep_private(&path);
        }
        fs::write(factory.path("server-root.pem"), server_root()).unwrap();
        factory
    }

    /// Gives the binary another variable from here on.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
    }

    /// Replaces a piece of station.toml.
    pub(crate) fn change(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(self.config(), text.replacen(old, new, 1)).unwrap();
    }

    /// Writes station.toml anew.
    pub(crate) fn configure(&self, plan: &Plan) {
        fs::write(self.config(), configuration(plan, &self.slots)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("station.toml")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn devices_dir(&self) -> PathBuf {
        self.path("devices")
    }

    pub(crate) fn port(&self, slot: &str) -> PathBuf {
        self.path(&format!("slot-{slot}"))
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::open(&self.data_dir())
    }

    /// The binary with this factory's configuration, its passphrase and JSON.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = station();
        command.arg("--config").arg(self.config()).arg("--json").args(arguments);
        command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments))
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish(LONG)
    }

    /// Starts a batch over these labels.
    pub(crate) fn start_batch(&self, labels: &str) -> Process {
        self.start_batch_with(labels, &[])
    }

    pub(crate) fn start_batch_with(&self, labels: &str, options: &[&str]) -> Process {
        let file = self.path("serials.txt");
        fs::write(&file, labels).unwrap();
        let arguments = ["batch", "--serials", file.to_str().unwrap()];
        self.start(&[&arguments[..], options].concat())
    }

    /// Runs a batch over these labels.
    pub(crate) fn batch(&self, labels: &str) -> Finished {
        self.start_batch(labels).finish(LONG)
    }

    pub(crate) fn batch_with(&self, labels: &str, options: &[&str]) -> Finished {
        self.start_batch_with(labels, options).finish(LONG)
    }

    /// Devices for a slot that need no time at all.
    pub(crate) fn options(&self, slot: &str, units: u32) -> Options {
        Options {
            state_dir: Some(self.devices_dir()),
            name: Some(slot.to_owned()),
            units,
            baud: 0,
            seed: SEED,
            timings: Timings::INSTANT,
            ..Options::new(self.port(slot))
        }
    }

    /// Plugs sound devices into a slot.
    pub(crate) fn devices(&self, slot: &str, units: u32) -> SimulatedSlot {
        sim::start(self.options(slot, units)).unwrap()
    }

    /// Plugs another device into a slot whose devices are used up.
    pub(crate) fn another_device(&self, slot: &str) -> SimulatedSlot {
        let state_dir = Some(self.path("more-devices"));
        sim::start(Options { state_dir, seed: SEED + 1, ..self.options(slot, 1) }).unwrap()
    }

    /// Plugs devices with faults into a slot.
    pub(crate) fn faulty(&self, slot: &str, units: u32, faults: &str) -> SimulatedSlot {
        let faults = FaultSpec::parse(faults).unwrap();
        sim::start(Options { faults, ..self.options(slot, units) }).unwrap()
    }

    /// Puts the device of that unit back into a slot that nobody uses, as it was left.
    pub(crate) fn put_back(&self, slot: &str, unit: u32) -> SimulatedSlot {
        self.put_back_with(slot, unit, "")
    }

    /// The same with faults from here on.
    pub(crate) fn put_back_with(&self, slot: &str, unit: u32, faults: &str) -> SimulatedSlot {
        let progress = format!("{{\"name\":\"{slot}\",\"unit\":{unit}}}");
        fs::write(self.devices_dir().join(format!("slot-{slot}.slot.json")), progress).unwrap();
        self.faulty(slot, unit, faults)
    }

    /// `station sim device` as a process of its own, once it is ready.
    pub(crate) fn device_process(&self, slot: &str, options: &[&str]) -> Process {
        let (port, devices) = (self.port(slot), self.devices_dir());
        let mut command = station();
        command.args(["--json", "sim", "device", "--link"]).arg(&port).arg("--state").arg(&devices);
        let mut process = Process::start({
            command.args(options);
            command
        });
        let ready = process.event(LONG).unwrap_or_else(|| panic!("{}", process.errors()));
        assert_eq!(ready["event"], "ready");
        assert_eq!(ready["link"], port.to_str().unwrap());
        process
    }

    /// Runs `ledger verify` and fails unless the ledger verifies.
    #[track_caller]
    pub(crate) fn verify(&self) -> serde_json::Value {
        let verified = self.run(&["ledger", "verify"]).expect(0).only();
        assert_eq!(verified["valid"], true, "{verified}");
        verified
    }

    /// What `unit show` says.
    #[track_caller]
    pub(crate) fn show(&self, serial: &str) -> serde_json::Value {
        self.run(&["unit", "show", serial]).expect(0).only()
    }
}

/// The binary, with nothing of the environment that it would obey.
pub(crate) fn station() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
    let variables = std::env::vars_os().map(|(name, _)| name);
    let ours = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.starts_with("STATION_") || name == "RUST_LOG" || name == "CREDENTIALS_DIRECTORY"
    };
    for name in variables.filter(ours) {
        command.env_remove(name);
    }
    command
}

/// Only its owner may read it.
pub(crate) fn keep_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn configuration(plan: &Plan, slots: &[String]) -> String {
    let Plan { baud, station, product, ledger, station_id, .. } = plan;
    let slots: String = slots
        .iter()
        .map(|name| {
            format!("\n[[slots]]\nname = \"{name}\"\nport = \"slot-{name}\"\nbaud = {baud}\n")
        })
        .collect();
    format!(
        "[station]\nid = \"{station_id}\"\ndata_dir = \"data\"\n{station}\n\n\
         [product]\nname = \"TH200\"\nserial_pattern = \"TH200-[0-9]{{8}}\"\n\
         client_id = \"{{serial}}\"\n{product}\n\n\
         [certificate]\norganization = \"Example\"\nvalid_for = \"20y\"\n\n\
         [authority]\nkind = \"file\"\ncertificate = \"ca.pem\"\nkey = \"ca.key\"\n\n\
         [broker]\nhost = \"mqtt.example.com\"\nport = 8883\nserver_root = \"server-root.pem\"\n\n\
         [ledger]\n{ledger}\n{slots}"
    )
}

/// The files of one CA, made by the binary once for all tests of this process.
fn authority() -> Vec<(&'static str, &'static [u8])> {
    static FILES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::default();
        let maker = Factory { folder, slots: vec![slot_name(0)], variables: Vec::new() };
        maker.configure(&plan);
        fs::write(maker.path("server-root.pem"), server_root()).unwrap();
        maker.run(&["authority", "init", "--common-name", "Line test CA"]).expect(0);
        quick_key::encrypt_anew(&maker.path("ca.key"), PASSPHRASE);
        ["ca.pem", "ca.key"].map(|name| fs::read(maker.path(name)).unwrap())
    });
    vec![("ca.pem", &files[0]), ("ca.key", &files[1])]
}

/// A root of another world than the CA, by which devices know their broker.
fn server_root() -> &'static str {
    static PEM: OnceLock<String> = OnceLock::new();
    PEM.get_or_init(|| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "Example broker root");
        parameters.self_signed(&key).unwrap().pem()
    })
}
