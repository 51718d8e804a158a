//! Who is at the other end of the line, and how the chip is brought into its loader.

use std::time::{Duration, Instant};

use super::super::contract::Driver;
use super::super::framed::Framed;
use super::loader::Loader;
use super::reset;
use crate::domain::esp::{EspApplication, EspPlace};
use crate::error::{ChipRefusal, LinkError};
use crate::port::{InputLine, Port};
use crate::settings::{RestartBy, SlotLink};

/// How often a chip is reset into its loader, and how often it is spoken to each time.
const RESETS: usize = 4;
pub(super) const SYNCS: usize = 5;

/// Who answers.
pub(super) enum End {
    /// Nobody was heard yet.
    Unknown(Port),
    /// The loader, which may have been met.
    Loader(Loader),
    /// The application.
    Application(Box<Framed>),
    /// Between two of them, and after an error that took the port with it.
    Gone,
}

/// The line to a chip.
pub(super) struct ChipLine {
    pub(super) slot: SlotLink,
    pub(super) end: End,
    deadline: Option<Instant>,
}

impl ChipLine {
    pub(super) fn new(end: End, slot: &SlotLink) -> Self {
        Self { slot: slot.clone(), end, deadline: None }
    }

    /// What station.toml says of the chip.
    pub(super) fn wanted(&self) -> &EspPlace {
        &self.slot.esp
    }

    /// Whether DTR and RTS reach the chip.
    pub(super) fn has_lines(&self) -> bool {
        matches!(self.slot.restart, RestartBy::Dtr | RestartBy::Rts)
    }

    /// Whether the application speaks the framed protocol.
    pub(super) fn speaks_framed(&self) -> bool {
        self.wanted().application == EspApplication::Framed
    }

    /// Takes the port out of whatever used it.
    pub(super) fn take_port(&mut self) -> Result<Port, LinkError> {
        let mut port = match std::mem::replace(&mut self.end, End::Gone) {
            End::Unknown(port) => port,
            End::Loader(loader) => loader.into_port()?,
            End::Application(framed) => framed.into_port(),
            End::Gone => return Err(self.gone()),
        };
        port.set_deadline(self.deadline);
        Ok(port)
    }

    /// The loader, which must have been heard.
    pub(super) fn loader(&mut self) -> Result<&mut Loader, LinkError> {
        match &mut self.end {
            End::Loader(loader) => Ok(loader),
            _ => Err(LinkError::Order { operation: "a request", missing: "the loader" }),
        }
    }

    /// The application, which must have been heard.
    pub(super) fn application(&mut self) -> Result<&mut Framed, LinkError> {
        match &mut self.end {
            End::Application(framed) => Ok(framed),
            _ => Err(LinkError::Order { operation: "a question", missing: "the application" }),
        }
    }

    fn gone(&self) -> LinkError {
        LinkError::Unplugged { path: self.slot.port.path.clone() }
    }

    /// Whether the loader answers, asked a few times in turn at each rate that it may have: the
    /// one at which it was spoken to last, the one at which it starts, and the one that a
    /// station which was cut off left it with.
    pub(super) fn finds_loader(&mut self, tries: usize) -> Result<bool, LinkError> {
        let mut loader = match std::mem::replace(&mut self.end, End::Gone) {
            End::Loader(loader) => loader,
            other => {
                self.end = other;
                Loader::new(self.take_port()?)
            }
        };
        let first = loader.port().settings().baud;
        let mut rates = vec![loader.rate()];
        for rate in [first, self.wanted().baud] {
            if !rates.contains(&rate) {
                rates.push(rate);
            }
        }
        for _ in 0..tries {
            for rate in &rates {
                match loader.set_rate(*rate) {
                    // Nobody can have been spoken to at a rate that this port does not make.
                    Err(LinkError::PortSettings { .. }) => continue,
                    set => set?,
                }
                if loader.sync()? {
                    self.end = End::Loader(loader);
                    return Ok(true);
                }
            }
        }
        self.end = End::Unknown(loader.into_port()?);
        Ok(false)
    }

    /// Brings the chip into its loader, by its lines where it has them.
    pub(super) fn enter_loader(&mut self) -> Result<(), LinkError> {
        if !self.has_lines() {
            let is_there = self.finds_loader(SYNCS)?;
            let why = "no line reaches its reset, and nobody holds its boot pin";
            return if is_there { Ok(()) } else { Err(ChipRefusal::NoLoader { why }.into()) };
        }
        for attempt in 0..RESETS {
            let mut port = self.take_port()?;
            let was_reset = reset::to_loader(&mut port, attempt);
            self.end = End::Unknown(port);
            was_reset?;
            if self.finds_loader(SYNCS)? {
                return Ok(());
            }
        }
        Err(ChipRefusal::NoLoader { why: "it was reset by DTR and RTS" }.into())
    }

    /// Until when every wait must have ended.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
        match &mut self.end {
            End::Unknown(port) => port.set_deadline(deadline),
            End::Loader(loader) => loader.port().set_deadline(deadline),
            End::Application(framed) => framed.set_deadline(deadline),
            End::Gone => {}
        }
    }

    /// Whether the fixture holds a modem line.
    pub(super) fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        match &mut self.end {
            End::Unknown(port) => port.level(line),
            End::Loader(loader) => loader.port().level(line),
            End::Application(framed) => framed.level(line),
            End::Gone => Err(self.gone()),
        }
    }

    /// Waits, and fails at once where the line goes.
    pub(super) fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        match &mut self.end {
            End::Unknown(port) => port.idle(time),
            End::Loader(loader) => loader.idle(time),
            End::Application(framed) => framed.idle(time),
            End::Gone => Err(self.gone()),
        }
    }
}
