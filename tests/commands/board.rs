//! The C device as a process of its own behind a pseudo-terminal.
//!
//! `firmware-interface/c/host/serve.sh` builds it with P-256 and with sanitizers. Ending its
//! process is cutting its power: its flash is a file, and its line stays.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// One build at a time: they share a folder.
static BUILDS: Mutex<()> = Mutex::new(());

/// Built once: a board of another test may start it at any moment.
static HONEST: LazyLock<PathBuf> = LazyLock::new(|| build(None));

/// The program around the device's own source.
pub(crate) fn honest() -> PathBuf {
    HONEST.clone()
}

/// The program around a source with a bug: each pair is a text and what replaces it.
pub(crate) fn spoilt(name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let path = root().join("firmware-interface/c/station_device.c");
    let mut source = fs::read_to_string(path).unwrap();
    for (old, new) in changes {
        assert_eq!(source.matches(old).count(), 1, "{name}: {old}");
        source = source.replace(old, new);
    }
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    let device = folder.join(format!("{name}.c"));
    fs::write(&device, source).unwrap();
    build(Some(&device))
}

fn build(device: Option<&Path>) -> PathBuf {
    let _one = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(root().join("firmware-interface/c/host/serve.sh"));
    command.arg(folder()).stderr(Stdio::inherit());
    if let Some(device) = device {
        command.env("STATION_C_DEVICE", device);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "serve.sh failed");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("c-device")
}

/// A board that has power until it is dropped.
pub(crate) struct Board {
    program: PathBuf,
    flash: PathBuf,
    port: String,
    master: OwnedFd,
    /// Held open: a master without a slave hangs up.
    _slave: OwnedFd,
    process: Child,
}

impl Board {
    /// Powers a board whose flash is that file; a new file is a blank flash.
    pub(crate) fn power_on(program: &Path, flash: &Path) -> Self {
        let (master, slave, port) = pseudo_terminal();
        let process = start(program, flash, &master);
        let (program, flash) = (program.to_owned(), flash.to_owned());
        Self { program, flash, port, master, _slave: slave, process }
    }

    pub(crate) fn port(&self) -> &str {
        &self.port
    }

    /// Cuts the power.
    pub(crate) fn power_off(&mut self) {
        self.process.kill().ok();
        self.process.wait().unwrap();
    }

    /// Gives it back.
    pub(crate) fn power_back(&mut self) {
        self.process = start(&self.program, &self.flash, &self.master);
    }

    /// Loses what is in the flash, as no board should.
    pub(crate) fn forget(&self) {
        fs::remove_file(&self.flash).unwrap();
    }

    /// What is in the flash now.
    pub(crate) fn flash(&self) -> Vec<u8> {
        fs::read(&self.flash).unwrap()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn start(program: &Path, flash: &Path, master: &OwnedFd) -> Child {
    let line = || Stdio::from(master.try_clone().unwrap());
    Command::new(program).arg(flash).stdin(line()).stdout(line()).spawn().unwrap()
}

/// Master and slave in raw mode, and the slave's path.
fn pseudo_terminal() -> (OwnedFd, OwnedFd, String) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    let mut raw = tcgetattr(&slave).unwrap();
    raw.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &raw).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master, slave, name.into_string().unwrap())
}
