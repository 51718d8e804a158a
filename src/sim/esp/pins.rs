//! The two lines DTR and RTS, which a pseudo-terminal lacks, by a socket beside the link.
//!
//! `PATH.lines` takes datagrams of two bytes, the levels of DTR and RTS as a port sets them.
//! Two transistors make of them what a board's reset and boot pins see: RTS alone holds the
//! chip in reset, DTR alone the boot pin low, both or none do nothing. The reset pin has its
//! capacitor: the chip leaves reset a little later than the line says, and looks at the boot
//! pin then.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::error::SimError;
use super::super::schedule::Moment;

/// What the capacitor at the reset pin takes.
const RISE: Duration = Duration::from_millis(2);

/// The lines of one slot.
pub(super) struct Pins {
    socket: UnixDatagram,
    path: PathBuf,
    boot_low: bool,
    in_reset: bool,
    /// When the reset pin is high again.
    rises_at: Option<Moment>,
}

impl Pins {
    /// Opens the socket beside a link.
    pub(super) fn open(link: &Path) -> Result<Self, SimError> {
        let mut name = link.file_name().unwrap_or_default().to_owned();
        name.push(".lines");
        let path = link.with_file_name(name);
        let failed = |source| SimError::Control { socket: path.clone(), source };
        let _ = fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { socket, path, boot_low: false, in_reset: false, rises_at: None })
    }

    /// Becomes readable when a line moves.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether the chip is held in reset.
    pub(super) const fn is_in_reset(&self) -> bool {
        self.in_reset
    }

    /// When the chip leaves reset, where that is under way.
    pub(super) const fn next_at(&self) -> Option<Moment> {
        self.rises_at
    }

    /// Follows the lines; where the chip leaves reset now, whether its boot pin is low.
    pub(super) fn left_reset(&mut self, now: Moment) -> Result<Option<bool>, SimError> {
        let mut levels = [0; 2];
        while let Ok(2) = self.socket.recv(&mut levels) {
            let [dtr, rts] = levels.map(|level| level != 0);
            self.boot_low = dtr && !rts;
            if rts && !dtr {
                (self.in_reset, self.rises_at) = (true, None);
            } else if self.in_reset && self.rises_at.is_none() {
                self.rises_at = Some(now + RISE);
            }
        }
        if self.rises_at.is_some_and(|at| at <= now) {
            (self.in_reset, self.rises_at) = (false, None);
            return Ok(Some(self.boot_low));
        }
        Ok(None)
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
