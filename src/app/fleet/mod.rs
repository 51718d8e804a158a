//! A station and its fleet: opens what both sides need, and gives the network a runtime of
//! its own.

mod beside;
mod conflict;
mod page;
mod shares;
mod station;
mod store;
mod wait;

pub use beside::{PushThread, claimed, finding, push_first};
pub use shares::shares;
pub use station::{Station, enrol, push};
pub use store::{Opened, code, pages, server};
pub use wait::wait;
