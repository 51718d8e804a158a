//! A station in a temporary directory, and its devices in processes of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The program.
pub(crate) const STATION: &str = env!("CARGO_BIN_EXE_station");
const PASSPHRASE: &str = "benchmark";

/// The devices of a run; they write, sign and start in no time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Devices {
    pub(crate) slots: u32,
    /// On all slots together.
    pub(crate) units: u32,
    /// 0 for no pacing.
    pub(crate) baud: u32,
    pub(crate) latency: Duration,
}

impl Devices {
    /// One slot without devices, pacing or latency.
    pub(crate) const fn none() -> Self {
        Devices { slots: 1, units: 0, baud: 0, latency: Duration::ZERO }
    }
}

/// A station that is set up, and devices that wait for it.
pub(crate) struct Factory {
    pub(crate) devices: Devices,
    processes: Vec<Child>,
    dir: TempDir,
}

impl Drop for Factory {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Factory {
    /// Makes CA and station.toml, and starts a process of devices for each slot.
    pub(crate) fn lay_out(devices: Devices) -> Factory {
        let mut factory = Factory::without_devices(devices);
        for slot in 0..devices.slots {
            // Any slot may take any unit, so that none stands still towards the end.
            let process = factory.start_devices(slot);
            factory.processes.push(process);
        }
        for process in &mut factory.processes {
            let mut ready = String::new();
            BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
            assert!(ready.contains("ready"), "{ready}");
        }
        factory
    }

    /// The same where somebody else plugs in devices, at [`Factory::link`].
    pub(crate) fn without_devices(devices: Devices) -> Factory {
        let dir = tempfile::tempdir().unwrap();
        let factory = Factory { devices, processes: Vec::new(), dir };
        fs::write(factory.path().join("station.toml"), configuration(devices)).unwrap();
        // A CA's certificate serves as the broker's root, too: what counts is its length.
        let init = factory.station().args(["authority", "init"]).output().unwrap();
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        factory
    }

    /// The program, in the station's directory.
    pub(crate) fn station(&self) -> Command {
        self.station_under(STATION)
    }

    /// Another program in the station's directory and environment.
    pub(crate) fn station_under(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
        command
    }

    /// Where the port of a slot appears.
    pub(crate) fn link(&self, slot: u32) -> std::path::PathBuf {
        self.path().join(slot_name(slot))
    }

    /// How long the devices' processes were on a core so far.
    pub(crate) fn devices_on_core(&self) -> Duration {
        self.processes.iter().map(|process| crate::processes::time_on_core(process.id())).sum()
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn start_devices(&self, slot: u32) -> Child {
        let Devices { units, baud, latency, .. } = self.devices;
        let latency = latency.as_millis();
        let options = format!(
            "--json sim device --units {units} --baud {baud} --latency-ms {latency} --erase-ms 0 \
             --chunk-ms 0 --commit-ms 0 --prove-ms 0 --boot-ms 0 --link"
        );
        let mut command = self.station();
        command.args(options.split_whitespace()).arg(self.link(slot));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
    }
}

fn slot_name(slot: u32) -> String {
    format!("S{:02}", slot + 1)
}

fn configuration(devices: Devices) -> String {
    let mut text = String::from(
        r#"[station]
id = "benchmark"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
[certificate]
organization = "ExampleDevices"
valid_for = "20y"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "mqtt.example.com"
server_root = "ca.pem"
[scanner]
binding = "any"
"#,
    );
    for name in (0..devices.slots).map(slot_name) {
        text.push_str(&format!("[[slots]]\nname = \"{name}\"\nport = \"{name}\"\n"));
    }
    text
}
