//! Holds registrations back while the station has no share of the cloud's rate.

use std::cell::Cell;

use tokio::sync::Notify;

/// The station's share as the run's tasks see it.
#[derive(Debug)]
pub(super) struct Door {
    rate: Cell<u32>,
    opened: Notify,
    /// The number of the newest answer for a share.
    newest: Cell<Option<i64>>,
    /// That of the newest which all calls obey.
    obeyed: Cell<Option<i64>>,
}

impl Door {
    /// Open at once where that is not 0.
    pub(super) fn new(rate: u32) -> Self {
        Door {
            rate: Cell::new(rate),
            opened: Notify::new(),
            newest: Cell::default(),
            obeyed: Cell::default(),
        }
    }

    /// Another rate from here on.
    pub(super) fn set(&self, rate: u32) {
        self.rate.set(rate);
        if rate > 0 {
            self.opened.notify_waiters();
        }
    }

    /// Another answer has come.
    pub(super) fn heard(&self, number: i64) {
        self.newest.set(Some(number));
    }

    /// The number of the answer that all calls obey. Where some had their turn before the newest
    /// came and did not leave yet, it is the one before.
    pub(super) fn obeyed(&self, unsent: usize) -> Option<i64> {
        if unsent == 0 {
            self.obeyed.set(self.newest.get());
        }
        self.obeyed.get()
    }

    /// The station's share.
    pub(super) fn rate(&self) -> u32 {
        self.rate.get()
    }

    /// Ends when the station has a share.
    pub(super) async fn open(&self) {
        while self.rate.get() == 0 {
            // All tasks of a run are in one thread: nothing comes in between.
            self.opened.notified().await;
        }
    }
}
