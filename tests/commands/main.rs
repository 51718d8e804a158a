//! The commands, black box: through the binary, as a shift script would call it.
//!
//! `station` gives each test a station of its own; the other files hold the tests by
//! topic. Each stable code that can be reached without a device is provoked here.

mod config;
mod station;
mod usage;
