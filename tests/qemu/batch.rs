//! Eight devices in one run of `station batch`: the program as a factory starts it, over
//! pseudo-terminals, against firmware that shares no line of code with it.

use std::fs::{self, DirBuilder};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use provisioning_station::broker::{Demands, Identity, Meeting, Mosquitto, Refused, connect};
use provisioning_station::domain::clock::Timestamp;
use provisioning_station::domain::identity::TlsVersion;
use provisioning_station::pki::{pkcs8_of, read_certificates, sample_server};
use serde_json::Value;
use tempfile::TempDir;

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
fn eight_boards_are_provisioned_and_each_connects_to_a_broker_as_itself_alone() {
    if let Some((folder, flashes)) = provision("") {
        assert_all_connect(folder.path(), &flashes);
    }
}

#[test]
fn eight_boards_make_their_own_keys_and_the_station_certifies_them() {
    provision("key_origin = \"device\"\n");
}

/// Eight boards in one batch of a product that has these lines too.
fn provision(product: &str) -> Option<(TempDir, Vec<Flash>)> {
    let firmware = firmware()?;
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
    let (held, flashes): (Vec<String>, Vec<Flash>) =
        slots.into_iter().map(certificate_after_power_cycle).unzip();
    for unit in units {
        let fingerprint = unit["fingerprint_sha256"].as_str().unwrap();
        assert!(held.iter().any(|held| held == fingerprint), "nobody holds {fingerprint}");
    }
    succeeds(folder.path(), &["ledger", "verify", "--json"]);
    Some((folder, flashes))
}

/// What the device says that it holds after the power went and came, and still proves; and
/// its flash.
fn certificate_after_power_cycle(slot: Slot) -> (String, Flash) {
    drop(slot.line);
    let flash = slot.machine.power_off();
    let (_machine, uart) = Machine::power_on(firmware().unwrap(), &flash);
    let mut wire = Wire::new(uart);
    let seen = wire.identify(0x4001).unwrap();
    assert!(wire.prove(NONCE).is_ok());
    (seen.certificate.iter().map(|byte| format!("{byte:02x}")).collect(), flash)
}

/// Takes each board's identity from its flash and connects with it, as the board would; and
/// again when the last unit is void.
fn assert_all_connect(folder: &Path, flashes: &[Flash]) {
    let units: Vec<(String, Identity)> = (1..=DEVICES)
        .map(|number| {
            let serial = format!("TH200-{number:08}");
            let identity = identity_in(folder, flashes, &serial);
            (serial, identity)
        })
        .collect();
    let (void, sound) = units.split_last().unwrap();
    let broker = Broker::start(folder);
    for (serial, identity) in &units {
        assert_eq!(broker.meets(serial, identity), Ok(()), "{serial}");
    }
    drop(broker);
    let act = ["unit", "void", &void.0, "--reason", "returned", "--by", "s04", "--json"];
    succeeds(folder, &act);
    let broker = Broker::start(folder);
    for (serial, identity) in sound {
        assert_eq!(broker.meets(serial, identity), Ok(()), "{serial}");
    }
    let refused = Err(Refused::Tls("CertificateRevoked".to_owned()));
    assert_eq!(broker.meets(&void.0, &void.1), refused);
}

/// What one board holds for this unit: its image begins with the key, and the certificate
/// follows.
fn identity_in(folder: &Path, flashes: &[Flash], serial: &str) -> Identity {
    let shown = succeeds(folder, &["unit", "show", serial, "--json"]).remove(0);
    let pem = shown["certificates"][0]["pem"].as_str().unwrap();
    let path = folder.join("shown.pem");
    fs::write(&path, pem).unwrap();
    let certificate = read_certificates(&path).unwrap().remove(0);
    let mut keys = flashes.iter().flat_map(|flash| flash.before(&certificate, 32));
    // The scalar alone says which it is; a broker would refuse another one.
    let key = keys.find_map(|bytes| pkcs8_of(bytes.as_slice().try_into().ok()?)).unwrap();
    Identity { certificates: vec![certificate], key }
}

/// A mosquitto that takes the clients of the station's CA but those on its newest list.
struct Broker {
    mosquitto: Mosquitto,
    root: Vec<u8>,
    _files: TempDir,
}

impl Broker {
    fn start(folder: &Path) -> Self {
        let list = folder.join("ca.crl");
        succeeds(folder, &["authority", "crl", "--out", list.to_str().unwrap(), "--json"]);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp(i64::try_from(since.as_micros()).unwrap());
        let server = sample_server(IpAddr::V4(Ipv4Addr::LOCALHOST), now).unwrap();
        let files = tempfile::tempdir().unwrap();
        let demands = Demands {
            certificate: &server.certificate,
            key: &server.key,
            client_authorities: &fs::read_to_string(folder.join("ca.pem")).unwrap(),
            revoked: &fs::read_to_string(list).unwrap(),
            tls_min: TlsVersion::V1_2,
            tls_max: TlsVersion::V1_3,
        };
        let mosquitto = Mosquitto::start(None, files.path(), &demands).unwrap();
        Self { mosquitto, root: server.root, _files: files }
    }

    /// Has a board connect under its client id, with each version of TLS.
    fn meets(&self, client_id: &str, identity: &Identity) -> Result<(), Refused> {
        for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
            let meeting = Meeting {
                address: self.mosquitto.address(),
                name: "127.0.0.1",
                roots: std::slice::from_ref(&self.root),
                version,
                client_id,
            };
            assert_eq!(connect(&meeting, Some(identity))?.version, version);
        }
        assert!(self.mosquitto.has_let_in(client_id, client_id), "{:#?}", self.mosquitto.log());
        Ok(())
    }
}
