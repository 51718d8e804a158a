//! Holds everybody back while the cloud is not ready.

use std::cell::Cell;

/// Holds everybody back while the cloud is not ready.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Taken by the one who polls.
    pub(super) polling: tokio::sync::Mutex<()>,
    /// How often it was found ready again.
    pub(super) openings: Cell<u64>,
}
