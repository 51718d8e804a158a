//! Who may stay: connections that ask nothing leave when others come.
//!
//! Nobody can keep stations out by opening connections and saying nothing, or by beginning a
//! request that never ends: a newcomer always gets in. Who goes is of the address that holds the
//! most places, so that one host displaces nobody but itself, and there the one that has been
//! silent longest.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::places::network;

/// Connections that may be silent at a time.
const SILENT: usize = 2_048;

/// Every connection that is silent just now: of each address the longest first.
type Silent = HashMap<IpAddr, BTreeMap<u64, Arc<Notify>>>;

/// Where all of them sit.
#[derive(Clone, Default)]
pub(super) struct Room {
    next: Arc<AtomicU64>,
    silent: Arc<Mutex<Silent>>,
}

/// One connection's place.
pub(super) struct Seat {
    room: Room,
    from: IpAddr,
    leave: Arc<Notify>,
    number: Mutex<Option<u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(silent: &Silent) -> usize {
    silent.values().map(BTreeMap::len).sum()
}

impl Room {
    /// A place for a newcomer.
    pub(super) fn enter(&self, from: IpAddr) -> Seat {
        let (room, from) = (self.clone(), network(from));
        let seat = Seat { room, from, leave: Arc::default(), number: Mutex::new(None) };
        seat.sit();
        seat
    }

    fn seat(&self, from: IpAddr, leave: &Arc<Notify>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut silent = lock(&self.silent);
        silent.entry(from).or_default().insert(number, Arc::clone(leave));
        if count(&silent) > SILENT
            && let Some(most) = silent.values_mut().max_by_key(|seats| seats.len())
            && let Some((_, longest)) = most.pop_first()
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
            let mut silent = lock(&self.room.silent);
            if let Some(seats) = silent.get_mut(&self.from) {
                seats.remove(&number);
                if seats.is_empty() {
                    silent.remove(&self.from);
                }
            }
        }
    }

    /// It was answered, and is silent again.
    pub(super) fn sit(&self) {
        let mut number = lock(&self.number);
        if number.is_none() {
            *number = Some(self.room.seat(self.from, &self.leave));
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

    fn at(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_longest_silent_goes_and_one_that_asks_stays() {
        let room = Room::default();
        let (asks, silent) = (room.enter(at(1)), room.enter(at(1)));
        asks.stand();
        let _others: Vec<Seat> = (0..SILENT).map(|_| room.enter(at(1))).collect();
        silent.must_leave().await;
        assert_eq!(count(&lock(&room.silent)), SILENT);
        asks.sit();
        assert_eq!(count(&lock(&room.silent)), SILENT);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_crowd_from_one_address_displaces_its_own() {
        let room = Room::default();
        let station = room.enter(at(1));
        let first = room.enter(at(2));
        let _crowd: Vec<Seat> = (0..SILENT * 2).map(|_| room.enter(at(2))).collect();
        first.must_leave().await;
        assert_eq!(lock(&room.silent)[&at(1)].len(), 1);
        drop(station);
        assert!(!lock(&room.silent).contains_key(&at(1)));
    }
}
