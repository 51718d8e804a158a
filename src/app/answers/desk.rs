//! How far a sync is that was started from the screen, for the thread that runs it and the one
//! that answers.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::pages::SyncRun;
use crate::sync::Halt;

/// The sync that runs or ran last.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) run: SyncRun,
    pub(super) halt: Option<Halt>,
}

pub(super) type SharedDesk = Arc<Mutex<Desk>>;

pub(super) fn change(desk: &SharedDesk, change: impl FnOnce(&mut Desk)) {
    change(&mut desk.lock().unwrap_or_else(PoisonError::into_inner));
}
