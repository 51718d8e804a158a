//! How long a modem takes: the station beside Nordic's own installer, over the same simulated
//! nRF91 at 115200 baud: one batch, and the installer started for each unit, as each is used.
//!
//! `cargo bench --bench modems`, one minute. Nordic's tools are those that `tests/modems` fetches;
//! `cargo test --test modems judges` has them come. `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

mod families;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use families::{Bench, Devices, median};

/// Units of each.
const UNITS: usize = 7;

const SLOT: &str = r#"
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
    let bench = Bench::with("read-back", SLOT);
    their_root(&bench);
    let ours = {
        let _modems = plug(&bench, "ours", &["--units", "99"]);
        of_the_station(&bench) / u32::try_from(UNITS).unwrap()
    };
    let theirs = {
        let _modems = plug(&bench, "theirs", &["--stay"]);
        median((1..=UNITS).map(|number| of_the_installer(&bench, &tools, number)).collect())
    };
    let times = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("a unit, process start included, {UNITS} units, 115200 baud, 20 ms a write:");
    println!("  one station batch, each with a restart of 400 ms  {:>5} ms", ours.as_millis());
    println!("  device_credentials_installer -d --verify, each    {:>5} ms", theirs.as_millis());
    println!("  {times:.1} times as fast");
}

/// The root whose key the installer signs with, in place of the station's own for a broker.
fn their_root(bench: &Bench) {
    let key = ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "their.key"];
    let root = ["req", "-x509", "-key", "their.key", "-subj", "/CN=Theirs", "-days", "30"];
    for arguments in [&key[..], &[&root[..], &["-out", "server-root.pem"]].concat()] {
        let done = Command::new("openssl").args(arguments).current_dir(bench.path()).output();
        assert!(done.unwrap().status.success(), "{arguments:?}");
    }
}

fn plug(bench: &Bench, state: &str, options: &[&str]) -> Devices {
    let modems = ["modem", "--kind", "nrf91", "--link", "slot", "--state", state];
    bench.plug(&[&modems[..], options].concat())
}

fn timed(mut command: Command) -> Duration {
    let begun = Instant::now();
    let done = command.status().unwrap();
    assert!(done.success(), "{command:?}");
    begun.elapsed()
}

/// One batch over all units.
fn of_the_station(bench: &Bench) -> Duration {
    let serials: String = (1..=UNITS).map(|number| format!("TH200-{number:08}\n")).collect();
    fs::write(bench.at("serials"), serials).unwrap();
    let mut command = bench.station();
    command.args(["batch", "--serials", "serials"]);
    timed(command)
}

fn of_the_installer(bench: &Bench, tools: &Path, number: usize) -> Duration {
    let port = bench.at("slot");
    let run = "from nrfcloud_utils.device_credentials_installer import run; run()";
    let mut command = Command::new("python3");
    command.args(["-c", run, "--port"]).arg(&port).args(["-d", "--verify", "--cmd-type", "at"]);
    command.args(["--ca", "server-root.pem", "--ca-key", "their.key", "--id-str", "unit"]);
    command.arg("--csv").arg(format!("unit-{number}.csv"));
    command.env("PYTHONPATH", tools).env("MODEM_PORTS", &port).current_dir(bench.path());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    timed(command)
}
