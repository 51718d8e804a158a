//! Behind the proof: the device finishes, and is looked at once more before it counts as PASS.
//!
//! A PASS says that the device holds what was proven *now*, after everything was asked of it.
//! One that says something else is kept (HOLD): it contradicts its own proof, and nobody but a
//! person can say why.

use crate::domain::certificate::Proof;
use crate::domain::code::Code;
use crate::domain::device::{Answer, Fault, Seen};
use crate::domain::ids::CertificateSn;
use crate::domain::record::{Holds, Looked, Recorded, Refusal, Step};
use crate::domain::say::Say;
use crate::say;

use super::landing::{Certainty, end_of, verdict};
use super::moves::{Move, done, unexpected};
use super::state::{
    Burn, Effect, Entry, Input, Presented, State, Unexpected, Verdict, VerdictKind,
};
use super::steady;

/// What a fault behind the proof leaves to be said of the unit: a device whose words can't be
/// squared with its proof is kept, any other is put in again and finishes then.
fn certainty(fault: &Fault) -> Certainty {
    match fault.code {
        Code::DevContradiction | Code::DevSwapped | Code::DevMalformed => Certainty::Uncertain,
        _ => Certainty::Known,
    }
}

pub(super) fn finished(
    burn: Burn,
    proof: Proof,
    result: Result<Answer, Fault>,
) -> Result<Move, Unexpected> {
    match result {
        Ok(Answer::Finished(seen)) => {
            Ok((State::FinishLooking(burn, proof, seen.clone()), Effect::Look(seen)))
        }
        Err(fault) => Ok(end(&burn, not_passed(&burn, fault))),
        other => Err(unexpected(&State::Finishing(burn, proof), &Input::Device(other))),
    }
}

/// What the device says now, held against what it proved.
pub(super) fn finish_looked(
    burn: Burn,
    proof: Proof,
    seen: &Seen,
    result: Result<Looked, Fault>,
) -> Move {
    let denied = result.map(|looked| denial(&burn.seen, seen, burn.cert, &looked));
    let verdict = match denied {
        Ok(None) => {
            let kind = VerdictKind::Passed(proof);
            Verdict { kind, attempt: Some(burn.attempt), cert: Some(burn.cert) }
        }
        Ok(Some(fault)) | Err(fault) => not_passed(&burn, fault),
    };
    end(&burn, verdict)
}

fn not_passed(burn: &Burn, fault: Fault) -> Verdict {
    let certainty = certainty(&fault);
    verdict(Step::Finish, fault, Some(burn.attempt), Some(burn.cert), certainty)
}

fn end(burn: &Burn, verdict: Verdict) -> Move {
    let entry = Entry::Ended { attempt: burn.attempt, end: end_of(&verdict), void: false };
    (State::Ending(Box::new(verdict), false), Effect::Record(entry))
}

pub(super) fn finished_again(
    presented: Presented,
    proof: Proof,
    result: Result<Answer, Fault>,
) -> Result<Move, Unexpected> {
    match result {
        Ok(Answer::Finished(seen)) => {
            let state = State::FinishAgainLooking(presented, proof, seen.clone());
            Ok((state, Effect::Look(seen)))
        }
        Err(fault) => Ok(not_done(&presented, fault)),
        other => Err(unexpected(&State::FinishingAgain(presented, proof), &Input::Device(other))),
    }
}

pub(super) fn finish_again_looked(
    presented: &Presented,
    proof: Proof,
    seen: &Seen,
    result: Result<Looked, Fault>,
) -> Move {
    let cert = presented.cert;
    match result.map(|looked| denial(&presented.seen, seen, cert, &looked)) {
        Ok(None) => {
            let entry = Entry::Finished { cert };
            (State::RecordingFinished(cert, proof), Effect::Record(entry))
        }
        Ok(Some(fault)) | Err(fault) => not_done(presented, fault),
    }
}

fn not_done(presented: &Presented, fault: Fault) -> Move {
    let certainty = certainty(&fault);
    done(verdict(Step::Finish, fault, None, Some(presented.cert), certainty))
}

pub(super) fn recorded_finished(
    cert: CertificateSn,
    proof: Proof,
    result: Result<Recorded, Refusal>,
) -> Move {
    match result {
        Ok(_) => {
            let kind = VerdictKind::Passed(proof);
            done(Verdict { kind, attempt: None, cert: Some(cert) })
        }
        Err(refusal) => {
            let fault = refusal.fault().clone();
            done(verdict(Step::Finish, fault, None, Some(cert), Certainty::Known))
        }
    }
}

/// In what a device that has just proven a certificate contradicts that.
fn denial(before: &Seen, now: &Seen, cert: CertificateSn, looked: &Looked) -> Option<Fault> {
    if let Some(fault) = steady::changed(before, now) {
        return Some(fault);
    }
    let says = match &looked.owners.identity {
        Holds::This { cert: held, intact: true, .. } if *held == cert => return None,
        Holds::This { cert: held, .. } if *held == cert => {
            say!("that it holds it within another image", "它在另一个映像中")
        }
        Holds::This { cert: held, .. } => {
            say!("that it holds certificate {held}", "它持有证书 {held}")
        }
        Holds::Nothing => say!("that it holds nothing", "它什么都没有"),
        Holds::Other(serial) => {
            say!("that it holds the certificate of {serial}", "它持有 {serial} 的证书")
        }
        Holds::Unknown => say!(
            "that it holds a certificate which the ledger does not know",
            "它持有本账本不认识的证书"
        ),
    };
    let Say { english, chinese } = says;
    let what = Say {
        english: format!("the device proved certificate {cert}, finished, and now says {english}"),
        chinese: format!("设备证明了证书 {cert} 并已结束，现在却说{chinese}"),
    };
    Some(Fault::said(Code::DevContradiction, what))
}
