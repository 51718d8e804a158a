//! Zephyr's own SMP servers, built by others, as devices: programs of `native_sim` whose
//! flash is a file and whose UART is a pseudo-terminal of theirs.
//!
//! `tests/run` fetches them. Where they are not there, the tests that need them say so and
//! pass, unless `STATION_ZEPHYR=required`, which `tests/run` sets.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use super::LONG;

/// Begins each program's name.
const PROGRAM: &str = "zephyr_4.4.0_smp_server_0eae053d_native_sim_";

/// The program of this configuration, where it was fetched.
#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
pub(crate) fn program(configuration: &str) -> Option<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/zephyr");
    let program = fetched.join(format!("{PROGRAM}{configuration}.exe"));
    if program.exists() {
        return Some(program);
    }
    let is_required = std::env::var_os("STATION_ZEPHYR").is_some_and(|word| word == "required");
    assert!(!is_required, "{} is missing; tests/run fetches it", program.display());
    eprintln!("left out: {} is not there; tests/run fetches it", program.display());
    None
}

/// A device. It starts again whenever its program ends, as a board does after a reset.
pub(crate) struct Zephyr {
    shared: Arc<Shared>,
    supervisor: Option<JoinHandle<()>>,
}

struct Shared {
    program: PathBuf,
    flash: PathBuf,
    link: PathBuf,
    child: Mutex<Option<Child>>,
    is_over: AtomicBool,
    boots: AtomicU32,
}

impl Zephyr {
    /// Boots a device on this flash file, its port at `link`.
    pub(crate) fn boot(program: &Path, flash: &Path, link: &Path) -> Self {
        let shared = Arc::new(Shared {
            program: program.to_owned(),
            flash: flash.to_owned(),
            link: link.to_owned(),
            child: Mutex::new(None),
            is_over: AtomicBool::new(false),
            boots: AtomicU32::new(0),
        });
        let (booted, ready) = mpsc::channel();
        let supervised = Arc::clone(&shared);
        let supervisor = std::thread::spawn(move || {
            while !supervised.is_over.load(Ordering::Acquire) {
                supervised.run(&booted);
            }
        });
        ready.recv_timeout(LONG).expect("a device that boots");
        Self { shared, supervisor: Some(supervisor) }
    }

    /// Takes its power away for a moment.
    pub(crate) fn kill(&self) {
        self.shared.kill();
    }

    /// How often it booted.
    pub(crate) fn boots(&self) -> u32 {
        self.shared.boots.load(Ordering::Acquire)
    }
}

impl Shared {
    /// One life of the device.
    fn run(&self, booted: &mpsc::Sender<()>) {
        let mut child = Command::new(&self.program)
            .arg(format!("-flash={}", self.flash.display()))
            .arg("-rt")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        *self.child.lock().unwrap() = Some(child);
        // Its output ends with it.
        for line in said.lines().map_while(Result::ok) {
            let Some(at) = line.find("/dev/pts/") else { continue };
            self.plug(Path::new(line[at..].trim()));
            self.boots.fetch_add(1, Ordering::AcqRel);
            // Only the first boot is waited for.
            let _ = booted.send(());
        }
        let _ = fs::remove_file(&self.link);
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.wait();
        }
    }

    fn plug(&self, port: &Path) {
        let draft = self.link.with_extension("new");
        let _ = fs::remove_file(&draft);
        symlink(port, &draft).unwrap();
        fs::rename(&draft, &self.link).unwrap();
    }

    fn kill(&self) {
        if let Some(child) = self.child.lock().unwrap().as_mut() {
            let _ = child.kill();
        }
    }
}

impl Drop for Zephyr {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.shared.kill();
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.join();
        }
    }
}
