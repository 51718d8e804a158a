//! The driver of Espressif's chips by the loader in their ROM.
//!
//! An identity goes into one partition of the chip's flash; see `docs/esp32.md`. Start with
//! [`Esp`], in `meeting`: what a chip is and holds. Below it: `line` is who answers, `slip` and
//! `loader` the loader's line, `chip` and `reset` what differs from chip to chip, `table` finds
//! the partition, `holding` reads what is there. Beside it: `image` composes what is written in
//! the form of `tlv` or `nvs`, `writing` writes it, `starting` changes between the loader and the
//! application, which is asked in the framed protocol, where it speaks that.
//!
//! Nothing outside the partition is ever written, and no block is sent twice: where an answer
//! is lost, everything begins again with the erase.

mod chip;
mod crc;
mod holding;
mod image;
mod line;
mod loader;
mod meeting;
mod nvs;
mod parts;
mod reset;
mod slip;
mod starting;
mod table;
mod tlv;
mod writing;

use std::time::{Duration, Instant};

use super::attempt::{self, no_lock};
use super::contract::{Asked, DeviceFamily, Driver};
use super::framed::{self, Framed};
use crate::domain::device::{Held, Seen};
use crate::domain::esp::EspEntry;
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{HardwareId, ImageDigest};
use crate::domain::lender::KeyLender;
use crate::error::LinkError;
use crate::port::{InputLine, Port};
use crate::settings::SlotLink;
use chip::Chip;
use image::Composed;
use line::End;
use loader::Loader;
use meeting::Esp;

/// Where the family is registered.
pub(super) struct Family;

impl DeviceFamily for Family {
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
        Ok(Box::new(Esp::over(End::Unknown(port), slot)))
    }

    /// The question has no end of a line in it, and no frame: C0, 36 bytes and C0.
    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError> {
        let mut loader = Loader::new(port);
        if !loader.sync()? {
            return Ok(Asked::Silent(loader.into_port()?));
        }
        let mut driver = Esp::over(End::Loader(loader), slot);
        match driver.seen_by_loader() {
            Ok(seen) => Ok(Asked::Answers(Box::new(driver), seen)),
            Err(error) => Asked::failed(driver, error),
        }
    }
}

/// Who answers in the framed protocol where any family may come: the application of a chip,
/// whose identity comes by its loader, or a device whose identity comes the same way.
pub(super) struct Application;

impl DeviceFamily for Application {
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
        framed::Family.drive(port, slot)
    }

    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError> {
        let mut framed = Framed::new(port, slot)?;
        match framed.probe() {
            Ok(Some(seen)) if Chip::of_name(&seen.model).is_some() => {
                let end = End::Application(Box::new(framed));
                Ok(Asked::Answers(Box::new(Esp::over(end, slot)), seen))
            }
            answer => Asked::of(framed, answer, Framed::into_port),
        }
    }
}

impl Driver for Esp {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        // Another chip may stand where the last one did.
        (self.about, self.known) = (None, None);
        if self.line.has_lines() {
            self.line.enter_loader()?;
            return self.seen_by_loader();
        }
        let until = self.fresh_until.take();
        let mut asked = 0;
        loop {
            asked += 1;
            if let Some(seen) = self.find(2)? {
                return Ok(seen);
            }
            if until.is_none_or(|until| Instant::now() >= until) {
                let waited_ms = self.line.slot.arrival.as_millis().try_into().unwrap_or(u64::MAX);
                let request = "SYNC and IDENTIFY";
                return Err(LinkError::Timeout { request, waited_ms, sent: asked * 2 });
            }
        }
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        match &mut self.line.end {
            End::Application(framed) => {
                let seen = framed.probe()?;
                match seen {
                    Some(seen) => Ok(Some(self.as_this_chip(seen))),
                    None => self.find(1),
                }
            }
            _ => self.find(1),
        }
    }

    fn answered_by(&self) -> Option<HardwareId> {
        match &self.line.end {
            End::Application(framed) => framed.answered_by(),
            _ => None,
        }
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        Err(LinkError::CannotRead { what: "a key that it made" })
    }

    fn compose(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
    ) -> Result<ImageDigest, LinkError> {
        // Whoever runs its application comes into the loader here, before anything is written.
        self.ready_loader()?;
        let place = self.about()?.place;
        let image = framed::image_digest(identity, keys)?;
        let composed = Composed::new(identity, image, keys, place, self.line.wanted())?;
        self.attempt.composed = Some(composed);
        Ok(image)
    }

    fn stage(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        attempt::stage(self, identity, keys, progress)
    }

    fn commit(&mut self, image: ImageDigest) -> Result<(), LinkError> {
        attempt::commit(self, image)
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        if self.line.speaks_framed() {
            return self.start_application();
        }
        self.line.enter_loader()?;
        self.seen_by_loader()
    }

    fn prove(&mut self, challenge: &Challenge) -> Result<Response, LinkError> {
        if !matches!(self.line.end, End::Application(_)) {
            self.start_application()?;
        }
        self.line.application()?.prove(challenge)
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        if let End::Application(framed) = &mut self.line.end {
            return framed.read_back();
        }
        self.ready_loader()?;
        let place = self.about()?.place;
        self.known = None;
        let held = self.held(place)?;
        // From here on the application runs, which may have to show itself to a broker.
        self.reset_into_application()?;
        Ok(held)
    }

    fn read_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        if let End::Application(framed) = &mut self.line.end {
            return framed.read_certificate();
        }
        self.ready_loader()?;
        let (place, wanted) = (self.about()?.place, self.line.wanted().clone());
        Ok(holding::read(self.line.loader()?, place, &wanted)?.certificate)
    }

    fn read_partition(&mut self) -> Result<Vec<EspEntry>, LinkError> {
        self.ready_loader()?;
        let (place, wanted) = (self.about()?.place, self.line.wanted().clone());
        Ok(holding::read(self.line.loader()?, place, &wanted)?.entries)
    }

    fn finish(&mut self, lock: bool) -> Result<Seen, LinkError> {
        no_lock(lock)?;
        self.attempt.ends();
        if let End::Application(framed) = &mut self.line.end {
            let seen = framed.finish(false)?;
            return Ok(self.as_this_chip(seen));
        }
        self.line.enter_loader()?;
        let seen = self.seen_by_loader()?;
        self.reset_into_application()?;
        Ok(seen)
    }

    fn release(&mut self) -> Result<(), LinkError> {
        attempt::release(self)?;
        if self.line.speaks_framed() {
            if !matches!(self.line.end, End::Application(_)) {
                self.start_application()?;
            }
            return self.line.application()?.release();
        }
        self.reset_into_application()
    }

    fn restart_kind(&self) -> &'static str {
        self.restarted_by()
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.line.set_deadline(deadline);
    }

    fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        self.line.level(line)
    }

    fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        self.line.idle(time)
    }
}
