//! A line with simulated devices, each in a process of its own behind a pseudo-terminal.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::station::{PASSPHRASE, Run, Station};

/// A `station sim device` that runs until it is dropped.
pub(crate) struct Device(Child);

impl Drop for Device {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A station that is ready for work: a CA, a server root, short waits, nothing plugged in.
pub(crate) fn ready() -> Station {
    let station = Station::new();
    station.make_authority();
    std::fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    let waits = "data_dir = \"data\"\nunit_deadline = \"20s\"\ndevice_wait = \"10s\"";
    station.change("data_dir = \"data\"", waits);
    station
}

/// Plugs a simulated device in and waits until it is there.
pub(crate) fn plug(station: &Station, link: &str, options: &str) -> Device {
    let line = format!("sim device --link {link} --baud 0 --json {options}");
    let mut child = station.command(&line).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut ready).unwrap();
    assert!(ready.contains("\"ready\""), "{ready}");
    Device(child)
}

/// What a batch over these labels printed.
pub(crate) struct Batch {
    pub(crate) run: Run,
    pub(crate) units: Vec<Value>,
    pub(crate) summary: Value,
}

/// Runs a batch over labels, one a line.
pub(crate) fn batch(station: &Station, labels: &str, options: &str) -> Batch {
    station.write("labels", labels);
    let mut command = station.command(&format!("batch --serials labels --json {options}"));
    let run = Run::of(command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE));
    let mut units = run.json();
    let summary = units.pop().unwrap_or_default();
    assert_eq!(summary["event"], "summary", "{run:?}");
    Batch { run, units, summary }
}

impl Batch {
    /// The line of a unit.
    pub(crate) fn unit(&self, serial: &str) -> &Value {
        let found = self.units.iter().find(|unit| unit["serial"] == serial);
        found.unwrap_or_else(|| panic!("no line of {serial} in {:?}", self.run))
    }

    /// Demands that the only unit ended so, with this code, and that the exit status says it.
    pub(crate) fn ended(&self, outcome: &str, code: &str) -> &Value {
        assert_eq!(self.units.len(), 1, "{:?}", self.run);
        let unit = &self.units[0];
        let found = (unit["outcome"].as_str(), unit["code"].as_str());
        assert_eq!(found, (Some(outcome), Some(code)), "{:?}", self.run);
        assert!(unit["message"].as_str().is_some_and(|text| text.len() > 10), "{unit}");
        assert_eq!(self.run.status, 1, "{:?}", self.run);
        unit
    }
}

#[test]
fn labels_that_can_not_be_read_are_named() {
    let station = ready();
    std::fs::create_dir(station.path("labels")).unwrap();
    station.fails("batch --serials labels", "E-INPUT", 2).says("from labels");
    std::fs::write(station.path("wide"), [0xff, 0xfe, b'T', 0]).unwrap();
    station.fails("batch --serials wide", "E-INPUT", 2).says("from wide: it is UTF-16 text");
}

#[test]
fn quiet_means_errors_alone() {
    let station =
        Station::with("[[slots]]\nname = \"A\"", "[[slots]]\nname = \"A\"\nbaud = 115201");
    let warned = station.ok("config check");
    assert!(warned.stderr.starts_with("warning["), "{warned:?}");
    let quiet = station.ok("-q config check");
    assert_eq!(quiet.stderr, "");
    station.fails("-q unit show TH200-00000001", "E-LEDGER-OPEN", 4);
}
