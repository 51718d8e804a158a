//! What reaches the screen, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;

use crate::domain::device::Fault;
use crate::domain::event::{Command, Event, Progress, ProgressCell};
use crate::domain::ids::SlotName;
use crate::domain::pages::{Answered, Asked, LogLine};

use super::mouse::Mouse;

/// What reaches the screen. One channel carries all of it.
#[derive(Debug)]
pub enum Msg {
    /// A key, and when it was pressed on the screen's clock.
    Key(KeyEvent, Duration),
    /// A press or a turn of a mouse, and when.
    Mouse(Mouse, Duration),
    /// Text from the terminal's clipboard, and when it came.
    Paste(String, Duration),
    /// For a while now nothing was pressed.
    Silence,
    /// The terminal has this many columns and lines now.
    Resize(u16, u16),
    /// The line runs; one progress cell a slot.
    Started(Vec<Arc<ProgressCell>>),
    /// From the line.
    Line(Event),
    /// From a scanner at a port of its own.
    Scanned(String),
    /// From whoever answers questions.
    Answered(Answered),
    /// Something that a person should know and that stops nothing.
    Warning(Fault),
    /// What was asked of the hands of a demo can't be done.
    Hand(HandTrouble),
    /// Lines of the log.
    Log(Vec<LogLine>),
    /// The line could not be started.
    NotStarted,
    /// A signal: the line is landing.
    Stop,
    /// How far each slot is, in the order of the slots.
    Progress(Vec<Progress>),
    /// Time went by.
    Tick,
    /// What is known is on the screen now, and reaches so far.
    Drawn(Extent),
}

/// How far a page reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// The furthest that it can be scrolled.
    pub last_scroll: usize,
}

/// What a person at a demo has done to a simulated device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandKey {
    /// It is taken out of its slot.
    TakeOut,
    /// The one that was taken out last is put in.
    PutIn,
}

/// Why the hands of a demo did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandTrouble {
    /// There is no device in the slot.
    SlotEmpty,
    /// There is one already.
    SlotTaken,
    /// No device lies on the bench.
    BenchEmpty,
}

/// What the screen wants done; it does nothing itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// To the line.
    Command(Command),
    /// To whoever answers questions.
    Ask(Asked),
    /// To the hands of a demo, at this slot.
    Hand(HandKey, SlotName),
    /// Ring the terminal's bell.
    Bell,
    /// Draw everything anew, whatever is there.
    Redraw,
}
