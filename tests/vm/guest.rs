//! One guest: QEMU, the shells in it, and its console.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tempfile::TempDir;

use super::qmp::Qmp;

/// So long anything in the guest may take; every instruction of it is computed, on a host that
/// may have much else to do.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// The shells: one for what is asked at once, one for a line that runs, one for the gadget.
const AGENTS: [&str; 3] = ["agent0", "agent1", "agent2"];

/// A guest that runs; it is ended when dropped.
pub(crate) struct Guest {
    process: Child,
    pub(crate) folder: TempDir,
    pub(crate) qmp: Qmp,
    streams: HashMap<String, UnixStream>,
}

impl Guest {
    /// Boots it with a channel of each of these names.
    pub(crate) fn boot(
        cache: &Path,
        disk: Option<&Path>,
        channels: &[&str],
        arguments: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = AGENTS.iter().chain(channels).chain(&["qmp"]);
        let listeners: Vec<(String, UnixListener)> = names
            .map(|name| (name.to_string(), UnixListener::bind(folder.path().join(name)).unwrap()))
            .collect();
        let mut command = qemu(cache, disk, folder.path());
        for name in AGENTS {
            command.args(["-chardev", &format!("socket,id={name},path={name}")]);
            command.args(["-device", &format!("virtserialport,chardev={name},name={name}")]);
        }
        let process = command.args(arguments).spawn().unwrap();
        let accepted = listeners.into_iter().map(|(name, listener)| (name, accept(&listener)));
        let mut streams: HashMap<_, _> = accepted.collect();
        let qmp = Qmp::over(streams.remove("qmp").unwrap());
        Self { process, folder, qmp, streams }
    }

    /// The host's end of a channel.
    pub(crate) fn channel(&mut self, name: &str) -> UnixStream {
        self.streams.remove(name).unwrap()
    }

    /// One of the shells, once it is there.
    pub(crate) fn shell(&mut self, name: &str) -> Shell {
        let stream = self.channel(name);
        let mut shell = Shell { stream, pending: Vec::new(), said: Vec::new(), runs: false };
        assert_eq!(shell.line(LONG), Some("@@ ready".to_owned()), "{}", self.console());
        shell
    }

    /// What the kernel and init said.
    pub(crate) fn console(&self) -> String {
        let said = fs::read(self.folder.path().join("console")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn qemu(cache: &Path, disk: Option<&Path>, folder: &Path) -> Command {
    // Where this program is killed, the guest goes with it.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]);
    // Never /dev/kvm, which may be there and hang.
    command.args(["-accel", "tcg", "-cpu", "max", "-m", "1024", "-nodefaults", "-no-reboot"]);
    command.args(["-display", "none", "-chardev", "socket,id=qmp,path=qmp"]);
    command.args(["-mon", "chardev=qmp,mode=control"]);
    command.arg("-kernel").arg(cache.join("kernel"));
    command.arg("-initrd").arg(cache.join("initramfs"));
    // A host that is busy keeps the timer from ticking as often as the kernel wants to see it tick.
    let mut kernel = "console=ttyS0 quiet no_timer_check rdinit=/init panic=-1".to_owned();
    if let Some(disk) = disk {
        // A screen, and a keyboard, which is a scanner as well.
        let disk = disk.display();
        command.args([
            "-drive",
            &format!("file={disk},format=raw,if=virtio,cache=unsafe,snapshot=on"),
        ]);
        command.args(["-vga", "std"]);
        kernel += " root=/dev/vda";
    }
    command.args(["-append", &kernel]);
    command.args(["-chardev", "file,id=console,path=console", "-serial", "chardev:console"]);
    command.args(["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// QEMU is the one that connects, so nothing has to be tried again and again.
pub(crate) fn accept(listener: &UnixListener) -> UnixStream {
    let time = Timespec::try_from(LONG).unwrap();
    let mut polled = [PollFd::new(listener, PollFlags::IN)];
    assert_eq!(poll(&mut polled, Some(&time)), Ok(1), "QEMU did not connect");
    listener.accept().unwrap().0
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) output: String,
}

impl Ended {
    /// Fails, with what was said, unless it exited so.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> String {
        assert_eq!(self.status, status, "{}", self.output);
        self.output
    }
}

/// One of the guest's shells.
pub(crate) struct Shell {
    stream: UnixStream,
    pending: Vec<u8>,
    /// All lines of the command that runs, or ran last.
    pub(crate) said: Vec<String>,
    runs: bool,
}

impl Shell {
    /// Runs a command to its end.
    pub(crate) fn run(&mut self, command: &str) -> Ended {
        self.start(command);
        self.end()
    }

    /// Starts a command; its lines come by [`Shell::next`].
    pub(crate) fn start(&mut self, command: &str) {
        assert!(!command.contains('\n'), "one command is one line: {command}");
        self.said.clear();
        self.runs = true;
        self.stream.write_all(format!("{command}\n").as_bytes()).unwrap();
    }

    /// The next line of the command that runs; its exit status where it has ended.
    pub(crate) fn next(&mut self, within: Duration) -> Result<String, i32> {
        let line = self.line(within);
        let line = line.unwrap_or_else(|| panic!("late:\n{}", self.said.join("\n")));
        match line.strip_prefix("@@ ") {
            Some(status) => {
                self.runs = false;
                Err(status.parse().unwrap())
            }
            None => {
                self.said.push(line.clone());
                Ok(line)
            }
        }
    }

    /// Whether a command runs whose end nobody has seen.
    pub(crate) const fn is_running(&self) -> bool {
        self.runs
    }

    /// Waits for the end of the command that runs.
    pub(crate) fn end(&mut self) -> Ended {
        loop {
            if let Err(status) = self.next(LONG) {
                return Ended { status, output: self.said.join("\n") };
            }
        }
    }

    fn line(&mut self, within: Duration) -> Option<String> {
        let until = Instant::now() + within;
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let left = until.checked_duration_since(Instant::now())?;
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
            let mut bytes = [0; 4_096];
            match self.stream.read(&mut bytes) {
                Ok(0) => panic!("the guest is gone"),
                Ok(count) => self.pending.extend(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
