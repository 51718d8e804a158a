//! `station selftest` on the firmware: every rule of the page, and the power cut under it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::flash::Flash;
use super::line::Line;
use super::machine::{Machine, firmware};

const BLANK: [u8; 8] = [0x51, 0xd0, 0x02, 0, 0, 0, 8, 1];

fn selftest(port: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
    command.args(["selftest", "--json", "--port"]).arg(port).args(options);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn passes(status: Option<i32>, said: &str) {
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<&Value> = lines.iter().filter(|line| line["verdict"] == "fail").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let summary = lines.last().unwrap();
    let counts = ["failed", "skipped", "not_run"].map(|count| summary[count].as_u64());
    assert_eq!((counts, status), ([Some(0); 3], Some(0)), "{said}");
}

#[test]
fn the_firmware_passes_every_check_with_the_lock() {
    let Some(firmware) = firmware() else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("slot");
    let (machine, uart) = Machine::power_on(firmware, &Flash::blank(BLANK));
    let line = Line::plug_in(uart, &port);
    let output = selftest(&port, &["--lock"]).output().unwrap();
    passes(output.status.code(), &String::from_utf8(output.stdout).unwrap());
    drop((line, machine));
}

#[test]
fn the_firmware_holds_the_old_or_the_new_identity_after_a_power_cut() {
    let Some(firmware) = firmware() else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("slot");
    let (mut machine, uart) = Machine::power_on(firmware, &Flash::blank(BLANK));
    let mut line = Line::plug_in(uart, &port);
    let mut child = selftest(&port, &["--power-cut", "2"]).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    for _ in 0..2 {
        while !said.lines().last().is_some_and(|line| line.contains("\"instruction\"")) {
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "{said}");
        }
        said += "\n";
        // Its port goes with it, and comes back under the same name.
        drop(line);
        let flash = machine.power_off();
        let (again, uart) = Machine::power_on(firmware, &flash);
        (machine, line) = (again, Line::plug_in(uart, &port));
    }
    output.read_to_string(&mut said).unwrap();
    let said: String =
        said.lines().filter(|line| !line.is_empty()).map(|l| format!("{l}\n")).collect();
    passes(child.wait().unwrap().code(), &said);
    drop((line, machine));
}
