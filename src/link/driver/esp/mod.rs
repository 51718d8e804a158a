//! The driver of Espressif's chips by the loader in their ROM.
//!
//! An identity goes into one partition of the chip's flash; see `docs/esp32.md`. Start with
//! [`Esp`]. Below it: `slip` and `loader` are the loader's line, `chip` and `reset` what
//! differs from chip to chip, `table` finds the partition, `image` composes what is written in
//! the form of `tlv` or `nvs`, `holding` reads what is there. After the restart the
//! application is asked in the framed protocol, where it speaks that.
//!
//! Nothing outside the partition is ever written, and no block is sent twice: where an answer
//! is lost, everything begins again with the erase.

mod chip;
mod crc;
mod holding;
mod image;
mod loader;
mod nvs;
mod parts;
mod reset;
mod slip;
mod table;
mod tlv;

use std::time::{Duration, Instant};

use super::contract::{Asked, DeviceFamily, Driver};
use super::framed::{self, Framed};
use crate::domain::certificate::Proof;
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::esp::{EspApplication, EspEntry, EspPlace};
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{HardwareId, ImageDigest, to_hex};
use crate::domain::lender::KeyLender;
use crate::link::error::{ChipRefusal, LinkError};
use crate::link::port::{InputLine, Port};
use crate::link::settings::{RestartBy, SlotLink};
use chip::Chip;
use image::{Composed, digest_of_ones};
use loader::{BLOCK, Loader};
use table::Place;

/// How long an application may take from its reset until it answers.
const BOOT: Duration = Duration::from_secs(10);

/// How long it may be silent before it is looked whether the loader answers instead.
const LOOK: Duration = Duration::from_millis(1500);

/// How often a write is begun before it counts as one that can't be done.
const BEGINNINGS: usize = 3;

/// How often a chip is reset into its loader, and how often it is spoken to each time.
const RESETS: usize = 4;
const SYNCS: usize = 5;

/// What one chip says of itself in its loader and does not change.
#[derive(Debug, Clone)]
struct About {
    chip: &'static Chip,
    hardware: HardwareId,
    security: Security,
    place: Place,
}

/// Who is at the other end of the line.
enum Line {
    /// Nobody was heard yet.
    Unknown(Port),
    /// The loader, which may have been met.
    Loader(Loader),
    /// The application.
    Application(Box<Framed>),
    /// Between two of them, and after an error that took the port with it.
    Gone,
}

/// An Espressif chip.
struct Esp {
    slot: SlotLink,
    line: Line,
    fresh_until: Option<Instant>,
    deadline: Option<Instant>,
    about: Option<About>,
    /// The partition's digest, and what it was seen to hold.
    known: Option<([u8; 16], Option<Held>)>,
    composed: Option<Composed>,
    /// Whether something is staged that was not committed.
    staged: bool,
}

/// Where the family is registered.
pub(super) struct Family;

impl DeviceFamily for Family {
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
        Ok(Box::new(Esp::new(port, slot)))
    }

    /// The question has no end of a line in it, and no frame: C0, 36 bytes and C0.
    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError> {
        let mut loader = Loader::new(port);
        match loader.sync()? {
            false => Ok(Asked::Silent(loader.into_port()?)),
            true => {
                let mut driver = Esp::over(Line::Loader(loader), slot);
                let seen = driver.seen_by_loader()?;
                Ok(Asked::Answers(Box::new(driver), seen))
            }
        }
    }
}

impl Esp {
    fn new(port: Port, slot: &SlotLink) -> Self {
        Self::over(Line::Unknown(port), slot)
    }

    fn over(line: Line, slot: &SlotLink) -> Self {
        Self {
            slot: slot.clone(),
            line,
            fresh_until: Some(Instant::now() + slot.arrival),
            deadline: None,
            about: None,
            known: None,
            composed: None,
            staged: false,
        }
    }

    fn wanted(&self) -> &EspPlace {
        &self.slot.esp
    }

    /// Whether DTR and RTS reach the chip.
    fn has_lines(&self) -> bool {
        matches!(self.slot.restart, RestartBy::Dtr | RestartBy::Rts)
    }

    fn speaks_framed(&self) -> bool {
        self.wanted().application == EspApplication::Framed
    }

    fn gone(&self) -> LinkError {
        LinkError::Unplugged { path: self.slot.port.path.clone() }
    }

    /// Takes the port out of whatever used it.
    fn take_port(&mut self) -> Result<Port, LinkError> {
        let mut port = match std::mem::replace(&mut self.line, Line::Gone) {
            Line::Unknown(port) => port,
            Line::Loader(loader) => loader.into_port()?,
            Line::Application(framed) => framed.into_port(),
            Line::Gone => return Err(self.gone()),
        };
        port.set_deadline(self.deadline);
        Ok(port)
    }

    fn loader(&mut self) -> Result<&mut Loader, LinkError> {
        match &mut self.line {
            Line::Loader(loader) => Ok(loader),
            _ => Err(LinkError::Order { operation: "a request", missing: "the loader" }),
        }
    }

    fn application(&mut self) -> Result<&mut Framed, LinkError> {
        match &mut self.line {
            Line::Application(framed) => Ok(framed),
            _ => Err(LinkError::Order { operation: "a question", missing: "the application" }),
        }
    }

    /// Whether the loader answers, asked a few times in turn at each rate that it may have: the
    /// one at which it was spoken to last, the one at which it starts, and the one that a
    /// station which was cut off left it with.
    fn finds_loader(&mut self, tries: usize) -> Result<bool, LinkError> {
        let mut loader = match std::mem::replace(&mut self.line, Line::Gone) {
            Line::Loader(loader) => loader,
            other => {
                self.line = other;
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
                loader.set_rate(*rate)?;
                if loader.sync()? {
                    self.line = Line::Loader(loader);
                    return Ok(true);
                }
            }
        }
        self.line = Line::Unknown(loader.into_port()?);
        Ok(false)
    }

    /// Brings the chip into its loader, by its lines where it has them.
    fn enter_loader(&mut self) -> Result<(), LinkError> {
        if !self.has_lines() {
            let is_there = self.finds_loader(SYNCS)?;
            let why = "no line reaches its reset, and nobody holds its boot pin";
            return if is_there { Ok(()) } else { Err(ChipRefusal::NoLoader { why }.into()) };
        }
        for attempt in 0..RESETS {
            let mut port = self.take_port()?;
            let was_reset = reset::to_loader(&mut port, attempt);
            self.line = Line::Unknown(port);
            was_reset?;
            if self.finds_loader(SYNCS)? {
                return Ok(());
            }
        }
        Err(ChipRefusal::NoLoader { why: "it was reset by DTR and RTS" }.into())
    }

    /// Who the chip in the loader is, and makes its flash reachable at the rate of the file.
    fn meet(&mut self) -> Result<About, LinkError> {
        let wanted = self.wanted().clone();
        let loader = self.loader()?;
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
        let loader = self.loader()?;
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

    fn about(&self) -> Result<About, LinkError> {
        let missing = "the chip's own table";
        self.about.clone().ok_or(LinkError::Order { operation: "composing an image", missing })
    }

    /// What the chip is and holds, by its loader. A question that was lost is asked again: none
    /// of them changes anything.
    fn seen_by_loader(&mut self) -> Result<Seen, LinkError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.look() {
                Err(error) if error.is_unanswered() && tries < BEGINNINGS => {
                    self.finds_loader(SYNCS)?;
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
            best_proof: if self.speaks_framed() { Proof::Possession } else { Proof::ReadBack },
            makes_keys: false,
        })
    }

    /// What the partition holds; it is read only where its digest is not the one seen last.
    fn held(&mut self, place: Place) -> Result<Option<Held>, LinkError> {
        let (wanted, known) = (self.wanted().clone(), self.known);
        let loader = self.loader()?;
        let digest = loader.digest(place.at, place.size)?;
        if let Some((_, held)) = known.filter(|(known, _)| *known == digest) {
            return Ok(held);
        }
        let found = holding::read(loader, place, &wanted)?;
        let held = holding::held(loader, place, &found)?;
        self.known = Some((digest, held));
        Ok(held)
    }

    /// The application knows less of the chip's protections than its loader does.
    fn as_this_chip(&self, mut seen: Seen) -> Seen {
        if let Some(about) = &self.about {
            seen.security.secure_boot |= about.security.secure_boot;
            seen.security.readout_protection |= about.security.readout_protection;
            seen.security.flash_encryption |= about.security.flash_encryption;
        }
        seen
    }

    /// Resets the chip into its application, and waits for what that says of itself.
    fn start_application(&mut self) -> Result<Seen, LinkError> {
        if let Line::Application(framed) = &mut self.line
            && !matches!(self.slot.restart, RestartBy::Dtr | RestartBy::Rts)
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
        // One question is asked again and again, so that a late answer is one to it.
        let slot = SlotLink { arrival: LOOK, ..self.slot.clone() };
        loop {
            let mut framed = Framed::new(self.take_port()?, &slot)?;
            let outcome = framed.identify();
            self.line = Line::Application(Box::new(framed));
            match outcome {
                Err(error) if error.is_unanswered() && self.finds_loader(1)? => {
                    tracing::debug!(%error, "the loader answers in its place");
                    return Err(LinkError::NotRestarted { by: self.restart_kind() });
                }
                Err(error) if error.is_unanswered() && Instant::now() < until => {}
                outcome => return outcome,
            }
        }
    }

    fn reset_into_application(&mut self) -> Result<(), LinkError> {
        if self.has_lines() {
            let mut port = self.take_port()?;
            let was_reset = reset::to_application(&mut port);
            self.line = Line::Unknown(port);
            return was_reset;
        }
        if self.about.is_none() {
            self.enter_loader()?;
            self.about = Some(self.meet()?);
        }
        let chip = self.about()?.chip;
        reset::by_itself(self.loader()?, chip)
    }

    /// The loader, with its flash reachable; where the chip was reset meanwhile, once more.
    fn ready_loader(&mut self) -> Result<(), LinkError> {
        if matches!(self.line, Line::Loader(_)) {
            return Ok(());
        }
        self.enter_loader()?;
        self.about = Some(self.meet()?);
        Ok(())
    }

    /// Does something that may be done again from its beginning.
    fn begin_until_done(
        &mut self,
        work: &mut dyn FnMut(&mut Loader, bool) -> Result<(), LinkError>,
    ) -> Result<(), LinkError> {
        self.ready_loader()?;
        let fifth = self.about()?.chip.has_fifth_word;
        self.known = None;
        let mut begun = 0;
        loop {
            begun += 1;
            let error = match work(self.loader()?, fifth) {
                Err(error) if may_begin_again(&error) && begun < BEGINNINGS => error,
                outcome => return outcome,
            };
            tracing::warn!(%error, begun, "begun again with the erase");
            if !self.finds_loader(SYNCS)? {
                return Err(error);
            }
            // A chip that lost power meanwhile starts at the beginning too.
            self.about = Some(self.meet()?);
        }
    }

    fn stage_composed(
        &mut self,
        composed: &Composed,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        let (place, key) = (self.about()?.place, composed.key_place());
        let front = key.at - place.at;
        self.begin_until_done(&mut |loader, fifth| {
            loader.begin(place.at, front, 0, fifth)?;
            is_stored(loader, place.at, front, digest_of_ones(front), "its erased sectors")?;
            loader.begin(key.at, key.size, 1, fifth)?;
            composed.lend_key(keys, &mut |begin, room| {
                let ones = [0xff; BLOCK];
                loader.block(0, &[begin, &ones[begin.len()..]], room)
            })?;
            is_stored(loader, key.at, key.size, composed.key_digest(), "the key's sector")?;
            progress(BLOCK as u32, composed.total());
            Ok(())
        })
    }

    fn write_front(&mut self, composed: &Composed) -> Result<(), LinkError> {
        let (place, key) = (self.about()?.place, composed.key_place());
        let (front, wanted) = (composed.front(), self.wanted().clone());
        let size = key.at - place.at;
        self.begin_until_done(&mut |loader, fifth| {
            loader.begin(place.at, size, size / BLOCK as u32, fifth)?;
            for (number, block) in (0..).zip(front.chunks(BLOCK)) {
                loader.block(number, &[block], &mut [0; 512])?;
            }
            let digest = <md5::Md5 as md5::Digest>::digest(front).into();
            is_stored(loader, place.at, size, digest, "its sectors")?;
            is_stored(loader, key.at, key.size, composed.key_digest(), "the key's sector")?;
            // The digest is the chip's own word; what is public is read.
            let found = holding::read(loader, place, &wanted)?;
            let held = holding::held(loader, place, &found)?;
            match held {
                Some(held) if held.image == composed.image() => Ok(()),
                _ => Err(not_stored("what is read back is not what was written")),
            }
        })
    }

    /// Leaves nothing of an attempt that failed in the partition.
    fn wipe(&mut self) -> Result<(), LinkError> {
        let place = self.about()?.place;
        self.begin_until_done(&mut |loader, fifth| {
            loader.begin(place.at, place.size, 0, fifth)?;
            is_stored(loader, place.at, place.size, digest_of_ones(place.size), "erased sectors")
        })
    }

    /// The chip as it is when nothing else is known: by its lines in the loader, else whoever
    /// answers first.
    fn find(&mut self, tries: usize) -> Result<Option<Seen>, LinkError> {
        for _ in 0..tries {
            if self.finds_loader(1)? {
                return self.seen_by_loader().map(Some);
            }
            if !self.speaks_framed() {
                continue;
            }
            let port = self.take_port()?;
            let mut framed = Framed::new(port, &self.slot)?;
            let seen = framed.probe();
            self.line = Line::Application(Box::new(framed));
            if let Some(seen) = seen? {
                return Ok(Some(self.as_this_chip(seen)));
            }
        }
        Ok(None)
    }
}

/// Whether a write that failed so is begun again: an answer was lost or damaged, a bit fell on
/// the way, or the chip lost power.
fn may_begin_again(error: &LinkError) -> bool {
    error.is_unanswered()
        || matches!(
            error,
            LinkError::Refused { .. } | LinkError::Malformed { .. } | LinkError::NotStored { .. }
        )
}

fn is_stored(
    loader: &mut Loader,
    at: u32,
    size: u32,
    digest: [u8; 16],
    what: &str,
) -> Result<(), LinkError> {
    match loader.digest(at, size)? == digest {
        true => Ok(()),
        false => Err(not_stored(&format!("{what} at {at:#x} have another digest"))),
    }
}

fn not_stored(why: &str) -> LinkError {
    LinkError::NotStored { why: why.to_owned() }
}

impl Driver for Esp {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        // Another chip may stand where the last one did.
        (self.about, self.known) = (None, None);
        if self.has_lines() {
            self.enter_loader()?;
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
                let waited_ms = self.slot.arrival.as_millis().try_into().unwrap_or(u64::MAX);
                let request = "SYNC and IDENTIFY";
                return Err(LinkError::Timeout { request, waited_ms, sent: asked * 2 });
            }
        }
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        match &mut self.line {
            Line::Application(framed) => {
                let seen = framed.probe()?;
                match seen {
                    Some(seen) => Ok(Some(self.as_this_chip(seen))),
                    None => self.find(1),
                }
            }
            _ => self.find(1),
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
        let composed = Composed::new(identity, image, keys, place, self.wanted())?;
        self.composed = Some(composed);
        Ok(image)
    }

    fn stage(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        let place = self.about()?.place;
        if !self.composed.as_ref().is_some_and(|composed| composed.is_of(identity, place)) {
            self.compose(identity, keys)?;
        }
        let composed = self.composed.take();
        let composed =
            composed.ok_or(LinkError::Order { operation: "staging", missing: "the image" })?;
        self.staged = true;
        let outcome = self.stage_composed(&composed, keys, progress);
        self.composed = Some(composed);
        outcome
    }

    fn commit(&mut self, image: ImageDigest) -> Result<(), LinkError> {
        let composed = self.composed.take().filter(|composed| composed.image() == image);
        let composed =
            composed.ok_or(LinkError::Order { operation: "a commit", missing: "the image" })?;
        let outcome = self.write_front(&composed);
        self.composed = Some(composed);
        self.staged &= outcome.is_err();
        outcome
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        if self.speaks_framed() {
            return self.start_application();
        }
        self.enter_loader()?;
        self.seen_by_loader()
    }

    fn prove(&mut self, challenge: &Challenge) -> Result<Response, LinkError> {
        if !matches!(self.line, Line::Application(_)) {
            self.start_application()?;
        }
        self.application()?.prove(challenge)
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        if let Line::Application(framed) = &mut self.line {
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
        if let Line::Application(framed) = &mut self.line {
            return framed.read_certificate();
        }
        self.ready_loader()?;
        let (place, wanted) = (self.about()?.place, self.wanted().clone());
        Ok(holding::read(self.loader()?, place, &wanted)?.certificate)
    }

    fn read_partition(&mut self) -> Result<Vec<EspEntry>, LinkError> {
        self.ready_loader()?;
        let (place, wanted) = (self.about()?.place, self.wanted().clone());
        Ok(holding::read(self.loader()?, place, &wanted)?.entries)
    }

    fn finish(&mut self, lock: bool) -> Result<Seen, LinkError> {
        if lock {
            return Err(LinkError::Refused {
                request: "lock",
                error: "nothing: the family has no lock".to_owned(),
                detail: 0,
            });
        }
        self.staged = false;
        if let Line::Application(framed) = &mut self.line {
            let seen = framed.finish(false)?;
            return Ok(self.as_this_chip(seen));
        }
        self.enter_loader()?;
        let seen = self.seen_by_loader()?;
        self.reset_into_application()?;
        Ok(seen)
    }

    fn release(&mut self) -> Result<(), LinkError> {
        // The key of an attempt that failed is of no use to anybody.
        if std::mem::take(&mut self.staged) {
            self.wipe()?;
        }
        if self.speaks_framed() {
            if !matches!(self.line, Line::Application(_)) {
                self.start_application()?;
            }
            return self.application()?.release();
        }
        self.reset_into_application()
    }

    fn restart_kind(&self) -> &'static str {
        match self.slot.restart {
            RestartBy::Dtr | RestartBy::Rts => "dtr-rts",
            RestartBy::Command => {
                reset::by_itself_kind(self.about.as_ref().map(|about| about.chip))
            }
        }
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
        match &mut self.line {
            Line::Unknown(port) => port.set_deadline(deadline),
            Line::Loader(loader) => loader.port().set_deadline(deadline),
            Line::Application(framed) => framed.set_deadline(deadline),
            Line::Gone => {}
        }
    }

    fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        match &mut self.line {
            Line::Unknown(port) => port.level(line),
            Line::Loader(loader) => loader.port().level(line),
            Line::Application(framed) => framed.level(line),
            Line::Gone => Err(self.gone()),
        }
    }

    fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        match &mut self.line {
            Line::Unknown(port) => port.idle(time),
            Line::Loader(loader) => loader.idle(time),
            Line::Application(framed) => framed.idle(time),
            Line::Gone => Err(self.gone()),
        }
    }
}
