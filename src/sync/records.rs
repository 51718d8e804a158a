//! The ledger's writer for tasks that must not block: a record is handed in, and awaited
//! until it is durable. What many tasks hand in at once shares a commit.

use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::domain::record::{Record, Recorded, Refusal};
use crate::ledger::{LedgerError, Ticket, Writer};

type Recording = Result<Recorded, Refusal>;

/// A door to the writer; its thread ends when it is dropped.
pub(super) struct Records {
    writer: Writer,
    tickets: mpsc::Sender<(Ticket, oneshot::Sender<Recording>)>,
}

impl Records {
    /// Starts the thread that waits for commits. The writer answers in the order in which
    /// records were handed in, so one thread can wait for all of them.
    pub(super) fn start(writer: Writer) -> Result<Records, LedgerError> {
        let (tickets, waiting) = mpsc::channel::<(Ticket, oneshot::Sender<Recording>)>();
        let spawned = thread::Builder::new().name("sync-records".to_owned()).spawn(move || {
            for (ticket, answer) in waiting {
                // A task that is gone does not want to know.
                let _ = answer.send(ticket.wait());
            }
        });
        spawned.map_err(|source| LedgerError::Thread { what: "records", source })?;
        Ok(Records { writer, tickets })
    }

    /// Makes a record durable.
    pub(super) async fn record(&self, record: Record) -> Recording {
        let gone = || Err(Refusal::Ledger(LedgerError::WriterGone.into()));
        let (answer, answered) = oneshot::channel();
        if self.tickets.send((self.writer.submit(record), answer)).is_err() {
            return gone();
        }
        answered.await.unwrap_or_else(|_| gone())
    }
}
