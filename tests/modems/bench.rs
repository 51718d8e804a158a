//! A factory whose slots take modems, the modems, and what their flash holds.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::support::factory::station;
use super::support::openssl::openssl;
use super::support::{Factory, LONG, Process};

/// A maker's modems, and under which names their flash files keep an identity.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) word: &'static str,
    pub(crate) proof: &'static str,
    pub(crate) roots: &'static str,
    pub(crate) certificate: &'static str,
    pub(crate) key: &'static str,
}

pub(crate) const NRF91: Kind = Kind {
    word: "nrf91",
    proof: "read-back",
    roots: "16842753/0",
    certificate: "16842753/1",
    key: "16842753/2",
};

pub(crate) const QUECTEL: Kind = Kind {
    word: "quectel",
    proof: "read-back",
    roots: "ca.pem",
    certificate: "cert.pem",
    key: "key.pem",
};

pub(crate) const SIMCOM: Kind = Kind { word: "simcom", proof: "none", ..QUECTEL };

pub(crate) const ESP_AT: Kind = Kind {
    word: "esp-at",
    proof: "read-back",
    roots: "mqtt_ca",
    certificate: "mqtt_cert",
    key: "mqtt_key",
};

/// A factory with so many slots, all of them for modems of one kind.
pub(crate) fn factory(kind: Kind, slots: usize) -> Factory {
    let factory = Factory::with_slots(slots);
    for slot in &["A", "B", "C", "D"][..slots] {
        let port = format!("port = \"slot-{slot}\"");
        let driver = format!("{port}\ndriver = \"at\"\nmodem = \"{}\"", kind.word);
        factory.change(&port, &driver);
    }
    let product = "client_id = \"{serial}\"";
    factory.change(product, &format!("{product}\nrequired_proof = \"{}\"", kind.proof));
    factory
}

/// Modems in a slot, in a process of their own.
pub(crate) struct Modems {
    process: Process,
    link: PathBuf,
    state: PathBuf,
}

impl Modems {
    /// Plugs modems into a slot.
    pub(crate) fn plug(factory: &Factory, kind: Kind, slot: &str, options: &[&str]) -> Self {
        let (link, state) = (factory.port(slot), factory.path(&format!("modems-{slot}")));
        let mut command = station();
        command.args(["--json", "sim", "modem", "--kind", kind.word, "--link"]).arg(&link);
        command.arg("--state").arg(&state);
        if !options.contains(&"--baud") {
            command.args(["--baud", "0"]);
        }
        if !options.contains(&"--write-ms") {
            command.args(["--write-ms", "1"]);
        }
        command.args(["--boot-ms", "60"]).args(options);
        let mut process = Process::start(command);
        let ready = process.event(LONG).unwrap_or_else(|| panic!("{}", process.errors()));
        assert_eq!(ready["event"], "ready");
        Self { process, link, state }
    }

    /// Moves a modem by hand: `pull`, `put` or `next`.
    pub(crate) fn hand(&self, act: &str) -> bool {
        let mut command = station();
        command.args(["--json", "sim", act]).arg(&self.link);
        Process::start(command).finish(LONG).code() == Some(0)
    }

    /// Takes the power of all of them away.
    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// What each of them holds that was ever plugged in.
    pub(crate) fn flash(&self) -> Vec<Flash> {
        flash_under(&self.state)
    }
}

/// What each modem of a slot holds.
pub(crate) fn flash_of(factory: &Factory, slot: &str) -> Vec<Flash> {
    flash_under(&factory.path(&format!("modems-{slot}")))
}

fn flash_under(state: &Path) -> Vec<Flash> {
    let files = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "modem"));
    files.map(|path| Flash::read(&path)).collect()
}

/// A modem's flash.
pub(crate) struct Flash {
    pub(crate) imei: String,
    items: Value,
}

impl Flash {
    fn read(path: &Path) -> Self {
        let kept: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        Self { imei: kept["imei"].as_str().unwrap().to_owned(), items: kept["items"].clone() }
    }

    /// An item's text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.items[name].as_str()?;
        Some(String::from_utf8(STANDARD.decode(text).unwrap()).unwrap())
    }

    /// Whether it holds this certificate and the key that belongs to it.
    pub(crate) fn holds(&self, kind: Kind, pem: &str) -> bool {
        let (Some(certificate), Some(key)) = (self.text(kind.certificate), self.text(kind.key))
        else {
            return false;
        };
        if !certificate.starts_with(&pem.replace("\r\n", "\n")) {
            return false;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("certificate"), certificate).unwrap();
        fs::write(at("key"), key).unwrap();
        let of_certificate = openssl(&["x509", "-in", &at("certificate"), "-noout", "-pubkey"]);
        // A key that does not parse has no public half.
        let of_key = super::support::openssl::refusal(&["pkey", "-in", &at("key"), "-noout"]);
        of_key.is_empty() && openssl(&["pkey", "-in", &at("key"), "-pubout"]) == of_certificate
    }
}

/// The newest certificate of a unit, PEM.
pub(crate) fn newest(factory: &Factory, serial: &str) -> String {
    let shown = factory.show(serial);
    let certificates = shown["certificates"].as_array().unwrap();
    certificates.last().unwrap()["pem"].as_str().unwrap().to_owned()
}

/// Demands that exactly one modem of these holds what was issued for the unit last.
#[track_caller]
pub(crate) fn assert_held(factory: &Factory, kind: Kind, serial: &str, flash: &[Flash]) {
    let pem = newest(factory, serial);
    let holders = flash.iter().filter(|flash| flash.holds(kind, &pem)).count();
    assert_eq!(holders, 1, "{serial} is held by {holders} modems");
}

/// The outcome and the code of the first unit of a batch.
pub(crate) fn outcome(factory: &Factory, labels: &str) -> (String, String) {
    let unit = factory.batch(labels).units().remove(0);
    let text = |key: &str| unit[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("code"))
}
