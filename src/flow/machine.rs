//! The steps of the machine: which effect follows which result.

use crate::domain::certificate::Proof;
use crate::domain::code::Code;
use crate::domain::device::{Answer, Fault, Op, Seen, ToldBy, Verified};
use crate::domain::identity::{IdentityKey, KeyOrigin};
use crate::domain::ids::{CertificateSn, HardwareId};
use crate::domain::record::{End, Looked, Recorded, Refusal, Step};
use crate::say;

use super::landing::{
    Certainty, abandon, close, ended, land, uncertain, unconfirmed, verdict, void,
};
use super::moves::{Move, done, unexpected};
use super::resolve::{Next, Why, resolve};
use super::state::{
    Burn, Effect, Entry, Input, Position, Presented, State, Unexpected, Unit, Verdict, VerdictKind,
};
use super::{finish, steady};

/// Gives the next state and the one effect to perform, or says that the input does not
/// answer the effect that is pending.
pub fn step(unit: &Unit, state: State, input: Input) -> Result<Move, Unexpected> {
    use Input as I;
    use State as S;
    Ok(match (state, input) {
        (S::New, I::Start) => (S::Identifying, Effect::Device(Op::Identify)),
        (state, I::Stop(reason)) if state.may_stop() => land(state, reason),
        (S::Identifying, I::Device(Ok(Answer::Seen(seen)))) => identified(unit, seen),
        (S::Looking(seen), I::Looked(Ok(looked))) => looked_up(unit, seen, &looked),
        (S::Confirming(presented), I::Device(result)) => confirmed(presented, result)?,
        (S::FinishingAgain(presented, proof), I::Device(result)) => {
            finish::finished_again(presented, proof, result)?
        }
        (S::FinishAgainLooking(presented, proof, seen), I::Looked(result)) => {
            finish::finish_again_looked(&presented, proof, &seen, result)
        }
        (S::RecordingFinished(cert, proof), I::Recorded(result)) => {
            finish::recorded_finished(cert, proof, result)
        }
        (S::Voiding(seen), I::Recorded(Ok(_))) => begin(unit, seen),
        (S::Reserving(seen), I::Recorded(Ok(Recorded { attempt, .. }))) => {
            reserved(unit, seen, attempt)
        }
        (S::Reserving(_), I::Recorded(Err(Refusal::Row(fault)))) => refuse(fault),
        (S::MakingKey(seen, attempt), I::Device(Ok(Answer::KeyMade(_)))) => {
            (S::Making(seen, attempt), Effect::Make)
        }
        (S::Making(seen, attempt), I::Made(Ok((cert, key)))) => made(seen, attempt, cert, key),
        (S::RecordingIssued(burn, key), I::Recorded(Ok(_))) => {
            let op = Op::Stage { cert: burn.cert, key };
            (S::Staging(burn, key), Effect::Device(op))
        }
        (S::Staging(burn, key), I::Device(Ok(Answer::Staged))) => staged(burn, key),
        (S::Wiping(burn), I::Forgotten) => ask_commit(burn),
        (S::Asking(burn), I::Recorded(Ok(_))) => {
            let op = Op::Commit { cert: burn.cert };
            (S::Committing(burn), Effect::Device(op))
        }
        (S::Committing(burn), I::Device(Ok(Answer::Committed))) => restart(burn),
        (S::Committing(burn), I::Device(Err(fault))) => recheck(burn, Step::Commit, fault),
        (S::Rechecking(burn, at, fault), I::Device(result)) => rechecked(burn, at, fault, result)?,
        (S::RecheckLooking(burn, seen, at, fault), I::Looked(result)) => {
            recheck_looked(burn, &seen, at, fault, result)
        }
        (S::Restarting(burn), I::Device(Ok(Answer::Restarted(seen)))) => {
            (S::RestartLooking(burn, seen.clone()), Effect::Look(seen))
        }
        (S::Restarting(burn), I::Device(Err(fault))) => recheck(burn, Step::Restart, fault),
        (S::RestartLooking(burn, seen), I::Looked(Ok(looked))) => {
            restart_looked(unit, burn, seen, &looked)
        }
        (S::RestartLooking(burn, _), I::Looked(Err(fault))) => {
            uncertain(burn, Step::Restart, fault)
        }
        (S::Proving(burn), I::Device(result)) => proved(unit, burn, result)?,
        (S::Connecting(burn), I::Device(result)) => connected(burn, result)?,
        (S::RecordingProven(burn, proof), I::Recorded(result)) => {
            recorded_proven(burn, proof, result)
        }
        (S::Finishing(burn, proof), I::Device(result)) => finish::finished(burn, proof, result)?,
        (S::FinishLooking(burn, proof, seen), I::Looked(result)) => {
            finish::finish_looked(burn, proof, &seen, result)
        }
        (S::Forgetting(position, verdict), I::Forgotten) => close(position, *verdict),
        (S::Ending(verdict, release), I::Recorded(result)) => ended(*verdict, release, result),
        (S::Releasing(verdict), I::Device(_)) => done(*verdict),
        (state, input) => return failed(state, input),
    })
}

/// The failures that end an attempt whose commit was not asked.
fn failed(state: State, input: Input) -> Result<Move, Unexpected> {
    let awaits = |state: &State, input: &Input| {
        matches!(
            (state, input),
            (State::Identifying | State::MakingKey(..) | State::Staging(..), Input::Device(Err(_)))
                | (State::Looking(_), Input::Looked(Err(_)))
                | (State::Making(..), Input::Made(Err(_)))
                | (
                    State::Voiding(_)
                        | State::Reserving(_)
                        | State::RecordingIssued(..)
                        | State::Asking(_),
                    Input::Recorded(Err(_))
                )
        )
    };
    if !awaits(&state, &input) {
        return Err(unexpected(&state, &input));
    }
    Ok(match input {
        Input::Device(Err(fault)) | Input::Looked(Err(fault)) | Input::Made(Err(fault)) => {
            land(state, fault)
        }
        Input::Recorded(Err(Refusal::Row(fault))) => land(state, fault),
        Input::Recorded(Err(Refusal::Ledger(fault))) => abandon(state, fault),
        input => return Err(unexpected(&state, &input)),
    })
}

fn refuse(fault: Fault) -> Move {
    done(Verdict { kind: VerdictKind::Refused(fault), attempt: None, cert: None })
}

fn identified(unit: &Unit, seen: Seen) -> Move {
    if let Some(fault) = unit.hardware.as_ref().and_then(|wanted| not_labelled(wanted, &seen)) {
        return refuse(fault);
    }
    match &seen.factory_serial {
        Some(factory) if factory != unit.serial.as_str() => refuse(Fault::said(
            Code::DevFactorySerial,
            say!(
                "the device calls itself {factory}, the label says {}",
                "设备自称 {factory}，标签是 {}",
                unit.serial
            ),
        )),
        _ => (State::Looking(seen.clone()), Effect::Look(seen)),
    }
}

/// Why a device is not the one that the label names.
fn not_labelled(wanted: &HardwareId, seen: &Seen) -> Option<Fault> {
    let detail = match seen.told_by {
        ToldBy::HardwareId if seen.hardware == *wanted => return None,
        ToldBy::HardwareId => {
            say!(
                "the device is {}, the label is for {wanted}",
                "设备是 {}，标签写的是 {wanted}",
                seen.hardware
            )
        }
        ToldBy::Identity => {
            say!(
                "the label is for {wanted}, and this device does not say which one it is",
                "标签写的是 {wanted}，而此设备不说自己是哪一个"
            )
        }
    };
    Some(Fault::said(Code::ScanOtherDevice, detail))
}

fn looked_up(unit: &Unit, seen: Seen, looked: &Looked) -> Move {
    match resolve(looked, &seen) {
        Next::Refuse(why) => refuse(why.fault(&unit.serial)),
        Next::Begin { void: None } => begin(unit, seen),
        Next::Begin { void: Some(attempt) } => void_presented(seen, attempt),
        Next::Complete { attempt, cert, .. } => {
            let origin = unit.policy.key_origin;
            restart(Burn { seen, attempt, cert, rechecked: false, presented: true, origin })
        }
        Next::Confirm { cert, finished } => {
            let op = proof_op(&seen, cert);
            (State::Confirming(Presented { seen, cert, finished }), Effect::Device(op))
        }
    }
}

/// The open attempt ends because its device, which is here, does not hold its certificate.
fn void_presented(seen: Seen, attempt: u32) -> Move {
    let what = "its commit was asked and never took effect on the device";
    void_interrupted(seen, attempt, Step::Commit, Code::UnitInterrupted, what)
}

fn void_interrupted(seen: Seen, attempt: u32, step: Step, code: Code, what: &str) -> Move {
    let end = End::Interrupted { step, code, message: what.to_owned() };
    (State::Voiding(seen), Effect::Record(Entry::Ended { attempt, end, void: true }))
}

fn proof_op(seen: &Seen, cert: CertificateSn) -> Op {
    match seen.best_proof {
        Proof::Possession | Proof::Connect => Op::Prove { cert },
        Proof::ReadBack | Proof::None => Op::ReadBack { cert },
    }
}

fn confirmed(presented: Presented, result: Result<Answer, Fault>) -> Result<Move, Unexpected> {
    let Presented { cert, finished, .. } = presented;
    let proven = |verified, fault| Verdict {
        kind: VerdictKind::AlreadyProven { verified, fault },
        attempt: None,
        cert: Some(cert),
    };
    Ok(match result {
        Ok(Answer::Proof(Verified::Yes(_))) if finished => done(proven(true, None)),
        Ok(Answer::Proof(Verified::Yes(proof))) => {
            (State::FinishingAgain(presented, proof), Effect::Device(Op::Finish))
        }
        Ok(Answer::Proof(Verified::Wrong | Verified::NoKey)) => refuse(Fault::said(
            Code::DevContradiction,
            say!(
                "the device holds certificate {cert}, proven before, and no longer proves it",
                "设备持有曾经证明过的证书 {cert}，现在不能再证明"
            ),
        )),
        Err(fault) => done(Verdict { kind: unconfirmed(finished, fault), ..proven(false, None) }),
        other => return Err(unexpected(&State::Confirming(presented), &Input::Device(other))),
    })
}

/// A new attempt, if the device is one that the product accepts.
fn begin(unit: &Unit, seen: Seen) -> Move {
    match unsuitable(unit, &seen) {
        Some(fault) => {
            let verdict = verdict(Step::Identify, fault, None, None, Certainty::Known);
            close(Position::Nothing, verdict)
        }
        None => (State::Reserving(seen.clone()), Effect::Record(Entry::Begun(seen))),
    }
}

fn unsuitable(unit: &Unit, seen: &Seen) -> Option<Fault> {
    let policy = &unit.policy;
    if let Some(model) = policy.model.as_ref().filter(|model| **model != seen.model) {
        let detail = say!(
            "the device is a {}, the product is made of {model}",
            "设备型号是 {}，产品要的是 {model}",
            seen.model
        );
        return Some(Fault::said(Code::DevModel, detail));
    }
    if seen.locked {
        return Some(Fault::said(
            Code::DevLocked,
            say!("the device is locked and takes no identity", "设备已锁定，不接受身份"),
        ));
    }
    if let Some(missing) = policy.missing(seen.security) {
        let detail = say!(
            "the device lacks {missing}, which the product requires",
            "设备缺少产品要求的保护（{missing}）"
        );
        return Some(Fault::said(Code::DevSecurity, detail));
    }
    if policy.lock && !seen.can_lock {
        let detail = say!(
            "the device can't be locked, which the product requires",
            "产品要求锁定设备，而此设备不能锁定"
        );
        return Some(Fault::said(Code::DevSecurity, detail));
    }
    if policy.key_origin == KeyOrigin::Device && !seen.makes_keys {
        let detail = say!(
            "the device makes no key of its own, which the product requires",
            "产品要求设备自己生成密钥，而此设备不能"
        );
        return Some(Fault::said(Code::DevNoKeygen, detail));
    }
    let (best, required) = (policy.best_proof(seen), policy.required_proof);
    (!best.reaches(required)).then(|| too_weak(best, required))
}

fn too_weak(best: Proof, required: Proof) -> Fault {
    let (best, required) = (best.as_str(), required.as_str());
    Fault::said(
        Code::ProofTooWeak,
        say!(
            "the device's proof is {best:?}, the product requires {required:?}",
            "设备能给的证明是 {best:?}，产品要求 {required:?}"
        ),
    )
}

fn reserved(unit: &Unit, seen: Seen, attempt: u32) -> Move {
    match unit.policy.key_origin {
        KeyOrigin::Station => (State::Making(seen, attempt), Effect::Make),
        KeyOrigin::Device => (State::MakingKey(seen, attempt), Effect::Device(Op::MakeKey)),
    }
}

/// A key in the vault is wiped before the commit; one on the device was never here.
fn staged(burn: Burn, key: IdentityKey) -> Move {
    match key {
        IdentityKey::Station(key) => (State::Wiping(burn), Effect::Forget(key)),
        IdentityKey::Device(_) => ask_commit(burn),
    }
}

fn ask_commit(burn: Burn) -> Move {
    let entry = Entry::CommitAsked { attempt: burn.attempt };
    (State::Asking(burn), Effect::Record(entry))
}

fn made(seen: Seen, attempt: u32, cert: CertificateSn, key: IdentityKey) -> Move {
    let origin = key.origin();
    let burn = Burn { seen, attempt, cert, rechecked: false, presented: false, origin };
    let entry = Entry::Issued { attempt, cert };
    (State::RecordingIssued(burn, key), Effect::Record(entry))
}

fn restart(burn: Burn) -> Move {
    (State::Restarting(burn), Effect::Device(Op::Restart))
}

/// After a failure behind "commit asked": one more identify, once; then it stays uncertain.
fn recheck(mut burn: Burn, at: Step, fault: Fault) -> Move {
    if burn.rechecked {
        return uncertain(burn, at, fault);
    }
    burn.rechecked = true;
    (State::Rechecking(burn, at, fault), Effect::Device(Op::Identify))
}

fn rechecked(
    burn: Burn,
    at: Step,
    fault: Fault,
    result: Result<Answer, Fault>,
) -> Result<Move, Unexpected> {
    match result {
        Ok(Answer::Seen(seen)) => {
            Ok((State::RecheckLooking(burn, seen.clone(), at, fault), Effect::Look(seen)))
        }
        Err(_) => Ok(uncertain(burn, at, fault)),
        other => Err(unexpected(&State::Rechecking(burn, at, fault), &Input::Device(other))),
    }
}

fn recheck_looked(
    burn: Burn,
    seen: &Seen,
    at: Step,
    fault: Fault,
    result: Result<Looked, Fault>,
) -> Move {
    match result.map(|looked| resolve(&looked, seen)) {
        // It named another image when it committed, and that word stands against this one.
        Ok(Next::Complete { .. }) if fault.code == Code::DevNotStored => void(burn, at, fault),
        // A proof counts only after a restart that was seen, so the way is the same again.
        Ok(Next::Complete { .. }) => restart(burn),
        Ok(Next::Begin { .. }) => void(burn, at, fault),
        Ok(Next::Confirm { .. } | Next::Refuse(_)) | Err(_) => uncertain(burn, at, fault),
    }
}

fn restart_looked(unit: &Unit, burn: Burn, seen: Seen, looked: &Looked) -> Move {
    match resolve(looked, &seen) {
        Next::Complete { intact: true, .. } => prove_steady(unit, burn, &seen),
        Next::Complete { .. } if burn.presented => {
            void_interrupted(seen, burn.attempt, Step::Restart, Code::DevNotStored, OTHER_IMAGE)
        }
        Next::Complete { .. } => {
            void(burn, Step::Restart, Fault::new(Code::DevNotStored, OTHER_IMAGE))
        }
        Next::Begin { .. } if burn.presented => void_presented(seen, burn.attempt),
        Next::Begin { .. } => void(burn, Step::Restart, not_stored()),
        Next::Refuse(Why::UnknownIdentity) => uncertain(burn, Step::Restart, not_stored()),
        Next::Refuse(Why::Elsewhere(hardware)) => {
            let found = &seen.hardware;
            let detail = say!(
                "device {found} answers after the restart, not {hardware}",
                "重启后应答的是设备 {found}，不是 {hardware}"
            );
            uncertain(burn, Step::Restart, Fault::said(Code::DevSwapped, detail))
        }
        Next::Refuse(why) => uncertain(burn, Step::Restart, why.fault(&unit.serial)),
        Next::Confirm { .. } => uncertain(burn, Step::Restart, not_stored()),
    }
}

/// What a device says that holds the certificate and not what came with it.
const OTHER_IMAGE: &str =
    "after the restart the device names another image than the one that was written";

fn not_stored() -> Fault {
    Fault::said(
        Code::DevNotStored,
        say!(
            "the device acknowledged the identity and does not hold it after the restart",
            "设备确认收到身份，重启后却没有"
        ),
    )
}

/// Goes on where the device is after its restart what it was before.
fn prove_steady(unit: &Unit, burn: Burn, seen: &Seen) -> Move {
    let locked = "the device is locked after its restart, and nobody locked it";
    let locked = || (!burn.seen.locked && seen.locked).then_some(locked);
    let locked = || locked().map(|what| Fault::new(Code::DevContradiction, what));
    match steady::changed(&burn.seen, seen).or_else(locked) {
        Some(fault) => uncertain(burn, Step::Restart, fault),
        None => prove(unit, burn, seen),
    }
}

fn prove(unit: &Unit, burn: Burn, seen: &Seen) -> Move {
    let best = unit.policy.best_proof(seen);
    if !best.reaches(unit.policy.required_proof) {
        return void(burn, Step::Prove, too_weak(best, unit.policy.required_proof));
    }
    match seen.best_proof {
        Proof::None if unit.policy.connects => connect(burn),
        Proof::None => record_proof(burn, Proof::None),
        _ => {
            let op = proof_op(seen, burn.cert);
            (State::Proving(burn), Effect::Device(op))
        }
    }
}

fn connect(burn: Burn) -> Move {
    let op = Op::Connect { cert: burn.cert };
    (State::Connecting(burn), Effect::Device(op))
}

fn record_proof(burn: Burn, proof: Proof) -> Move {
    let entry = Entry::Proven { attempt: burn.attempt, proof };
    (State::RecordingProven(burn, proof), Effect::Record(entry))
}

fn proved(unit: &Unit, burn: Burn, result: Result<Answer, Fault>) -> Result<Move, Unexpected> {
    let required = unit.policy.required_proof;
    Ok(match result {
        Ok(Answer::Proof(Verified::Yes(_))) if unit.policy.connects => connect(burn),
        Ok(Answer::Proof(Verified::Yes(proof))) if proof.reaches(required) => {
            record_proof(burn, proof)
        }
        Ok(Answer::Proof(Verified::Yes(proof))) => {
            void(burn, Step::Prove, too_weak(proof, required))
        }
        Ok(Answer::Proof(Verified::Wrong)) => {
            disproved(burn, "the device's answer does not verify under its new certificate")
        }
        Ok(Answer::Proof(Verified::NoKey)) => {
            disproved(burn, "the device says that it holds no key")
        }
        Err(fault) => recheck(burn, Step::Prove, fault),
        other => return Err(unexpected(&State::Proving(burn), &Input::Device(other))),
    })
}

/// The last proof: a connection counts as possession, so nothing further is asked of it.
fn connected(burn: Burn, result: Result<Answer, Fault>) -> Result<Move, Unexpected> {
    Ok(match result {
        Ok(Answer::Proof(Verified::Yes(proof))) => record_proof(burn, proof),
        Ok(Answer::Proof(Verified::Wrong | Verified::NoKey)) => {
            disproved(burn, "the device connected under another client id than its own")
        }
        Err(fault) => recheck(burn, Step::Prove, fault),
        other => return Err(unexpected(&State::Connecting(burn), &Input::Device(other))),
    })
}

/// The device holds the certificate and not its key: a presented one gets a new attempt.
fn disproved(burn: Burn, detail: &str) -> Move {
    match burn.presented {
        true => void_interrupted(burn.seen, burn.attempt, Step::Prove, Code::DevProof, detail),
        false => void(burn, Step::Prove, Fault::new(Code::DevProof, detail)),
    }
}

fn recorded_proven(burn: Burn, proof: Proof, result: Result<Recorded, Refusal>) -> Move {
    match result {
        Ok(_) => (State::Finishing(burn, proof), Effect::Device(Op::Finish)),
        Err(refusal) => uncertain(burn, Step::Prove, refusal.fault().clone()),
    }
}
