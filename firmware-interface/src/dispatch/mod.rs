//! The device's side.
mod slot;
mod traits;
pub use slot::SLOT_HEADER_LENGTH;
pub use traits::*;
