//! A segment that arrived from elsewhere, in memory: verified from its bytes alone, its entries
//! read as what they say. Whoever keeps segments of many stations needs no ledger for it.

use crate::domain::cause::Told;
use crate::domain::clock::Timestamp;
use crate::domain::evidence::{HeadVerifier, SignatureHolds};
use crate::domain::ids::PublicKey;
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::journal::entry::{Created, Entry, EntryError, Fact, Hash};
use crate::journal::head::Head;

use super::format::{SegmentError, SegmentHeader, broken};
use super::read;
use crate::say;

/// An entry of a segment, with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedEntry {
    /// Its number.
    pub seq: u64,
    /// The hash of the chain up to it.
    pub hash: Hash,
    /// The wall clock.
    pub at: Timestamp,
    /// What it says; none for the first, which says that the ledger was made.
    pub record: Option<Record>,
    /// The number of the attempt that it begins, otherwise 0.
    pub attempt: u32,
}

/// Why what arrived is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ArrivedError {
    /// It is not what a station wrote.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// An entry can't be read.
    #[error("entry {seq} can't be read: {why}")]
    Entry {
        /// Its number.
        seq: u64,
        /// Why not.
        why: Say,
    },
    /// An entry is of a kind that a newer program writes.
    #[error("entry {seq} is of kind {kind}, which this program does not know")]
    Newer {
        /// Its number.
        seq: u64,
        /// The number of its kind.
        kind: u16,
    },
}

impl Told for ArrivedError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Segment(error) => return error.chinese(),
            Self::Entry { seq, why } => format!("第 {seq} 条无法读取：{}", why.chinese),
            Self::Newer { seq, kind } => format!("第 {seq} 条的种类 {kind} 是本程序不认识的"),
        })
    }
}

/// Verifies a segment whose entries have no more than `most` bytes together. What was given to
/// `each` counts only when the whole held.
pub fn arrived(
    bytes: &[u8],
    most: u64,
    verifier: &dyn HeadVerifier,
    mut each: impl FnMut(ArrivedEntry),
) -> Result<SegmentHeader, ArrivedError> {
    let header = SegmentHeader::read(&mut &bytes[..])?;
    if header.plain > most {
        let what =
            say!("it says that it unpacks to {} bytes", "它说解压后有 {} 字节", header.plain);
        return Err(broken(what).into());
    }
    read::verify(bytes, verifier, |head, entry| {
        each(entry_of(&header, head.seq, head.hash, &entry)?);
        Ok(())
    })
}

/// The place in the chain of one entry of a segment that is kept; none where it has none such,
/// or does not hold together.
pub fn segment_head(bytes: &[u8], seq: u64) -> Option<Head> {
    /// What is kept was verified when it came.
    struct Known;
    impl HeadVerifier for Known {
        fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> Option<SignatureHolds> {
            Some(SignatureHolds)
        }
    }
    let mut found = None;
    let read = read::verify(bytes, &Known, |head, _| {
        if head.seq == seq {
            found = Some(head);
        }
        Ok::<(), SegmentError>(())
    });
    let behind = read.ok()?.behind();
    found.or_else(|| (behind.seq == seq).then_some(behind))
}

fn entry_of(
    header: &SegmentHeader,
    seq: u64,
    hash: Hash,
    bytes: &[u8],
) -> Result<ArrivedEntry, ArrivedError> {
    let entry = Entry::decode(bytes).map_err(|error| match error {
        EntryError::Kind(kind) => ArrivedError::Newer { seq, kind },
        error => ArrivedError::Entry { seq, why: error.sentence() },
    })?;
    if entry.station != *header.station() {
        let why = say!("it is of station {}", "它属于站 {}", entry.station);
        return Err(ArrivedError::Entry { seq, why });
    }
    let (record, attempt) = match entry.fact {
        Fact::Created(created) => (is_first(header, seq, &created)?, 0),
        Fact::Record(..) if seq == 1 => {
            let why = say!("it does not say that the ledger was made", "它不是建立账本的那一条");
            return Err(ArrivedError::Entry { seq, why });
        }
        Fact::Record(record, attempt) => (Some(record), attempt),
    };
    Ok(ArrivedEntry { seq, hash, at: entry.wall, record, attempt })
}

/// The first entry names the ledger whose segments these are.
fn is_first(
    header: &SegmentHeader,
    seq: u64,
    created: &Created,
) -> Result<Option<Record>, ArrivedError> {
    match seq == 1 && created.instance == header.instance().to_string() {
        true => Ok(None),
        false => Err(ArrivedError::Entry {
            seq,
            why: say!("it is of another ledger", "它属于另一个账本"),
        }),
    }
}
