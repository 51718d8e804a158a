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

use station_domain as domain;
use station_domain::say;

pub mod cloud;
mod control;
mod conversation;
mod device;
mod dice;
mod error;
mod esp;
mod fault;
mod firmware;
mod flash;
mod foreign;
mod hands;
mod held;
mod lane;
mod lies;
mod line;
mod making;
mod mishap;
pub mod modem;
mod options;
mod preloaded;
mod program;
mod progress;
mod pty;
mod relay;
mod sayings;
mod schedule;
mod sight;
mod slot;
mod stop;
mod timings;
mod transcript;
mod unit;
mod wire;

#[cfg(test)]
mod tests;

pub use control::{ControlError, Order, socket_of, tell};
pub use error::SimError;
pub use esp::{ESP_FAULTS, EspFaults, EspOptions, EspTimes, FlashTimes, chip_words, run_esp};
pub use fault::FaultSpec;
pub use fault::error::FaultError;
pub use fault::names::{FAULTS, FaultName};
pub use hands::{Act, HandError, Handled, SlotHandle, Workbench};
pub use held::{Held, held_identity};
pub use mishap::{Direction, FrameNumber, Mishap};
pub use options::{Options, Stay};
pub use preloaded::Preloaded;
pub use program::{ProgramOptions, run_program};
pub use sight::read_label;
pub use slot::{SimulatedSlot, SlotState, run_all, start};
pub use stop::StopFlag;
pub use timings::Timings;
pub use transcript::{LineFrame, Recorded, Recorder, Transcript};
pub use unit::UnitId;
pub use wire::{WIRE_FAULTS, WireFaults};
