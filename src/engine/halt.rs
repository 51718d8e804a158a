//! Why a slot is to land its unit, set from another thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::device::Fault;
use crate::link::Stop;

/// A slot's halt. The first reason wins; the driver hears of it only while the flow may
/// be stopped, so that nothing is left open between "commit asked" and the verdict.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    reason: Option<Fault>,
    heeding: bool,
    stop: Stop,
}

impl State {
    fn pass_on(&self) {
        if self.heeding && self.reason.is_some() {
            self.stop.set();
        }
    }
}

impl Halt {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the slot to land its unit for this reason.
    pub fn set(&self, reason: Fault) {
        let mut state = self.lock();
        state.reason.get_or_insert(reason);
        state.pass_on();
    }

    /// The reason, once there is one.
    pub(super) fn reason(&self) -> Option<Fault> {
        self.lock().reason.clone()
    }

    /// Whether waits at the port are to end when there is a reason.
    pub(super) fn heed(&self, heeding: bool) {
        let mut state = self.lock();
        state.heeding = heeding;
        state.pass_on();
    }

    /// A flag for the next driver. A reason that was given counts for it too.
    pub(super) fn arm(&self) -> Stop {
        let mut state = self.lock();
        state.stop = Stop::new();
        state.heeding = true;
        state.pass_on();
        state.stop.clone()
    }

    /// Takes back a reason that was for one unit alone, which has landed.
    pub(super) fn clear(&self) {
        self.lock().reason = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn a_driver_hears_of_a_halt_only_while_it_is_heeded() {
        let halt = Halt::default();
        let stop = halt.arm();
        halt.heed(false);
        halt.set(Fault::new(Code::Stopped, "first"));
        halt.set(Fault::new(Code::DevTwice, "second"));
        assert!(!stop.is_set());
        halt.heed(true);
        assert!(stop.is_set());
        assert_eq!(halt.reason().unwrap().code, Code::Stopped);
        halt.clear();
        assert!(!halt.arm().is_set());
    }
}
