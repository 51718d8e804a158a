//! Modems by AT commands: the real binary, simulated modems in processes of their own, and for
//! the nRF91 Nordic's own tools as judges of the simulation.
//!
//! What counts is what a modem's flash file holds afterwards, whatever anybody said. Start with
//! `bench`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed, and says where"
)]

mod auto;
mod bench;
mod cuts;
mod judges;
mod liars;
mod line;
mod page;
mod rework;
mod secrets;
#[path = "../line/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the line's tests use the rest of it")]
mod support;
