//! How a run is told to stop, from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Tells a sync to land: nothing new is asked, calls that are under way end.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    bell: Notify,
}

impl Halt {
    /// Stops the run.
    pub fn stop(&self) {
        self.0.set.store(true, Ordering::Release);
        self.0.bell.notify_waiters();
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// Ends when it is told to stop.
    pub(super) async fn stopped(&self) {
        let bell = self.0.bell.notified();
        tokio::pin!(bell);
        // Counted as waiting before the flag is looked at, so that no stop is missed.
        bell.as_mut().enable();
        if !self.is_stopped() {
            bell.await;
        }
    }
}
