//! One machine: QEMU, its flash file, and its line.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tempfile::TempDir;

use super::flash::Flash;

/// Far longer than a boot takes; a machine that hangs ends a test by it.
const BOOT_SECONDS: i64 = 30;

/// The firmware, or `None` where a test must be left out.
pub(crate) fn firmware() -> Option<&'static Path> {
    static FIRMWARE: OnceLock<Option<PathBuf>> = OnceLock::new();
    FIRMWARE.get_or_init(build_firmware).as_deref()
}

fn build_firmware() -> Option<PathBuf> {
    let missing = ["arm-none-eabi-gcc", "qemu-system-arm"].into_iter().find(|tool| !is_there(tool));
    if let Some(tool) = missing {
        assert!(std::env::var_os("STATION_QEMU").is_none(), "{tool} is required");
        eprintln!("left out: {tool} is not installed");
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut build = Command::new(root.join("firmware-interface/firmware/build.sh"));
    let output = build.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "build.sh failed");
    Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()))
}

fn is_there(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Held by a test with eight machines at work: two such at once would have sixteen on a host of
/// two processors, where a board no longer keeps the times that it declares.
pub(crate) fn all_to_itself() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that the next could trip over.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A machine that runs; it is ended when dropped.
pub(crate) struct Machine {
    process: Child,
    folder: TempDir,
}

impl Machine {
    /// Switches on with this flash; the far end of its UART comes beside it.
    pub(crate) fn power_on(firmware: &Path, flash: &Flash) -> (Self, UnixStream) {
        let folder = tempfile::tempdir().unwrap();
        flash.write(&folder.path().join("flash"));
        let listener = UnixListener::bind(folder.path().join("uart")).unwrap();
        let process = qemu(firmware, folder.path()).spawn().unwrap();
        let machine = Self { process, folder };
        // QEMU is the one that connects, so nothing has to be tried again and again.
        let time = Timespec { tv_sec: BOOT_SECONDS, tv_nsec: 0 };
        let mut polled = [PollFd::new(&listener, PollFlags::IN)];
        assert_eq!(poll(&mut polled, Some(&time)), Ok(1), "QEMU did not connect");
        let (uart, _) = listener.accept().unwrap();
        (machine, uart)
    }

    /// What is in the flash now; also while the machine runs.
    pub(crate) fn flash(&self) -> Flash {
        Flash::read(&self.folder.path().join("flash"))
    }

    /// Pulls the power.
    pub(crate) fn power_off(mut self) -> Flash {
        self.end().unwrap();
        self.flash()
    }

    /// Waits until the machine ended by itself.
    pub(crate) fn ended(mut self) -> (ExitStatus, Flash) {
        (self.process.wait().unwrap(), self.flash())
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        self.process.kill()?;
        self.process.wait()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn qemu(firmware: &Path, folder: &Path) -> Command {
    // Where a test program is killed, its machines go with it.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-arm"]);
    command.args(["-M", "mps2-an385,memory-backend=flash", "-display", "none", "-monitor", "none"]);
    command.args(["-object", "memory-backend-file,id=flash,size=16M,mem-path=flash,share=on"]);
    command.args(["-chardev", "socket,id=line,path=uart", "-serial", "chardev:line"]);
    command.args(["-semihosting-config", "enable=on,target=native"]);
    command.arg("-kernel").arg(firmware).current_dir(folder);
    // It says "Timer with period zero" of a timer that nobody uses.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
