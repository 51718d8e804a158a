//! A station and its fleet: opens what both sides need, and gives the network a runtime of
//! its own.

mod beside;
mod demo;
mod page;
mod postgres;
mod station;
mod store;
mod wait;

pub use beside::{PushThread, claimed, finding, push_first};
pub use demo::{Demo, Made, STATIONS};
pub use station::{Station, enrol, push};
pub use store::{Opened, code, pages, server};
pub use wait::wait;
