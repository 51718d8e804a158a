//! Bytes to what may stop taking them, with a deadline.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// How long a printer may take nothing at all: one that warms up or is out of paper.
pub(super) const STALL: Duration = Duration::from_secs(5);

/// How long all bytes of one label may take.
pub(super) const WHOLE: Duration = Duration::from_secs(15);

/// How long whoever takes bytes may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For none of them.
    pub(super) stall: Duration,
    /// For all of them.
    pub(super) whole: Duration,
}

/// A printer's.
pub(super) const USUAL: Patience = Patience { stall: STALL, whole: WHOLE };

/// Has it never block from now on.
pub(super) fn without_blocking(file: &impl AsFd) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags | OFlags::NONBLOCK)?)
}

/// Writes to what does not block; gives how much was taken where not all was.
pub(super) fn write_within<W>(
    to: &W,
    bytes: &[u8],
    patience: Patience,
) -> Result<(), (usize, io::Error)>
where
    W: AsFd,
    for<'a> &'a W: Write,
{
    let until = Instant::now() + patience.whole;
    let mut stalled = Instant::now() + patience.stall;
    let (mut taken, mut writer) = (0, to);
    while taken < bytes.len() {
        match writer.write(&bytes[taken..]) {
            Ok(0) => return Err((taken, ErrorKind::WriteZero.into())),
            Ok(count) => {
                taken += count;
                stalled = Instant::now() + patience.stall;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                wait(to, until.min(stalled)).map_err(|error| (taken, error))?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err((taken, error)),
        }
        // Not by what poll says: a terminal takes a little more when it was asked long enough.
        if taken < bytes.len() && Instant::now() >= until.min(stalled) {
            return Err((taken, ErrorKind::TimedOut.into()));
        }
    }
    Ok(())
}

/// Waits until it may take more.
fn wait(for_it: &impl AsFd, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    let time = Timespec::try_from(left).ok();
    let mut polled = [PollFd::new(for_it, PollFlags::OUT)];
    match poll(&mut polled, time.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, PipeWriter, Read};
    use std::sync::mpsc::{TryRecvError, channel};
    use std::thread;

    use super::*;

    /// More than a pipe holds.
    const LABEL: usize = 1 << 20;

    fn pipe() -> (PipeReader, PipeWriter) {
        let (out, into) = io::pipe().unwrap();
        without_blocking(&into).unwrap();
        (out, into)
    }

    fn given_up(into: &PipeWriter, patience: Patience) -> usize {
        let (taken, error) = write_within(into, &[b'x'; LABEL], patience).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        taken
    }

    #[test]
    fn one_that_takes_nothing_any_more_is_waited_for_so_long() {
        let (_out, into) = pipe();
        let patience = Patience { stall: Duration::from_millis(20), ..USUAL };
        let taken = given_up(&into, patience);
        assert!(taken > 0 && taken < LABEL, "{taken}");
    }

    #[test]
    fn one_that_takes_a_little_for_ever_is_waited_for_so_long_in_all() {
        let (mut out, into) = pipe();
        let (enough, is_enough) = channel::<()>();
        let reader = thread::spawn(move || {
            while is_enough.try_recv() == Err(TryRecvError::Empty) {
                out.read_exact(&mut [0; 1]).unwrap();
            }
        });
        let taken = given_up(&into, Patience { whole: Duration::from_millis(20), ..USUAL });
        assert!(taken < LABEL, "{taken}");
        drop(enough);
        reader.join().unwrap();
    }

    #[test]
    fn one_that_takes_all_has_all() {
        let (mut out, into) = pipe();
        write_within(&into, b"^XA^XZ", USUAL).unwrap();
        drop(into);
        let mut label = Vec::new();
        out.read_to_end(&mut label).unwrap();
        assert_eq!(label, b"^XA^XZ");
    }
}
