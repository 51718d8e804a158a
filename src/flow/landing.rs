//! How an attempt ends: as passed, failed, void, uncertain or cut off, and what is recorded
//! and told the device of it.

use crate::domain::code::Code;
use crate::domain::device::{Fault, Op};
use crate::domain::identity::KeyOrigin;
use crate::domain::ids::{CertificateSn, KeyId};
use crate::domain::record::{End, Recorded, Refusal, Step};

use super::moves::{Move, done};
use super::state::{Burn, Effect, Entry, Position, Presented, State, Verdict, VerdictKind};

/// Whether a device that is not at hand may hold the certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    Known,
    Uncertain,
}

pub(super) fn verdict(
    step: Step,
    fault: Fault,
    attempt: Option<u32>,
    cert: Option<CertificateSn>,
    certainty: Certainty,
) -> Verdict {
    let uncertain = certainty == Certainty::Uncertain;
    let kind = match fault.code {
        Code::Stopped | Code::Bug => VerdictKind::Interrupted { step, fault, uncertain },
        _ => VerdictKind::Failed { step, fault, uncertain },
    };
    Verdict { kind, attempt, cert }
}

/// Nothing is recorded: the attempt stays open, and only its own device can tell.
pub(super) fn uncertain(burn: Burn, at: Step, fault: Fault) -> Move {
    done(verdict(at, fault, Some(burn.attempt), Some(burn.cert), Certainty::Uncertain))
}

/// The device is at hand and does not hold, or can't use, the certificate.
pub(super) fn void(burn: Burn, at: Step, fault: Fault) -> Move {
    let position = Position::Issued(burn.attempt, burn.cert);
    close(position, verdict(at, fault, Some(burn.attempt), Some(burn.cert), Certainty::Known))
}

/// Ends an attempt whose commit was not asked, wiping its key first where there is one.
pub(super) fn land(state: State, fault: Fault) -> Move {
    let at = state.step();
    if let State::Confirming(Presented { cert, finished, .. }) = state {
        let kind = unconfirmed(finished, fault);
        return done(Verdict { kind, attempt: None, cert: Some(cert) });
    }
    let certainty = match state {
        // The attempt that was to be voided is still open.
        State::Voiding(_) => Certainty::Uncertain,
        _ => Certainty::Known,
    };
    let (position, key) = standing_of(state);
    let verdict = match position {
        Position::Nothing | Position::Left => verdict(at, fault, None, None, certainty),
        Position::Begun(attempt) => verdict(at, fault, Some(attempt), None, certainty),
        Position::Issued(attempt, cert) | Position::Resumable(attempt, cert) => {
            verdict(at, fault, Some(attempt), Some(cert), certainty)
        }
    };
    leave(position, key, verdict)
}

/// The ledger can't write: nothing further is done to the device or recorded.
pub(super) fn abandon(state: State, fault: Fault) -> Move {
    let at = state.step();
    let (_, key) = standing_of(state);
    let verdict = verdict(at, fault, None, None, Certainty::Known);
    leave(Position::Left, key, verdict)
}

fn leave(position: Position, key: Option<KeyId>, verdict: Verdict) -> Move {
    match key {
        Some(key) => (State::Forgetting(position, Box::new(verdict)), Effect::Forget(key)),
        None => close(position, verdict),
    }
}

fn standing_of(state: State) -> (Position, Option<KeyId>) {
    match state {
        State::MakingKey(_, attempt) | State::Making(_, attempt) => {
            (Position::Begun(attempt), None)
        }
        // The certificate was not recorded, so for the ledger there is none.
        State::RecordingIssued(burn, key) => (Position::Begun(burn.attempt), key.in_vault()),
        State::Staging(burn, key) => (unasked(&burn), key.in_vault()),
        State::Asking(burn) => (unasked(&burn), None),
        State::Voiding(_) => (Position::Left, None),
        _ => (Position::Nothing, None),
    }
}

/// A certificate whose commit was not asked.
fn unasked(burn: &Burn) -> Position {
    match burn.origin {
        KeyOrigin::Station => Position::Issued(burn.attempt, burn.cert),
        KeyOrigin::Device => Position::Resumable(burn.attempt, burn.cert),
    }
}

pub(super) fn end_of(verdict: &Verdict) -> End {
    match &verdict.kind {
        VerdictKind::Failed { step, fault, .. } => {
            End::Failed { step: *step, code: fault.code, message: fault.detail.clone() }
        }
        VerdictKind::Interrupted { step, fault, .. } => {
            End::Interrupted { step: *step, code: fault.code, message: fault.detail.clone() }
        }
        VerdictKind::Passed(_) | VerdictKind::AlreadyProven { .. } | VerdictKind::Refused(_) => {
            End::Passed
        }
    }
}

/// Records the end of an attempt by its position.
pub(super) fn close(position: Position, verdict: Verdict) -> Move {
    let end = end_of(&verdict);
    let entry = match position {
        Position::Left => return done(verdict),
        Position::Nothing => match end {
            End::Failed { .. } => Entry::FailedEarly(end),
            End::Interrupted { .. } | End::Passed => return done(verdict),
        },
        Position::Begun(attempt) | Position::Resumable(attempt, _) => {
            Entry::Ended { attempt, end, void: false }
        }
        Position::Issued(attempt, _) => Entry::Ended { attempt, end, void: true },
    };
    let release = position != Position::Nothing && answers(&verdict);
    (State::Ending(Box::new(verdict), release), Effect::Record(entry))
}

/// Whether it is worth telling the device: not where it was silence that failed.
fn answers(verdict: &Verdict) -> bool {
    let (VerdictKind::Failed { fault, .. } | VerdictKind::Interrupted { fault, .. }) =
        &verdict.kind
    else {
        return false;
    };
    !matches!(
        fault.code,
        Code::DevTimeout | Code::DevNoise | Code::DevUnplugged | Code::UnitDeadline | Code::Stopped
    )
}

pub(super) fn ended(
    mut verdict: Verdict,
    release: bool,
    result: Result<Recorded, Refusal>,
) -> Move {
    match result {
        Ok(Recorded { attempt, .. }) => {
            verdict.attempt = verdict.attempt.or((attempt > 0).then_some(attempt));
            match release {
                true => (State::Releasing(Box::new(verdict)), Effect::Device(Op::Release)),
                false => done(verdict),
            }
        }
        Err(refusal) => done(unrecorded(verdict, refusal)),
    }
}

/// PASS only where the end is durable; a failure stays the failure that it was.
fn unrecorded(verdict: Verdict, refusal: Refusal) -> Verdict {
    match verdict.kind {
        VerdictKind::Passed(_) => {
            let fault = refusal.fault().clone();
            self::verdict(Step::Finish, fault, verdict.attempt, verdict.cert, Certainty::Known)
        }
        _ => verdict,
    }
}

/// A proven unit that could not be looked at again. One that never finished is not done.
pub(super) fn unconfirmed(finished: bool, fault: Fault) -> VerdictKind {
    match finished {
        true => VerdictKind::AlreadyProven { verified: false, fault: Some(fault) },
        false => verdict(Step::Prove, fault, None, None, Certainty::Known).kind,
    }
}
