//! The device's side, asked through real frames over a storage that can be cut.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

mod flash;
mod identity_rules;
mod page;
mod power_cut;
mod session_rules;
mod signature;
mod support;
mod transfer_rules;
