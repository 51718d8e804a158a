//! The C device as a firmware that runs: a Cortex-M3 in QEMU, with P-256 of its own.
//!
//! `firmware-interface/firmware/build.sh` builds it. A machine's flash is a file, its UART
//! a socket that this harness relays to a pseudo-terminal, which it owns and paces. The
//! power goes at any step of the flash, because the firmware counts them.
//!
//! Needs `arm-none-eabi-gcc` and `qemu-system-arm`. Where they are not installed these
//! tests say so and pass, unless `STATION_QEMU=required`, which `tests/run` sets.
//! Start with `machine.rs`; `wire.rs` is a station of a few lines.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

mod batch;
mod cut;
mod device;
mod flash;
mod identity;
mod line;
mod machine;
mod many;
mod selftest;
mod wire;
