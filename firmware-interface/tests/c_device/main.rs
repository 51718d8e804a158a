//! The C device of `c/` against the page, against the Rust device, and without power.
//!
//! The C source runs in a process of its own, a *board* that takes a script of what
//! happens (bytes on the line, faults of the flash, power) and answers what was sent
//! and what is stored; see `c/host/board.c`. The same script runs against the Rust
//! device over a board that behaves alike. Start with `differential.rs`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails here is right to")]

mod build;
mod differential;
mod footprint;
mod frames;
mod made_key;
mod page;
mod peer;
mod power_cut;
mod rust_board;
mod script;
mod shrink;
mod streams;
