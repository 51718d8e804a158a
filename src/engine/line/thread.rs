//! The line thread: takes messages until the line has ended, and looks now and then at what waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Command, Event};
use crate::domain::ids::WorkOrderId;
use crate::domain::label::LabelRule;
use crate::pki::TOKEN_PATIENCE;
use crate::router::Place;
use crate::say;
use crate::to_line::ToLine;

use super::faults::{no_slot, panicked, token_is_silent, told_to_stop};
use super::state::LineThread;

/// How often scans that wait for a device are looked at.
const TICK: Duration = Duration::from_millis(250);

impl LineThread {
    /// Whatever happens, the front end hears that the line has ended.
    pub(super) fn run_to_end(&mut self, from_all: &Receiver<ToLine>) {
        let body = AssertUnwindSafe(|| self.run(from_all));
        if catch_unwind(body).is_err() {
            let fault = panicked();
            self.say(Event::Stopping(Some(fault)));
        }
        self.dismiss();
        self.door.shut();
        for message in from_all.try_iter() {
            self.answer_late(message);
        }
        self.say(Event::Ended);
    }

    fn run(&mut self, from_all: &Receiver<ToLine>) {
        while !self.router.has_ended(self.now()) {
            match from_all.recv_timeout(self.patience()) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {
                    self.look_for_any_port();
                    self.look_for_each_port();
                    self.look_at_what_waits();
                    self.look_at_the_token();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.router.is_out_of_service(self.now()) {
            let fault = no_slot(self.last_out.take());
            let decisions = self.router.stop(&fault);
            self.carry_out(decisions);
            self.say(Event::Stopping(Some(fault)));
        }
    }

    /// Ends the slots' threads: whatever one still waits for, nobody will ask it anything.
    fn dismiss(&mut self) {
        let reason = told_to_stop();
        for halt in &self.halts {
            halt.set(reason.clone());
        }
        for (slot, thread) in self.slots.drain(..) {
            drop(slot);
            // A slot that panicked outside a unit has said so already.
            let _ = thread.join();
        }
    }

    /// What came when the line had ended is answered all the same.
    fn answer_late(&self, message: ToLine) {
        match message {
            ToLine::Command(Command::Scan(scan) | Command::ScanBack(scan)) => {
                self.refuse_scan(&scan, told_to_stop());
            }
            ToLine::Ended(_, ending) => self.say(Event::Unit(Box::new(ending.report))),
            _ => {}
        }
    }

    /// A line that was given its labels and none of whose ports is there can't be meant.
    fn look_for_any_port(&mut self) {
        let over = self.port_grace.is_some_and(|until| self.now() >= until);
        if over && self.router.waits_in_vain() {
            let ports = self.ports.join(", ");
            let what =
                say!("none of the slots' ports is there: {ports}", "各工位的端口都不在：{ports}");
            let fault = Fault::said(Code::PortMissing, what);
            self.stop(&fault.clone(), Some(fault));
        }
    }

    /// Units go to the slots whose ports are there; a label that names another one waits, and
    /// nobody would know for what.
    fn look_for_each_port(&mut self) {
        if self.ports_due.is_none_or(|until| self.now() < until) || self.router.waits_in_vain() {
            return;
        }
        self.ports_due = None;
        for (slot, path) in std::mem::take(&mut self.unseen).into_iter().flatten() {
            let what = say!("slot {slot}: no port {path}", "工位 {slot}：没有端口 {path}");
            self.say(Event::Warning(Fault::said(Code::PortMissing, what)));
        }
    }

    fn port_was_seen(&mut self, slot: usize) {
        if let Some(unseen) = self.unseen.get_mut(slot) {
            *unseen = None;
        }
    }

    /// How long to wait for a message: no longer than until a device that came may be used.
    fn patience(&self) -> Duration {
        let closes = self.router.window_closes(self.now());
        closes.map_or(TICK, |at| at.saturating_sub(self.now()).min(TICK))
    }

    /// A token that hangs holds each slot that wants a signature, and nobody would know why.
    fn look_at_the_token(&mut self) {
        let silence = self.shared.authority.silent_for();
        let is_silent = silence.is_some_and(|time| time >= TOKEN_PATIENCE);
        if is_silent && !self.token_is_silent {
            self.say(Event::Warning(token_is_silent(TOKEN_PATIENCE)));
        }
        self.token_is_silent = is_silent;
    }

    fn look_at_what_waits(&mut self) {
        let now = self.now();
        let mut decisions = self.router.look(now);
        decisions.extend(self.router.expire(now));
        self.carry_out(decisions);
        self.refuse_what_waits_in_vain();
        if let Some(slots) = self.router.in_the_way(now) {
            self.say(Event::ToBePulled(slots));
        }
        if self.router.forget_choice(now) {
            self.say(Event::Chosen(None));
        }
    }

    fn take(&mut self, message: ToLine) {
        match message {
            ToLine::Command(Command::Scan(scan)) => self.scan(scan),
            ToLine::Command(Command::ScanBack(scan)) => {
                self.refuse_scan(&scan, self.why_not_now(&scan));
            }
            ToLine::Command(Command::Withdraw) => self.withdraw(),
            ToLine::Command(Command::NoMoreScans) => self.router.no_more_scans(),
            ToLine::Command(Command::Stop) => {
                self.stop(&told_to_stop(), None);
            }
            ToLine::Place(slot, place, status) => {
                // What is out of service has said why.
                if matches!(place, Place::Out | Place::Held) {
                    self.port_was_seen(slot);
                }
                self.place(slot, place, status);
            }
            ToLine::PortIsThere(slot) => {
                self.port_was_seen(slot);
                self.router.port_is_there();
            }
            ToLine::Lot(work_order, rule, answer) => {
                // Who asked may have gone.
                let _ = answer.send(self.choose_lot(work_order, *rule));
            }
            ToLine::Broken(fault) => self.stop(&fault.clone(), Some(fault)),
            ToLine::Ended(slot, ending) => self.ended(slot, *ending),
            ToLine::Denied(slot, says) => self.denied(slot, *says),
            ToLine::Returned(slot, job) => {
                let decisions = self.router.returned(slot, job, self.now());
                self.carry_out(decisions);
            }
            ToLine::Gone(slot, fault) => self.gone(slot, fault),
        }
    }

    /// A unit is made for the work order under which it was scanned.
    fn choose_lot(&mut self, work_order: WorkOrderId, rule: LabelRule) -> Result<(), Fault> {
        let under_way = self.router.units();
        if let Some(serial) = under_way.first() {
            let all = under_way.len();
            let detail = say!(
                "{serial} is under way, and {all} units in all",
                "{serial} 正在处理，共有 {all} 个单元"
            );
            return Err(Fault::said(Code::WorkOrderBusy, detail));
        }
        self.shared.lot.change(work_order);
        self.rule = rule;
        self.must_choose = false;
        Ok(())
    }
}
