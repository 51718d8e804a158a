//! The station on a factory line that gives each device an identity of its own: one
//! device, one certificate.
//!
//! Start with `docs/architecture.md`; in code with [`domain`], then [`flow`]. The binary
//! `station` is a door over this library.

pub mod app;
pub mod batch;
pub mod broker;
pub mod checks;
pub mod cli;
pub mod cloud;
pub mod command;
pub mod config;
pub mod cut;
pub mod domain;
pub mod engine;
pub mod enrol;
pub mod fleet;
pub mod flow;
pub mod handoff;
pub mod ledger;
pub mod link;
pub mod pki;
pub mod printer;
pub mod report;
pub mod secret;
pub mod shell;
pub mod sim;
pub mod sync;
pub mod text;
pub mod tui;
pub mod vault;
pub mod view;
