//! One serial port: the only place that reads, writes and waits.
//!
//! The descriptor never blocks. Every wait is a poll(2) of at most [`SLICE`], and before
//! each the stop flag and the unit's deadline are looked at, so that a peer which never
//! reads, or sends a byte now and then, holds nobody up. A hang-up is
//! [`LinkError::Unplugged`] at once; silence is for the caller to judge. Output is
//! discarded before a close, since a close that drains can hang, and nothing drains.
//!
//! The crate serialport opens, locks and sets up the line and moves its modem lines; the
//! bytes go through a descriptor of our own, opened before the line became exclusive.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use serialport::{DataBits, ErrorKind, FlowControl, Parity, SerialPort, StopBits, TTYPort};

use super::discovery;
use super::error::LinkError;
use super::permission;
use super::readback::{Difference, LineSetting};
use super::settings::{LineParity, PortSettings};
use super::stop::Stop;

/// The longest wait in which neither stop nor deadline is looked at.
pub const SLICE: Duration = Duration::from_millis(50);

/// Bytes that are read at most when the time is up: more than any system's buffer holds. What
/// comes faster than it is read would hold whoever reads to the end for ever.
const LATE: usize = 64 * 1024;

/// A line that the fixture drives and the station reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputLine {
    /// Clear to send.
    Cts,
    /// Data set ready.
    Dsr,
    /// Data carrier detect.
    Dcd,
}

/// A line that the station drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLine {
    /// Data terminal ready.
    Dtr,
    /// Request to send.
    Rts,
}

/// What was opened; dropping it closes the port.
struct Opened {
    line: OwnedFd,
    tty: TTYPort,
    /// A program stands at its other end, and takes any setting.
    is_pseudo: bool,
}

impl Drop for Opened {
    fn drop(&mut self) {
        // A vanished port has nothing to discard.
        let _ = tcflush(&self.line, QueueSelector::OFlush);
    }
}

/// An exclusive serial port that can be closed and opened again.
pub struct Port {
    settings: PortSettings,
    opened: Option<Opened>,
    stop: Stop,
    deadline: Option<Instant>,
    /// Bytes read since the time was up.
    late: usize,
}

impl Port {
    /// Opens and sets up a port; another opener of it is an error, ours or theirs.
    pub fn open(settings: PortSettings, stop: Stop) -> Result<Self, LinkError> {
        let mut port = Self::closed(settings, stop);
        port.reopen()?;
        Ok(port)
    }

    /// A port that is opened later.
    pub fn closed(settings: PortSettings, stop: Stop) -> Self {
        Self { settings, opened: None, stop, deadline: None, late: 0 }
    }

    /// How it was set up.
    pub fn settings(&self) -> &PortSettings {
        &self.settings
    }

    /// Ends every wait at `deadline`, whatever else it waits for.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Closes the port; what was not yet sent is discarded.
    pub fn close(&mut self) {
        self.opened = None;
    }

    /// Opens the port by the same path, closing it first where it is open.
    pub fn reopen(&mut self) -> Result<(), LinkError> {
        self.close();
        let path = discovery::resolve(&self.settings.path)?;
        // Opened twice below: a link that is turned over meanwhile must not part the two.
        let path = path.canonicalize().map_err(|_| self.missing())?;
        let line = self.open_line(&path)?;
        let tty = self.open_tty(&path)?;
        let is_pseudo = is_pseudo_terminal(&path);
        if !is_pseudo {
            self.read_back(&line, self.settings.baud)?;
        }
        // What lies there from before belongs to no request of ours.
        let flushed = tcflush(&line, QueueSelector::IOFlush);
        flushed.map_err(|e| self.unusable("discarding what lay there", e.into()))?;
        self.opened = Some(Opened { line, tty, is_pseudo });
        let set = self.set_levels(&path);
        if set.is_err() {
            self.close();
        }
        discovery::shorten_latency(&path);
        set
    }

    /// Opens a port again that went away; `false` where it is not there, or not yet ours.
    pub fn is_back(&mut self) -> Result<bool, LinkError> {
        match self.reopen() {
            Ok(()) => Ok(true),
            // A node appears before its mode is set, and others look at it first.
            Err(
                LinkError::PortMissing { .. }
                | LinkError::PortBusy { .. }
                | LinkError::PortOpen { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open_line(&self, path: &Path) -> Result<OwnedFd, LinkError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::IO => self.missing(),
            Errno::BUSY => self.busy(),
            Errno::ACCESS => self.unusable("opening it", permission::denied(path)),
            other => self.unusable("opening it", other.into()),
        })
    }

    fn open_tty(&self, path: &Path) -> Result<TTYPort, LinkError> {
        let (bits, parity) = character(&self.settings);
        let builder = serialport::new(path.to_string_lossy(), self.settings.baud)
            .data_bits(bits)
            .parity(parity)
            .stop_bits(StopBits::One)
            .flow_control(FlowControl::None);
        TTYPort::open(&builder).map_err(|error| match error.kind {
            ErrorKind::NoDevice => self.busy(),
            ErrorKind::Io(io::ErrorKind::NotFound) => self.missing(),
            _ => self.unusable("setting it up", error.into()),
        })
    }

    /// Holds what was set against what the line says now.
    fn read_back(&self, line: &OwnedFd, baud: u32) -> Result<(), LinkError> {
        let doing = "reading its settings back";
        let found = LineSetting::read(line).map_err(|errno| self.broken(doing, errno))?;
        let wanted = LineSetting { baud, ..LineSetting::wanted(&self.settings) };
        match wanted.difference(&found) {
            None => Ok(()),
            Some(Difference { wanted, found }) => {
                Err(LinkError::PortSettings { path: self.settings.path.clone(), wanted, found })
            }
        }
    }

    fn set_levels(&mut self, path: &Path) -> Result<(), LinkError> {
        let (dtr, rts) = (self.settings.dtr, self.settings.rts);
        for (line, level) in [(OutputLine::Dtr, dtr), (OutputLine::Rts, rts)] {
            let Some(level) = level else { continue };
            match self.drive(line, level) {
                // A pseudo-terminal has no such lines.
                Err(_) if is_pseudo_terminal(path) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Whether the fixture holds this line.
    pub fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        let tty = self.tty()?;
        let level = match line {
            InputLine::Cts => tty.read_clear_to_send(),
            InputLine::Dsr => tty.read_data_set_ready(),
            InputLine::Dcd => tty.read_carrier_detect(),
        };
        level.map_err(|e| self.unusable("reading its modem lines", e.into()))
    }

    /// Inverts a line's level for `time` and puts it back.
    pub fn pulse(&mut self, line: OutputLine, time: Duration) -> Result<(), LinkError> {
        let configured = match line {
            OutputLine::Dtr => self.settings.dtr,
            OutputLine::Rts => self.settings.rts,
        };
        // The system raises both lines when a port is opened.
        let rest = configured.unwrap_or(true);
        self.drive(line, !rest)?;
        let waited = self.idle(time);
        self.drive(line, rest)?;
        waited
    }

    /// Sets a line's level and leaves it so.
    pub fn set_level(&mut self, line: OutputLine, level: bool) -> Result<(), LinkError> {
        self.drive(line, level)
    }

    /// Changes the rate until the port is opened again.
    pub fn set_baud(&mut self, baud: u32) -> Result<(), LinkError> {
        let tty = self.tty()?;
        let outcome = tty.set_baud_rate(baud);
        outcome.map_err(|e| self.unusable("setting its rate", e.into()))?;
        match &self.opened {
            Some(Opened { line, is_pseudo: false, .. }) => self.read_back(line, baud),
            _ => Ok(()),
        }
    }

    fn drive(&mut self, line: OutputLine, level: bool) -> Result<(), LinkError> {
        let tty = self.tty()?;
        let outcome = match line {
            OutputLine::Dtr => tty.write_data_terminal_ready(level),
            OutputLine::Rts => tty.write_request_to_send(level),
        };
        outcome.map_err(|e| self.unusable("driving its modem lines", e.into()))
    }

    /// Reads what has come, waiting for the first byte; `0` means that `until` passed, and that
    /// nothing is there or far too much.
    pub fn read(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LinkError> {
        let is_late = Instant::now() >= until;
        if !is_late || self.late < LATE {
            while self.wait(PollFlags::IN, until, "reading")? {
                match rustix::io::read(self.line()?, &mut *into) {
                    Ok(0) => return Err(self.unplugged()),
                    Ok(count) => {
                        self.late = if is_late { self.late + count } else { 0 };
                        return Ok(count);
                    }
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(errno) => return Err(self.broken("reading", errno)),
                }
            }
        }
        self.late = 0;
        Ok(0)
    }

    /// Writes all; `false` means that `until` passed and a part may have been written.
    pub fn write_all(&mut self, bytes: &[u8], until: Instant) -> Result<bool, LinkError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if !self.wait(PollFlags::OUT, until, "writing")? {
                return Ok(false);
            }
            match rustix::io::write(self.line()?, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(self.broken("writing", errno)),
            }
        }
        Ok(true)
    }

    /// Waits, leaving alone what comes, and fails at once where the line goes.
    pub fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        let until = Instant::now() + time;
        // Nothing asked for: poll(2) still reports a hang-up.
        while self.wait(PollFlags::empty(), until, "waiting")? {}
        Ok(())
    }

    /// Waits without the line, which may be closed.
    pub fn pause(&self, time: Duration) -> Result<(), LinkError> {
        pause(time, &self.stop, self.deadline)
    }

    /// Waits until the line is ready; `false` means that `until` passed.
    fn wait(
        &self,
        wanted: PollFlags,
        until: Instant,
        doing: &'static str,
    ) -> Result<bool, LinkError> {
        loop {
            check(&self.stop, self.deadline, doing)?;
            let left = until.saturating_duration_since(Instant::now());
            let line = self.line()?;
            let mut polled = [PollFd::new(line, wanted)];
            match poll(&mut polled, Some(&timespec(left.min(SLICE)))) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(self.broken(doing, errno)),
            }
            let ready = polled[0].revents();
            if ready.intersects(wanted) {
                return Ok(true);
            }
            if ready.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return Err(self.unplugged());
            }
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    fn line(&self) -> Result<&OwnedFd, LinkError> {
        self.opened.as_ref().map(|opened| &opened.line).ok_or_else(|| self.unplugged())
    }

    fn tty(&mut self) -> Result<&mut TTYPort, LinkError> {
        let path = &self.settings.path;
        let opened = self.opened.as_mut();
        let opened = opened.ok_or_else(|| LinkError::Unplugged { path: path.clone() })?;
        Ok(&mut opened.tty)
    }

    fn broken(&self, doing: &'static str, errno: Errno) -> LinkError {
        match errno {
            Errno::IO | Errno::NXIO | Errno::NODEV | Errno::PIPE => self.unplugged(),
            other => self.unusable(doing, other.into()),
        }
    }

    fn unplugged(&self) -> LinkError {
        LinkError::Unplugged { path: self.settings.path.clone() }
    }

    fn missing(&self) -> LinkError {
        LinkError::PortMissing { path: self.settings.path.clone() }
    }

    fn busy(&self) -> LinkError {
        LinkError::PortBusy { path: self.settings.path.clone() }
    }

    fn unusable(&self, doing: &'static str, source: io::Error) -> LinkError {
        LinkError::PortOpen { path: self.settings.path.clone(), doing, source }
    }
}

/// The bits of a character on the line, as the crate serialport calls them.
const fn character(settings: &PortSettings) -> (DataBits, Parity) {
    let (bits, parity) = settings.character();
    let bits = if bits == 7 { DataBits::Seven } else { DataBits::Eight };
    let parity = match parity {
        LineParity::None | LineParity::Mark | LineParity::Space => Parity::None,
        LineParity::Even => Parity::Even,
        LineParity::Odd => Parity::Odd,
    };
    (bits, parity)
}

/// Waits without a port, looking at stop and deadline in slices.
pub(super) fn pause(
    time: Duration,
    stop: &Stop,
    deadline: Option<Instant>,
) -> Result<(), LinkError> {
    let until = Instant::now() + time;
    loop {
        check(stop, deadline, "waiting")?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        // A signal only makes this slice shorter.
        let _ = poll(&mut [], Some(&timespec(left.min(SLICE))));
    }
}

fn check(stop: &Stop, deadline: Option<Instant>, doing: &'static str) -> Result<(), LinkError> {
    if stop.is_set() {
        return Err(LinkError::Stopped);
    }
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(LinkError::Deadline { doing }),
        _ => Ok(()),
    }
}

fn timespec(time: Duration) -> Timespec {
    // Never longer than a slice.
    Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() }
}

fn is_pseudo_terminal(real: &Path) -> bool {
    real.starts_with("/dev/pts")
}

#[cfg(test)]
mod tests {
    use super::super::test_line::{Pty, WATCHDOG};
    use super::*;

    fn settings(pty: &Pty) -> PortSettings {
        PortSettings::new(pty.path(), 115_200)
    }

    fn open(pty: &Pty) -> Port {
        Port::open(settings(pty), Stop::new()).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(120)
    }

    #[test]
    fn a_port_that_is_open_is_busy_for_the_next_and_free_after_it() {
        let pty = Pty::open();
        let first = open(&pty);
        let error = Port::open(settings(&pty), Stop::new()).err().unwrap();
        assert!(matches!(error, LinkError::PortBusy { .. }), "{error}");
        drop(first);
        open(&pty);
    }

    #[test]
    fn a_port_that_is_not_there_is_missing_and_a_file_is_no_port() {
        let missing = PortSettings::new("/dev/no-such-port", 9600);
        let error = Port::open(missing, Stop::new()).err().unwrap();
        assert!(matches!(error, LinkError::PortMissing { .. }), "{error}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = PortSettings::new(file.path().display().to_string(), 9600);
        let error = Port::open(file, Stop::new()).err().unwrap();
        assert!(matches!(error, LinkError::PortOpen { .. }), "{error}");
    }

    #[test]
    fn levels_on_a_pseudo_terminal_are_let_pass_and_reading_one_is_not() {
        let pty = Pty::open();
        let with_levels = PortSettings { dtr: Some(false), rts: Some(true), ..settings(&pty) };
        let mut port = Port::open(with_levels, Stop::new()).unwrap();
        let error = port.level(InputLine::Cts).unwrap_err();
        assert!(matches!(error, LinkError::PortOpen { .. }), "{error}");
    }

    #[test]
    fn a_device_that_never_falls_silent_does_not_hold_whoever_reads_to_the_end() {
        let pty = Pty::open();
        let mut port = open(&pty);
        let (past, mut bytes) = (Instant::now(), [0; 256]);
        let reads = (0..10_000).find(|_| {
            pty.offer(&[0x55; 1024]);
            port.read(&mut bytes, past).unwrap() == 0
        });
        assert!(reads.is_some_and(|reads| reads <= LATE / bytes.len() + 1), "{reads:?}");
        // And whoever has time reads on.
        assert!(port.read(&mut bytes, Instant::now() + WATCHDOG).unwrap() > 0);
    }

    #[test]
    fn any_byte_passes_unchanged_both_ways() {
        let pty = Pty::open();
        let mut port = open(&pty);
        let all: Vec<u8> = (0..=255).collect();
        assert!(port.write_all(&all, Instant::now() + WATCHDOG).unwrap());
        assert_eq!(pty.receive(Duration::from_millis(500)), all);
        pty.send(&all);
        let mut seen = Vec::new();
        while seen.len() < all.len() {
            let mut bytes = [0; 256];
            let count = port.read(&mut bytes, Instant::now() + WATCHDOG).unwrap();
            seen.extend_from_slice(&bytes[..count]);
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_peer_that_never_reads_holds_a_write_up_only_to_its_deadline() {
        let pty = Pty::open();
        let mut port = open(&pty);
        let much = vec![0x55; 1 << 20];
        assert!(!port.write_all(&much, soon()).unwrap());
        drop(port);
        open(&pty);
    }

    #[test]
    fn silence_is_nothing_read_and_a_hang_up_is_unplugged() {
        let pty = Pty::open();
        let mut port = open(&pty);
        assert_eq!(port.read(&mut [0; 8], soon()).unwrap(), 0);
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || {
                ready.send(()).unwrap();
                port.read(&mut [0; 8], Instant::now() + WATCHDOG)
            });
            is_ready.recv().unwrap();
            drop(pty);
            let error = reader.join().unwrap().unwrap_err();
            assert!(matches!(error, LinkError::Unplugged { .. }), "{error}");
        });
    }

    #[test]
    fn a_hang_up_while_idle_is_unplugged() {
        let pty = Pty::open();
        let mut port = open(&pty);
        drop(pty);
        let error = port.idle(WATCHDOG).unwrap_err();
        assert!(matches!(error, LinkError::Unplugged { .. }), "{error}");
        let error = port.write_all(b"x", Instant::now() + WATCHDOG).unwrap_err();
        assert!(matches!(error, LinkError::Unplugged { .. }), "{error}");
    }

    #[test]
    fn stop_and_the_units_deadline_end_a_wait() {
        let pty = Pty::open();
        let stop = Stop::new();
        let mut port = Port::open(settings(&pty), stop.clone()).unwrap();
        port.set_deadline(Some(soon()));
        let error = port.read(&mut [0; 8], Instant::now() + WATCHDOG).unwrap_err();
        assert!(matches!(error, LinkError::Deadline { doing: "reading" }), "{error}");
        port.set_deadline(None);
        stop.set();
        let error = port.idle(WATCHDOG).unwrap_err();
        assert!(matches!(error, LinkError::Stopped), "{error}");
    }
}
