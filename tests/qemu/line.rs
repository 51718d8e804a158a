//! A pseudo-terminal between a station and a machine's UART, owned and paced here.
//!
//! QEMU can make a pseudo-terminal itself, but looks only once a second whether someone
//! opened it, and takes bytes as fast as they come. So this relay owns it: bytes reach
//! the UART no faster than the bit rate says, as on a real line.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// What a station's slot has where its configuration says nothing.
pub(crate) const BIT_RATE: u32 = 115_200;

/// Bytes that are handed on at once: below a chunk, so that pacing is even.
const PIECE: usize = 64;

/// A line that is plugged in; dropping it is pulling the plug.
pub(crate) struct Line {
    path: PathBuf,
    stop: UnixStream,
    relay: Option<JoinHandle<()>>,
}

impl Line {
    /// Relays between `uart` and a new pseudo-terminal, to which `link` leads.
    pub(crate) fn plug_in(uart: UnixStream, link: &Path) -> Self {
        let (master, slave, name) = pseudo_terminal();
        let _ = std::fs::remove_file(link);
        std::os::unix::fs::symlink(name, link).unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        let relay = Relay { master, _slave: slave, uart, stopped };
        let relay = std::thread::spawn(move || relay.run());
        Self { path: link.to_owned(), stop, relay: Some(relay) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        if let Some(relay) = self.relay.take() {
            let _ = relay.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Master and slave in raw mode, and the slave's path.
fn pseudo_terminal() -> (OwnedFd, OwnedFd, PathBuf) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    let mut raw = tcgetattr(&slave).unwrap();
    raw.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &raw).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master, slave, PathBuf::from(name.into_string().unwrap()))
}

struct Relay {
    master: OwnedFd,
    /// Held open: a master without a slave hangs up, and a station comes and goes.
    _slave: OwnedFd,
    uart: UnixStream,
    stopped: UnixStream,
}

impl Relay {
    fn run(self) {
        let mut line_is_free = Instant::now();
        while let Ok(true) = self.step(&mut line_is_free) {}
    }

    /// Moves what there is; false when either end is gone.
    fn step(&self, line_is_free: &mut Instant) -> io::Result<bool> {
        let busy = line_is_free.saturating_duration_since(Instant::now());
        let from_station = if busy.is_zero() { PollFlags::IN } else { PollFlags::empty() };
        let mut polled = [
            PollFd::new(&self.master, from_station),
            PollFd::new(&self.uart, PollFlags::IN),
            PollFd::new(&self.stopped, PollFlags::IN),
        ];
        let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(busy.subsec_nanos()) };
        match poll(&mut polled, (!busy.is_zero()).then_some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [master, uart, stopped] = polled.map(|end| end.revents());
        if !stopped.is_empty() {
            return Ok(false);
        }
        if master.contains(PollFlags::IN) {
            let count = relay(&self.master, &self.uart)?;
            *line_is_free = Instant::now() + line_time(count);
        }
        if !uart.is_empty() && relay(&self.uart, &self.master)? == 0 {
            return Ok(false);
        }
        Ok(true)
    }
}

fn line_time(bytes: usize) -> Duration {
    Duration::from_secs(1) * u32::try_from(bytes * 10).unwrap() / BIT_RATE
}

fn relay(from: &impl std::os::fd::AsFd, to: &impl std::os::fd::AsFd) -> io::Result<usize> {
    let mut bytes = [0; PIECE];
    let count = rustix::io::read(from, &mut bytes)?;
    let mut rest = &bytes[..count];
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(to, rest)?..];
    }
    Ok(count)
}
