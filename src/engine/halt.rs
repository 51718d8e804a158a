//! Why a slot is to land its unit, set from another thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::link::Stop;

/// A slot's halt. The first reason wins; the driver hears of it only while the flow may
/// be stopped, so that nothing is left open between "commit asked" and the verdict.
#[derive(Debug, Clone, Default)]
pub(super) struct Halt {
    state: Arc<Mutex<State>>,
    waiting: Stop,
    working: Stop,
}

#[derive(Debug, Default)]
struct State {
    reason: Option<Fault>,
    heeding: bool,
}

impl Halt {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the slot to land its unit for this reason.
    pub(super) fn set(&self, reason: Fault) {
        let mut state = self.lock();
        if reason.code == Code::Stopped {
            self.waiting.set();
        }
        state.reason.get_or_insert(reason);
        self.pass_on(&state);
    }

    fn pass_on(&self, state: &State) {
        match state.heeding && state.reason.is_some() {
            true => self.working.set(),
            false => self.working.clear(),
        }
    }

    /// The reason, once there is one.
    pub(super) fn reason(&self) -> Option<Fault> {
        self.lock().reason.clone()
    }

    /// Whether the slot is to stop for good.
    pub(super) fn is_final(&self) -> bool {
        self.waiting.is_set()
    }

    /// Whether waits of the driver are to end when there is a reason.
    pub(super) fn heed(&self, heeding: bool) {
        let mut state = self.lock();
        state.heeding = heeding;
        self.pass_on(&state);
    }

    /// Takes back a reason that was for one unit alone, which has landed.
    pub(super) fn unit_landed(&self) {
        let mut state = self.lock();
        if !self.is_final() {
            state.reason = None;
        }
        state.heeding = true;
        self.pass_on(&state);
    }

    /// Ends waits for a device.
    pub(super) fn waiting(&self) -> Stop {
        self.waiting.clone()
    }

    /// Ends waits of a driver.
    pub(super) fn working(&self) -> Stop {
        self.working.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_hears_of_a_halt_only_while_it_is_heeded() {
        let halt = Halt::default();
        halt.heed(false);
        halt.set(Fault::new(Code::DevTwice, "first"));
        halt.set(Fault::new(Code::DevTimeout, "second"));
        assert!(!halt.working().is_set());
        halt.heed(true);
        assert!(halt.working().is_set());
        assert_eq!(halt.reason().unwrap().code, Code::DevTwice);
    }

    #[test]
    fn a_halt_that_came_while_commit_asked_was_recorded_does_not_reach_the_commit() {
        let halt = Halt::default();
        halt.heed(true);
        halt.set(Fault::new(Code::Stopped, "stop"));
        halt.heed(false);
        assert!(!halt.working().is_set(), "the commit would be cut short");
        halt.heed(true);
        assert!(halt.working().is_set());
    }

    #[test]
    fn a_halt_for_one_unit_is_taken_back_and_a_stop_is_not() {
        let halt = Halt::default();
        halt.set(Fault::new(Code::DevTwice, "twice"));
        halt.unit_landed();
        assert!(!halt.working().is_set() && halt.reason().is_none());
        halt.set(Fault::new(Code::Stopped, "stop"));
        halt.unit_landed();
        assert!(halt.is_final() && halt.working().is_set());
    }
}
