//! What a run may do, what it tells, and how a check comes out.

use std::time::Duration;

use firmware_interface::ids::RequestType;
use firmware_interface::message::ErrorReply;

use crate::domain::device::Fault;
use crate::domain::say::{Phrase, Say};
use crate::error::LinkError;
use crate::say;

/// What a run may do beyond what leaves the device as it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// An identity that the device holds may be lost.
    pub overwrite: bool,
    /// The device is locked at the end, for ever.
    pub lock: bool,
    /// How often the power is to be cut.
    pub power_cuts: u32,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As the page says; perhaps with a word on what was found.
    Pass(Option<Say>),
    /// Otherwise than the page says, and how.
    Fail(Say),
    /// It is about something optional that the device does not claim.
    Skipped(Phrase),
}

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name, which stays.
    pub check: &'static str,
    /// The section of `docs/protocol.md` that it comes from.
    pub section: &'static str,
    /// What the page demands, in one line.
    pub rule: Phrase,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// What is told while a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A check ended.
    Finding(&'a Finding),
    /// Somebody must do something with the device now.
    Instruction {
        /// Which time, counted from 1.
        round: u32,
        /// Of how many.
        rounds: u32,
        /// What.
        text: Phrase,
    },
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Checks that passed.
    pub passed: u32,
    /// Checks that failed.
    pub failed: u32,
    /// Checks on what the device does not claim.
    pub skipped: u32,
    /// Checks that were not reached, because the device fell silent.
    pub not_run: u32,
}

/// Why a run could not be made, or not be ended.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// The port, or the station itself.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The device holds something that would be lost.
    #[error("the device holds an identity already, and a run would erase it")]
    HoldsIdentity,
    /// The throw-away CA failed.
    #[error("{}", .0.detail)]
    Samples(Fault),
}

/// What a check comes to; `Err` is why it does not pass.
pub(super) type Checked<T = ()> = Result<T, Wrong>;

/// Why a check does not pass.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The device does otherwise than the page says.
    Device(Say),
    /// It refuses what it must take.
    Refused { how: Say, error: ErrorReply },
    /// It says nothing.
    Silent(Say),
    /// The port, or the station.
    Link(LinkError),
    /// The throw-away CA.
    Samples(Fault),
}

impl Wrong {
    pub(super) fn device(how: impl Into<Say>) -> Self {
        Self::Device(how.into())
    }

    pub(super) fn silence(message_type: u8, sends: u32) -> Self {
        let name = RequestType::from_wire(message_type)
            .map_or_else(|| format!("type {message_type:#04x}"), |kind| kind.to_string());
        Self::Silent(say!(
            "no answer to {name}, sent {sends} times",
            "{name} 没有应答，发送了 {sends} 次"
        ))
    }
}

impl From<LinkError> for Wrong {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self::Samples(fault)
    }
}
