//! Writing a segment.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use zstd::stream::write::Encoder;

use super::format::SegmentHeader;

/// How hard zstd tries: beyond it, little is gained beside a line that works.
const LEVEL: i32 = 6;

/// A window of 1 MiB: what an entry shares with others, it shares with those close by.
const WINDOW: u32 = 20;

/// The smallest window that zstd has, of 1 KiB.
const SMALLEST_WINDOW: u32 = 10;

/// The entries of a segment, packed as they come.
pub(crate) struct Packer {
    encoder: Encoder<'static, Vec<u8>>,
    plain: u64,
}

impl Packer {
    /// For about so many bytes: zstd takes memory for its window, which need be no larger than
    /// what is packed.
    pub(crate) fn new(about: u64) -> io::Result<Packer> {
        let needed = u64::BITS - about.saturating_sub(1).leading_zeros();
        let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
        encoder.window_log(needed.clamp(SMALLEST_WINDOW, WINDOW))?;
        Ok(Packer { encoder, plain: 0 })
    }

    /// Bytes that were taken.
    pub(crate) fn plain(&self) -> u64 {
        self.plain
    }

    /// Takes the bytes of the next entry.
    pub(crate) fn take(&mut self, entry: &[u8]) -> io::Result<()> {
        self.plain += entry.len() as u64;
        self.encoder.write_all(entry)
    }

    /// Writes the segment whose other fields `header` has.
    pub(crate) fn write(
        self,
        header: SegmentHeader,
        out: &mut impl Write,
    ) -> io::Result<SegmentHeader> {
        let packed = self.encoder.finish()?;
        let header = SegmentHeader { plain: self.plain, packed: packed.len() as u64, ..header };
        let head = header.encode();
        let digest = Sha256::new().chain_update(&head).chain_update(&packed).finalize();
        for part in [&head[..], &packed, &digest] {
            out.write_all(part)?;
        }
        Ok(header)
    }
}
