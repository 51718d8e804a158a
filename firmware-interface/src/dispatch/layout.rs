//! Where what stands in a slot's header.

use crate::image::{DIGEST_LENGTH, ENTRY_LENGTH, KEY_LENGTH, MAX_OBJECTS};

/// What a header begins with.
pub(super) const MAGIC: [u8; 4] = *b"PSI1";

const GENERATION_AT: usize = MAGIC.len();
const DIGEST_AT: usize = GENERATION_AT + 4;
pub(super) const COUNT_AT: usize = DIGEST_AT + DIGEST_LENGTH;
pub(super) const ENTRIES_AT: usize = COUNT_AT + 1;
/// The scalar of a key that was made on the device stands here; else zeros.
pub(super) const MADE_KEY_AT: usize = (ENTRIES_AT + MAX_OBJECTS * ENTRY_LENGTH).next_multiple_of(8);
const CRC_LENGTH: usize = 4;

/// The largest unit in which common flashes are programmed.
const WRITE_UNIT: usize = 16;

/// Bytes of a slot's header: a whole number of write units, the CRC at its end.
pub const SLOT_HEADER_LENGTH: usize =
    (MADE_KEY_AT + KEY_LENGTH + CRC_LENGTH).next_multiple_of(WRITE_UNIT);

pub(super) const CRC_AT: usize = SLOT_HEADER_LENGTH - CRC_LENGTH;
