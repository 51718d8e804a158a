//! A whole fleet on one machine, to be looked at: it needs a PostgreSQL that is installed.

mod fleet;
mod postgres;

pub use fleet::{Demo, Made, STATIONS};
