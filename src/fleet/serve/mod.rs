//! The fleet's side of HTTP: takes segments, gives out what only a fleet has, and keeps nothing
//! but what stands in the store. Any number of these behind a load balancer are the same as one,
//! and each may be killed at any time.
//!
//! Start with [`start`]; `door` says who somebody is, `routes` what may be asked.

mod asked;
mod door;
mod grants;
mod pages;
mod room;
mod routes;
mod server;
mod shares;
mod tls;

pub use pages::{PageRequest, Pages, Shown};
pub use server::{Server, ServerSettings, start};
pub use tls::ServerTls;
