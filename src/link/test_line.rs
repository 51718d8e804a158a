//! A pseudo-terminal for tests: the far end of a port, held by the test.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Longer than anything in these tests takes; a test that hangs ends by it.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// The master's side. Dropping it is pulling the plug.
pub(crate) struct Pty {
    master: OwnedFd,
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
        Self { master, path }
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

    /// What the station has sent within `time`; none once it has closed the port.
    pub(crate) fn receive(&self, time: Duration) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 4096];
        if !self.wait(PollFlags::IN, time).intersects(PollFlags::IN) {
            return Some(Vec::new());
        }
        match rustix::io::read(&self.master, &mut bytes) {
            Ok(count) => {
                bytes.truncate(count);
                Some(bytes)
            }
            Err(rustix::io::Errno::AGAIN) => Some(Vec::new()),
            // The port is closed at the near end.
            Err(_) => None,
        }
    }

    /// Whether the near end is closed now.
    pub(crate) fn is_closed(&self) -> bool {
        self.wait(PollFlags::empty(), Duration::ZERO).intersects(PollFlags::HUP)
    }

    pub(crate) fn wait(&self, wanted: PollFlags, time: Duration) -> PollFlags {
        let mut polled = [PollFd::new(&self.master, wanted)];
        let time = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
        poll(&mut polled, Some(&time)).unwrap();
        polled[0].revents()
    }
}
