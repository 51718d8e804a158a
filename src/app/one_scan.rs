//! One scan, from wherever it comes, for those who want to see what a scanner sends.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::config;
use crate::domain::code::Code;
use crate::domain::scan::{self, Framer};
use crate::link::scanner::Scanner;
use crate::link::{LinkError, Stop};
use crate::say;
use crate::shell::Failure;

use super::from_config;

/// A person's Ctrl-C, where nothing came before it.
const CONTROL_C: &[u8] = b"\x03";

/// What one pull of the trigger sent, and what is to be said about how it ended.
pub struct OneScan {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Why its end was none, where that is so.
    pub warning: Option<LinkError>,
}

impl OneScan {
    /// A text that stands for what comes from that scanner.
    pub fn of_text(scanner: &config::Scanner, text: &OsStr) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        if scanner.has_seven_bits {
            scan::drop_parity(&mut bytes);
        }
        Self { bytes, warning: None }
    }

    /// One scan of the scanner at a port.
    pub fn of_port(scanner: &config::Scanner, port: &str) -> Result<Self, Failure> {
        let settings = from_config::scanner_port(scanner, port);
        let mut scans = Scanner::open(settings, &scanner.ends, Stop::new())?;
        let framed = scans.next().unwrap_or(Err(LinkError::Stopped))?;
        Ok(Self { bytes: framed.bytes, warning: scans.take_warning() })
    }

    /// One scan of a scanner that types: into this terminal, or all that is piped in.
    pub fn of_keyboard(scanner: &config::Scanner) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::said(Code::Input, say!("the keyboard can't be read", "键盘无法读取"))
                .caused_by(&error)
        };
        let input = io::stdin();
        if !input.is_terminal() {
            let mut bytes = Vec::new();
            let most = u64::try_from(scan::LONGEST).unwrap_or(u64::MAX) + 1;
            input.take(most).read_to_end(&mut bytes).map_err(failed)?;
            return Ok(Self { bytes, warning: None });
        }
        let _raw = RawTerminal::new().map_err(failed)?;
        let bytes = typed(&mut Framer::new(&scanner.ends)).map_err(failed)?;
        match bytes.as_slice() {
            CONTROL_C => {
                Err(Failure::said(Code::Stopped, say!("nothing was scanned", "没有扫描任何内容")))
            }
            _ => Ok(Self { bytes, warning: None }),
        }
    }

    /// Its text, as whoever hears it gives it on.
    pub fn text(&self) -> String {
        scan::text_of(&self.bytes)
    }
}

/// Reads the terminal until a scan has ended.
fn typed(framer: &mut Framer) -> io::Result<Vec<u8>> {
    let started = Instant::now();
    let mut bytes = [0; 256];
    loop {
        if let Some(framed) = framer.next(started.elapsed()) {
            return Ok(framed.bytes);
        }
        let due = framer.due().map(|due| due.saturating_sub(started.elapsed()));
        if waits(due)? {
            match rustix::io::read(io::stdin(), &mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => framer.take(&bytes[..count], started.elapsed()),
            }
        }
    }
}

/// Waits for a key, at most so long; whether one came.
fn waits(most: Option<Duration>) -> io::Result<bool> {
    let time = most.and_then(|most| Timespec::try_from(most).ok());
    let input = io::stdin();
    let mut polled = [PollFd::new(&input, PollFlags::IN)];
    Ok(poll(&mut polled, time.as_ref())? > 0)
}

/// A terminal that gives each key as it is pressed, until it is dropped.
struct RawTerminal(Termios);

impl RawTerminal {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
