//! The header of a slot.

/// Bytes of a slot's header.
pub const SLOT_HEADER_LENGTH: usize = 112;
