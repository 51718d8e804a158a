//! The framed provisioning protocol, for the station and for a device's firmware.
//!
//! What crosses the UART between a provisioning station and a device: its messages,
//! their bytes, and the device's side of the conversation. `docs/protocol.md` is the
//! specification; where this crate and that page differ, one of them has a bug.
//!
//! - [`version`]: which protocol versions exist, and the rule for changing messages.
//! - [`ids`]: every number on the wire: types, error codes, object kinds, bits.
//! - [`message`]: one struct for each message, with its exact layout.
//! - [`codec`] and [`frame`]: a message as bytes on the line, and back.
//! - [`image`]: what an identity looks like as bytes.
//! - [`prove`]: the text that a device signs to show that it holds its key.
//! - [`timing`]: deadlines, from line time and the device's own busy times.
//! - [`dispatch`]: the device's side, over traits for storage, signer, random and clock.
//!
//! Start with [`message`] for the words and [`dispatch`] for the rules. Nothing here
//! allocates, blocks, logs, or does I/O, and no layout is made by a serialisation crate.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod codec;
pub mod dispatch;
pub mod frame;
pub mod ids;
pub mod image;
pub mod message;
pub mod prove;
pub mod timing;
pub mod version;
