//! What slots say: which device is there, how a unit ended, that a slot is gone.

use crate::domain::code::Code;
use crate::domain::device::{Fault, Seen};
use crate::domain::event::{Event, Outcome, SlotStatus, UnitReport};
use crate::domain::ids::HardwareId;
use crate::domain::record::{Denied, Record, Rework, Step};
use crate::flow;
use crate::link::LinkError;
use crate::router::{Job, Place};
use crate::say;
use crate::unit::Ending;

use super::faults::{senseless, told_to_stop};
use super::state::{LineThread, Passed};

impl LineThread {
    /// What stands in a slot now.
    pub(super) fn place(&mut self, slot: usize, place: Place, status: SlotStatus) {
        let hardware = match &place {
            Place::Ready(hardware) => Some(hardware.clone()),
            _ => None,
        };
        if let SlotStatus::OutOfService(fault) = &status {
            self.last_out = Some(fault.clone());
        }
        self.say(Event::Slot { slot: self.router.name(slot).clone(), status });
        // What a device has open is resolved before a scan could take its slot.
        if let Some(hardware) = hardware.clone() {
            let owned = self.is_taken(hardware);
            self.router.note_owner(slot, owned);
        }
        let resume = hardware.and_then(|hardware| self.open_attempt(hardware));
        let decisions = match resume {
            Some(job) => self.router.place_and_resume(slot, place, job, self.now()),
            None => self.router.place(slot, place, self.now()),
        };
        self.carry_out(decisions);
        if let Some(twin) = self.router.twin_of(slot) {
            self.say(Event::Warning(self.router.twin_fault(twin, slot)));
            for (one, other) in [(slot, twin), (twin, slot)] {
                let status = SlotStatus::Twice(self.router.name(other).clone());
                self.say(Event::Slot { slot: self.router.name(one).clone(), status });
            }
        }
    }

    /// Whether a unit is proven on this device and is not to be burned again.
    fn is_taken(&self, hardware: HardwareId) -> bool {
        let owner = self.look_up(move |reader| {
            let Some(serial) = reader.proven_on(&hardware)? else { return Ok(None) };
            let again = reader.standing(&serial)?.rework != Rework::No;
            Ok(Some(serial).filter(|_| !again))
        });
        owner.is_some()
    }

    /// The unit whose commit was asked on this device.
    fn open_attempt(&self, hardware: HardwareId) -> Option<Job> {
        let serial = self.look_up(move |reader| reader.open_attempt_on(&hardware))?;
        let client_id = self.rule.client_id.make(&serial).ok()?;
        Some(Job { resumed: true, ..Job::new(serial, client_id) })
    }

    /// How a slot's unit ended.
    pub(super) fn ended(&mut self, slot: usize, ending: Ending) {
        let Ending { report, met, ledger_failed } = ending;
        let completed = report.resumed && report.outcome == Outcome::Pass;
        let passed = met.filter(|_| report.is_good());
        self.passed[slot] = passed.map(|seen| Passed { report: report.clone(), seen });
        self.say(Event::Unit(Box::new(report)));
        let decisions = self.router.ended(slot, completed, self.now());
        self.carry_out(decisions);
        if let Some(fault) = ledger_failed {
            self.stop(&fault.clone(), Some(fault));
        }
    }

    /// A device that passed says something new. Where that contradicts the proof that it has just
    /// given, its unit is not finished any more, and a person is told to keep it.
    pub(super) fn denied(&mut self, slot: usize, says: Result<Seen, LinkError>) {
        let Some(Passed { mut report, seen }) = self.passed[slot].take() else { return };
        let denial = match says {
            Ok(now) => flow::denial_of_a_pass(&seen, &now),
            Err(error) => Some(senseless(error.into())),
        };
        let Some(fault) = denial else {
            self.passed[slot] = Some(Passed { report, seen });
            return;
        };
        report.outcome = Outcome::Fail;
        (report.step, report.uncertain, report.verified) = (Some(Step::Finish), true, false);
        let recorded = self.record_denial(slot, &report, &fault);
        report.fault = Some(fault);
        self.say(Event::Denied(Box::new(report)));
        if let Err(fault) = recorded {
            self.stop(&fault.clone(), Some(fault));
        }
    }

    fn record_denial(&self, slot: usize, report: &UnitReport, fault: &Fault) -> Result<(), Fault> {
        let what = say!("a unit that passed has no certificate", "一个已合格的单元没有证书");
        let missing = || Fault::said(Code::Bug, what.clone());
        let serial = report.serial.parse().map_err(|_| missing())?;
        let denied = Denied {
            serial,
            certificate_sn: report.certificate_sn.ok_or_else(missing)?,
            slot: self.router.name(slot).clone(),
            message: fault.detail.clone(),
            by: self.shared.person(),
        };
        let recorded = self.shared.writer.record(Record::Denied(denied));
        recorded.map(drop).map_err(|refusal| refusal.fault().clone())
    }

    /// A slot's thread is gone.
    pub(super) fn gone(&mut self, slot: usize, fault: Option<Fault>) {
        let reason = fault.clone().unwrap_or_else(told_to_stop);
        let decisions = self.router.gone(slot, &reason, self.now());
        self.carry_out(decisions);
        if let Some(fault) = fault {
            let slot = self.router.name(slot).clone();
            self.say(Event::Slot { slot, status: SlotStatus::OutOfService(fault) });
        }
    }
}
