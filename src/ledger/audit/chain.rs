//! The chain as an audit walks it, in pages, and what goes along with it: the replay and the
//! signatures of older heads.

use rusqlite::{Connection, params};

use crate::domain::cause::Told;
use crate::domain::record::{Record, Restored};
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::{Entry, Fact, Hash};
use crate::journal::head::{Head, SignedHead};
use crate::tables::sql::{counted, stored};

use super::replayer::Replayer;
use super::signatures::Signatures;
use crate::say;

/// Entries in one page.
const PAGE: u32 = 512;

/// Of the pages whose heads are sampled, one in this many gives a head.
const SAMPLE: u64 = 4;

pub(super) enum Page {
    More,
    Last,
}

/// Which of the older heads are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Older {
    /// All of them.
    Each,
    /// About one in a thousand, where a head covers two entries.
    Samples,
}

/// A walk along the chain.
pub(super) struct Chain<'a, 'scope> {
    pub(super) connection: &'a Connection,
    pub(super) replay: Option<&'a Replayer<'scope>>,
    pub(super) signatures: Option<(&'a Signatures<'scope>, Older)>,
    /// What was restored, in words.
    pub(super) restores: Vec<Say>,
}

impl Chain<'_, '_> {
    /// Walks one page, and hands what it holds to those who go along.
    pub(super) fn page(&mut self, head: &mut Head) -> Result<Page, LedgerError> {
        let before = *head;
        let sql = "SELECT seq, entry, hash FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![stored(head.seq), PAGE])?;
        let (mut entries, mut hashes) = (Vec::new(), Vec::new());
        let mut followed = || -> Result<(), LedgerError> {
            while let Some(row) = rows.next()? {
                let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                entries.push(follow(head, counted(row.get(0)?), bytes, Hash(row.get(2)?))?);
                hashes.push(head.hash);
            }
            Ok(())
        };
        let followed = followed();
        self.restores.extend(entries.iter().filter_map(told));
        self.hand_heads(before, &hashes)?;
        let walked = entries.len();
        // Those before one that does not hold too: a replay that fails names an earlier one.
        if let Some(replay) = self.replay {
            replay.take(entries);
        }
        followed?;
        Ok(if u32::try_from(walked) == Ok(PAGE) { Page::More } else { Page::Last })
    }

    /// The signed heads of a page, whose entries' hashes are these.
    fn hand_heads(&self, before: Head, hashes: &[Hash]) -> Result<(), LedgerError> {
        let Some((signatures, older)) = self.signatures else { return Ok(()) };
        let limit = match older {
            Older::Each => PAGE,
            Older::Samples if (before.seq / u64::from(PAGE)).is_multiple_of(SAMPLE) => 1,
            Older::Samples => return Ok(()),
        };
        let sql = "SELECT heads.seq, public_key, signature FROM heads
            JOIN journal_keys ON journal_keys.id = heads.key
            WHERE heads.seq > ?1 AND heads.seq <= ?2 ORDER BY heads.seq LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let last = before.seq + hashes.len() as u64;
        let mut rows = statement.query(params![stored(before.seq), stored(last), limit])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            let seq = counted(row.get(0)?);
            let place =
                seq.checked_sub(before.seq + 1).and_then(|place| usize::try_from(place).ok());
            let Some(hash) = place.and_then(|place| hashes.get(place)) else { continue };
            let head = Head { seq, hash: *hash };
            heads.push(SignedHead { head, public_key: row.get(1)?, signature: row.get(2)? });
        }
        signatures.take(heads);
        Ok(())
    }
}

/// A restore is told at every audit for ever: what it lost is not in the journal.
fn told(entry: &Entry) -> Option<Say> {
    let Fact::Record(Record::Restored(restored), _) = &entry.fact else { return None };
    let (seq, Restored { last_seq: last, known_seq, .. }) = (entry.seq, restored);
    Some(match known_seq {
        Some(known) if known > last => {
            say!(
                "entry {seq} restored a backup: entries {} to {known} are lost",
                "第 {seq} 条恢复了备份：第 {} 到 {known} 条丢失",
                last + 1
            )
        }
        _ => say!(
            "entry {seq} restored a backup that ends with entry {last}",
            "第 {seq} 条恢复了到第 {last} 条为止的备份"
        ),
    })
}

/// Checks that an entry is the next link, and moves the head to it.
fn follow(head: &mut Head, seq: u64, bytes: &[u8], hash: Hash) -> Result<Entry, LedgerError> {
    let next = head.seq + 1;
    let wrong = |why: Say| LedgerError::Journal { entry: next, why };
    if seq != next {
        return Err(wrong(say!(
            "it is missing, the next one there is {seq}",
            "它缺失，下一条是第 {seq} 条"
        )));
    }
    if head.hash.of_next(bytes) != hash {
        return Err(wrong(say!("its bytes do not give its hash", "内容与哈希不符")));
    }
    let entry = Entry::decode(bytes).map_err(|error| wrong(error.sentence()))?;
    if entry.seq != seq {
        return Err(wrong(say!("it carries number {}", "它的编号是 {}", entry.seq)));
    }
    *head = Head { seq, hash };
    Ok(entry)
}
