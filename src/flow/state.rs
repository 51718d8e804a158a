//! The machine's types: one state for each thing awaited, holding exactly what is known by then.

use std::fmt;

use crate::domain::certificate::Proof;
use crate::domain::device::{Answer, Fault, Op, Security, Seen};
use crate::domain::identity::{IdentityKey, KeyOrigin};
use crate::domain::ids::{CertificateSn, HardwareId, KeyId, Serial};
use crate::domain::record::{End, Looked, Recorded, Refusal, Step};

/// What the machine knows of its unit from the start.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The accepted serial.
    pub serial: Serial,
    /// The device that the label names; none accepts any.
    pub hardware: Option<HardwareId>,
    /// What the product demands.
    pub policy: Policy,
}

/// What the product demands of a device and its proof.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The only model that is accepted; none accepts any.
    pub model: Option<String>,
    /// Protections that must be on.
    pub require: Security,
    /// The weakest proof that is PASS.
    pub required_proof: Proof,
    /// Where its keys are made.
    pub key_origin: KeyOrigin,
    /// Whether its devices are locked in the end.
    pub lock: bool,
    /// Whether its devices connect to the station's own broker as the last proof.
    pub connects: bool,
}

impl Policy {
    /// The strongest proof that a device can come to.
    pub(super) fn best_proof(&self, seen: &Seen) -> Proof {
        if self.connects { Proof::Connect } else { seen.best_proof }
    }

    /// The first protection that is required and not on.
    pub(super) fn missing(&self, has: Security) -> Option<&'static str> {
        let Security { secure_boot, readout_protection, flash_encryption } = self.require;
        [
            (secure_boot && !has.secure_boot, "secure boot"),
            (readout_protection && !has.readout_protection, "read-out protection"),
            (flash_encryption && !has.flash_encryption, "flash encryption"),
        ]
        .into_iter()
        .find_map(|(missing, name)| missing.then_some(name))
    }
}

/// What the line makes durable about a unit; the engine adds who, where and the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Reserve serial, client id, attempt, this hardware id and a certificate serial number.
    Begun(Seen),
    /// The attempt failed before anything could be reserved.
    FailedEarly(End),
    /// The certificate was signed.
    Issued {
        /// The attempt.
        attempt: u32,
        /// The certificate.
        cert: CertificateSn,
    },
    /// The commit is about to be asked.
    CommitAsked {
        /// The attempt.
        attempt: u32,
    },
    /// The device proved the certificate.
    Proven {
        /// The attempt.
        attempt: u32,
        /// How.
        proof: Proof,
    },
    /// A device that was proven before finished now.
    Finished {
        /// The proven certificate.
        cert: CertificateSn,
    },
    /// The attempt is over.
    Ended {
        /// The attempt.
        attempt: u32,
        /// How.
        end: End,
        /// Whether its certificate becomes void.
        void: bool,
    },
}

/// The one thing to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the device.
    Device(Op),
    /// Ask the ledger what is known of the unit and of this device.
    Look(Seen),
    /// Make this durable.
    Record(Entry),
    /// Make the key, unless the device did, the certificate and the image.
    ///
    /// A device's key that has a certificate already, of this unit and this device and
    /// not void, gets the same one again.
    Make,
    /// Wipe the key.
    Forget(KeyId),
    /// The unit has ended.
    Finish(Box<Verdict>),
}

/// The result of the one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The first input.
    Start,
    /// To [`Effect::Device`].
    Device(Result<Answer, Fault>),
    /// To [`Effect::Look`].
    Looked(Result<Looked, Fault>),
    /// To [`Effect::Record`].
    Recorded(Result<Recorded, Refusal>),
    /// To [`Effect::Make`].
    Made(Result<(CertificateSn, IdentityKey), Fault>),
    /// To [`Effect::Forget`].
    Forgotten,
    /// Instead of performing the effect: land, for this reason. Given only where
    /// [`State::may_stop`] holds.
    Stop(Fault),
}

/// An attempt that has a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burn {
    /// The device, as it was first seen.
    pub seen: Seen,
    /// The attempt.
    pub attempt: u32,
    /// Its certificate.
    pub cert: CertificateSn,
    /// Whether the one further look that a failure after "commit asked" is worth was taken.
    pub rechecked: bool,
    /// Whether the device was presented with this attempt open, so that a new attempt
    /// follows where this one turns out void.
    pub presented: bool,
    /// Where its key was made.
    pub origin: KeyOrigin,
}

/// A device that is presented again, holding what was proven on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The device, as it was seen now.
    pub seen: Seen,
    /// The certificate that was proven.
    pub cert: CertificateSn,
    /// Whether it finished after that.
    pub finished: bool,
}

/// How an attempt stands while it lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Nothing was reserved.
    Nothing,
    /// Reserved.
    Begun(u32),
    /// Signed, its commit not asked.
    Issued(u32, CertificateSn),
    /// Signed for a key that the device made, its commit not asked: the device may come
    /// with the same key again, and gets the same certificate.
    Resumable(u32, CertificateSn),
    /// Whatever it is, nothing more is to be recorded about it now.
    Left,
}

/// What the machine waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing happened yet.
    New,
    /// The device was asked who it is.
    Identifying,
    /// The ledger was asked about it.
    Looking(Seen),
    /// A device that is proven was challenged again.
    Confirming(Presented),
    /// A device that was proven and not finished is finishing.
    FinishingAgain(Presented, Proof),
    /// The ledger was asked about what it says afterwards.
    FinishAgainLooking(Presented, Proof, Seen),
    /// That is being recorded.
    RecordingFinished(CertificateSn, Proof),
    /// The open attempt that no device holds is being ended; then a new one begins.
    Voiding(Seen),
    /// The attempt is being reserved.
    Reserving(Seen),
    /// The device makes its key.
    MakingKey(Seen, u32),
    /// Key, certificate and image are being made.
    Making(Seen, u32),
    /// The certificate is being recorded.
    RecordingIssued(Burn, IdentityKey),
    /// The image is being staged.
    Staging(Burn, IdentityKey),
    /// The last byte was acknowledged: the key is being wiped.
    Wiping(Burn),
    /// "Commit asked" is being recorded.
    Asking(Burn),
    /// The commit was asked.
    Committing(Burn),
    /// After a failure behind "commit asked": one more identify.
    Rechecking(Burn, Step, Fault),
    /// The ledger was asked about what that showed.
    RecheckLooking(Burn, Seen, Step, Fault),
    /// The device restarts.
    Restarting(Burn),
    /// The ledger was asked about what it says after the restart.
    RestartLooking(Burn, Seen),
    /// The device was challenged.
    Proving(Burn),
    /// The device is to connect to the station's own broker.
    Connecting(Burn),
    /// The proof is being recorded.
    RecordingProven(Burn, Proof),
    /// The device finishes.
    Finishing(Burn, Proof),
    /// The ledger was asked about what it says afterwards.
    FinishLooking(Burn, Proof, Seen),
    /// The key is being wiped on the way out.
    Forgetting(Position, Box<Verdict>),
    /// The end of the attempt is being recorded; the device may be told afterwards.
    Ending(Box<Verdict>, bool),
    /// A failed device is told to drop what was staged; its answer does not matter.
    Releasing(Box<Verdict>),
    /// The unit has ended.
    Done,
}

impl State {
    /// Whether the pending effect may be left undone to land the unit: everywhere but
    /// between "commit asked" and the verdict, and while landing.
    pub fn may_stop(&self) -> bool {
        matches!(
            self,
            State::Identifying
                | State::Looking(_)
                | State::Confirming(..)
                | State::Voiding(_)
                | State::Reserving(_)
                | State::MakingKey(..)
                | State::Making(..)
                | State::RecordingIssued(..)
                | State::Staging(..)
                | State::Asking(_)
        )
    }

    /// The step that people see.
    pub fn step(&self) -> Step {
        match self {
            State::New | State::Identifying | State::Looking(_) => Step::Identify,
            State::Voiding(_) | State::Reserving(_) => Step::Reserve,
            State::MakingKey(..) | State::Making(..) | State::RecordingIssued(..) => Step::Issue,
            State::Staging(..) | State::Wiping(_) | State::Asking(_) => Step::Write,
            State::Committing(_) | State::Rechecking(..) | State::RecheckLooking(..) => {
                Step::Commit
            }
            State::Restarting(_) | State::RestartLooking(..) => Step::Restart,
            State::Confirming(..)
            | State::Proving(_)
            | State::Connecting(_)
            | State::RecordingProven(..) => Step::Prove,
            State::FinishingAgain(..)
            | State::FinishAgainLooking(..)
            | State::RecordingFinished(..)
            | State::Finishing(..)
            | State::FinishLooking(..)
            | State::Forgetting(..)
            | State::Ending(..)
            | State::Releasing(_)
            | State::Done => Step::Finish,
        }
    }

    /// The state's name, for errors and logs.
    pub fn name(&self) -> &'static str {
        match self {
            State::New => "new",
            State::Identifying => "identifying",
            State::Looking(_) => "looking",
            State::Confirming(..) => "confirming",
            State::FinishingAgain(..) => "finishing again",
            State::FinishAgainLooking(..) => "looking after finishing again",
            State::RecordingFinished(..) => "recording finished",
            State::Voiding(_) => "voiding",
            State::Reserving(_) => "reserving",
            State::MakingKey(..) => "making a key",
            State::Making(..) => "making",
            State::RecordingIssued(..) => "recording issued",
            State::Staging(..) => "staging",
            State::Wiping(_) => "wiping",
            State::Asking(_) => "asking",
            State::Committing(_) => "committing",
            State::Rechecking(..) => "rechecking",
            State::RecheckLooking(..) => "looking after a recheck",
            State::Restarting(_) => "restarting",
            State::RestartLooking(..) => "looking after the restart",
            State::Proving(_) => "proving",
            State::Connecting(_) => "connecting",
            State::RecordingProven(..) => "recording proven",
            State::Finishing(..) => "finishing",
            State::FinishLooking(..) => "looking after the finish",
            State::Forgetting(..) => "forgetting",
            State::Ending(..) => "ending",
            State::Releasing(_) => "releasing",
            State::Done => "done",
        }
    }
}

/// How a unit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How.
    pub kind: VerdictKind,
    /// The attempt that it is about, where there is one.
    pub attempt: Option<u32>,
    /// The certificate that it is about, where there is one.
    pub cert: Option<CertificateSn>,
}

/// The ways in which a unit ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerdictKind {
    /// Proven and finished.
    Passed(Proof),
    /// Proven before; `verified` where its device proved it again just now.
    AlreadyProven {
        /// Whether the device proved it again.
        verified: bool,
        /// What kept it from that.
        fault: Option<Fault>,
    },
    /// Not accepted; nothing was done.
    Refused(Fault),
    /// Something was wrong.
    Failed {
        /// How far it had come.
        step: Step,
        /// What was wrong.
        fault: Fault,
        /// Whether a device may hold the certificate: keep the unit.
        uncertain: bool,
    },
    /// It was cut off.
    Interrupted {
        /// How far it had come.
        step: Step,
        /// Why.
        fault: Fault,
        /// Whether a device may hold the certificate: keep the unit.
        uncertain: bool,
    },
}

/// An input that does not answer the pending effect: a bug in the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("while {state} the machine was given {got}")]
pub struct Unexpected {
    /// The state's name.
    pub state: &'static str,
    /// What came.
    pub got: Got,
}

/// An input's kind, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Got(pub &'static str);

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Input {
    /// The input's kind, without its values.
    pub fn kind(&self) -> Got {
        Got(match self {
            Input::Start => "start",
            Input::Device(Ok(Answer::Seen(_))) => "what a device says",
            Input::Device(Ok(Answer::KeyMade(_))) => "a device's key",
            Input::Device(Ok(Answer::Staged)) => "staged",
            Input::Device(Ok(Answer::Committed)) => "committed",
            Input::Device(Ok(Answer::Restarted(_))) => "restarted",
            Input::Device(Ok(Answer::Proof(_))) => "a proof",
            Input::Device(Ok(Answer::Finished(_))) => "finished",
            Input::Device(Ok(Answer::Released)) => "released",
            Input::Device(Err(_)) => "a device's fault",
            Input::Looked(_) => "a look at the ledger",
            Input::Recorded(_) => "a record's result",
            Input::Made(_) => "a certificate",
            Input::Forgotten => "a wiped key",
            Input::Stop(_) => "stop",
        })
    }
}
