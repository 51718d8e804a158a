//! Who may stay: connections that ask nothing leave when others come.
//!
//! Nobody can keep stations out by opening connections and saying nothing: a newcomer always
//! gets in, and the one that has been silent longest goes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Connections that may be silent at a time.
const SILENT: usize = 2_048;

/// Every connection that is silent just now, the longest first.
#[derive(Clone, Default)]
pub(super) struct Room {
    next: Arc<AtomicU64>,
    silent: Arc<Mutex<BTreeMap<u64, Arc<Notify>>>>,
}

/// One connection's place.
pub(super) struct Seat {
    room: Room,
    leave: Arc<Notify>,
    number: Mutex<Option<u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    /// A place for a newcomer.
    pub(super) fn enter(&self) -> Seat {
        let seat = Seat { room: self.clone(), leave: Arc::default(), number: Mutex::new(None) };
        seat.sit();
        seat
    }

    fn seat(&self, leave: &Arc<Notify>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut silent = lock(&self.silent);
        silent.insert(number, Arc::clone(leave));
        if silent.len() > SILENT
            && let Some((_, longest)) = silent.pop_first()
        {
            longest.notify_one();
        }
        number
    }
}

impl Seat {
    /// It asks something: nobody sends it away.
    pub(super) fn stand(&self) {
        if let Some(number) = lock(&self.number).take() {
            lock(&self.room.silent).remove(&number);
        }
    }

    /// It was answered, and is silent again.
    pub(super) fn sit(&self) {
        let mut number = lock(&self.number);
        if number.is_none() {
            *number = Some(self.room.seat(&self.leave));
        }
    }

    /// Until it must go.
    pub(super) async fn must_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.stand();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_longest_silent_goes_and_one_that_asks_stays() {
        let room = Room::default();
        let (asks, silent) = (room.enter(), room.enter());
        asks.stand();
        let _others: Vec<Seat> = (0..SILENT).map(|_| room.enter()).collect();
        silent.must_leave().await;
        assert_eq!(lock(&room.silent).len(), SILENT);
        asks.sit();
        assert_eq!(lock(&room.silent).len(), SILENT);
    }
}
