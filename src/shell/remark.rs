//! A warning that can't wait for its command's end, wherever the operator reads now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::device::Fault;

use super::failure::warn;

/// Shows a warning where standard error is not read.
type Shown = Box<dyn Fn(Fault) + Send>;

static SCREEN: Mutex<Option<Shown>> = Mutex::new(None);

static COLOR: AtomicBool = AtomicBool::new(false);

/// Whether standard error takes colour.
pub fn color_remarks(color: bool) {
    COLOR.store(color, Ordering::Relaxed);
}

/// While a screen is on the terminal, remarks are told to it and not written over it.
pub fn tell_remarks_to(shown: Option<Shown>) {
    *SCREEN.lock().unwrap_or_else(PoisonError::into_inner) = shown;
}

/// Tells a warning at once.
pub fn remark(fault: Fault) {
    match &*SCREEN.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(shown) => shown(fault),
        None => warn(&fault, COLOR.load(Ordering::Relaxed)),
    }
}
