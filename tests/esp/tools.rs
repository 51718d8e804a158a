//! Espressif's own tools, unchanged, of pinned versions: `esptool` and
//! `configure_esp_secure_cert.py`.
//!
//! `tests/run` fetches them. Where they are not there, the tests that need them say so and
//! pass, unless `STATION_ESP_TOOLS=required`, which `tests/run` sets.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The tools, where they were fetched.
pub(crate) struct Tools(PathBuf);

impl Tools {
    #[allow(clippy::print_stderr, reason = "a test that is left out says so")]
    pub(crate) fn find() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/esp-tools");
        if folder.is_dir() {
            return Some(Self(folder));
        }
        let wanted = std::env::var_os("STATION_ESP_TOOLS").is_some_and(|word| word == "required");
        assert!(!wanted, "{} is missing; tests/run fetches it", folder.display());
        eprintln!("left out: {} is not there; tests/run fetches it", folder.display());
        None
    }

    fn python(&self) -> Command {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &self.0).env("NO_COLOR", "1");
        command
    }

    /// `esptool` on a chip whose lines nobody moves, and which runs no code that is sent to it.
    pub(crate) fn esptool(&self, port: &Path, arguments: &[&str]) -> Output {
        let mut command = self.python();
        command.args(["-m", "esptool", "--port"]).arg(port);
        command.args(["--before", "no-reset", "--after", "no-reset", "--no-stub"]);
        command.args(arguments).output().unwrap()
    }

    /// `esptool` as it comes, but for its stub.
    pub(crate) fn esptool_with_lines(
        &self,
        port: &Path,
        shim: &[(String, String)],
        arguments: &[&str],
    ) -> Output {
        let mut command = self.python();
        command.args(["-m", "esptool", "--port"]).arg(port).arg("--no-stub").args(arguments);
        command.envs(shim.iter().cloned()).output().unwrap()
    }

    /// `configure_esp_secure_cert.py` in a folder in which it leaves what it makes.
    pub(crate) fn secure_cert(&self, folder: &Path, arguments: &[&str]) -> String {
        let tool = self.0.join("bin/configure_esp_secure_cert.py");
        let mut command = self.python();
        done(command.current_dir(folder).arg(tool).args(arguments).output().unwrap())
    }

    /// The generator of NVS partitions.
    pub(crate) fn nvs(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut command = self.python();
        command.args(["-m", "esp_idf_nvs_partition_gen"]).current_dir(folder);
        done(command.args(arguments).output().unwrap())
    }
}

/// What a tool said that did what it was asked.
#[track_caller]
pub(crate) fn done(output: Output) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}
