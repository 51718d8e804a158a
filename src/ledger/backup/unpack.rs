//! Segments read ahead of who takes their entries: in a thread of its own they are unpacked,
//! held against the chain and their signatures, and decoded.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::Scope;

use crate::audit::threads::start;
use crate::domain::bounds;
use crate::domain::cause::Told;
use crate::domain::evidence::HeadVerifier;
use crate::domain::say::Phrase;
use crate::error::LedgerError;
use crate::journal::entry::Entry;
use crate::journal::head::Head;
use crate::segment::chain::Found;
use crate::segment::format::{SegmentError, SegmentHeader};
use crate::segment::read;

/// Batches that wait for who takes them.
const WAITING: usize = 8;

/// About so many bytes of entries are handed over at once.
const BATCH: usize = 64 << 10;

/// What a thread that died without a word is told as; its panic was told by the hook.
const DIED: Phrase = Phrase {
    english: "the reading of segments ended before it was done",
    chinese: "日志段没读完就结束了",
};

/// Why a segment can't be taken.
pub(super) enum Refused {
    /// Its bytes.
    Segment(SegmentError),
    /// What it says can't be put into the tables, or they can't be written.
    Ledger(LedgerError),
}

impl From<SegmentError> for Refused {
    fn from(error: SegmentError) -> Self {
        Refused::Segment(error)
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        Refused::Ledger(error)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Refused::Ledger(LedgerError::write(error))
    }
}

/// An entry as it was hashed and as it is understood, with its place in the chain.
pub(super) struct Unpacked {
    pub(super) head: Head,
    pub(super) bytes: Vec<u8>,
    pub(super) entry: Entry,
}

/// What comes of a segment: its entries in their order, and behind them what it said of itself.
/// The entries count only once that has come.
pub(super) enum Piece {
    Entries(Vec<Unpacked>),
    Whole(Box<SegmentHeader>),
}

/// What is unpacked of a chain of segments, one behind the other, up to the first that is refused.
pub(super) struct Unpacking {
    pieces: Receiver<Result<Piece, Refused>>,
    /// Entries that were taken. Whoever made them frees them: the allocator is slow where one thread
    /// frees what another one got, and who fills the tables is what all wait for.
    taken: Sender<Vec<Unpacked>>,
}

impl Unpacking {
    /// Starts to read ahead; it ends with the last segment, or when nobody wants more.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        chain: &'scope [Found],
        verifier: &'scope dyn HeadVerifier,
    ) -> Result<Unpacking, LedgerError> {
        let (sender, pieces) = sync_channel(WAITING);
        let (taken, spent) = channel();
        start(scope, "segments", move || {
            for found in chain {
                let end = Batch::new(&sender, &spent).unpack(found, verifier);
                let refused = end.is_err();
                if sender.send(end).is_err() || refused {
                    break;
                }
            }
        })?;
        Ok(Unpacking { pieces, taken })
    }

    pub(super) fn next(&self) -> Result<Piece, Refused> {
        self.pieces.recv().unwrap_or_else(|_| Err(LedgerError::Nonsense(DIED.into()).into()))
    }

    /// Gives entries back that were taken.
    pub(super) fn give_back(&self, entries: Vec<Unpacked>) {
        // Where the reading has ended, they are freed here.
        let _ = self.taken.send(entries);
    }
}

/// Entries until they are handed over.
struct Batch<'a> {
    entries: Vec<Unpacked>,
    bytes: usize,
    sender: &'a SyncSender<Result<Piece, Refused>>,
    spent: &'a Receiver<Vec<Unpacked>>,
}

impl<'a> Batch<'a> {
    fn new(
        sender: &'a SyncSender<Result<Piece, Refused>>,
        spent: &'a Receiver<Vec<Unpacked>>,
    ) -> Self {
        Batch { entries: Vec::new(), bytes: 0, sender, spent }
    }

    /// Hands over a segment's entries, and gives its header where it holds.
    fn unpack(mut self, found: &Found, verifier: &dyn HeadVerifier) -> Result<Piece, Refused> {
        let file = bounds::open(&found.path).map_err(SegmentError::from)?;
        let read = read::verify(file, verifier, |head, bytes| {
            let entry = Entry::decode(&bytes)
                .map_err(|error| LedgerError::Journal { entry: head.seq, why: error.sentence() })?;
            self.take(Unpacked { head, bytes, entry });
            Ok::<(), Refused>(())
        });
        // What stands before a fault comes before it.
        self.hand_over();
        Ok(Piece::Whole(Box::new(read?)))
    }

    fn take(&mut self, entry: Unpacked) {
        self.bytes += entry.bytes.len();
        self.entries.push(entry);
        if self.bytes >= BATCH {
            self.hand_over();
        }
    }

    /// Where nobody wants them any more, the end of the segment will not be wanted either.
    fn hand_over(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        self.bytes = 0;
        let _ = self.sender.send(Ok(Piece::Entries(entries)));
        self.spent.try_iter().for_each(drop);
    }
}
