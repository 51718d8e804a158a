//! What the broker saw, for whoever waits for it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::evidence::{Sighting, Stage, Visit};
use crate::domain::ids::{ClientId, Fingerprint};

/// Visits that are kept. A device tries again and again; whoever never proves a certificate
/// can push out only others like him.
const KEPT: usize = 1024;

/// A visit, and when it began.
struct Begun {
    number: u64,
    at: Instant,
    visit: Visit,
}

/// One client that proved its certificate and named itself.
struct Seen {
    number: u64,
    at: Instant,
    certificate: Fingerprint,
    client_id: String,
    /// It did something once it had been let in.
    spoke: bool,
}

#[derive(Default)]
struct Pages {
    last: u64,
    visits: VecDeque<Begun>,
    seen: VecDeque<Seen>,
}

/// The broker's book.
#[derive(Default)]
pub(super) struct Book {
    pages: Mutex<Pages>,
    came: Condvar,
    is_over: AtomicBool,
}

impl Book {
    /// Nobody is let in any more.
    pub(super) fn close(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether it is closed.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Somebody came; gives the number of the visit.
    pub(super) fn begin(&self, from: IpAddr) -> u64 {
        let mut pages = self.lock();
        pages.last += 1;
        let number = pages.last;
        let visit = Visit { from, reached: Stage::Arrived, why: None, shown: None };
        push(&mut pages.visits, Begun { number, at: Instant::now(), visit });
        number
    }

    /// TLS came about, with this certificate.
    pub(super) fn proved(&self, number: u64, certificate: Fingerprint) {
        self.change(number, |visit| {
            visit.reached = Stage::Proven;
            visit.shown = Some(certificate);
        });
    }

    /// It named itself, and is let in.
    pub(super) fn named(&self, number: u64, certificate: Fingerprint, client_id: String) {
        let seen = Seen { number, at: Instant::now(), certificate, client_id, spoke: false };
        push(&mut self.lock().seen, seen);
        self.change(number, |visit| visit.reached = Stage::Accepted);
        self.came.notify_all();
    }

    /// It did something of its own after it had been let in.
    pub(super) fn spoke(&self, number: u64) {
        let mut pages = self.lock();
        if let Some(seen) = pages.seen.iter_mut().rev().find(|seen| seen.number == number) {
            seen.spoke = true;
        }
        drop(pages);
        self.change(number, |visit| visit.reached = Stage::Spoke);
        self.came.notify_all();
    }

    /// It is gone; gives what became of it.
    pub(super) fn ended(&self, number: u64, why: String) -> Option<Visit> {
        self.change(number, |visit| visit.why = Some(why))
    }

    /// Waits for a client that came since then.
    pub(super) fn wait_for(
        &self,
        certificate: &Fingerprint,
        client_id: &ClientId,
        since: Instant,
        until: Instant,
    ) -> Sighting {
        let mut pages = self.lock();
        loop {
            let its = |seen: &&Seen| seen.certificate == *certificate && seen.at >= since;
            let (own, other): (Vec<_>, Vec<_>) = pages
                .seen
                .iter()
                .filter(its)
                .partition(|seen| seen.client_id == client_id.as_str());
            if own.iter().any(|seen| seen.spoke) {
                return Sighting::Connected;
            }
            if let (true, Some(other)) = (own.is_empty(), other.first()) {
                return Sighting::OtherClientId(other.client_id.clone());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Sighting::Nobody(pages.who_came(certificate, since));
            }
            let waited = self.came.wait_timeout(pages, left);
            pages = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Visit)) -> Option<Visit> {
        let mut pages = self.lock();
        let begun = pages.visits.iter_mut().rev().find(|begun| begun.number == number)?;
        change(&mut begun.visit);
        Some(begun.visit.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Visits since then that may have been that certificate's device.
    fn who_came(&self, certificate: &Fingerprint, since: Instant) -> Vec<Visit> {
        let may_be = |begun: &&Begun| {
            let shown = begun.visit.shown.as_ref();
            begun.at >= since && shown.is_none_or(|shown| shown == certificate)
        };
        self.visits.iter().filter(may_be).map(|begun| begun.visit.clone()).collect()
    }
}

fn push<T>(all: &mut VecDeque<T>, one: T) {
    if all.len() == KEPT {
        all.pop_front();
    }
    all.push_back(one);
}
