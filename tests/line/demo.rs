//! The demo: a whole line in one process, and everything that it leaves behind.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::support::factory::station;
use super::support::{Finished, LONG, Process, keys};

const UNITS: usize = 24;

/// One demo for all tests here, and where it lies.
struct Demo {
    folder: tempfile::TempDir,
    finished: Finished,
}

impl Demo {
    fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("demo")
    }

    /// Runs the binary over what the demo left.
    fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = station();
        command.arg("--config").arg(self.dir().join("station.toml")).arg("--json").args(arguments);
        Process::start(command).finish(LONG)
    }

    /// The serials in the order in which their units ended.
    fn serials(&self) -> Vec<String> {
        let units = self.finished.units();
        units.iter().map(|unit| unit["serial"].as_str().unwrap().to_owned()).collect()
    }
}

/// The demo of the issue, with a log as talkative as it gets.
fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = station();
        command.args(["demo", "--headless", "--no-sync", "--json", "-vv"]);
        command.args(["--units", "24", "--slots", "4", "--dir"]).arg(folder.path().join("demo"));
        let finished = Process::start(command).finish(LONG);
        Demo { folder, finished }
    })
}

#[test]
fn every_unit_of_the_demo_passes_with_a_proof_of_possession() {
    let finished = &demo().finished;
    assert_eq!(finished.code(), Some(0), "{}", finished.story());
    let units = finished.units();
    assert_eq!(units.len(), UNITS, "{}", finished.story());
    for unit in &units {
        assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"possession".into()));
        assert_eq!(unit["attempt"], 1);
    }
    let summary = finished.summary();
    assert_eq!(summary["passed"], UNITS);
    for nothing in ["failed", "interrupted", "refused", "already_proven", "uncertain"] {
        assert_eq!(summary[nothing], 0, "{summary}");
    }
}

#[test]
fn all_four_slots_of_the_demo_work() {
    let mut slots: Vec<_> =
        demo().finished.units().iter().map(|unit| unit["slot"].to_string()).collect();
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), 4);
}

#[test]
fn the_ledger_of_the_demo_verifies() {
    let verified = demo().run(&["ledger", "verify"]).expect(0).only();
    assert_eq!(verified["valid"], true, "{verified}");
    assert!(verified["entries"].as_u64().unwrap() > 4 * UNITS as u64, "{verified}");
}

#[test]
fn the_statistics_of_the_demo_count_every_unit_once() {
    let stats = demo().run(&["ledger", "stats"]).expect(0).only();
    assert_eq!(stats["units"]["proven"], UNITS, "{stats}");
    assert_eq!(stats["attempts"]["passed"], UNITS, "{stats}");
    assert_eq!(stats["first_pass_yield"], 1.0, "{stats}");
}

#[test]
fn openssl_takes_every_certificate_of_the_demo() {
    let demo = demo();
    let files = tempfile::tempdir().unwrap();
    let authority = demo.run(&["authority", "show"]).expect(0).only();
    let ca = files.path().join("ca.pem");
    fs::write(&ca, authority["certificate_pem"].as_str().unwrap()).unwrap();
    let certificates: Vec<_> = demo
        .serials()
        .iter()
        .map(|serial| {
            let shown = demo.run(&["unit", "show", serial]).expect(0).only();
            assert_eq!(shown["state"], "proven");
            let file = files.path().join(format!("{serial}.pem"));
            fs::write(&file, shown["certificates"][0]["pem"].as_str().unwrap()).unwrap();
            file
        })
        .collect();
    assert_eq!(certificates.len(), UNITS);
    assert_openssl_verifies(&ca, &certificates);
}

fn assert_openssl_verifies(ca: &Path, certificates: &[std::path::PathBuf]) {
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile"]).arg(ca);
    let verified = command.args(certificates).output().unwrap();
    let errors = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success(), "{}{errors}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn every_device_of_the_demo_holds_the_certificate_that_was_reported() {
    use sha2::{Digest, Sha256};
    let demo = demo();
    let mut reported: Vec<_> = demo
        .finished
        .units()
        .iter()
        .map(|unit| unit["fingerprint_sha256"].as_str().unwrap().to_owned())
        .collect();
    let held = keys::held_under(&demo.dir().join("devices"));
    let mut found: Vec<String> = held
        .iter()
        .map(|(_, held)| {
            Sha256::digest(&held.certificate).iter().map(|byte| format!("{byte:02x}")).collect()
        })
        .collect();
    reported.sort();
    found.sort();
    assert_eq!(found, reported);
}

#[test]
fn no_device_key_of_the_demo_lies_outside_its_device() {
    let demo = demo();
    let (dir, devices) = (demo.dir(), demo.dir().join("devices"));
    let held = keys::held_under(&devices);
    assert_eq!(held.len(), UNITS);
    let keys: Vec<_> = held.iter().map(|(_, held)| held.key).collect();
    let mut texts: Vec<_> = keys::files_under(&dir, &[&devices])
        .into_iter()
        .map(|file| (file.display().to_string(), fs::read(&file).unwrap()))
        .collect();
    assert!(texts.iter().any(|(name, _)| name.ends_with("ledger.db")), "{texts:?}");
    texts.push(("standard output".to_owned(), demo.finished.lines.join("\n").into_bytes()));
    texts.push(("standard error".to_owned(), demo.finished.errors.clone().into_bytes()));
    keys::assert_absent(&keys, &texts);
    // The search itself finds a key where one is.
    let flash = fs::read(&held[0].0).unwrap();
    assert!(keys::contains(&flash, &keys[0]));
}

#[test]
fn no_device_key_of_the_demo_is_a_key_of_two_devices() {
    let held = keys::held_under(&demo().dir().join("devices"));
    let mut keys: Vec<_> = held.iter().map(|(_, held)| held.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), UNITS);
}

#[test]
fn what_the_demo_leaves_can_be_worked_with() {
    let demo = demo();
    demo.run(&["config", "check"]).expect(0);
    demo.run(&["authority", "check"]).expect(0);
    demo.run(&["ledger", "check"]).expect(0);
    let listed = demo.run(&["unit", "list", "--state", "proven"]).expect(0).events();
    assert_eq!(listed.len(), UNITS);
}

#[test]
fn a_demo_is_not_made_where_something_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a file"), "").unwrap();
    let mut command = station();
    command.args(["demo", "--headless", "--json", "--dir"]).arg(folder.path());
    let finished = Process::start(command).finish(LONG);
    assert_eq!(finished.code(), Some(2), "{}", finished.story());
    assert!(finished.lines.is_empty(), "{}", finished.story());
}

/// The value of a key of station.toml.
fn setting(config: &str, key: &str) -> String {
    let line = config.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

#[test]
fn a_demo_ends_with_all_units_registered_and_its_cloud_can_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut command = station();
    command.args(["demo", "--headless", "--json", "--units", "6", "--slots", "2", "--dir"]);
    let finished = Process::start({
        command.arg(&dir);
        command
    })
    .finish(LONG)
    .expect(0);
    // Each unit's label is sent and read back beside the line.
    let (labels, events): (Vec<_>, Vec<_>) =
        finished.events().into_iter().partition(|event| event["event"] == "label");
    let with = |outcome: &str| labels.iter().filter(|label| label["outcome"] == outcome).count();
    assert_eq!((with("sent"), labels.len()), (6, 12), "{labels:?}");
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let units_then_summary = [vec!["unit"; 6], vec!["summary"]].concat();
    let registrations_then_summary = [vec!["registration"; 6], vec!["summary"]].concat();
    assert_eq!(kinds, [units_then_summary, registrations_then_summary].concat());
    assert!(events[7..13].iter().all(|event| event["outcome"] == "registered"));
    let last = finished.summary();
    assert_eq!((&last["passed"], &last["registered"]), (&6.into(), &6.into()), "{last}");
    assert_eq!((&last["failed"], &last["conflict"]), (&0.into(), &0.into()), "{last}");

    let run = |arguments: &[&str]| {
        let mut command = station();
        command.arg("--config").arg(dir.join("station.toml")).arg("--json").args(arguments);
        Process::start(command).finish(LONG)
    };
    let listed = run(&["unit", "list", "--state", "registered"]).expect(0).events();
    assert_eq!(listed.len(), 6);
    assert_eq!(run(&["ledger", "verify"]).expect(0).only()["valid"], true);

    // Without its cloud nothing is lost and the exit status says so.
    run(&["sync"]).expect(6);
    let config = fs::read_to_string(dir.join("station.toml")).unwrap();
    let address = setting(&config, "endpoint").replace("http://", "");
    let log = folder.path().join("requests");
    let mut command = station();
    command.args(["sim", "cloud", "--json", "--listen", &address, "--state"]);
    command.arg(dir.join("cloud.state")).arg("--log").arg(&log);
    let mut cloud = Process::start(command);
    cloud.line(LONG).unwrap();
    let summary = run(&["sync"]).expect(0).only();
    assert_eq!((&summary["registered"], &summary["pending"]), (&0.into(), &0.into()), "{summary}");
    let requests = fs::read_to_string(&log).unwrap();
    assert!(requests.lines().count() <= 3, "{requests}");
    assert!(!requests.contains("RegisterDeviceCertificate"), "{requests}");
    let full = run(&["sync", "--full"]).expect(0).events();
    assert!(full.iter().all(|event| event["event"] != "difference"), "{full:?}");
    assert_eq!(cloud.kill().lines.len(), 1);
}

#[test]
fn the_secrets_of_a_demo_are_its_own_alone() {
    use std::os::unix::fs::PermissionsExt;
    for name in ["demo-passphrase", "demo-cloud-secret-id", "demo-cloud-secret-key"] {
        let mode = fs::metadata(demo().dir().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let key = fs::read_to_string(demo().dir().join("demo-cloud-secret-key")).unwrap();
    assert!(!demo().finished.errors.contains(&key), "{}", demo().finished.errors);
}
