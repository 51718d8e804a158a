//! The door of a line: shut when the line has ended.

use std::sync::{Arc, Mutex, PoisonError};

/// Shut when the line has ended. A command is let in while it is open, and answered then, or its
/// sender is told that nobody is there.
#[derive(Clone, Default)]
pub(super) struct Door {
    is_shut: Arc<Mutex<bool>>,
}

impl Door {
    /// Does this unless the door is shut; whether it did.
    pub(super) fn pass(&self, enter: impl FnOnce() -> bool) -> bool {
        let is_shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        !*is_shut && enter()
    }

    /// From here on nobody is let in.
    pub(super) fn shut(&self) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}
