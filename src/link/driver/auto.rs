//! A slot whose devices may be of any family: finds the one that answers.

use std::time::{Duration, Instant};

use super::contract::{Asked, DeviceFamily, Driver};
use crate::domain::device::{Held, Seen};
use crate::domain::esp::EspEntry;
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{HardwareId, ImageDigest};
use crate::domain::lender::KeyLender;
use crate::error::LinkError;
use crate::port::{InputLine, Port};
use crate::settings::SlotLink;

/// Asks in each family's way, in turns, until one answers; from then on it is that driver.
///
/// A question of one family is noise to the other: framed bytes end in a zero, which no
/// console takes for a line, and an SMP line is no frame.
pub(super) struct Auto {
    slot: SlotLink,
    families: Vec<&'static dyn DeviceFamily>,
    line: Line,
    fresh_until: Instant,
}

enum Line {
    Unknown(Port),
    Known(Box<dyn Driver>),
    /// Between the two, and after an error that took the port with it.
    Gone,
}

impl Auto {
    pub(super) fn new(
        port: Port,
        slot: &SlotLink,
        families: Vec<&'static dyn DeviceFamily>,
    ) -> Self {
        let fresh_until = Instant::now() + slot.arrival;
        Self { slot: slot.clone(), families, line: Line::Unknown(port), fresh_until }
    }

    /// Asks once in each way.
    fn find(&mut self) -> Result<Option<Seen>, LinkError> {
        let Line::Unknown(mut port) = std::mem::replace(&mut self.line, Line::Gone) else {
            return Err(self.gone());
        };
        for family in &self.families {
            match family.ask(port, &self.slot)? {
                Asked::Answers(driver, seen) => {
                    self.line = Line::Known(driver);
                    return Ok(Some(seen));
                }
                // Whose device it is is known now, and what is wrong with it too.
                Asked::Fails(driver, error) => {
                    self.line = Line::Known(driver);
                    return Err(error);
                }
                Asked::Silent(back) => port = back,
            }
        }
        self.line = Line::Unknown(port);
        Ok(None)
    }

    fn gone(&self) -> LinkError {
        LinkError::Unplugged { path: self.slot.port.path.clone() }
    }

    fn known(&mut self, operation: &'static str) -> Result<&mut dyn Driver, LinkError> {
        match &mut self.line {
            Line::Known(driver) => Ok(driver.as_mut()),
            Line::Unknown(_) | Line::Gone => {
                Err(LinkError::Order { operation, missing: "a device that answers" })
            }
        }
    }
}

impl Driver for Auto {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        if let Line::Known(driver) = &mut self.line {
            return driver.identify();
        }
        // As long as each family alone would be given, however long ago the port was opened.
        let until = self.fresh_until.max(Instant::now() + self.slot.arrival);
        let mut sent = 0;
        loop {
            sent += 1;
            if let Some(seen) = self.find()? {
                return Ok(seen);
            }
            if Instant::now() >= until && sent > 1 {
                let waited_ms = self.slot.arrival.as_millis().try_into().unwrap_or(u64::MAX);
                return Err(LinkError::Timeout {
                    request: "any family's question",
                    waited_ms,
                    sent,
                });
            }
        }
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        match &mut self.line {
            Line::Known(driver) => driver.probe(),
            Line::Unknown(_) | Line::Gone => self.find(),
        }
    }

    fn probe_identifies(&self) -> bool {
        matches!(&self.line, Line::Known(driver) if driver.probe_identifies())
    }

    fn answered_by(&self) -> Option<HardwareId> {
        match &self.line {
            Line::Known(driver) => driver.answered_by(),
            Line::Unknown(_) | Line::Gone => None,
        }
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        self.known("making a key")?.make_key()
    }

    fn compose(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
    ) -> Result<ImageDigest, LinkError> {
        self.known("composing an image")?.compose(identity, keys)
    }

    fn stage(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        self.known("staging")?.stage(identity, keys, progress)
    }

    fn commit(&mut self, image: ImageDigest) -> Result<(), LinkError> {
        self.known("a commit")?.commit(image)
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        self.known("a restart")?.restart()
    }

    fn prove(&mut self, challenge: &Challenge) -> Result<Response, LinkError> {
        self.known("a proof")?.prove(challenge)
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        self.known("reading back")?.read_back()
    }

    fn read_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        self.known("reading its certificate")?.read_certificate()
    }

    fn read_partition(&mut self) -> Result<Vec<EspEntry>, LinkError> {
        self.known("reading its partition")?.read_partition()
    }

    fn finish(&mut self, lock: bool) -> Result<Seen, LinkError> {
        self.known("the end")?.finish(lock)
    }

    fn release(&mut self) -> Result<(), LinkError> {
        self.known("the end")?.release()
    }

    fn restart_kind(&self) -> &'static str {
        self.slot.restart.as_str()
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        match &mut self.line {
            Line::Known(driver) => driver.set_deadline(deadline),
            Line::Unknown(port) => port.set_deadline(deadline),
            Line::Gone => {}
        }
    }

    fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        match &mut self.line {
            Line::Known(driver) => driver.level(line),
            Line::Unknown(port) => port.level(line),
            Line::Gone => Err(self.gone()),
        }
    }

    fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        match &mut self.line {
            Line::Known(driver) => driver.idle(time),
            Line::Unknown(port) => port.idle(time),
            Line::Gone => Err(self.gone()),
        }
    }
}
