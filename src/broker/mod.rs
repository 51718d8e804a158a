//! Brokers as devices meet them: an MQTT client that shows its certificate, a mosquitto of
//! the station's own for it to meet, and a witness that says which devices connected.
//!
//! Start with [`connect`], which plays a device, [`Mosquitto::start`] and [`Witness::start`].
//! What is to be accepted and what refused is the caller's matter.

use station_domain::{self as domain, say};

mod client;
mod mosquitto;
mod mqtt;
mod timed;
mod witness;

pub use client::{Connected, Identity, Meeting, Refused, connect};
pub use mosquitto::{Demands, Mosquitto, MosquittoError};
pub use witness::{Witness, WitnessSettings};
