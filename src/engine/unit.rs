//! One unit from its scan to its report: the loop around the flow.

use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::{Fault, Seen};
use crate::domain::event::{Outcome, Progress, ProgressCell, UnitReport};
use crate::domain::ids::SlotName;
use crate::domain::record::{AttemptRef, End, Ended, Record, Step};
use crate::domain::say::Say;
use crate::flow::{self, Effect, Entry, Input, State, Unit, Verdict, VerdictKind};
use crate::link::driver::Driver;
use crate::say;

use super::effects::Effects;
use super::halt::Halt;
use super::patience::await_token;
use super::router::Job;
use super::shared::Shared;

/// How one unit ended.
pub(super) struct Ending {
    pub(super) report: UnitReport,
    /// The device, by what it said last.
    pub(super) met: Option<Seen>,
    /// The ledger can't write any more.
    pub(super) ledger_failed: Option<Fault>,
}

/// A device that said who it is just before its unit began: it need not be asked again.
pub(super) struct Met {
    pub(super) seen: Seen,
    /// When it was asked.
    pub(super) since: Duration,
}

/// Where a unit is worked on.
pub(super) struct Workplace<'a> {
    pub(super) slot: &'a SlotName,
    pub(super) driver: &'a mut dyn Driver,
    pub(super) halt: &'a Halt,
    pub(super) progress: &'a ProgressCell,
}

/// Runs one unit to its verdict.
pub(super) fn run_unit(shared: &Shared, job: &Job, at: Workplace<'_>, met: Option<Met>) -> Ending {
    let Workplace { slot, driver, halt, progress } = at;
    let started = met.as_ref().map_or_else(|| shared.clock.now().monotonic, |met| met.since);
    let mut effects = Effects::new(shared, slot, job, driver, progress);
    effects.has_met(met.map(|met| met.seen));
    let (verdict, proven_at) = run_flow(shared, job, &mut effects, halt, progress);
    let mut report = report_of(job, slot, &verdict);
    let since = |time: Duration| time.saturating_sub(started);
    let elapsed = since(shared.clock.now().monotonic);
    report.duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    report.cycle_us = proven_at.and_then(|at| u64::try_from(since(at).as_micros()).ok());
    report.hardware = effects.hardware().cloned();
    report.fingerprint =
        verdict.cert.and_then(|cert| effects.row(cert).ok()).map(|row| row.certificate.fingerprint);
    progress.set(Progress::default());
    let met = effects.met().cloned();
    Ending { report, met, ledger_failed: effects.ledger_failed().cloned() }
}

fn run_flow(
    shared: &Shared,
    job: &Job,
    effects: &mut Effects<'_>,
    halt: &Halt,
    progress: &ProgressCell,
) -> (Verdict, Option<Duration>) {
    let unit = Unit {
        serial: job.serial.clone(),
        hardware: job.hardware.clone(),
        policy: shared.policy.clone(),
    };
    let (mut state, mut input) = (State::New, Input::Start);
    let mut proven_at = None;
    loop {
        let (next, effect) = match flow::step(&unit, state, input) {
            Ok(moved) => moved,
            Err(error) => return (bug(&error.to_string()), proven_at),
        };
        if let Effect::Finish(verdict) = effect {
            return (*verdict, proven_at);
        }
        show(progress, job, next.step());
        halt.heed(next.may_stop());
        if let Effect::Record(Entry::Begun(_)) = &effect {
            await_token(shared, halt, effects.driver());
        }
        input = match halt.reason().filter(|_| next.may_stop()) {
            Some(reason) => Input::Stop(reason),
            None => with_its_reason(effects.perform(effect), halt),
        };
        if let (State::RecordingProven(..), Input::Recorded(Ok(_))) = (&next, &input) {
            proven_at = Some(shared.clock.now().monotonic);
        }
        state = next;
    }
}

/// A driver that was cut short knows only that; the halt knows why.
fn with_its_reason(input: Input, halt: &Halt) -> Input {
    match (input, halt.reason()) {
        (Input::Device(Err(fault)), Some(reason)) if fault.code == Code::Stopped => {
            Input::Device(Err(reason))
        }
        (input, _) => input,
    }
}

fn show(progress: &ProgressCell, job: &Job, step: Step) {
    progress.update(|now| {
        if now.serial.is_none() {
            now.serial = Some(job.serial.to_string());
        }
        now.step = Some(step);
    });
}

fn bug(detail: &str) -> Verdict {
    let fault = Fault::new(Code::Bug, detail);
    let kind = VerdictKind::Interrupted { step: Step::Identify, fault, uncertain: true };
    Verdict { kind, attempt: None, cert: None }
}

/// After a panic: what no device can hold is ended, as at start-up, with its own code.
pub(super) fn end_after_panic(shared: &Shared, slot: &SlotName, job: &Job) -> UnitReport {
    let fault = Fault::said(Code::Bug, say!("the slot's thread panicked", "工位的线程崩溃了"));
    let serial = job.serial.clone();
    let standing = shared.inquiries.ask(move |reader| reader.standing(&serial));
    let settled = match standing {
        Ok(Ok(standing)) => flow::settle(&standing, shared.policy.key_origin),
        _ => None,
    };
    if let Some(Entry::Ended { attempt, end: End::Interrupted { step, .. }, void }) = settled {
        let end = End::Interrupted { step, code: fault.code, message: fault.detail.clone() };
        let attempt = AttemptRef { serial: job.serial.clone(), attempt };
        // A refusal leaves the attempt open; the next start ends it.
        let _ = shared.writer.record(Record::Ended(Ended { attempt, end, void }));
    }
    report_of(job, slot, &bug(&fault.detail))
}

fn report_of(job: &Job, slot: &SlotName, verdict: &Verdict) -> UnitReport {
    let fault = Fault::new(Code::Bug, "");
    let mut report = UnitReport::refused(job.serial.as_str(), Some(slot.clone()), fault);
    report.client_id = Some(job.client_id.clone());
    report.certificate_sn = verdict.cert;
    report.attempt = verdict.attempt;
    report.resumed = job.resumed;
    match &verdict.kind {
        VerdictKind::Passed(proof) => {
            report.outcome = Outcome::Pass;
            report.proof = Some(*proof);
            report.fault = None;
        }
        VerdictKind::AlreadyProven { verified, fault } => {
            report.verified = *verified;
            report.fault = Some(already_proven(job, fault.as_ref()));
        }
        VerdictKind::Refused(fault) => report.fault = Some(fault.clone()),
        VerdictKind::Failed { step, fault, uncertain } => {
            report.outcome = Outcome::Fail;
            (report.step, report.uncertain) = (Some(*step), *uncertain);
            report.fault = Some(fault.clone());
        }
        VerdictKind::Interrupted { step, fault, uncertain } => {
            report.outcome = Outcome::Interrupted;
            (report.step, report.uncertain) = (Some(*step), *uncertain);
            report.fault = Some(fault.clone());
        }
    }
    report
}

fn already_proven(job: &Job, fault: Option<&Fault>) -> Fault {
    let serial = &job.serial;
    let detail = match fault {
        None => say!(
            "{serial} was proven before; its device proved it again just now",
            "{serial} 以前已合格；它的设备刚才再次证明了这一点"
        ),
        Some(fault) => Say {
            english: format!("{serial} was proven before; it was not verified again: {fault}"),
            chinese: format!("{serial} 以前已合格；没有再次验证：{}", fault.sentence().chinese),
        },
    };
    Fault::said(Code::UnitProven, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_was_cut_short_gives_the_halts_own_code() {
        let cut = || Input::Device(Err(Fault::new(Code::Stopped, "cut short")));
        let halt = Halt::default();
        assert_eq!(with_its_reason(cut(), &halt), cut());
        let twice = Fault::new(Code::DevTwice, "in two slots");
        halt.set(twice.clone());
        assert_eq!(with_its_reason(cut(), &halt), Input::Device(Err(twice)));
        let silent = || Input::Device(Err(Fault::new(Code::DevTimeout, "silent")));
        assert_eq!(with_its_reason(silent(), &halt), silent());
    }
}

#[cfg(test)]
mod connect_test;
#[cfg(test)]
mod panic_test;
