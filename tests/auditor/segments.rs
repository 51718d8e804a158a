//! Segments of the journal, read by the recipe of `docs/ledger.md` alone: those of a directory
//! must be whole, follow each other, and say what the ledger says.

use std::fs;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::files_ending;
use super::journal::{Entry, is_signed, link};

/// What one file says.
struct Segment {
    first: u64,
    last: u64,
    before: [u8; 32],
    end: [u8; 32],
}

/// Holds every segment of a directory against the ledger's entries.
pub(crate) fn hold(dir: &Path, entries: &[Entry], findings: &mut Vec<String>) {
    for file in files_ending(dir, "segment") {
        // A name that begins with a dot is of one under way.
        if file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        let bytes = fs::read(&file).unwrap_or_default();
        let about = |why: &str| format!("{}: {why}", file.display());
        match read(&bytes) {
            Err(why) => findings.push(about(why)),
            Ok(segment) if !agrees(&segment, entries) => {
                findings.push(about("it says something else than the ledger"));
            }
            Ok(_) => {}
        }
    }
}

/// The kind of the entry with which a ledger goes on from a restore.
const RESTORED: u16 = 17;

/// A ledger that went on from a restore left behind what reached further, and one that was lost
/// has no entry to hold a segment against.
fn agrees(segment: &Segment, entries: &[Entry]) -> bool {
    let restored = entries.iter().find(|entry| entry.kind == RESTORED);
    if restored.is_some_and(|entry| entry.seq <= segment.last) {
        return true;
    }
    let hash = |seq: u64| match seq {
        0 => Some([0; 32]),
        seq => entries.get(usize::try_from(seq).ok()? - 1).map(|entry| entry.hash),
    };
    let known = hash(segment.last).is_none_or(|hash| hash == segment.end);
    known && hash(segment.first - 1).is_none_or(|hash| hash == segment.before)
}

/// Cuts fields off the front.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], &'static str> {
        let (field, rest) = self.0.split_at_checked(length).ok_or("it is torn")?;
        self.0 = rest;
        Ok(field)
    }

    fn number(&mut self, length: usize) -> Result<u64, &'static str> {
        Ok(self.take(length)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn counted(&mut self, length: usize) -> Result<&'b [u8], &'static str> {
        let length = self.number(length)?;
        self.take(usize::try_from(length).map_err(|_| "it is too large")?)
    }

    fn hash(&mut self) -> Result<[u8; 32], &'static str> {
        Ok(self.take(32)?.try_into().unwrap_or_default())
    }
}

fn read(bytes: &[u8]) -> Result<Segment, &'static str> {
    let (covered, digest) = bytes.split_last_chunk::<32>().ok_or("it is torn")?;
    if Sha256::digest(covered)[..] != digest[..] {
        return Err("it is not as it was written");
    }
    let mut fields = Fields(covered);
    if fields.take(8)? != b"PSJSEG\r\n" || fields.number(2)? != 1 {
        return Err("it is no segment of version 1");
    }
    let _station = fields.counted(2)?;
    let instance = fields.take(16)?;
    let (first, last) = (fields.number(8)?, fields.number(8)?);
    let (before, end) = (fields.hash()?, fields.hash()?);
    let (key, signature) = (fields.take(65)?, fields.take(64)?);
    let _certificate = fields.counted(4)?;
    let plain = fields.number(8)?;
    let frame = fields.counted(8)?;
    let mut entries = Vec::new();
    let unpacked = zstd::stream::read::Decoder::new(frame)
        .and_then(|decoder| decoder.take(plain + 1).read_to_end(&mut entries));
    if !fields.0.is_empty() || !unpacked.is_ok_and(|length| length as u64 == plain) {
        return Err("its entries can't be unpacked");
    }
    let (mut rest, mut hash) = (Fields(&entries), before);
    for seq in first..=last {
        let head: &[u8] = rest.take(22)?;
        let length = u32::from_be_bytes(head[18..].try_into().unwrap_or_default());
        let payload = rest.take(length as usize)?;
        if head[..8] != seq.to_be_bytes() {
            return Err("an entry has another number");
        }
        hash = link(&hash, &[head, payload].concat());
    }
    match hash == end && rest.0.is_empty() && is_signed(instance, last, &end, key, signature) {
        true => Ok(Segment { first, last, before, end }),
        false => Err("its entries do not end in its signed head"),
    }
}
