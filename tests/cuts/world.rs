//! A factory with one slot whose files can be copied: what a cut is tried on.
//!
//! The station's files lie under `store`, so that the data directory's own entry in it is
//! part of what a power cut may take. The slot's port is a name that can be taken away while
//! its device keeps its power: a device that is there and not presented.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use provisioning_station::sim::cloud::{self, Credentials, SimulatedCloud};
use provisioning_station::sim::{self, Options, SimulatedSlot, Timings};
use tempfile::TempDir;

use super::support::factory::{PASSPHRASE, Plan, station};
use super::support::{Factory, LONG, Process};

/// From what the ids of all simulated devices here follow.
const SEED: u64 = 7;

/// The simulator's own name for the port of slot A.
const LINK: &str = "sim-A";

/// The name that station.toml knows.
const PORT: &str = "slot-A";

/// A factory in a directory.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    /// A new factory whose product has these further lines.
    pub(crate) fn new(product: &'static str) -> Self {
        Self::of(&Plan { product, ..Plan::default() })
    }

    /// A new factory with so many slots.
    pub(crate) fn with_slots(slots: usize) -> Self {
        Self::of(&Plan { slots, ..Plan::default() })
    }

    fn of(plan: &Plan) -> Self {
        let factory = Factory::with(&Plan { station: "device_wait = \"10s\"", ..plan.clone() });
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["station.toml", "ca.pem", "ca.key", "server-root.pem"] {
            fs::copy(factory.path(name), world.path(name)).unwrap();
        }
        fs::create_dir(world.store()).unwrap();
        fs::create_dir(world.devices()).unwrap();
        world
    }

    /// All files of another, as they are now.
    pub(crate) fn copy_of(other: &World) -> Self {
        let world = World::without_store(other);
        copy(&other.store(), &world.store());
        world
    }

    /// All but the station's files.
    pub(crate) fn without_store(other: &World) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        copy(&other.devices(), &world.devices());
        for entry in fs::read_dir(other.folder.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), world.path(entry.file_name().to_str().unwrap())).unwrap();
            }
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.store().join("data")
    }

    pub(crate) fn devices(&self) -> PathBuf {
        self.path("devices")
    }

    pub(crate) fn shadow(&self) -> PathBuf {
        self.path("shadow")
    }

    /// The binary over this factory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = station();
        command.arg("--config").arg(self.path("station.toml"));
        command.arg("--data-dir").arg(self.data_dir()).arg("--json");
        command.args(arguments).current_dir(self.folder.path());
        command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
        command.env("STATION_ORDERS_PASSPHRASE", PASSPHRASE);
        let Credentials { secret_id, secret_key, .. } = Credentials::of_the_demo();
        for name in ["STATION_CLOUD", "STATION_CLOUD_REVOKER"] {
            command.env(format!("{name}_SECRET_ID"), &secret_id);
            command.env(format!("{name}_SECRET_KEY"), &secret_key);
        }
        command
    }

    /// Runs the binary to its end, which must be this exit status.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], code: i32) {
        Process::start(self.command(arguments)).finish(LONG).expect(code);
    }

    /// Runs a batch over one label to its end, which must be this exit status.
    #[track_caller]
    pub(crate) fn batch(&self, label: &str, code: i32) {
        self.run(&["batch", "--serials", &self.labels(label)], code);
    }

    /// Changes station.toml.
    #[track_caller]
    pub(crate) fn change(&self, from: &str, to: &str) {
        let file = self.path("station.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// Starts the factory's cloud over what it knows; station.toml then names its address.
    pub(crate) fn cloud(&self) -> SimulatedCloud {
        let (state, rate) = (Some(self.path("cloud.state")), Some(0));
        let options = cloud::Options { state, rate, ..cloud::Options::default() };
        let deadline = Instant::now() + LONG;
        // The file is locked for as long as a process that was just forked has it too.
        let cloud = loop {
            match cloud::start(options.clone()) {
                Ok(cloud) => break cloud,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::park_timeout(Duration::from_millis(5));
        };
        let file = self.path("station.toml");
        let text = fs::read_to_string(&file).unwrap();
        let line = text.lines().find(|line| line.starts_with("endpoint = ")).unwrap();
        fs::write(&file, text.replace(line, &format!("endpoint = \"{}\"", cloud.url()))).unwrap();
        cloud
    }

    /// Runs the binary to its good end while the cloud is there.
    #[track_caller]
    pub(crate) fn with_cloud(&self, arguments: &[&str]) {
        let _cloud = self.cloud();
        self.run(arguments, 0);
    }

    /// Somebody grants three units of a work order of five.
    pub(crate) fn grant(&self) {
        self.run(&["work-order", "key", "make", "--name", "planning"], 0);
        let sign = ["work-order", "sign", "WO-1", "--station", "line-1", "--quantity", "3"];
        let file = self.path("wo-1.grant");
        let more = ["--order-quantity", "5", "--out", file.to_str().unwrap()];
        self.run(&[&sign[..], &more[..]].concat(), 0);
    }

    /// Takes the ledger away, as a broken disk would, and leaves the journal's key.
    pub(crate) fn lose_ledger(&self) {
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "journal.head"] {
            let _ = fs::remove_file(self.data_dir().join(name));
        }
    }

    /// Takes an index out of the ledger, as somebody with another tool would.
    pub(crate) fn drop_index(&self, name: &str) {
        let ledger = rusqlite::Connection::open(self.data_dir().join("ledger.db")).unwrap();
        ledger.execute_batch(&format!("DROP INDEX {name}")).unwrap();
    }

    /// A file with one label, which names its slot: the scan waits for the device there.
    pub(crate) fn labels(&self, label: &str) -> String {
        let file = self.path("serials.txt");
        fs::write(&file, format!("A\t{label}\n")).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Says which of the slot's devices is in it when one is plugged in next.
    pub(crate) fn take(&self, unit: u32) {
        let progress = format!("{{\"name\":\"A\",\"unit\":{unit}}}");
        fs::write(self.devices().join(format!("{LINK}.slot.json")), progress).unwrap();
    }

    /// Plugs devices in, two of them one after another, and does not show them yet.
    pub(crate) fn plug(&self, change: impl Fn(&mut Options)) -> SimulatedSlot {
        let mut options = Options {
            state_dir: Some(self.devices()),
            name: Some("A".to_owned()),
            units: 2,
            baud: 0,
            seed: SEED,
            timings: Timings::INSTANT,
            ..Options::new(self.path(LINK))
        };
        change(&mut options);
        sim::start(options).unwrap()
    }

    /// Shows the slot's port to the station.
    pub(crate) fn show_port(&self) {
        std::os::unix::fs::symlink(self.path(LINK), self.path(PORT)).unwrap();
    }

    /// Takes it away.
    pub(crate) fn hide_port(&self) {
        // Where it was never shown, it is hidden.
        let _ = fs::remove_file(self.path(PORT));
    }
}

/// Copies a directory with all below it; what vanishes meanwhile was not there.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => copy(&path, &place),
            _ => drop(fs::copy(path, place)),
        }
    }
}
