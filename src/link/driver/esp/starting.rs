//! From the loader into the application, and back.

use std::time::{Duration, Instant};

use super::super::contract::Driver;
use super::super::framed::Framed;
use super::line::End;
use super::meeting::Esp;
use super::reset;
use crate::domain::device::Seen;
use crate::error::LinkError;
use crate::settings::RestartBy;

/// How long an application may take from its reset until it answers.
const BOOT: Duration = Duration::from_secs(10);

/// How long it may be silent before it is looked whether the loader answers instead.
const LOOK: Duration = Duration::from_millis(1500);

impl Esp {
    /// Resets the chip into its application, and waits for what that says of itself.
    pub(super) fn start_application(&mut self) -> Result<Seen, LinkError> {
        if let End::Application(framed) = &mut self.line.end
            && !matches!(self.line.slot.restart, RestartBy::Dtr | RestartBy::Rts)
        {
            let seen = framed.restart()?;
            return Ok(self.as_this_chip(seen));
        }
        self.reset_into_application()?;
        let seen = self.await_application()?;
        Ok(self.as_this_chip(seen))
    }

    /// Waits until the application answers; where the loader does instead, nothing restarted.
    fn await_application(&mut self) -> Result<Seen, LinkError> {
        let until = Instant::now() + BOOT;
        loop {
            let mut framed = Framed::new(self.line.take_port()?, &self.line.slot)?;
            // One question is asked again and again, so that a late answer is one to it.
            let outcome = framed.identify_starting(Instant::now() + LOOK);
            self.line.end = End::Application(Box::new(framed));
            match outcome {
                Err(error) if error.is_unanswered() && self.line.finds_loader(1)? => {
                    tracing::debug!(%error, "the loader answers in its place");
                    return Err(LinkError::NotRestarted { by: self.restarted_by() });
                }
                Err(error) if error.is_unanswered() && Instant::now() < until => {}
                outcome => return outcome,
            }
        }
    }

    /// Resets the chip into its application, by its lines or by a watchdog.
    pub(super) fn reset_into_application(&mut self) -> Result<(), LinkError> {
        if self.line.has_lines() {
            let mut port = self.line.take_port()?;
            let was_reset = reset::to_application(&mut port);
            self.line.end = End::Unknown(port);
            return was_reset;
        }
        if self.about.is_none() {
            self.line.enter_loader()?;
            self.about = Some(self.meet()?);
        }
        let chip = self.about()?.chip;
        reset::by_itself(self.line.loader()?, chip)
    }

    /// The loader, with its flash reachable; where the chip was reset meanwhile, once more.
    pub(super) fn ready_loader(&mut self) -> Result<(), LinkError> {
        if matches!(self.line.end, End::Loader(_)) {
            return Ok(());
        }
        self.line.enter_loader()?;
        self.about = Some(self.meet()?);
        Ok(())
    }

    /// Who resets it.
    pub(super) fn restarted_by(&self) -> &'static str {
        match self.line.slot.restart {
            RestartBy::Dtr | RestartBy::Rts => "dtr-rts",
            RestartBy::Command => {
                reset::by_itself_kind(self.about.as_ref().map(|about| about.chip))
            }
        }
    }
}
