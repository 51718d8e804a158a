//! Cuts at every step: the station is killed, and loses its power, at each commit and each
//! frame of everything it does, and an auditor of its own looks at what is left.
//!
//! A release has no such places. `scenario` says what is done when the cut comes, `harness` cuts
//! and goes on, `power` and `power.c` take back what was never synced, `tests/auditor` knows the
//! promises. Start with `harness`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that can't go on has failed, and says where; its figures are printed"
)]

#[path = "../auditor/mod.rs"]
mod auditor;
#[path = "../modems/bench.rs"]
#[allow(dead_code, reason = "the modems' tests use the rest of it")]
mod bench;
#[path = "../esp/bench.rs"]
#[allow(dead_code, reason = "the tests of chips use the rest of it")]
mod chips;
#[path = "../fleet/database.rs"]
#[allow(dead_code, reason = "the fleet's tests use the rest of it")]
mod database;
mod devices;
mod disks;
mod esp;
mod every_step;
mod fleet;
mod harness;
mod modem;
mod power;
mod printer;
#[path = "../fleet/program.rs"]
#[allow(dead_code, reason = "the fleet's tests use the rest of it")]
mod program;
#[path = "../commands/prose.rs"]
mod prose;
mod scenario;
#[path = "../fleet/server.rs"]
#[allow(dead_code, reason = "the fleet's tests use the rest of it")]
mod server;
#[path = "../fleet/stations.rs"]
#[allow(dead_code, reason = "the fleet's tests use the rest of it")]
mod stations;
mod storm;
#[path = "../line/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the line's tests use the rest of it")]
mod support;
mod world;

use support::quick_key;
