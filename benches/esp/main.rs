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
#[path = "../families/mod.rs"]
mod families;
mod relay;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use cycle::{BOOT, ERASE, Needs, PAGE};
use families::{Bench, Devices, median};
use relay::Relay;

/// Units of each.
const UNITS: usize = 15;

/// Where a simulated chip has its partition.
const PARTITION_AT: usize = 0xd000;
const PARTITION_SIZE: usize = 0x2000;

const SLOT: &str = r#"
[esp]
baud = 921600
[[slots]]
name = "A"
port = "slot"
driver = "esp"
"#;

fn main() {
    let bench = Bench::with("possession", SLOT);
    let (needs, partition) = counted(&bench);
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
    let (cycle, unit) = of_the_station(&bench);
    let times = cycle.as_secs_f64() / needs.time().as_secs_f64();
    println!("{UNITS} units, a process for each:");
    println!("  a cycle takes {} ms, {times:.3} of that", cycle.as_millis());
    println!("  a unit by the station {:>13} ms", unit.as_millis());
    match of_esptool(&bench, &partition) {
        None => println!("  esptool is not there; tests/run fetches it"),
        Some(theirs) => {
            let times = theirs.as_secs_f64() / unit.as_secs_f64();
            println!("  esptool write-flash {:>15} ms, {times:.1} times that", theirs.as_millis());
        }
    }
}

/// Puts chips in, with the times of real ones.
fn plug(bench: &Bench, link: &str, options: &[&str]) -> Devices {
    let (erase, page, boot) = (ERASE.as_millis(), PAGE.as_micros(), BOOT.as_millis());
    let (erase, page, boot) = (erase.to_string(), page.to_string(), boot.to_string());
    let chips = ["esp", "--link", link, "--state", "chips"];
    let times = ["--erase-ms", &erase, "--page-us", &page, "--boot-ms", &boot];
    // Not among what a chip needs: a signature is the application's.
    bench.plug(&[&chips[..], &times, &["--prove-ms", "0"], options].concat())
}

/// One unit over a line that counts, and what its partition holds afterwards.
fn counted(bench: &Bench) -> (Needs, Vec<u8>) {
    let _chips = plug(bench, "counted", &["--unpaced"]);
    let relay = Relay::between(&bench.at("counted"), &bench.at("slot"));
    unit(bench, 0);
    fs::remove_file(bench.at("slot")).unwrap();
    let flashes = fs::read_dir(bench.at("chips")).unwrap();
    let flashes = flashes.map(|entry| entry.unwrap().path());
    let flash: PathBuf = flashes
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "flash"))
        .unwrap();
    let partition = fs::read(flash).unwrap()[PARTITION_AT..][..PARTITION_SIZE].to_vec();
    (cycle::of(&relay.pieces()), partition)
}

/// One unit in a process of its own: its cycle, and how long the process took.
fn unit(bench: &Bench, number: usize) -> (Duration, Duration) {
    fs::write(bench.at("serial"), format!("TH200-{number:08}\n")).unwrap();
    let mut command = bench.station();
    command.args(["--json", "batch", "--serials", "serial"]);
    let begun = Instant::now();
    let done = command.stdout(Stdio::piped()).output().unwrap();
    let lasted = begun.elapsed();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let unit: Value = serde_json::from_str(said.lines().next().unwrap_or("{}")).unwrap();
    assert_eq!(unit["outcome"], "pass", "{said}");
    (Duration::from_micros(unit["cycle_us"].as_u64().unwrap()), lasted)
}

fn of_the_station(bench: &Bench) -> (Duration, Duration) {
    let _chips = plug(bench, "slot", &["--units", &(UNITS + 1).to_string()]);
    let (cycles, units) = (1..=UNITS).map(|number| unit(bench, number)).unzip();
    (median(cycles), median(units))
}

/// `esptool` writes the partition, as it comes but for lines and stub, which a simulated chip
/// does not have.
fn of_esptool(bench: &Bench, partition: &[u8]) -> Option<Duration> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/esp-tools");
    if !tools.exists() {
        return None;
    }
    fs::write(bench.at("partition.bin"), partition).unwrap();
    let write = |number: usize| {
        // A chip that was just put in, as each of the station's was.
        let _chip = plug(bench, "theirs", &["--seed", &number.to_string()]);
        let mut command = Command::new("python3");
        command.args(["-m", "esptool", "--port", "theirs", "--baud", "921600"]);
        command.args(["--before", "no-reset", "--after", "no-reset", "--no-stub"]);
        command.args(["write-flash", &format!("{PARTITION_AT:#x}"), "partition.bin"]);
        command.env("PYTHONPATH", &tools).current_dir(bench.path());
        let begun = Instant::now();
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(said.contains("Hash of data verified"), "{said}");
        begun.elapsed()
    };
    Some(median((1..=UNITS).map(write).collect()))
}
