//! The replay in a thread of its own: the tables follow while the chain is walked, and their
//! rows come out again while those of the ledger are read.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use rusqlite::Connection;

use crate::domain::say::Phrase;
use crate::error::LedgerError;
use crate::journal::entry::Entry;
use crate::tables::schema::EVIDENCE;

use super::replay::{Replay, pack};
use super::threads::start;

/// Pages of entries, or batches of rows, that wait for the other side.
const WAITING: usize = 8;

/// What a replay that died without a word is told as; its panic was told by the hook.
const DIED: Phrase = Phrase {
    english: "the replay ended before it was done",
    chinese: "重放没做完就结束了",
};

/// A replay that takes entries.
pub(super) struct Replayer<'scope> {
    entries: SyncSender<Vec<Entry>>,
    /// Pages that were applied. Whoever made them frees them: the allocator is slow where one thread
    /// frees what another one got, and the replay is what all wait for.
    applied: Receiver<Vec<Entry>>,
    replayed: Replayed<'scope>,
}

/// A replay that took every entry, and gives its rows.
pub(super) struct Replayed<'scope> {
    rows: Receiver<Vec<u8>>,
    thread: ScopedJoinHandle<'scope, Result<Replay, LedgerError>>,
}

impl<'scope> Replayer<'scope> {
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        beside_a_line: bool,
    ) -> Result<Self, LedgerError> {
        let mut replay = Replay::new(beside_a_line)?;
        let (entries, taken) = sync_channel::<Vec<Entry>>(WAITING);
        let (done, applied) = channel();
        let (given, rows) = sync_channel(WAITING);
        let thread = start(scope, "replay", move || {
            replay.begin()?;
            for page in taken {
                page.iter().try_for_each(|entry| replay.entry(entry))?;
                let _ = done.send(page);
            }
            replay.end()?;
            // An empty batch before all others says that every entry was taken.
            if given.send(Vec::new()).is_ok() {
                replay.give_rows(|batch| given.send(batch).is_ok())?;
            }
            Ok(replay)
        })?;
        Ok(Replayer { entries, applied, replayed: Replayed { rows, thread } })
    }

    /// Hands entries over. One that can't be applied is told by [`Replayer::settle`].
    pub(super) fn take(&self, entries: Vec<Entry>) {
        let _ = self.entries.send(entries);
        self.applied.try_iter().for_each(drop);
    }

    /// Waits until every entry was applied; the first that can't be is the error.
    pub(super) fn settle(self) -> Result<Replayed<'scope>, LedgerError> {
        let Replayer { entries, applied, replayed } = self;
        drop((entries, applied));
        match replayed.rows.recv() {
            Ok(_) => Ok(replayed),
            Err(_) => Err(replayed.end().err().unwrap_or_else(died)),
        }
    }
}

impl Replayed<'_> {
    /// Compares every evidence table of the ledger with the replay's.
    pub(super) fn compare(
        self,
        ledger: &Connection,
        mut tell: impl FnMut(usize),
    ) -> Result<(), LedgerError> {
        for (index, (table, key)) in EVIDENCE.iter().enumerate() {
            let same = pack(ledger, table, key, |here| {
                Ok(self.rows.recv().is_ok_and(|there| there == here))
            })?;
            if !same {
                return Err(self.end()?.difference(ledger, table, key)?);
            }
            tell(index + 1);
        }
        self.end().map(drop)
    }

    /// The replay, whose rows nobody wants any more.
    fn end(self) -> Result<Replay, LedgerError> {
        let Replayed { rows, thread } = self;
        drop(rows);
        thread.join().unwrap_or_else(|_| Err(died()))
    }
}

fn died() -> LedgerError {
    LedgerError::Nonsense(DIED.into())
}
