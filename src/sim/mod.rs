//! Simulated devices behind pseudo-terminals, for the demo, the benchmarks and the tests.

mod dice;
mod error;
mod pty;
mod schedule;

pub use error::SimError;
