//! What a chip is and what its partition holds, as its loader says.

use std::time::Instant;

use super::super::attempt::Attempt;
use super::super::contract::Driver;
use super::super::framed::Framed;
use super::chip::{self, Chip};
use super::holding;
use super::image::Composed;
use super::line::{ChipLine, End, SYNCS};
use super::table::{self, Place};
use crate::domain::certificate::Proof;
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::ids::{HardwareId, to_hex};
use crate::error::{ChipRefusal, LinkError};
use crate::settings::SlotLink;

/// How often a question or a write is begun before it counts as one that can't be done.
pub(super) const BEGINNINGS: usize = 3;

/// What one chip says of itself in its loader and does not change.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) chip: &'static Chip,
    hardware: HardwareId,
    security: Security,
    pub(super) place: Place,
}

/// An Espressif chip.
pub(super) struct Esp {
    pub(super) line: ChipLine,
    /// Until when a chip at a port that was just opened may be silent.
    pub(super) fresh_until: Option<Instant>,
    pub(super) about: Option<About>,
    /// The partition's digest, and what it was seen to hold.
    pub(super) known: Option<([u8; 16], Option<Held>)>,
    pub(super) attempt: Attempt<Composed>,
}

impl Esp {
    pub(super) fn over(end: End, slot: &SlotLink) -> Self {
        Self {
            line: ChipLine::new(end, slot),
            fresh_until: Some(Instant::now() + slot.arrival),
            about: None,
            known: None,
            attempt: Attempt::default(),
        }
    }

    /// Who the chip in the loader is, and makes its flash reachable at the rate of the file.
    pub(super) fn meet(&mut self) -> Result<About, LinkError> {
        let wanted = self.line.wanted().clone();
        let loader = self.line.loader()?;
        let info = loader.security_info()?;
        if info.is_some_and(|info| info.secure_download) {
            return Err(ChipRefusal::SecureDownload.into());
        }
        let chip = match info.and_then(|info| info.chip).and_then(Chip::of_id) {
            Some(chip) => Some(chip),
            None => Chip::of_magic(loader.read_register(chip::MAGIC_AT)?),
        };
        let found = chip.map_or("unknown chip", |chip| chip.word);
        let wrong = wanted.chip.is_some_and(|word| word != found);
        let Some(chip) = chip.filter(|_| !wrong) else {
            let wanted = wanted.chip.unwrap_or("one of this family").to_owned();
            return Err(ChipRefusal::OtherChip { found: found.to_owned(), wanted }.into());
        };
        let encrypted = match chip.crypt {
            Some((at, mask)) => (loader.read_register(at)? & mask).count_ones() % 2 == 1,
            None => info.is_some_and(|info| info.encrypted),
        };
        if encrypted {
            return Err(ChipRefusal::Encrypted.into());
        }
        let (low, high) = (loader.read_register(chip.mac)?, loader.read_register(chip.mac + 4)?);
        let mac = [&high.to_be_bytes()[2..], &low.to_be_bytes()].concat();
        let hardware = HardwareId::from_bytes(&mac).map_err(LinkError::HardwareId)?;
        self.is_same(&hardware)?;
        let loader = self.line.loader()?;
        loader.attach()?;
        loader.change_rate(wanted.baud)?;
        let place = table::find(loader, &wanted)?;
        let info = info.unwrap_or_default();
        let security = Security {
            secure_boot: info.secure_boot,
            readout_protection: info.jtag_off,
            flash_encryption: encrypted,
        };
        Ok(About { chip, hardware, security, place })
    }

    /// In the middle of the work no other chip may answer.
    fn is_same(&self, hardware: &HardwareId) -> Result<(), LinkError> {
        let hex = |id: &HardwareId| to_hex(id.as_bytes());
        match &self.about {
            Some(about) if about.hardware != *hardware => {
                Err(LinkError::Swapped { before: hex(&about.hardware), now: hex(hardware) })
            }
            _ => Ok(()),
        }
    }

    /// What the chip said of itself, which must have been met.
    pub(super) fn about(&self) -> Result<About, LinkError> {
        let missing = "the chip's own table";
        self.about.clone().ok_or(LinkError::Order { operation: "composing an image", missing })
    }

    /// What the chip is and holds, by its loader. A question that was lost is asked again: none
    /// of them changes anything.
    pub(super) fn seen_by_loader(&mut self) -> Result<Seen, LinkError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.look() {
                Err(error) if error.is_unanswered() && tries < BEGINNINGS => {
                    self.line.finds_loader(SYNCS)?;
                }
                outcome => return outcome,
            }
        }
    }

    fn look(&mut self) -> Result<Seen, LinkError> {
        let about = self.meet()?;
        let holds = self.held(about.place)?;
        self.fresh_until = None;
        self.about = Some(about.clone());
        Ok(Seen {
            hardware: about.hardware,
            told_by: ToldBy::HardwareId,
            model: about.chip.name.to_owned(),
            firmware: "loader".to_owned(),
            factory_serial: None,
            holds,
            locked: false,
            security: about.security,
            best_proof: if self.line.speaks_framed() { Proof::Possession } else { Proof::ReadBack },
            makes_keys: false,
            can_lock: false,
        })
    }

    /// What the partition holds; it is read only where its digest is not the one seen last.
    pub(super) fn held(&mut self, place: Place) -> Result<Option<Held>, LinkError> {
        let (wanted, known) = (self.line.wanted().clone(), self.known);
        let loader = self.line.loader()?;
        let digest = loader.digest(place.at, place.size)?;
        if let Some((_, held)) = known.filter(|(known, _)| *known == digest) {
            return Ok(held);
        }
        let found = holding::read(loader, place, &wanted)?;
        let held = holding::held(loader, place, &found)?;
        self.known = Some((digest, held));
        Ok(held)
    }

    /// The application knows less of the chip's protections than its loader does, and its own lock
    /// keeps nobody from the loader.
    pub(super) fn as_this_chip(&self, mut seen: Seen) -> Seen {
        seen.can_lock = false;
        if let Some(about) = &self.about {
            seen.security.secure_boot |= about.security.secure_boot;
            seen.security.readout_protection |= about.security.readout_protection;
            seen.security.flash_encryption |= about.security.flash_encryption;
        }
        seen
    }

    /// The chip as it is when nothing else is known: by its lines in the loader, else whoever
    /// answers first.
    pub(super) fn find(&mut self, tries: usize) -> Result<Option<Seen>, LinkError> {
        for _ in 0..tries {
            if self.line.finds_loader(1)? {
                return self.seen_by_loader().map(Some);
            }
            if !self.line.speaks_framed() {
                continue;
            }
            let port = self.line.take_port()?;
            let mut framed = Framed::new(port, &self.line.slot)?;
            let seen = framed.probe();
            self.line.end = End::Application(Box::new(framed));
            if let Some(seen) = seen? {
                return Ok(Some(self.as_this_chip(seen)));
            }
        }
        Ok(None)
    }
}
