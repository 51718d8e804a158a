//! A factory in a directory: station.toml, a CA, and devices in processes of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::quick_key;
use super::tmux::Tmux;

const PASSPHRASE: &str = "a passphrase for tests";

/// A factory that is gone with its test.
pub(crate) struct Works {
    folder: TempDir,
}

/// One `station sim device`; dropping it pulls its device out.
pub(crate) struct Devices(Child, PathBuf);

impl Drop for Devices {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        // What a killed simulator leaves; another may get the same terminal meanwhile.
        let _ = fs::remove_file(&self.1);
    }
}

pub(crate) fn label(number: usize) -> String {
    format!("TH200-{number:08}")
}

impl Works {
    /// A factory with these slots, whose scans are bound so.
    pub(crate) fn new(slots: &[&str], binding: &str) -> Works {
        let works = Works { folder: tempfile::tempdir().unwrap() };
        let mut text = format!(
            r#"[station]
id = "line-1"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{{8}}"
client_id = "{{serial}}"
[certificate]
valid_for = "1y"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "mqtt.example.com"
server_root = "server-root.pem"
[ledger]
reserve = "1MiB"
[scanner]
binding = "{binding}"
"#
        );
        for slot in slots {
            text.push_str(&format!("[[slots]]\nname = \"{slot}\"\nport = \"slot-{slot}\"\n"));
        }
        fs::write(works.path("station.toml"), text).unwrap();
        works.succeeds(&["authority", "init", "--common-name", "Test CA"]);
        quick_key::encrypt_anew(&works.path("ca.key"), PASSPHRASE);
        // Devices must trust some broker's root; whose it is matters to none of these tests.
        fs::copy(works.path("ca.pem"), works.path("server-root.pem")).unwrap();
        works
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds a section to station.toml.
    pub(crate) fn adds(&self, section: &str) {
        let file = self.path("station.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{text}{section}")).unwrap();
    }

    /// Says something else in station.toml.
    pub(crate) fn sets(&self, old: &str, new: &str) {
        let file = self.path("station.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(file, text.replacen(old, new, 1)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.arg("--config").arg(self.path("station.toml")).args(arguments);
        command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE).stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        output
    }

    /// The lines of a command as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.succeeds(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Simulated devices, one after another, in a slot.
    pub(crate) fn devices(&self, slot: &str, further: &[&str]) -> Devices {
        let link = self.path(&format!("slot-{slot}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.args(["sim", "device", "--link"]).arg(&link).args(further);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Devices(command.spawn().unwrap(), link)
    }

    /// What a person types to begin the screen.
    pub(crate) fn run_line(&self) -> String {
        let (station, config) = (env!("CARGO_BIN_EXE_station"), self.path("station.toml"));
        let config = config.display();
        format!("env STATION_AUTHORITY_PASSPHRASE='{PASSPHRASE}' {station} --config {config} run")
    }

    /// Begins the screen in a terminal, and waits until it takes scans.
    pub(crate) fn screen(&self, size: (u16, u16), environment: &str) -> Tmux {
        self.screen_until(size, environment, |screen| {
            screen.contains("Scan a label") || screen.contains("Scan the slot")
        })
    }

    /// The same with a file for its log.
    pub(crate) fn screen_logged(&self, environment: &str, log: &Path) -> Tmux {
        let terminal = Tmux::new(self.folder.path(), (80, 24));
        let log = log.display();
        terminal
            .types(&format!("{environment} {} --log-file {log}; echo left=$?", self.run_line()));
        terminal.wait_for("Scan a label");
        terminal
    }

    /// The same until it shows something else.
    pub(crate) fn screen_until(
        &self,
        size: (u16, u16),
        environment: &str,
        is_there: impl Fn(&str) -> bool,
    ) -> Tmux {
        let terminal = Tmux::new(self.folder.path(), size);
        terminal.types(&format!("{environment} {}; echo left=$?", self.run_line()));
        terminal.wait_until("what the screen begins with", is_there);
        terminal
    }

    /// The journal holds, and every unit stands where these say.
    #[track_caller]
    pub(crate) fn holds(&self, units: &[(usize, &str)]) {
        assert_eq!(self.json(&["ledger", "verify"])[0]["valid"], true);
        let all = self.json(&["unit", "list"]);
        for (number, state) in units {
            let unit = all.iter().find(|unit| unit["serial"] == label(*number).as_str());
            let found = unit.map(|unit| unit["state"].clone());
            assert_eq!(found, Some(Value::from(*state)), "{}", label(*number));
        }
    }
}
