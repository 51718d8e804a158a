//! A label printer on the network that counts: each connection that brings bytes is a label that
//! may be in somebody's hand, whole or torn.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::world::World;

/// What station.toml names until a printer is there.
pub(crate) const NOWHERE: &str = "tcp:127.0.0.1:9";

/// What switches it off.
const OVER: &[u8] = b"over";

/// A printer that is switched on.
pub(crate) struct Printer {
    address: SocketAddr,
    thread: JoinHandle<usize>,
}

impl Printer {
    /// Starts one; station.toml of this world then names its address.
    pub(crate) fn of(world: &World) -> Printer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let text = std::fs::read_to_string(world.path("station.toml")).unwrap();
        let line = text.lines().find(|line| line.starts_with("printer = ")).unwrap();
        world.change(line, &format!("printer = \"tcp:{address}\""));
        Printer { address, thread: std::thread::spawn(move || count(&listener)) }
    }

    /// Switches it off, once it has taken all that was sent: how many labels came.
    pub(crate) fn end(self) -> usize {
        // Whoever connected before is served first.
        TcpStream::connect(self.address).unwrap().write_all(OVER).unwrap();
        self.thread.join().unwrap()
    }
}

fn count(listener: &TcpListener) -> usize {
    let mut labels = 0;
    for stream in listener.incoming() {
        let mut bytes = Vec::new();
        // A station that was killed leaves what it had sent.
        let _ = stream.unwrap().read_to_end(&mut bytes);
        if bytes == OVER {
            break;
        }
        labels += usize::from(!bytes.is_empty());
    }
    labels
}
