//! A printer behind a device file, such as `/dev/usb/lp0`.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::PrinterError;
use super::label::Sent;
use super::writing::{USUAL, write_within};

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

    pub(super) fn send(self, bytes: &[u8]) -> Sent {
        match write_within(&self.0, bytes, USUAL) {
            Ok(()) => Sent::all(),
            Err((taken, source)) => {
                Sent::after(taken, PrinterError::Write { taken, length: bytes.len(), source })
            }
        }
    }
}
