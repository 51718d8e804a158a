//! The line to the devices: serial ports, presence, drivers and the serial scanner.
//!
//! Start with [`driver::Driver`], which is all that the engine asks of a device, and
//! [`presence::Watch`], which says when there is one. [`port::Port`] is the only place
//! that reads, writes and waits. Nothing here decides about a unit, knows the ledger,
//! or keeps a private key: a key is lent for one call and stays in the lender's memory.

use station_cut as cut;
use station_domain as domain;
use station_domain::say;

pub mod discovery;
pub mod driver;
mod error;
mod permission;
pub mod port;
pub mod presence;
pub mod readback;
pub mod scanner;
pub mod settings;
mod stop;
#[cfg(test)]
mod test_line;

pub use error::LinkError;
pub use stop::Stop;
