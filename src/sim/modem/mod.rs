//! Simulated modems behind a pseudo-terminal, one after another, for every kind that the station
//! drives.
//!
//! They are strict: what a maker's manual does not allow is refused, and an answer is what the
//! manual says, each with its source beside it. Nothing is shared with the station's driver, so
//! that each can contradict the other. Start with [`ModemOptions`] and [`run_modem`]. In code:
//! `slot` plugs modems in, `front` makes commands of bytes, each maker has a file, `chip` keeps.

mod brand;
mod chip;
mod esp_at;
mod fault;
mod front;
mod key;
mod nrf91;
mod options;
mod quectel;
mod simcom;
mod slot;

pub use fault::{MODEM_FAULTS, ModemFaults};
pub use options::ModemOptions;
pub use slot::run_modem;
