//! A printer on the network that takes bytes as they come, on port 9100 or another.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::domain::text::plain;

use super::error::PrinterError;
use super::label::Sent;
use super::writing::{STALL, WHOLE};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// How long a printer may take to close or to complain before it is told that this is all.
const FIRST_ANSWER: Duration = Duration::from_millis(150);

/// And so long after that; most printers never say anything.
const LAST_ANSWER: Duration = Duration::from_millis(350);

/// How long after a printer closed it may be until it says that bytes came too late.
const TOO_LATE: Duration = Duration::from_millis(100);

/// So much of an answer is read, and shown.
const MOST_ANSWER: usize = 200;

/// A connection to a printer.
#[derive(Debug)]
pub(super) struct Connection(TcpStream);

impl Connection {
    pub(super) fn open(host: &str, port: u16) -> Result<Self, PrinterError> {
        let address = format!("{host}:{port}");
        connect(host, port).map(Self).map_err(|source| PrinterError::Connect { address, source })
    }

    pub(super) fn send(mut self, bytes: &[u8]) -> Sent {
        if let Err((taken, source)) = self.write(bytes) {
            return Sent::after(taken, PrinterError::Write { taken, length: bytes.len(), source });
        }
        match self.heard() {
            Ok(answer) if answer.is_empty() => Sent::all(),
            Ok(answer) => {
                let text: String = answer.iter().map(|byte| char::from(*byte)).collect();
                Sent::unclear(PrinterError::Answered(plain(text.trim()).into_owned()))
            }
            Err(error) => Sent::unclear(PrinterError::Broken(error)),
        }
    }

    /// Gives how much was taken where not all was.
    fn write(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let began = Instant::now();
        let mut taken = 0;
        while taken < bytes.len() {
            if began.elapsed() > WHOLE {
                return Err((taken, ErrorKind::TimedOut.into()));
            }
            match self.0.write(&bytes[taken..]) {
                Ok(0) => return Err((taken, ErrorKind::WriteZero.into())),
                Ok(count) => taken += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err((taken, error)),
            }
        }
        Ok(())
    }

    /// What the printer says once it has all; nothing where it only closes, or says nothing.
    fn heard(&mut self) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        if self.hear(FIRST_ANSWER, &mut answer)? == Side::Closed {
            return self.came_in_time().map(|()| answer);
        }
        self.0.shutdown(Shutdown::Write)?;
        self.hear(LAST_ANSWER, &mut answer)?;
        Ok(answer)
    }

    fn hear(&mut self, time: Duration, answer: &mut Vec<u8>) -> io::Result<Side> {
        let until = Instant::now() + time;
        let mut bytes = [0; MOST_ANSWER];
        while answer.len() < MOST_ANSWER {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.0.set_read_timeout(Some(left))?;
            match self.0.read(&mut bytes) {
                Ok(0) => return Ok(Side::Closed),
                Ok(count) => answer.extend_from_slice(&bytes[..count]),
                Err(error) if is_silence(error.kind()) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Side::Open)
    }

    /// A printer that closed before it had read everything answers what came later with a
    /// reset, a moment after its close.
    fn came_in_time(&self) -> io::Result<()> {
        let time = Timespec::try_from(TOO_LATE).ok();
        let mut polled = [PollFd::new(&self.0, PollFlags::empty())];
        poll(&mut polled, time.as_ref())?;
        match self.0.take_error()? {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}

/// The printer's side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    Closed,
}

fn is_silence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                stream.set_write_timeout(Some(STALL))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
