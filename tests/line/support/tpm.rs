//! A TPM in software (swtpm), behind its own resource manager and tpm2-pkcs11.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::token::{LABEL, PIN};
use super::{Factory, LONG};

/// Where Debian has the module.
const MODULE: &str = "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1";

/// Who stands between the module and the TPM.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    /// tpm2-abrmd on a message bus of its own.
    Abrmd,
    /// Nobody: what a process leaves in the TPM stays there.
    None,
}

/// A TPM, with a token whose key is not made.
pub(crate) struct Tpm {
    folder: PathBuf,
    tpm: Child,
    manager: Option<(Child, Child)>,
    bus: Option<String>,
}

impl Tpm {
    /// Makes a TPM with a token in it and points the factory's authority to a key in that.
    pub(crate) fn for_factory(factory: &mut Factory, manager: Manager) -> Self {
        let mut tpm = Self::start(&factory.path("tpm"));
        // Its tools ask more of a TPM at once than one without a manager has room for.
        tpm.begin_manager();
        tpm.tool(&["init"]);
        tpm.tool(&["addtoken", "--pid=1", "--label", LABEL, "--userpin", PIN, "--sopin", "73519"]);
        if manager == Manager::None {
            tpm.end_manager();
        }
        for (name, value) in tpm.surroundings() {
            factory.set(name, value);
        }
        factory.set("STATION_PKCS11_PIN", PIN);
        factory.change(
            "kind = \"file\"\ncertificate = \"ca.pem\"\nkey = \"ca.key\"",
            &format!(
                "kind = \"pkcs11\"\ncertificate = \"token-ca.pem\"\nmodule = \"{MODULE}\"\n\
                 token_label = \"{LABEL}\"\nkey_label = \"ca\""
            ),
        );
        tpm
    }

    fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("state")).unwrap();
        fs::create_dir_all(folder.join("store")).unwrap();
        let tpm = swtpm(folder);
        Self { folder: folder.to_owned(), tpm, manager: None, bus: None }
    }

    /// The TPM is gone, as when its machine's firmware hides it.
    pub(crate) fn take_away(&mut self) {
        self.end_manager();
        end(&mut self.tpm);
    }

    /// It is there again, with what it kept.
    pub(crate) fn bring_back(&mut self) {
        self.tpm = swtpm(&self.folder);
        if self.bus.is_some() {
            self.begin_manager();
        }
    }

    fn begin_manager(&mut self) {
        let address = self.folder.join("bus");
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .arg(format!("--address=unix:path={}", address.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon, of the package dbus");
        let mut line = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.bus = Some(line.trim().to_owned());
        let manager = Command::new("tpm2-abrmd")
            .args(["--session", "--allow-root", "--tcti", &self.direct()])
            .env("DBUS_SESSION_BUS_ADDRESS", line.trim())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tpm2-abrmd");
        self.manager = Some((manager, bus));
        until("the TPM's resource manager answers", || {
            let asked = Command::new("tpm2_getcap")
                .arg("handles-transient")
                .envs(self.surroundings())
                .output();
            asked.is_ok_and(|answer| answer.status.success())
        });
    }

    fn end_manager(&mut self) {
        if let Some((mut manager, mut bus)) = self.manager.take() {
            end(&mut manager);
            end(&mut bus);
        }
    }

    fn direct(&self) -> String {
        format!("swtpm:path={}", self.folder.join("socket").display())
    }

    fn surroundings(&self) -> Vec<(&'static str, String)> {
        let (way, bus) = match &self.manager {
            Some(_) => ("tabrmd:bus_type=session".to_owned(), self.bus.clone()),
            None => (self.direct(), None),
        };
        let mut all = vec![
            ("TPM2TOOLS_TCTI", way.clone()),
            ("TPM2_PKCS11_TCTI", way),
            ("TPM2_PKCS11_STORE", self.folder.join("store").display().to_string()),
        ];
        all.extend(bus.map(|bus| ("DBUS_SESSION_BUS_ADDRESS", bus)));
        all
    }

    fn tool(&self, arguments: &[&str]) {
        let mut command = Command::new("tpm2_ptool");
        let done = command.args(arguments).envs(self.surroundings()).output();
        let done = done.expect("tpm2_ptool, of the package libtpm2-pkcs11-tools");
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        self.end_manager();
        end(&mut self.tpm);
    }
}

fn swtpm(folder: &Path) -> Child {
    let socket = folder.join("socket");
    let _ = fs::remove_file(&socket);
    let at = |name: &str| folder.join(name).display().to_string();
    // The other end looks for the control channel beside the data one, by this name.
    let tpm = Command::new("swtpm")
        .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
        .args(["--tpmstate", &format!("dir={}", at("state"))])
        .args(["--server", &format!("type=unixio,path={}", at("socket"))])
        .args(["--ctrl", &format!("type=unixio,path={}", at("socket.ctrl"))])
        .stderr(Stdio::null())
        .spawn()
        .expect("swtpm");
    until("the TPM listens", || socket.exists());
    tpm
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// Asks until it holds; each question takes its time by itself.
fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "{what}: not within {LONG:?}");
        std::thread::yield_now();
    }
}
