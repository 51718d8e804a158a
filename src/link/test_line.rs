//! A pseudo-terminal for tests: the far end of a port, held by the test.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};

/// Longer than anything in these tests takes; a test that hangs ends by it.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// The master's side. Dropping it is pulling the plug.
pub(crate) struct Pty {
    master: OwnedFd,
    /// Held open, so that the master reports no hang-up while the station has it closed.
    _slave: OwnedFd,
    path: PathBuf,
}

impl Pty {
    pub(crate) fn open() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let path = PathBuf::from(name.into_string().unwrap());
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let mut raw = rustix::termios::tcgetattr(&slave).unwrap();
        raw.make_raw();
        rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &raw).unwrap();
        Self { master, _slave: slave, path }
    }

    pub(crate) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes all of it.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut rest = bytes;
        let until = Instant::now() + WATCHDOG;
        while !rest.is_empty() {
            match rustix::io::write(&self.master, rest) {
                Ok(count) => rest = &rest[count..],
                Err(rustix::io::Errno::AGAIN) => {
                    self.wait(PollFlags::OUT, Duration::from_millis(20));
                }
                Err(error) => panic!("the far end can't write: {error}"),
            }
            assert!(Instant::now() < until, "nobody reads");
        }
    }

    /// Writes as much as fits now.
    pub(crate) fn offer(&self, bytes: &[u8]) {
        let _ = rustix::io::write(&self.master, bytes);
    }

    /// What the station has sent, waiting at most `time` for it.
    pub(crate) fn receive(&self, time: Duration) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        self.wait(PollFlags::IN, time);
        let count = rustix::io::read(&self.master, &mut bytes).unwrap_or(0);
        bytes.truncate(count);
        bytes
    }

    pub(crate) fn wait(&self, wanted: PollFlags, time: Duration) -> PollFlags {
        let mut polled = [PollFd::new(&self.master, wanted)];
        let time = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
        poll(&mut polled, Some(&time)).unwrap();
        polled[0].revents()
    }
}
