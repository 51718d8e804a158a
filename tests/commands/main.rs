//! The commands, black box: through the binary, as a shift script would call it.
//!
//! `station` gives each test a station of its own; the other files hold the tests by
//! topic. Each stable code that can be reached without a device is provoked here.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

mod answering;
mod authority;
mod board;
mod broker_roots;
mod chinese;
mod cloud;
mod codes;
mod config;
mod device_keys;
mod devices;
mod doctor;
mod grants;
mod handoff;
mod key_format;
mod labels;
mod ledgers;
mod line;
mod mounts;
mod people;
mod pipes;
mod prose;
mod queue;
#[path = "../quick_key/mod.rs"]
mod quick_key;
mod scanner;
mod scans;
mod segments;
mod selftest;
mod selftest_c;
mod sim_cloud;
mod station;
mod tables;
mod units;
mod usage;
mod work_orders;
