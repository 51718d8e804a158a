//! The line as its callers see it: the real binary, real processes, simulated devices.
//!
//! Each module holds one promise, each test one behaviour of it. What is checked is what
//! the binary prints, how it exits, what stands in its ledger and what the devices hold
//! afterwards; nothing of the station runs inside this process but the simulator, which
//! shares no code with it. Start with `support::factory`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed, and says where"
)]

mod adopt;
mod batch;
mod broken;
mod broker;
mod connect;
mod demo;
mod figures;
mod fleet;
mod foreign_roots;
mod frames;
mod grants;
mod kills;
mod labels;
mod liars;
mod media;
mod memory;
mod offline_root;
mod older;
mod orders;
mod power;
mod refusals;
mod revocations;
mod sayings;
mod segments;
mod slots;
mod smp;
mod stopping;
mod support;
mod tampering;
mod token;
mod tokens;
mod witness;
