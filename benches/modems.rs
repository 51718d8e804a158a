//! How long a modem takes: the station beside Nordic's own installer, over the same simulated
//! nRF91 at 115200 baud: one batch, and the installer started for each unit, as each is used.
//!
//! `cargo bench --bench modems`, one minute. Nordic's tools are those that `tests/modems` fetches;
//! `cargo test --test modems judges` has them come. `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Units of each.
const UNITS: usize = 7;

const PASSPHRASE: &str = "a passphrase for a benchmark";

const STATION_TOML: &str = r#"
[station]
id = "bench"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
required_proof = "read-back"
[certificate]
organization = "Bench"
valid_for = "20y"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "mqtt.example.com"
server_root = "server-root.pem"
[ledger]
reserve = "1MiB"
[[slots]]
name = "A"
port = "slot"
driver = "at"
modem = "nrf91"
"#;

fn main() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nordic/packages");
    if !tools.exists() {
        println!("Nordic's tools are not there: cargo test --test modems judges");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    prepare(&folder);
    let ours = {
        let _modems = Modems::plug(&folder, "ours", &["--units", "99"]);
        of_the_station(&folder) / u32::try_from(UNITS).unwrap()
    };
    let theirs = {
        let _modems = Modems::plug(&folder, "theirs", &["--stay"]);
        median((1..=UNITS).map(|number| of_the_installer(&folder, &tools, number)).collect())
    };
    let times = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("a unit, process start included, {UNITS} units, 115200 baud, 20 ms a write:");
    println!("  one station batch, each with a restart of 400 ms  {:>5} ms", ours.as_millis());
    println!("  device_credentials_installer -d --verify, each    {:>5} ms", theirs.as_millis());
    println!("  {times:.1} times as fast");
}

fn station(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
    command.current_dir(folder.path()).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn prepare(folder: &TempDir) {
    let at = |name: &str| folder.path().join(name);
    fs::write(at("station.toml"), STATION_TOML).unwrap();
    let key = ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "their.key"];
    let root = ["req", "-x509", "-key", "their.key", "-subj", "/CN=Theirs", "-days", "30"];
    for arguments in [&key[..], &[&root[..], &["-out", "server-root.pem"]].concat()] {
        let done = Command::new("openssl").args(arguments).current_dir(folder.path()).output();
        assert!(done.unwrap().status.success(), "{arguments:?}");
    }
    let made = station(folder).args(["authority", "init"]).status().unwrap();
    assert!(made.success());
}

/// Modems in a process of their own.
struct Modems(Child);

impl Modems {
    fn plug(folder: &TempDir, state: &str, options: &[&str]) -> Self {
        let mut command = station(folder);
        command.args(["sim", "modem", "--kind", "nrf91", "--link", "slot", "--state", state]);
        let mut child = command.args(options).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        Self(child)
    }
}

impl Drop for Modems {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn timed(mut command: Command) -> Duration {
    let begun = Instant::now();
    let done = command.status().unwrap();
    assert!(done.success(), "{command:?}");
    begun.elapsed()
}

/// One batch over all units.
fn of_the_station(folder: &TempDir) -> Duration {
    let serials: String = (1..=UNITS).map(|number| format!("TH200-{number:08}\n")).collect();
    fs::write(folder.path().join("serials"), serials).unwrap();
    let mut command = station(folder);
    command.args(["batch", "--serials", "serials"]);
    timed(command)
}

fn of_the_installer(folder: &TempDir, tools: &Path, number: usize) -> Duration {
    let port: PathBuf = folder.path().join("slot");
    let run = "from nrfcloud_utils.device_credentials_installer import run; run()";
    let mut command = Command::new("python3");
    command.args(["-c", run, "--port"]).arg(&port).args(["-d", "--verify", "--cmd-type", "at"]);
    command.args(["--ca", "server-root.pem", "--ca-key", "their.key", "--id-str", "unit"]);
    command.arg("--csv").arg(format!("unit-{number}.csv"));
    command.env("PYTHONPATH", tools).env("MODEM_PORTS", &port).current_dir(folder.path());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    timed(command)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
