//! What the benchmarks of device families share: a station with one slot in a folder of its own,
//! and simulated devices in processes of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const PASSPHRASE: &str = "a passphrase for a benchmark";

const STATION_TOML: &str = r#"
[station]
id = "bench"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
required_proof = "PROOF"
[certificate]
organization = "Bench"
valid_for = "20y"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "mqtt.example.com"
server_root = "server-root.pem"
[ledger]
reserve = "1MiB"
"#;

/// A station whose CA is made, with the CA's certificate for a broker's root.
pub(crate) struct Bench(TempDir);

impl Bench {
    /// A station that asks this proof of a device, with these sections for its slot.
    pub(crate) fn with(required_proof: &str, sections: &str) -> Self {
        let bench = Bench(tempfile::tempdir().unwrap());
        let general = STATION_TOML.replace("PROOF", required_proof);
        fs::write(bench.at("station.toml"), general + sections).unwrap();
        assert!(bench.station().args(["authority", "init"]).status().unwrap().success());
        fs::copy(bench.at("ca.pem"), bench.at("server-root.pem")).unwrap();
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The program in the folder, whose words nobody reads.
    pub(crate) fn station(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.current_dir(self.path()).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Simulated devices, `station sim …`, once they say that they are there.
    pub(crate) fn plug(&self, words: &[&str]) -> Devices {
        let mut command = self.station();
        command.arg("sim").args(words).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        Devices(child)
    }
}

/// Devices that are pulled at the end.
pub(crate) struct Devices(Child);

impl Drop for Devices {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
