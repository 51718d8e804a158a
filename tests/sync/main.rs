//! The nightly sync as its callers see it: the real binary against the emulated cloud.
//!
//! The emulation shares no code with the client, so what it holds in the end is the judge.
//! Units are proven through the ledger's own writer, which takes milliseconds instead of a
//! line's seconds. Start with `factory`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed, and says where"
)]

mod clouds;
mod contradictions;
mod factory;
mod faults;
mod gaps;
mod lifecycle;
mod proxy;
#[path = "../quick_key/mod.rs"]
mod quick_key;
mod refusals;
mod runs;
