//! Segments as files that somebody names, with no ledger and no station at hand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::bounds;
use crate::domain::cause::Told;
use crate::domain::clock::Timestamp;
use crate::domain::evidence::HeadVerifier;
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::{ENTRY_HEADER, Kind};

pub use super::format::{SegmentError, SegmentHeader};
use super::read as bytes;

/// How the name of a segment's file ends.
pub(crate) const ENDING: &str = ".segment";

/// One entry, as it was hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentEntry {
    /// Its number.
    pub seq: u64,
    /// The wall clock.
    pub at: Timestamp,
    /// The name of its kind, or the number of one that this program does not know.
    pub kind: String,
    /// JSON.
    pub payload: Vec<u8>,
}

impl SegmentEntry {
    fn of(seq: u64, entry: &[u8]) -> SegmentEntry {
        let at = entry[8..16].iter().fold(0, |sum: i64, byte| sum << 8 | i64::from(*byte));
        let number = u16::from_be_bytes([entry[16], entry[17]]);
        let known = Kind::ALL.iter().find(|kind| kind.number() == number);
        let kind = known.map_or_else(|| number.to_string(), |kind| kind.as_str().to_owned());
        SegmentEntry { seq, at: Timestamp(at), kind, payload: entry[ENTRY_HEADER..].to_vec() }
    }
}

/// Files as they are, and every segment of directories, by name.
pub fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, LedgerError> {
    let mut all = Vec::new();
    for path in named {
        match path.is_dir() {
            true => all.extend(of_directory(path)?),
            false => all.push(path.clone()),
        }
    }
    Ok(all)
}

/// The segments of a directory by their names; those under way have others.
pub(crate) fn of_directory(dir: &Path) -> Result<Vec<PathBuf>, LedgerError> {
    let names = match fs::read_dir(dir) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LedgerError::file(dir, error)),
    };
    let mut paths: Vec<PathBuf> = names.filter_map(|name| Some(name.ok()?.path())).collect();
    paths.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.ends_with(ENDING) && !name.starts_with('.'))
    });
    paths.sort();
    Ok(paths)
}

/// What a segment says of itself; that all its bytes are there, and not what they are.
pub fn header(path: &Path) -> Result<SegmentHeader, LedgerError> {
    whole(path).map_err(|error| named(path, &error))
}

/// The same, with the reason alone where it is not whole.
pub(crate) fn whole(path: &Path) -> Result<SegmentHeader, SegmentError> {
    let mut file = bounds::open(path)?;
    let length = file.metadata()?.len();
    let header = SegmentHeader::read(&mut file)?;
    match length < header.file_bytes() {
        true => Err(SegmentError::Torn),
        false => Ok(header),
    }
}

/// Segments in the order of their entries.
pub fn in_order(files: &[PathBuf]) -> Result<Vec<(PathBuf, SegmentHeader)>, LedgerError> {
    let headers = files.iter().map(|file| Ok((file.clone(), header(file)?)));
    let mut all: Vec<_> = headers.collect::<Result<_, LedgerError>>()?;
    all.sort_by_key(|(_, header)| header.entries());
    Ok(all)
}

/// Verifies a segment, and gives its entries; they count only when all of it held.
pub fn read(
    path: &Path,
    verifier: &dyn HeadVerifier,
    mut each: impl FnMut(SegmentEntry),
) -> Result<SegmentHeader, LedgerError> {
    let file = bounds::open(path).map_err(|error| named(path, &error.into()))?;
    let read = bytes::verify(file, verifier, |head, entry| {
        each(SegmentEntry::of(head.seq, &entry));
        Ok::<(), SegmentError>(())
    });
    read.map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &SegmentError) -> LedgerError {
    LedgerError::Segment(Say::same(path.display().to_string()).then(&error.sentence()))
}
