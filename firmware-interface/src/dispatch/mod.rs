//! The device's side of the conversation.
//!
//! A [`Device`] is handed every frame in the order of arrival and answers each before
//! the next. It knows the rules: sessions, what may be written when, what a lock
//! refuses. It does no I/O of its own, waits for nothing, and keeps no answers: every
//! request is idempotent by its content. The private key is read from storage for a
//! signature and wiped at once; nothing here returns it.
//!
//! Start with [`Device::handle`]; the traits that a board implements are [`Storage`],
//! [`Signer`], [`Random`] and [`Clock`]. A board's whole loop:
//!
//! ```
//! # use firmware_interface::{dispatch::*, frame::FullFrameReader};
//! # fn serve<S: Storage, K: Signer, R: Random, C: Clock>(
//! #     device: &mut Device<S, K, R, C>, reader: &mut FullFrameReader, received: &[u8],
//! #     send: impl Fn(&[u8]), restart: impl Fn()) {
//! let mut input = received;
//! let mut out = [0; REPLY_ROOM];
//! while let Some(frame) = reader.next_frame(&mut input) {
//!     let handled = device.handle(&frame, &mut out);
//!     reader.wipe();
//!     if let Some(length) = handled.reply {
//!         send(&out[..length]);
//!     }
//!     if handled.then == Then::Restart {
//!         restart();
//!     }
//! }
//! # }
//! ```

mod burning;
mod device;
mod facts;
mod keygen;
mod layout;
mod made_key;
mod refusal;
mod requests;
mod slot;
mod traits;
mod transfer;

pub use device::{Device, Handled, READ_ROOM, REPLY_ROOM, Then};
pub use facts::Facts;
pub use layout::SLOT_HEADER_LENGTH;
pub use traits::{Clock, Random, Signer, SignerError, Slot, Storage, StorageError};
