//! A fleet as its users run it: real PostgreSQL in a scratch directory, the real server, real
//! ledgers of stations; servers, databases and connections that end in the middle.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that fails here is right to"
)]

mod beside;
mod claims;
mod database;
mod demo;
mod door;
mod forged;
mod grants;
mod page;
mod program;
#[path = "../commands/prose.rs"]
mod prose;
mod proxy;
#[path = "../quick_key/mod.rs"]
mod quick_key;
mod server;
mod shares;
mod stations;
mod storm;
mod tampered;
