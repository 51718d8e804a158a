//! Printers: a label's bytes to where station.toml says they go, and nothing more.
//!
//! A printer says nothing of what it does, so all that is found out here is what became of
//! the bytes: none of them left, all were taken, or nobody can tell ([`Sent`]). Whether
//! a label may be sent, and that it was, is for others to decide and to record; so a printer
//! is opened first ([`open`]) and recorded in between, and sent to afterwards.
//!
//! Everything has a deadline: a printer that takes nothing holds up its own thread alone.

use station_domain as domain;

mod device;
mod directory;
mod error;
mod label;
mod queue;
mod tcp;
mod writing;

use crate::domain::print::PrinterPlace;

pub use error::PrinterError;
pub use label::{Outgoing, Sent};

/// A printer that would take a label now.
#[derive(Debug)]
pub struct Printer(Way);

#[derive(Debug)]
enum Way {
    Tcp(tcp::Connection),
    Device(device::Device),
    Directory(directory::Directory),
    Queue(queue::Queue),
}

/// Opens the printer; nothing is sent.
pub fn open(place: &PrinterPlace) -> Result<Printer, PrinterError> {
    Ok(Printer(match place {
        PrinterPlace::Tcp { host, port } => Way::Tcp(tcp::Connection::open(host, *port)?),
        PrinterPlace::Cups(name) => Way::Queue(queue::Queue::open(name)?),
        PrinterPlace::Path(path) if device::is_device(path) => {
            Way::Device(device::Device::open(path)?)
        }
        PrinterPlace::Path(path) => Way::Directory(directory::Directory::open(path)?),
    }))
}

/// Whether it could be opened; nothing is made where nothing is.
pub fn look(place: &PrinterPlace) -> Result<(), PrinterError> {
    match place {
        PrinterPlace::Path(path) if !device::is_device(path) => directory::look(path),
        place => open(place).map(drop),
    }
}

impl Printer {
    /// Sends one label.
    pub fn send(self, label: Outgoing<'_>) -> Sent {
        match self.0 {
            Way::Tcp(connection) => connection.send(label.bytes),
            Way::Device(device) => device.send(label.bytes),
            Way::Directory(directory) => directory.send(label),
            Way::Queue(queue) => queue.send(label),
        }
    }
}

#[cfg(test)]
mod tests;
