//! A scanner at a serial port: one pull of its trigger after another.
//!
//! Where one ends and the next begins is for [`Framer`] to say; what a scan says is not
//! judged here: it is somebody else's text and may hold anything.

use std::time::{Duration, Instant};

use crate::domain::scan::{End, Framed, Framer, drop_parity};

use super::error::LinkError;
use super::port::{Port, SLICE};
use super::settings::{CharacterBits, PortSettings};
use super::stop::Stop;

/// How often a scanner that was pulled out is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// The scans of a serial scanner, until its stop flag is set.
///
/// A scanner that is pulled out is one error, and is looked for until it is back; so is one whose
/// port another program has when it is opened. A scan that ended as none should is given, and the
/// first of them is followed by an error that names the missing terminator.
pub struct Scanner {
    port: Port,
    framer: Framer,
    started: Instant,
    lost: bool,
    /// A scan without its end was told of.
    warned: bool,
    /// What is to be told next: after the scan that was just given, or of a port that is busy.
    warning: Option<LinkError>,
}

impl Scanner {
    /// Opens the scanner's port; its scans end as `ends` says.
    pub fn open(settings: PortSettings, ends: &[End], stop: Stop) -> Result<Self, LinkError> {
        let mut port = Port::closed(settings, stop);
        // A modem manager looks at a port that has just appeared, and lets go of it again.
        let busy = match port.reopen() {
            Err(error @ LinkError::PortBusy { .. }) => Some(unusable(error)),
            outcome => outcome.map(|()| None).map_err(unusable)?,
        };
        Ok(Self {
            port,
            framer: Framer::new(ends),
            started: Instant::now(),
            lost: busy.is_some(),
            warned: false,
            warning: busy,
        })
    }

    /// Reads what has come, or looks for a scanner that is away.
    fn fill(&mut self) -> Result<(), LinkError> {
        if self.lost {
            return self.look_for_it();
        }
        let mut bytes = [0; 128];
        let now = Instant::now();
        let due = self.framer.due().map_or(now + SLICE, |due| self.started + due);
        let count = self.port.read(&mut bytes, due.min(now + SLICE))?;
        let bytes = &mut bytes[..count];
        if self.port.settings().bits == CharacterBits::Seven {
            drop_parity(bytes);
        }
        self.framer.take(bytes, self.started.elapsed());
        Ok(())
    }

    fn look_for_it(&mut self) -> Result<(), LinkError> {
        self.port.pause(LOOK)?;
        if self.port.reopen().is_ok() {
            tracing::info!(port = %self.port.settings().path, "the scanner is back");
            self.framer.clear();
            self.lost = false;
        }
        Ok(())
    }

    /// What is to be told of the scan that was given last, where that is something.
    pub fn take_warning(&mut self) -> Option<LinkError> {
        self.warning.take()
    }

    /// What is told once of a scan that had no end.
    fn without_end(&mut self, bytes: &[u8]) -> Option<LinkError> {
        let last = bytes.last().copied();
        let sent = End::ALL.iter().find(|end| end.byte().is_some() && end.byte() == last);
        (!std::mem::replace(&mut self.warned, true))
            .then_some(LinkError::ScanWithoutEnd { sent: sent.map(|end| end.as_str()) })
    }
}

fn unusable(error: LinkError) -> LinkError {
    LinkError::ScannerOpen(Box::new(error))
}

impl Iterator for Scanner {
    type Item = Result<Framed, LinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(warning) = self.warning.take() {
            return Some(Err(warning));
        }
        loop {
            if let Some(framed) = self.framer.next(self.started.elapsed()) {
                if !framed.has_end {
                    self.warning = self.without_end(&framed.bytes);
                }
                return Some(Ok(framed));
            }
            match self.fill() {
                Ok(()) => {}
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

#[cfg(test)]
mod tests {
    use super::super::settings::LineParity;
    use super::super::test_line::Pty;
    use super::*;
    use crate::domain::code::Code;
    use crate::domain::device::Fault;

    fn scanner(settings: PortSettings) -> (Scanner, Stop) {
        let stop = Stop::new();
        (Scanner::open(settings, End::USUAL, stop.clone()).unwrap(), stop)
    }

    #[test]
    fn scans_come_from_the_port_until_it_is_stopped() {
        let pty = Pty::open();
        let (mut scanner, stop) = scanner(PortSettings::new(pty.path(), 9600));
        pty.send(b"TH200-1\r\n");
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH200-1\r\n");
        pty.send(b"TH200-2\nTH200-3\n");
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH200-2\nTH200-3\n");
        stop.set();
        assert!(scanner.next().is_none());
    }

    #[test]
    fn a_scan_without_its_end_is_given_and_told_of_once() {
        let pty = Pty::open();
        let (mut scanner, _stop) = scanner(PortSettings::new(pty.path(), 9600));
        pty.send(b"TH200-1\t");
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH200-1\t");
        let warning = scanner.next().unwrap().unwrap_err();
        assert_eq!(warning.code(), Code::ScanNoEnd);
        assert!(warning.to_string().contains("ends = \"tab\""), "{warning}");
        pty.send(b"TH200-2");
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH200-2");
        pty.send(b"TH200-3\r");
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH200-3\r");
    }

    #[test]
    fn seven_bits_are_seven_whatever_the_line_gives() {
        let pty = Pty::open();
        let mut settings = PortSettings::new(pty.path(), 9600);
        (settings.bits, settings.parity) = (CharacterBits::Seven, LineParity::Even);
        let (mut scanner, _stop) = scanner(settings);
        pty.send(&[b'T' | 0x80, b'H', b'1' | 0x80, b'\r' | 0x80]);
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH1\r");
    }

    #[test]
    fn a_scanner_that_is_not_there_has_the_scanners_code() {
        let settings = PortSettings::new("/dev/no-such-scanner", 9600);
        let error = Scanner::open(settings, End::USUAL, Stop::new()).err().unwrap();
        assert_eq!(error.code(), Code::ScannerOpen);
    }

    #[test]
    fn a_scanner_whose_port_is_busy_at_the_start_is_waited_for() {
        let pty = Pty::open();
        let other = serialport::new(pty.path(), 9_600).open_native().unwrap();
        let (mut scanner, _stop) = scanner(PortSettings::new(pty.path(), 9600));
        let error = scanner.next().unwrap().unwrap_err();
        assert_eq!(error.code(), Code::ScannerOpen);
        assert!(Fault::from(error).detail.ends_with("is in use"));
        drop(other);
        while scanner.lost {
            scanner.fill().unwrap();
        }
        pty.send(b"TH200-1\r");
        assert_eq!(scanner.next().unwrap().unwrap().text(), "TH200-1\r");
    }

    #[test]
    fn a_scanner_that_is_pulled_out_is_one_error_and_then_waits() {
        let pty = Pty::open();
        let (mut scanner, stop) = scanner(PortSettings::new(pty.path(), 9600));
        drop(pty);
        assert!(scanner.next().unwrap().is_err());
        stop.set();
        assert!(scanner.next().is_none());
    }
}
