//! Eight devices in one run of `station batch`: the program as a factory starts it, over
//! pseudo-terminals, against firmware that shares no line of code with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::device::NONCE;
use super::flash::Flash;
use super::line::Line;
use super::machine::{Machine, all_to_itself, firmware};
use super::wire::Wire;

const DEVICES: u8 = 8;

/// Of CAs that are made in a test and thrown away.
const PASSPHRASE: &str = "open sesame";

const CONFIG: &str = r#"[station]
id = "line-1"
data_dir = "data"

[product]
name = "TH200"
model = "MPS2-AN385"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"

[certificate]
organization = "Example"
valid_for = "20y"

[authority]
certificate = "ca.pem"
key = "ca.key"

[broker]
host = "mqtt.example.com"
server_root = "server-root.pem"

[scanner]
binding = "any"
"#;

/// A slot with a machine in it.
struct Slot {
    machine: Machine,
    line: Line,
}

impl Slot {
    fn plug_in(firmware: &Path, folder: &Path, number: u8) -> Self {
        let flash = Flash::blank([0x51, 0xd0, 0x02, 0, 0, 0, 9, number]);
        let (machine, uart) = Machine::power_on(firmware, &flash);
        let line = Line::plug_in(uart, &folder.join(format!("slot-{number}")));
        Self { machine, line }
    }
}

fn station(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
    command.current_dir(folder).args(arguments).env_remove("STATION_CONFIG");
    command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE).stdin(Stdio::null());
    command.output().unwrap()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = station(folder, arguments);
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {said}{errors}");
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A station with a CA and a slot for each machine; the CA stands in for the broker's root.
fn lay_out(folder: &Path, product: &str) {
    let slot = |number| format!("\n[[slots]]\nname = \"S{number}\"\nport = \"slot-{number}\"\n");
    let slots: String = (1..=DEVICES).map(slot).collect();
    let config = CONFIG.replace("[product]\n", &format!("[product]\n{product}"));
    fs::write(folder.join("station.toml"), config + &slots).unwrap();
    DirBuilder::new().mode(0o700).create(folder.join("data")).unwrap();
    succeeds(folder, &["authority", "init", "--common-name", "Test CA"]);
    fs::copy(folder.join("ca.pem"), folder.join("server-root.pem")).unwrap();
    let serials: String = (1..=DEVICES).map(|number| format!("TH200-{number:08}\n")).collect();
    fs::write(folder.join("serials"), serials).unwrap();
}

#[test]
fn eight_boards_are_provisioned_in_one_batch_and_each_proves_possession() {
    provision("");
}

#[test]
fn eight_boards_make_their_own_keys_and_the_station_certifies_them() {
    provision("key_origin = \"device\"\n");
}

/// Eight boards in one batch of a product that has these lines too.
fn provision(product: &str) {
    let Some(firmware) = firmware() else { return };
    let _turn = all_to_itself();
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), product);
    let slots: Vec<Slot> =
        (1..=DEVICES).map(|number| Slot::plug_in(firmware, folder.path(), number)).collect();
    let lines = succeeds(folder.path(), &["batch", "--serials", "serials", "--json"]);
    let units: Vec<&Value> = lines.iter().filter(|line| line["event"] == "unit").collect();
    assert_eq!(units.len(), usize::from(DEVICES), "{lines:#?}");
    for unit in &units {
        assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"possession".into()));
    }
    let summary = lines.last().unwrap();
    assert_eq!(summary["passed"], DEVICES, "{summary}");
    eprintln!("eight boards through station batch: {} ms", summary["duration_ms"]);
    let held: Vec<String> = slots.into_iter().map(certificate_after_power_cycle).collect();
    for unit in units {
        let fingerprint = unit["fingerprint_sha256"].as_str().unwrap();
        assert!(held.iter().any(|held| held == fingerprint), "nobody holds {fingerprint}");
    }
    succeeds(folder.path(), &["ledger", "verify", "--json"]);
}

/// What the device says that it holds after the power went and came, and still proves.
fn certificate_after_power_cycle(slot: Slot) -> String {
    drop(slot.line);
    let flash = slot.machine.power_off();
    let (_machine, uart) = Machine::power_on(firmware().unwrap(), &flash);
    let mut wire = Wire::new(uart);
    let seen = wire.identify(0x4001).unwrap();
    assert!(wire.prove(NONCE).is_ok());
    seen.certificate.iter().map(|byte| format!("{byte:02x}")).collect()
}
