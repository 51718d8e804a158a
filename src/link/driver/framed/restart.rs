//! Restarting a device and seeing that it did restart.
//!
//! After a real restart the device knows no session, so the one that IDENTIFY replaces
//! is 0. A new session number is drawn before it: under the old one a device that never
//! restarted would simply go on.

use std::time::{Duration, Instant};

use firmware_interface::ids::RequestType;
use firmware_interface::message::{Identify, IdentifyReply, Request};
use firmware_interface::{codec, timing};

use super::session::Policy;
use super::{Framed, answers};
use crate::domain::device::Seen;
use crate::driver::gone::gone_is_fine;
use crate::error::LinkError;
use crate::port::OutputLine;
use crate::settings::RestartBy;

/// How often a restart is tried before a device counts as one that does not restart.
///
/// A request can be lost, and a delayed IDENTIFY of the session before can arrive after
/// the boot and look like a device that never restarted; twice in a row it can't.
const TRIES: u32 = 3;

/// A reset line is held that long; a capacitor on it needs a few milliseconds.
const PULSE: Duration = Duration::from_millis(100);

/// How long the system takes to bring a USB device back, beside its own boot time.
const ENUMERATION: Duration = Duration::from_secs(3);

/// How often a port that vanished is looked for.
const LOOK: Duration = Duration::from_millis(20);

impl Framed {
    pub(super) fn restart_and_identify(&mut self) -> Result<IdentifyReply, LinkError> {
        let boot = Duration::from_millis(self.limits("RESTART")?.busy.boot.into());
        let mut answered = 0;
        for _ in 0..TRIES {
            answered += u32::from(self.trigger()?);
            self.session.renew()?;
            let reply = self.identify_after_boot(boot)?;
            if reply.replaced == 0 {
                return Ok(reply);
            }
            if answered == 2 {
                break;
            }
        }
        Err(LinkError::NotRestarted { by: self.restart.as_str() })
    }

    /// Starts the restart; whether it is known to have been asked for.
    fn trigger(&mut self) -> Result<bool, LinkError> {
        match self.restart {
            RestartBy::Command => self.ask_to_restart(),
            RestartBy::Dtr => self.pulse(OutputLine::Dtr),
            RestartBy::Rts => self.pulse(OutputLine::Rts),
        }
    }

    /// The answer may be lost, and so may the port be: IDENTIFY finds out.
    fn ask_to_restart(&mut self) -> Result<bool, LinkError> {
        match self.session.call(Request::Restart, &Policy::once()) {
            Ok(_) => Ok(true),
            Err(error) if error.is_unanswered() => Ok(false),
            Err(LinkError::Unplugged { .. }) => Ok(true),
            // The session went while we were not looking; the next IDENTIFY opens another.
            Err(error) if answers::is_lost_session(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn pulse(&mut self, line: OutputLine) -> Result<bool, LinkError> {
        gone_is_fine(self.session.port().pulse(line, PULSE)).map(|()| true)
    }

    fn identify_after_boot(&mut self, boot: Duration) -> Result<IdentifyReply, LinkError> {
        let allowance = self.session.reply_allowance(RequestType::Identify, Duration::ZERO);
        let until = Instant::now() + boot + allowance;
        match self.identify_with(&Policy::restarting(until, self.interval())) {
            Err(LinkError::Unplugged { path }) => self.identify_on_return(path, boot + allowance),
            outcome => outcome,
        }
    }

    /// Asks a device that was just reset, at short intervals until then.
    pub(in crate::driver) fn identify_starting(
        &mut self,
        until: Instant,
    ) -> Result<Seen, LinkError> {
        let reply = self.identify_with(&Policy::restarting(until, self.interval()))?;
        answers::seen(&reply)
    }

    /// Not faster than request and reply take on this line: replies would queue up.
    fn interval(&self) -> Duration {
        let shortest = Duration::from_millis(timing::IDENTIFY_INTERVAL_MS.into());
        let bytes = codec::frame_length(Identify::SIZE);
        shortest.max(self.session.round_trip(bytes, RequestType::Identify))
    }

    /// For a board whose port is its own: it vanishes, comes back, and may do so again
    /// while its bootloader hands over.
    fn identify_on_return(
        &mut self,
        path: String,
        boot: Duration,
    ) -> Result<IdentifyReply, LinkError> {
        let last = Instant::now() + ENUMERATION + boot;
        while Instant::now() < last {
            if !self.session.reopen()? {
                self.session.pause(LOOK)?;
                continue;
            }
            let until = last.min(Instant::now() + boot);
            match self.identify_with(&Policy::restarting(until, self.interval())) {
                Err(LinkError::Unplugged { .. }) => {}
                outcome => return outcome,
            }
        }
        self.session.port().close();
        Err(LinkError::Unplugged { path })
    }
}
