//! How a simulated slot is told to stop, and how it waits for something to happen.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::error::SimError;
use super::schedule::Moment;

/// A flag that ends a simulated slot; clones share it, and it is never taken back.
#[derive(Debug, Clone)]
pub struct StopFlag(Arc<OwnedFd>);

impl StopFlag {
    /// A flag that is not set.
    pub fn new() -> Result<Self, SimError> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let event = rustix::event::eventfd(0, flags).map_err(SimError::Port)?;
        Ok(Self(Arc::new(event)))
    }

    /// Sets it. Safe in any thread, and more than once.
    pub fn set(&self) {
        // Fails only where the counter is full, and then it is set.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

/// A bell that wakes whoever waits with it in reach; clones are the same bell.
#[derive(Debug, Clone)]
pub(crate) struct Bell(Arc<OwnedFd>);

impl Bell {
    /// A bell that nobody rang.
    pub(crate) fn new() -> Result<Self, SimError> {
        StopFlag::new().map(|flag| Self(flag.0))
    }

    /// Rings it. Safe in any thread.
    pub(crate) fn ring(&self) {
        // As with a flag.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// Takes note of all rings until now.
    pub(crate) fn hush(&self) {
        // Nothing to read means that nobody rang.
        let _ = rustix::io::read(&*self.0, &mut [0; 8]);
    }

    /// Becomes readable when it rings.
    pub(crate) fn heard(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The time since a slot was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch(Instant);

impl Watch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time now.
    pub(crate) fn now(self) -> Moment {
        Moment(0) + self.0.elapsed()
    }
}

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something can be read, or the time has come.
    Look,
    /// The stop flag is set.
    Stop,
}

/// Waits until one of these can be read, the flag is set, or the moment has come.
pub(crate) fn wait(
    stop: &StopFlag,
    readable: &[BorrowedFd<'_>],
    watch: Watch,
    until: Option<Moment>,
) -> Result<Woken, SimError> {
    let mut fds = vec![PollFd::from_borrowed_fd(stop.0.as_fd(), PollFlags::IN)];
    fds.extend(readable.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
    let timeout = until.map(|until| timespec(until.since(watch.now())));
    match rustix::event::poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(SimError::Port(error)),
    }
    Ok(if fds[0].revents().is_empty() { Woken::Look } else { Woken::Stop })
}

fn timespec(wait: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(wait.subsec_nanos()),
    }
}

/// Lets this thread be woken when it asked for, not up to 50 µs later.
pub(crate) fn be_punctual() {
    // Where the system refuses, wake-ups are a little later and no schedule drifts.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}
