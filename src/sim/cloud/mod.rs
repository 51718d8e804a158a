//! A local emulation of the cloud's API (TDMQ for MQTT, version 2024-05-16), for the demo,
//! the tests and the benchmarks.
//!
//! It is strict where the documentation is clear, and where that is silent it does the less
//! convenient thing. It shares no code with the client in `cloud`: signatures, certificates
//! and serial numbers are judged here anew, so that each can contradict the other.
//!
//! Start with [`start`] and [`Options`]. In code: `server` speaks HTTP, `desk` takes one
//! request from its signature to its answer, `actions` does what it asks, `book` is what the
//! cloud knows and `store` keeps that in a file.

mod actions;
mod book;
mod certificate;
mod desk;
mod fault;
mod fields;
mod instance;
mod log;
mod options;
mod pace;
mod refusal;
mod server;
mod signature;
mod store;
#[cfg(test)]
mod tests;

pub use fault::{CLOUD_FAULTS, CloudFaults};
pub use instance::{Duplicate, Instance, Mode, SerialForm};
pub use log::ReceivedRequest;
pub use options::{Credentials, Options};
pub use server::{CloudSimError, SimulatedCloud, start};
