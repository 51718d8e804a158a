//! A scanner at a serial port: one label a line.
//!
//! A line ends with CR, LF or both. What a line says is not judged here; it is somebody
//! else's text and may hold anything.

use std::time::{Duration, Instant};

use super::port::{Port, SLICE};
use super::settings::PortSettings;
use super::{LinkError, Stop};

/// The most bytes of a line; the longest label and slot name take less than a third.
pub const LONGEST_LINE: usize = 256;

/// How often a scanner that was pulled out is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// The lines of a serial scanner, until its stop flag is set.
///
/// A scanner that is pulled out is one error, and is looked for until it is back.
pub struct Scanner {
    port: Port,
    lines: Lines,
    lost: bool,
}

impl Scanner {
    /// Opens the scanner's port.
    pub fn open(settings: PortSettings, stop: Stop) -> Result<Self, LinkError> {
        let port = Port::open(settings, stop).map_err(unusable)?;
        Ok(Self { port, lines: Lines::default(), lost: false })
    }

    /// Reads what has come; false where the scanner is away.
    fn fill(&mut self) -> Result<bool, LinkError> {
        if self.lost {
            return self.look_for_it();
        }
        let mut bytes = [0; 128];
        let count = self.port.read(&mut bytes, Instant::now() + SLICE)?;
        self.lines.take(&bytes[..count]);
        Ok(true)
    }

    fn look_for_it(&mut self) -> Result<bool, LinkError> {
        self.port.pause(LOOK)?;
        if self.port.reopen().is_ok() {
            tracing::info!(port = %self.port.settings().path, "the scanner is back");
            self.lines = Lines::default();
            self.lost = false;
        }
        Ok(!self.lost)
    }
}

fn unusable(error: LinkError) -> LinkError {
    LinkError::ScannerOpen(Box::new(error))
}

impl Iterator for Scanner {
    type Item = Result<String, LinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.lines.next() {
                return Some(Ok(line));
            }
            match self.fill() {
                Ok(_) => {}
                Err(LinkError::Stopped) => return None,
                Err(error) => {
                    self.lost = true;
                    self.port.close();
                    return Some(Err(unusable(error)));
                }
            }
        }
    }
}

/// Bytes as they come, lines as they end.
#[derive(Default)]
struct Lines {
    ready: std::collections::VecDeque<String>,
    line: Vec<u8>,
    too_long: bool,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end(),
                _ if self.line.len() < LONGEST_LINE => self.line.push(*byte),
                _ => self.too_long = true,
            }
        }
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) {
            tracing::warn!(longest = LONGEST_LINE, "a line of the scanner is too long, discarded");
        } else if !line.is_empty() {
            self.ready.push_back(String::from_utf8_lossy(&line).into_owned());
        }
    }

    fn next(&mut self) -> Option<String> {
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_line::Pty;
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::default();
        lines.take(bytes);
        std::iter::from_fn(|| lines.next()).collect()
    }

    #[test]
    fn a_line_ends_with_cr_or_lf_or_both() {
        assert_eq!(lines(b"A1\rB2\nC3\r\nD4"), ["A1", "B2", "C3"]);
        assert_eq!(lines(b"\r\n\r\n"), [""; 0]);
    }

    #[test]
    fn a_line_of_257_bytes_is_discarded_and_the_next_one_is_not() {
        let longest = [b'x'; LONGEST_LINE];
        let mut input = longest.to_vec();
        input.extend_from_slice(b"\nOK\n");
        assert_eq!(lines(&input).len(), 2);
        input.insert(0, b'x');
        assert_eq!(lines(&input), ["OK"]);
    }

    #[test]
    fn lines_come_from_the_port_until_it_is_stopped() {
        let pty = Pty::open();
        let stop = Stop::new();
        let settings = PortSettings::new(pty.path(), 9600);
        let mut scanner = Scanner::open(settings, stop.clone()).unwrap();
        pty.send(b"TH200-1\r\nTH2");
        assert_eq!(scanner.next().unwrap().unwrap(), "TH200-1");
        pty.send(b"00-2\n");
        assert_eq!(scanner.next().unwrap().unwrap(), "TH200-2");
        stop.set();
        assert!(scanner.next().is_none());
    }

    #[test]
    fn a_scanner_that_is_not_there_has_the_scanners_code() {
        let settings = PortSettings::new("/dev/no-such-scanner", 9600);
        let error = Scanner::open(settings, Stop::new()).err().unwrap();
        assert_eq!(error.code(), crate::domain::code::Code::ScannerOpen);
    }

    #[test]
    fn a_scanner_that_is_pulled_out_is_one_error_and_then_waits() {
        let pty = Pty::open();
        let stop = Stop::new();
        let mut scanner = Scanner::open(PortSettings::new(pty.path(), 9600), stop.clone()).unwrap();
        drop(pty);
        assert!(scanner.next().unwrap().is_err());
        stop.set();
        assert!(scanner.next().is_none());
    }
}
