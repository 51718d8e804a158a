//! What reaches the line's thread: from the front end, and from its slots.

use std::sync::mpsc::Sender;

use crate::domain::device::{Fault, Seen};
use crate::domain::event::{Command, SlotStatus};
use crate::domain::ids::WorkOrderId;
use crate::domain::label::LabelRule;
use crate::link::LinkError;

use super::router::{Job, Place};
use super::unit::Ending;

/// What reaches the line thread.
pub(super) enum ToLine {
    Command(Command),
    /// A slot says what is there, and what people are told of it.
    Place(usize, Place, SlotStatus),
    /// The port of this slot opened for the first time.
    PortIsThere(usize),
    /// A slot's unit ended.
    Ended(usize, Box<Ending>),
    /// The device of the unit that ended last says now something else than before, or nothing
    /// that makes sense.
    Denied(usize, Box<Result<Seen, LinkError>>),
    /// Another work order is to be made, with its rule for labels; the answer goes back.
    Lot(WorkOrderId, Box<LabelRule>, Sender<Result<(), Fault>>),
    /// Something outside the slots went wrong, and the line can't go on.
    Broken(Fault),
    /// A slot's device left before the job could begin.
    Returned(usize, Job),
    /// A slot's thread has ended, because of this fault where there is one. It is the last
    /// that the line hears of it.
    Gone(usize, Option<Fault>),
}
