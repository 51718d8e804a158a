//! A broker as devices meet it: an MQTT client that shows its certificate, and a mosquitto
//! of the station's own to meet.
//!
//! Start with [`connect`], which plays a device, and [`Mosquitto::start`]. What is to be
//! accepted and what refused is the caller's matter.

mod client;
mod mosquitto;
mod mqtt;

pub use client::{Connected, Identity, Meeting, Refused, connect};
pub use mosquitto::{Demands, Mosquitto, MosquittoError};
