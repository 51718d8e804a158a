//! A printer behind a device file, such as `/dev/usb/lp0`.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::error::PrinterError;
use super::label::Sent;

/// How long a printer may take nothing at all.
const STALL: Duration = Duration::from_secs(5);

/// A device that is open.
#[derive(Debug)]
pub(super) struct Device(File);

/// Whether a path is a device's: it is one, or stands where only devices do.
pub(super) fn is_device(path: &Path) -> bool {
    let is_one = |path: &Path| {
        let kind = path.metadata().ok()?.file_type();
        Some(kind.is_char_device() || kind.is_block_device() || kind.is_fifo())
    };
    is_one(path).unwrap_or_else(|| path.starts_with("/dev"))
}

impl Device {
    pub(super) fn open(path: &Path) -> Result<Self, PrinterError> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file =
            OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path);
        file.map(Self).map_err(|source| PrinterError::Path { path: PathBuf::from(path), source })
    }

    pub(super) fn send(mut self, bytes: &[u8]) -> Sent {
        let mut taken = 0;
        while taken < bytes.len() {
            match self.write(&bytes[taken..]) {
                Ok(count) => taken += count,
                Err(source) => {
                    let trouble = PrinterError::Write { taken, length: bytes.len(), source };
                    return Sent::after(taken, trouble);
                }
            }
        }
        Sent::all()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let until = Instant::now() + STALL;
        loop {
            match self.0.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(until)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    fn wait(&self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        let time = Timespec::try_from(left).ok();
        let mut polled = [PollFd::new(&self.0, PollFlags::OUT)];
        match poll(&mut polled, time.as_ref()) {
            Ok(0) => Err(ErrorKind::TimedOut.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
