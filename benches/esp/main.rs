//! How long a chip of Espressif's takes by the loader in its ROM, at 921600 baud: a unit's cycle
//! beside what its bytes and its chip need at least, and a whole unit beside Espressif's own
//! `esptool`, which writes the same partition into the same simulated chip. Processes are
//! started for each unit of both.
//!
//! `cargo bench --bench esp`, half a minute. `esptool` is the one that `tests/run` fetches.
//! `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

mod cycle;
mod relay;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use cycle::{BOOT, ERASE, Needs, PAGE};
use relay::Relay;

/// Units of each.
const UNITS: usize = 15;

const PASSPHRASE: &str = "a passphrase for a benchmark";

/// Where a simulated chip has its partition.
const PARTITION_AT: usize = 0xd000;
const PARTITION_SIZE: usize = 0x2000;

const STATION_TOML: &str = r#"
[station]
id = "bench"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
[certificate]
organization = "Bench"
valid_for = "20y"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "mqtt.example.com"
server_root = "ca.pem"
[ledger]
reserve = "1MiB"
[esp]
baud = 921600
[[slots]]
name = "A"
port = "slot"
driver = "esp"
"#;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("station.toml"), STATION_TOML).unwrap();
    assert!(station(&folder).args(["authority", "init"]).status().unwrap().success());
    let (needs, partition) = counted(&folder);
    let line = needs.line.as_secs_f64() * 1e3;
    println!(
        "a unit's cycle: {} bytes to the chip and {} back, {line:.1} ms on the line; {} sectors \
         and {} pages and one start, {} ms in the chip",
        needs.to_chip,
        needs.from_chip,
        needs.sectors,
        needs.pages,
        needs.chip().as_millis()
    );
    let (cycle, unit) = of_the_station(&folder);
    let times = cycle.as_secs_f64() / needs.time().as_secs_f64();
    println!("{UNITS} units, a process for each:");
    println!("  a cycle takes {} ms, {times:.3} of that", cycle.as_millis());
    println!("  a unit by the station {:>13} ms", unit.as_millis());
    match of_esptool(&folder, &partition) {
        None => println!("  esptool is not there; tests/run fetches it"),
        Some(theirs) => {
            let times = theirs.as_secs_f64() / unit.as_secs_f64();
            println!("  esptool write-flash {:>15} ms, {times:.1} times that", theirs.as_millis());
        }
    }
}

fn station(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
    command.current_dir(folder.path()).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Chips in a process of their own.
struct Chips(Child);

impl Chips {
    fn plug(folder: &TempDir, link: &str, options: &[&str]) -> Self {
        let mut command = station(folder);
        command.args(["sim", "esp", "--link", link, "--state", "chips"]);
        let times = [
            ("--erase-ms", ERASE.as_millis()),
            ("--page-us", PAGE.as_micros()),
            ("--boot-ms", BOOT.as_millis()),
            // Not among what a chip needs: a signature is the application's.
            ("--prove-ms", 0),
        ];
        for (name, time) in times {
            command.arg(name).arg(time.to_string());
        }
        let mut child = command.args(options).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        Self(child)
    }
}

impl Drop for Chips {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One unit over a line that counts, and what its partition holds afterwards.
fn counted(folder: &TempDir) -> (Needs, Vec<u8>) {
    let _chips = Chips::plug(folder, "counted", &["--unpaced"]);
    let relay = Relay::between(&folder.path().join("counted"), &folder.path().join("slot"));
    unit(folder, 0);
    fs::remove_file(folder.path().join("slot")).unwrap();
    let flashes = fs::read_dir(folder.path().join("chips")).unwrap();
    let flashes = flashes.map(|entry| entry.unwrap().path());
    let flash: PathBuf = flashes
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "flash"))
        .unwrap();
    let partition = fs::read(flash).unwrap()[PARTITION_AT..][..PARTITION_SIZE].to_vec();
    (cycle::of(&relay.pieces()), partition)
}

/// One unit in a process of its own: its cycle, and how long the process took.
fn unit(folder: &TempDir, number: usize) -> (Duration, Duration) {
    fs::write(folder.path().join("serial"), format!("TH200-{number:08}\n")).unwrap();
    let mut command = station(folder);
    command.args(["--json", "batch", "--serials", "serial"]);
    let begun = Instant::now();
    let done = command.stdout(Stdio::piped()).output().unwrap();
    let lasted = begun.elapsed();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let unit: Value = serde_json::from_str(said.lines().next().unwrap_or("{}")).unwrap();
    assert_eq!(unit["outcome"], "pass", "{said}");
    (Duration::from_micros(unit["cycle_us"].as_u64().unwrap()), lasted)
}

fn of_the_station(folder: &TempDir) -> (Duration, Duration) {
    let _chips = Chips::plug(folder, "slot", &["--units", &(UNITS + 1).to_string()]);
    let (cycles, units) = (1..=UNITS).map(|number| unit(folder, number)).unzip();
    (median(cycles), median(units))
}

/// `esptool` writes the partition, as it comes but for lines and stub, which a simulated chip
/// does not have.
fn of_esptool(folder: &TempDir, partition: &[u8]) -> Option<Duration> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/esp-tools");
    if !tools.exists() {
        return None;
    }
    fs::write(folder.path().join("partition.bin"), partition).unwrap();
    let write = |number: usize| {
        // A chip that was just put in, as each of the station's was.
        let _chip = Chips::plug(folder, "theirs", &["--seed", &number.to_string()]);
        let mut command = Command::new("python3");
        command.args(["-m", "esptool", "--port", "theirs", "--baud", "921600"]);
        command.args(["--before", "no-reset", "--after", "no-reset", "--no-stub"]);
        command.args(["write-flash", &format!("{PARTITION_AT:#x}"), "partition.bin"]);
        command.env("PYTHONPATH", &tools).current_dir(folder.path());
        let begun = Instant::now();
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(said.contains("Hash of data verified"), "{said}");
        begun.elapsed()
    };
    Some(median((1..=UNITS).map(write).collect()))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
