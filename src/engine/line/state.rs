//! The line thread's own state, and what it does to slots and to the front end.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::device::{Fault, Seen};
use crate::domain::event::{Event, EventSink, SlotStatus, UnitReport};
use crate::domain::ids::{Serial, SlotName};
use crate::domain::label::LabelRule;
use crate::domain::scan::ScanRules;
use crate::halt::Halt;
use crate::ledger::{LedgerError, Reader};
use crate::router::{Decision, Job, Router};
use crate::shared::Shared;
use crate::slot::ToSlot;

use super::door::Door;

/// A unit that passed, and what its device said last before that.
pub(super) struct Passed {
    pub(super) report: UnitReport,
    pub(super) seen: Seen,
}

/// The line thread's own state.
pub(super) struct LineThread {
    pub(super) router: Router,
    pub(super) shared: Arc<Shared>,
    pub(super) scan: ScanRules,
    pub(super) rule: LabelRule,
    pub(super) events: EventSink,
    pub(super) slots: Vec<(Sender<ToSlot>, JoinHandle<()>)>,
    pub(super) halts: Vec<Halt>,
    /// What passed last in each slot and may still stand there.
    pub(super) passed: Vec<Option<Passed>>,
    /// Why a slot was last put out of service.
    pub(super) last_out: Option<Fault>,
    /// It was said that labels without a slot go to any device.
    pub(super) warned: bool,
    /// It was said that the CA's token gives no answer.
    pub(super) token_is_silent: bool,
    /// Several work orders are open, and none was chosen yet.
    pub(super) must_choose: bool,
    /// The slots' ports, for who looks for them.
    pub(super) ports: Vec<String>,
    /// When a scan has waited long enough for any port at all.
    pub(super) port_grace: Option<Duration>,
    /// When it is said whose ports are not there; none once it was.
    pub(super) ports_due: Option<Duration>,
    /// Slots whose ports do not come with their devices and did not open yet, and those ports.
    pub(super) unseen: Vec<Option<(SlotName, String)>>,
    pub(super) door: Door,
}

impl LineThread {
    /// The monotonic clock.
    pub(super) fn now(&self) -> Duration {
        self.shared.clock.now().monotonic
    }

    /// Tells the front end.
    pub(super) fn say(&self, event: Event) {
        (self.events)(event);
    }

    /// Lands every unit for this reason; the cause is told where it is none of a person.
    pub(super) fn stop(&mut self, reason: &Fault, cause: Option<Fault>) {
        for halt in &self.halts {
            halt.set(reason.clone());
        }
        let decisions = self.router.stop(reason);
        self.carry_out(decisions);
        self.say(Event::Stopping(cause));
    }

    /// Does what the router decided.
    pub(super) fn carry_out(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            match decision {
                Decision::Run(slot, job) => self.give(slot, job),
                Decision::Refuse(serial, slot, fault) => {
                    self.say(Event::Unit(Box::new(UnitReport::refused(serial, slot, fault))));
                }
                Decision::Halt(slot, fault) => self.halts[slot].set(fault),
                Decision::Want(more) => self.say(Event::Wanted(more)),
            }
        }
    }

    fn give(&self, slot: usize, job: Job) {
        let status = SlotStatus::Busy(job.serial.to_string());
        self.say(Event::Slot { slot: self.router.name(slot).clone(), status });
        // A halt that came too late for the unit before is not meant for this one.
        self.halts[slot].unit_landed();
        // A slot that is gone says so by itself, and the router answers for its unit.
        let _ = self.slots[slot].0.send(ToSlot::Run(job));
    }

    /// A unit that the ledger knows; where it can't be asked, a warning says so.
    pub(super) fn look_up(
        &self,
        question: impl FnOnce(&Reader) -> Result<Option<Serial>, LedgerError> + Send + 'static,
    ) -> Option<Serial> {
        let found = self.shared.inquiries.ask(question);
        found.and_then(|found| found.map_err(Fault::from)).unwrap_or_else(|fault| {
            self.say(Event::Warning(fault));
            None
        })
    }
}
