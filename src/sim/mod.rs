//! Simulated devices behind pseudo-terminals, and in [`cloud`] an emulated cloud, for the
//! demo, the benchmarks and the tests.
//!
//! A [`SimulatedSlot`] is one fixture position: a port under a link, and devices that
//! are plugged into it one after another. A device answers through the firmware's own
//! dispatcher and has no protocol logic of its own; what is wrong with it or its line is
//! made around the dispatcher, in the relay that owns the pseudo-terminal, in the
//! storage below, or by rewriting what it says. Nothing here is shared with the station's
//! own link, so that each can contradict the other.
//!
//! Start with [`Options`] and [`start`]; [`FaultSpec`] says what can be wrong. In code:
//! `slot` plugs devices in, `relay` keeps the line, `device` answers, `lies` does not
//! say what holds; `hands` takes devices out and puts them in, and `control` lets another
//! process ask for it.

pub mod cloud;
mod control;
mod conversation;
mod device;
mod dice;
mod error;
mod fault;
mod flash;
mod foreign;
mod hands;
mod held;
mod lies;
mod line;
mod options;
mod program;
mod progress;
mod pty;
mod relay;
mod sayings;
mod schedule;
mod slot;
mod stop;
mod transcript;
mod unit;

#[cfg(test)]
mod tests;

pub use control::{ControlError, Order, socket_of, tell};
pub use error::SimError;
pub use fault::{Direction, FAULTS, FaultError, FaultName, FaultSpec, FrameNumber, Mishap};
pub use hands::{Act, HandError, Handled, SlotHandle, UnitId, Workbench};
pub use held::{Held, held_identity};
pub use options::{Options, Stay, Timings};
pub use program::{ProgramOptions, run_program};
pub use slot::{SimulatedSlot, SlotState, run_all, start};
pub use stop::StopFlag;
pub use transcript::{LineFrame, Recorded, Recorder, Transcript};

/// An identity that a device holds before the station sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Preloaded {
    /// The private key: a P-256 scalar.
    pub key: [u8; 32],
    /// The client certificate, DER.
    pub certificate: Vec<u8>,
    /// The CA certificates above it, DER, the issuer first; may be empty.
    pub chain: Vec<u8>,
}
