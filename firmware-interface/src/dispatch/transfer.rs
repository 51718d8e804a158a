//! An image on its way in.

use super::refusal::bad_value;
use crate::codec::{CRC32, RunningCrc};
use crate::message::{Begin, Chunk, ChunkReply, ErrorReply};

/// An image on its way in.
pub(super) struct Transfer {
    pub(super) announced: Begin,
    pub(super) next: u32,
    /// Over what arrived, up to `next`.
    pub(super) crc: RunningCrc,
}

impl Transfer {
    pub(super) fn new(announced: Begin) -> Self {
        Self { announced, next: 0, crc: CRC32.digest() }
    }

    pub(super) fn total(&self) -> u32 {
        self.announced.objects.total()
    }

    pub(super) fn arrived(&self) -> ChunkReply {
        ChunkReply { next: self.next, crc: self.crc.clone().finalize() }
    }

    /// Where the next offset is after `data`; the key is a chunk of its own.
    pub(super) fn end_of(&self, data: &[u8]) -> Result<u32, ErrorReply> {
        let length = u32::try_from(data.len()).map_err(|_| bad_value(Chunk::DATA_AT))?;
        let fits = length <= self.total() - self.next;
        let whole_key = self.next != 0 || length == self.announced.objects.key_length();
        if fits && whole_key { Ok(self.next + length) } else { Err(bad_value(Chunk::DATA_AT)) }
    }
}
