//! Espressif's chips: simulated ones that Espressif's own tools judge, and the station's
//! driver over their loader, through every fault that was thought of.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails here is right to")]
#![allow(
    dead_code,
    unused_imports,
    reason = "the factory is shared with tests/line, which uses more of it"
)]

#[path = "../line/support/mod.rs"]
mod support;

mod auto;
mod bench;
mod faults;
mod kills;
mod lines;
mod refused;
mod tools;
mod vendor;
mod way;
