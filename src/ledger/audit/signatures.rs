//! Signatures of older heads, checked on every core while the chain is walked.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use crate::domain::evidence::HeadVerifier;
use crate::error::LedgerError;
use crate::journal::entry::InstanceId;
use crate::journal::head::SignedHead;

use super::threads::start;

/// Batches of heads that wait for a core.
const WAITING: usize = 16;

/// Nothing was found yet.
const NONE: u64 = u64::MAX;

/// Checks the heads that it is handed.
pub(super) struct Signatures<'scope> {
    heads: SyncSender<Vec<SignedHead>>,
    first_bad: Arc<AtomicU64>,
    workers: Vec<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Signatures<'scope> {
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        verifier: &'scope dyn HeadVerifier,
        instance: InstanceId,
    ) -> Result<Self, LedgerError> {
        let (heads, taken) = sync_channel(WAITING);
        let taken = Arc::new(Mutex::new(taken));
        let first_bad = Arc::new(AtomicU64::new(NONE));
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let worker = || {
            let (taken, first_bad) = (Arc::clone(&taken), Arc::clone(&first_bad));
            move || work(&taken, &first_bad, verifier, &instance)
        };
        let workers = (0..cores).map(|_| start(scope, "signatures", worker()));
        let workers = workers.collect::<Result<_, _>>()?;
        Ok(Signatures { heads, first_bad, workers })
    }

    /// Hands heads over, in the order of their entries.
    pub(super) fn take(&self, heads: Vec<SignedHead>) {
        let _ = self.heads.send(heads);
    }

    /// The entry of the first head whose signature does not verify.
    pub(super) fn first_bad(self) -> Option<u64> {
        drop(self.heads);
        for worker in self.workers {
            // A panic was told by the hook, and counts as a signature that does not verify.
            if worker.join().is_err() {
                self.first_bad.fetch_min(0, Ordering::Relaxed);
            }
        }
        Some(self.first_bad.load(Ordering::Relaxed)).filter(|seq| *seq != NONE)
    }
}

fn work(
    taken: &Mutex<Receiver<Vec<SignedHead>>>,
    first_bad: &AtomicU64,
    verifier: &dyn HeadVerifier,
    instance: &InstanceId,
) {
    loop {
        let next = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(heads) = next else { return };
        // Behind one that is bad already, none is looked at.
        let wanted = |signed: &&SignedHead| signed.head.seq < first_bad.load(Ordering::Relaxed);
        let bad = heads.iter().filter(wanted).find(|signed| !signed.holds(instance, verifier));
        if let Some(bad) = bad {
            first_bad.fetch_min(bad.head.seq, Ordering::Relaxed);
        }
    }
}
