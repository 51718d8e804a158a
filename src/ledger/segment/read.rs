//! Reading a segment: every byte of it is held against its digest, every entry against the
//! chain, and its end against the signature. What it takes of memory is bounded by its
//! largest entry, whatever it claims.

use std::io::{BufReader, Read};

use sha2::{Digest, Sha256};
use zstd::stream::read::Decoder;

use crate::domain::cause::cause;
use crate::domain::evidence::HeadVerifier;
use crate::journal::entry::ENTRY_HEADER;
use crate::journal::head::Head;

use super::format::{SegmentError, SegmentHeader, broken};
use crate::say;

/// No entry is larger: a work order that lists a million devices has 40 MB.
const LARGEST_ENTRY: u32 = 64 << 20;

/// A zstd window of at most 8 MiB is taken; segments are written with less.
const LARGEST_WINDOW: u32 = 23;

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// Verifies a segment from its bytes alone, and gives each entry with its place in the chain
/// to `each`. What was given counts only when the whole held.
pub(crate) fn verify<E: From<SegmentError>>(
    input: impl Read,
    verifier: &dyn HeadVerifier,
    mut each: impl FnMut(Head, Vec<u8>) -> Result<(), E>,
) -> Result<SegmentHeader, E> {
    let mut input = Hashing { inner: BufReader::new(input), hasher: Sha256::new() };
    let header = SegmentHeader::read(&mut input)?;
    let mut frame = (&mut input).take(header.packed);
    read_entries(&header, &mut frame, &mut each)?;
    let left = std::io::copy(&mut frame, &mut std::io::sink()).map_err(SegmentError::from)?;
    if left > 0 {
        return Err(broken(say!("something follows on its entries", "记录之后还有内容")).into());
    }
    let digest = input.hasher.clone().finalize();
    let mut found = [0; 32];
    input.read_exact(&mut found).map_err(SegmentError::from)?;
    if found[..] != digest[..] {
        return Err(broken(say!("its bytes do not give its digest", "内容与摘要不符")).into());
    }
    if input.read(&mut [0]).map_err(SegmentError::from)? > 0 {
        return Err(broken(say!("something follows on its end", "结尾之后还有内容")).into());
    }
    if !header.signed.holds(&header.instance, verifier) {
        let what =
            say!("the signature of its last entry does not verify", "最后一条的签名核对不通过");
        return Err(broken(what).into());
    }
    Ok(header)
}

fn read_entries<E: From<SegmentError>>(
    header: &SegmentHeader,
    frame: &mut impl Read,
    each: &mut impl FnMut(Head, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let decoder = Decoder::new(frame).and_then(|mut decoder| {
        decoder.window_log_max(LARGEST_WINDOW)?;
        Ok(decoder.single_frame())
    });
    let mut entries = decoder.map_err(SegmentError::from)?.take(header.plain);
    let mut head = header.behind();
    while head.seq < header.signed.head.seq {
        let bytes = read_entry(&mut entries)?;
        let seq = head.seq + 1;
        if bytes[..8] != seq.to_be_bytes() {
            return Err(broken(say!("entry {seq} is missing", "缺少第 {seq} 条")).into());
        }
        head = Head { seq, hash: head.hash.of_next(&bytes) };
        each(head, bytes)?;
    }
    // The frame ends where its last entry does.
    let over = entries.limit() > 0 || entries.into_inner().read(&mut [0]).map_err(corrupt)? > 0;
    match over || head != header.signed.head {
        true => {
            let what = say!("its entries do not end in its signed head", "记录没有止于签名的头");
            Err(broken(what).into())
        }
        false => Ok(()),
    }
}

fn read_entry(entries: &mut impl Read) -> Result<Vec<u8>, SegmentError> {
    let mut bytes = vec![0; ENTRY_HEADER];
    entries.read_exact(&mut bytes).map_err(corrupt)?;
    let length =
        bytes[ENTRY_HEADER - 4..].iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte));
    if length > LARGEST_ENTRY {
        return Err(broken(say!("an entry is larger than any", "有一条记录大得不可能")));
    }
    let read = entries.take(length.into()).read_to_end(&mut bytes).map_err(corrupt)?;
    match u32::try_from(read) == Ok(length) {
        true => Ok(bytes),
        false => Err(SegmentError::Torn),
    }
}

/// What zstd can't unpack is not what was packed.
fn corrupt(error: std::io::Error) -> SegmentError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => SegmentError::Torn,
        _ => {
            let what = say!("its entries can't be unpacked", "记录无法解压");
            broken(what.then(&cause(&error)))
        }
    }
}
