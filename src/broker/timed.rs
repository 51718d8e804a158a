//! A socket whose every read and write ends at one instant, however the bytes drip.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A connection with a deadline.
#[derive(Debug)]
pub(super) struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    /// The socket until then.
    pub(super) fn new(socket: TcpStream, until: Instant) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        Ok(Self { socket, until })
    }

    /// Another deadline from here on.
    pub(super) fn set_deadline(&mut self, until: Instant) {
        self.until = until;
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(late()),
            left => Ok(Some(left)),
        }
    }
}

fn late() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "its time was over")
}

/// The system tells a read or write that took too long as one that would block.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => late(),
        _ => error,
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer).map_err(told)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes).map_err(told)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        // A flight of TLS in one call: a peer that refuses its first record and closes would
        // have the second one fail before its alert is read.
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write_vectored(parts).map_err(told)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn bytes_that_drip_do_not_move_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut dripping = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = listener.accept().unwrap().0;
        let (over, is_over) = std::sync::mpsc::channel::<()>();
        let drips = std::thread::spawn(move || {
            // Until it is told, or nobody listens any more.
            while is_over.recv_timeout(Duration::from_millis(10)).is_err() {
                if dripping.write_all(b"x").is_err() {
                    return;
                }
            }
        });
        let until = Instant::now() + Duration::from_millis(100);
        let mut timed = Timed::new(socket, until).unwrap();
        let mut all = Vec::new();
        let error = timed.read_to_end(&mut all).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(Instant::now() >= until);
        over.send(()).ok();
        drips.join().unwrap();
    }
}
