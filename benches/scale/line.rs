//! A line over the ledger, in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use provisioning_station::domain::ids::Serial;

/// The program.
pub(crate) const STATION: &str = env!("CARGO_BIN_EXE_station");

/// The most memory that a line had when it had made these units.
pub(crate) fn peak_mib(config: &Path, labels: impl Iterator<Item = Serial>) -> f64 {
    let mut command = Command::new(STATION);
    command.arg("--config").arg(config).args(["--json", "batch", "--serials", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut station = command.spawn().unwrap();
    let mut input = station.stdin.take().unwrap();
    let mut lines = BufReader::new(station.stdout.take().unwrap()).lines();
    for label in labels {
        writeln!(input, "{label}").unwrap();
        // A unit's label may be told of before the next unit is.
        let line =
            lines.by_ref().map(Result::unwrap).find(|line| !line.contains("\"label\"")).unwrap();
        assert!(line.contains("\"pass\""), "{line}");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", station.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    drop(input);
    assert!(station.wait().unwrap().success());
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}
