//! The segments that a line writes into a directory: each continues by hash what lies there,
//! is read again before it gets its name, and is never written again.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::params;

use crate::ask::reader::Reader;
use crate::cut;
use crate::domain::bounds;
use crate::domain::cause::{Told, cause};
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{StationId, hex_pairs};
use crate::domain::long_work;
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::Hash;
use crate::journal::head::{Head, SignedHead};
use crate::journal::witness::Owner;
use crate::keep::filesystem;
use crate::segment::chain::{Chained, Found, follow};
use crate::segment::files::{self, ENDING};
use crate::segment::format::{SegmentError, SegmentHeader};
use crate::segment::read;
use crate::segment::write::Packer;
use crate::tables::sql::{counted, stored};

use super::unfinished::Unfinished;
use crate::say;

/// A segment ends with the first signed head behind so many entries or bytes, so that writing
/// one takes little of a line's memory.
const ENTRIES: u64 = 8_192;
const BYTES: u64 = 8 << 20;

/// The name of a segment's file; times are for people, nothing goes by them.
pub(crate) fn name(station: &StationId, time: &str, (first, last): (u64, u64)) -> String {
    format!("{station}-{time}-{first:010}-{last:010}{ENDING}")
}

/// Every segment of a directory whose beginning can be read and that has all its bytes, and
/// what is wrong with the others.
pub(crate) fn list(dir: &Path) -> Result<(Vec<Found>, Vec<Unusable>), LedgerError> {
    let (mut found, mut unusable) = (Vec::new(), Vec::new());
    for path in files::of_directory(dir)? {
        match files::whole(&path) {
            Ok(header) => found.push(Found { path, header }),
            Err(error) => unusable.push(Unusable { path, error }),
        }
    }
    Ok((found, unusable))
}

/// A file that is no whole segment.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) path: PathBuf,
    pub(crate) error: SegmentError,
}

/// Reads one whole, and holds it against itself.
pub(crate) fn verify(
    path: &Path,
    verifier: &dyn HeadVerifier,
) -> Result<SegmentHeader, SegmentError> {
    read::verify(bounds::open(path)?, verifier, |_, _| Ok::<(), SegmentError>(()))
}

/// Entries that were packed, and the signed head behind them.
pub(super) struct Packed {
    pub(super) packer: Packer,
    pub(super) signed: SignedHead,
}

/// What a segment says before its entries; how many bytes they have is not known yet.
pub(super) fn header_of(
    reader: &Reader,
    behind: Head,
    signed: SignedHead,
    verifier: &dyn HeadVerifier,
) -> Result<SegmentHeader, LedgerError> {
    let owner = Owner::read(&reader.connection)?;
    let owner =
        owner.ok_or_else(|| LedgerError::Nonsense(say!("it has no owner", "它没有所属的站")))?;
    if !signed.holds(&owner.instance, verifier) {
        let why = say!(
            "the signature of the head at entry {} does not verify",
            "第 {} 条处的头签名核对不通过",
            signed.head.seq
        );
        return Err(LedgerError::Journal { entry: behind.seq + 1, why });
    }
    Ok(SegmentHeader {
        station: owner.station,
        instance: owner.instance,
        first: behind.seq + 1,
        before: behind.hash,
        signed,
        certificate: reader.journal_certificate()?,
        plain: 0,
        packed: 0,
    })
}

impl Reader {
    /// The segments of this ledger that follow each other from its first entry on. Those of
    /// another history, and those behind a gap, are among the others.
    pub(crate) fn segments_of(&self, dir: &Path) -> Result<Chained, LedgerError> {
        let Some(owner) = Owner::read(&self.connection)? else { return Ok(Chained::default()) };
        let mut own = Vec::new();
        for found in list(dir)?.0 {
            if found.header.station == owner.station && self.has(found.header.signed.head)? {
                own.push(found);
            }
        }
        Ok(follow(own, owner.instance))
    }

    /// Whether an entry of that number and hash is in this ledger.
    fn has(&self, head: Head) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM journal WHERE seq = ?1 AND hash = ?2";
        Ok(self.connection.prepare_cached(sql)?.exists(params![stored(head.seq), head.hash.0])?)
    }

    /// Writes what no segment of the directory has yet, and fills what is missing there; gives
    /// the last that was written.
    pub(crate) fn write_segments(
        &self,
        dir: &Path,
        time: &str,
        verifier: &dyn HeadVerifier,
    ) -> Result<Option<PathBuf>, LedgerError> {
        let newest = Head::read(&self.connection)?;
        let mut chained = self.segments_of(dir)?;
        let mut written = None;
        while chained.head().seq < newest.seq {
            let behind = chained.head();
            // Up to where one lies that can't be reached over a gap.
            let starts = chained.others.iter().map(|found| found.header.first);
            let next = starts.filter(|first| *first > behind.seq + 1).min();
            let limit = next.map_or(newest.seq, |first| first - 1);
            let found = self.write_segment(dir, time, behind, limit, verifier)?;
            long_work::tell(found.header.signed.head.seq, newest.seq);
            written = Some(found.path.clone());
            let instance = found.header.instance;
            let all = chained.chain.into_iter().chain(chained.others).chain([found]);
            chained = follow(all.collect(), instance);
        }
        Ok(written)
    }

    fn write_segment(
        &self,
        dir: &Path,
        time: &str,
        behind: Head,
        limit: u64,
        verifier: &dyn HeadVerifier,
    ) -> Result<Found, LedgerError> {
        let Packed { packer, signed } = self.pack(behind, limit)?;
        let header = header_of(self, behind, signed, verifier)?;
        let path = dir.join(name(&header.station, time, header.entries()));
        let unfinished = Unfinished::create(&path).map_err(|error| not_made(error, &path))?;
        let failed = |error| not_written(&path, error);
        let mut file = File::create(unfinished.path()).map_err(failed)?;
        let header = packer.write(header, &mut file).map_err(failed)?;
        cut::point(cut::Kind::Segment, "written");
        // Read again from its file: what a medium made of it counts, not what was meant.
        verify(unfinished.path(), verifier).map_err(|error| {
            let place = Say::same(path.display().to_string());
            LedgerError::Backup(place.then(&error.sentence()))
        })?;
        unfinished.finish(&path).map_err(|error| not_made(error, &path))?;
        cut::point(cut::Kind::Segment, "kept");
        Ok(Found { path, header })
    }

    /// Packs the entries from there on, each held against the chain, up to a signed head.
    pub(super) fn pack(&self, behind: Head, limit: u64) -> Result<Packed, LedgerError> {
        let about = self.plain_bytes(behind, limit)?;
        let mut packer = Packer::new(about).map_err(|error| LedgerError::Backup(cause(&error)))?;
        let sql = "SELECT journal.seq, entry, hash, public_key, signature FROM journal
            LEFT JOIN heads ON heads.seq = journal.seq
            LEFT JOIN journal_keys ON journal_keys.id = heads.key
            WHERE journal.seq > ?1 ORDER BY journal.seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([stored(behind.seq)])?;
        let mut head = behind;
        while let Some(row) = rows.next()? {
            let (seq, hash) = (counted(row.get(0)?), Hash(row.get(2)?));
            let entry = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if seq != head.seq + 1 || head.hash.of_next(entry) != hash {
                let why = say!("it does not continue what stands before it", "它接不上前面的内容");
                return Err(LedgerError::Journal { entry: head.seq + 1, why });
            }
            head = Head { seq, hash };
            packer.take(entry).map_err(|error| LedgerError::Backup(cause(&error)))?;
            let full = seq - behind.seq >= ENTRIES || packer.plain() >= BYTES || seq >= limit;
            let signature: Option<[u8; 64]> = row.get(4)?;
            if let Some(signature) = signature.filter(|_| full) {
                let signed = SignedHead { head, public_key: row.get(3)?, signature };
                return Ok(Packed { packer, signed });
            }
        }
        let why = say!("no signed head covers it", "没有签名的头覆盖它");
        Err(LedgerError::Journal { entry: head.seq, why })
    }

    /// How many bytes the entries of a segment have, but for those up to its signed head.
    fn plain_bytes(&self, behind: Head, limit: u64) -> Result<u64, LedgerError> {
        let last = limit.min(behind.seq.saturating_add(ENTRIES));
        let sql = "SELECT ifnull(sum(length(entry)), 0) FROM journal WHERE seq > ?1 AND seq <= ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let bytes = statement.query_row([stored(behind.seq), stored(last)], |row| row.get(0))?;
        Ok(counted(bytes))
    }

    /// The newest certificate of the CA for the journal key, DER; empty where there is none.
    fn journal_certificate(&self) -> Result<Vec<u8>, LedgerError> {
        let newest = self.journal_certificates()?.into_iter().next();
        Ok(newest.and_then(|hex| hex_pairs(&hex)).unwrap_or_default())
    }
}

/// A disk that is full, or gone, is told as that.
fn not_written(path: &Path, error: std::io::Error) -> LedgerError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => did_not_fit(path),
        _ => {
            let what = say!("{} can't be written", "{} 无法写入", path.display());
            LedgerError::Backup(what.then(&cause(&error)))
        }
    }
}

/// The same where its file could not be made or named.
fn not_made(error: LedgerError, path: &Path) -> LedgerError {
    match error {
        LedgerError::NoRoom { .. } => did_not_fit(path),
        other => other,
    }
}

fn did_not_fit(path: &Path) -> LedgerError {
    let why = filesystem::no_room(path.parent().unwrap_or(path));
    LedgerError::Backup(why.then(&say!("the segment did not fit", "段放不下")))
}
