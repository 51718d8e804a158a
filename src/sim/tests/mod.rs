//! Simulated slots seen from the station's end, by a host of a few lines.
//!
//! The host shares the messages with the device and nothing with the station's link.

mod bench;
mod faults;
mod hands;
mod host;
mod liars;
mod slots;
