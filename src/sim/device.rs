//! One simulated device: its facts, its storage, its key, and the firmware's dispatcher.
//!
//! Every answer is made by the dispatcher; nothing here knows the protocol's rules. A
//! device that lies does it in [`super::lies`], before or after the dispatcher. Time is
//! not spent here: [`Work`] says how long the work would have taken. Start with
//! [`Device::receive`].

use std::time::Duration;

use firmware_interface::dispatch::{self, Facts, REPLY_ROOM, Storage};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::RequestType;
use firmware_interface::message::HardwareId;

use super::conversation;
use super::error::SimError;
use super::firmware::{Firmware, Hand, SharedChip, Source, start};
use super::flash::Chip;
use super::lies::Lies;
use super::preloaded::Preloaded;
use super::sayings::Sayings;

/// What came of the bytes that a device was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// The type of the request, if there was a sound frame with a known one.
    pub(crate) request: Option<RequestType>,
    /// The encoded reply.
    pub(crate) reply: Option<Vec<u8>>,
    /// How long it took.
    pub(crate) busy: Duration,
    /// What follows.
    pub(crate) then: Then,
}

/// What a device does after its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It waits for the next frame.
    Listen,
    /// It restarts once the reply is sent.
    Restart,
    /// It lost power and restarts at once.
    LostPower,
    /// It has heard that the attempt is over, and waits for the next frame.
    Finished,
}

/// What a device is made of.
pub(crate) struct Build {
    pub(crate) facts: Facts,
    /// Its hardware id after a restart, where that is another one.
    pub(crate) later_id: Option<HardwareId>,
    pub(crate) chip: Chip,
    pub(crate) hand: Hand,
    pub(crate) source: Source,
    /// Another device, which hands in its signing requests for this one.
    pub(crate) accomplice: Option<HardwareId>,
    pub(crate) lies: Lies,
    pub(crate) sayings: Sayings,
    pub(crate) prove_time: Duration,
}

/// A device with power.
pub(crate) struct Device {
    facts: Facts,
    later_id: Option<HardwareId>,
    chip: SharedChip,
    hand: Hand,
    source: Source,
    accomplice: Option<Firmware>,
    lies: Lies,
    sayings: Sayings,
    prove_time: Duration,
    firmware: Firmware,
    /// Boxed, since a slot is moved about and a reader has room for a whole frame.
    reader: Box<FullFrameReader>,
}

impl Device {
    /// Gives a device power for the first time.
    pub(crate) fn power_on(build: Build) -> Self {
        let Build { facts, later_id, chip, hand, source, accomplice, lies, sayings, prove_time } =
            build;
        let chip = SharedChip::new(chip);
        let firmware = start(facts, &chip, &hand, &source);
        let accomplice = accomplice.map(|hardware_id| {
            let mut facts = facts;
            facts.hardware_id = hardware_id;
            start(facts, &chip, &hand, &Source::default())
        });
        let reader = Box::new(FullFrameReader::new());
        Self {
            facts,
            later_id,
            chip,
            hand,
            source,
            accomplice,
            lies,
            sayings,
            prove_time,
            firmware,
            reader,
        }
    }

    /// Makes it hold an identity before the station ever sees it.
    pub(crate) fn preload(&mut self, identity: &Preloaded) -> Result<(), SimError> {
        conversation::provision(&mut self.firmware, identity)?;
        self.restart_quietly();
        Ok(())
    }

    /// Locks it before the station ever sees it.
    pub(crate) fn lock(&mut self) -> Result<(), SimError> {
        self.chip.chip().lock().map_err(|_| SimError::Preload)?;
        self.restart_quietly();
        Ok(())
    }

    /// Starts anew: what was in RAM is lost.
    pub(crate) fn restart(&mut self) {
        let rebooted = || start(self.facts, &self.chip, &self.hand, &self.source);
        self.lies.before_restart(&self.chip, rebooted);
        if let Some(id) = self.later_id {
            self.facts.hardware_id = id;
        }
        self.restart_quietly();
        self.lies.after_restart(&self.chip);
    }

    /// Whether it would come up with an identity. A session that is open stays so.
    pub(crate) fn holds_identity(&self) -> bool {
        let mut rebooted = start(self.facts, &self.chip, &self.hand, &self.source);
        conversation::identify(&mut rebooted).is_some_and(|reply| reply.holds_identity())
    }

    /// Takes what the line delivered, up to the end of a frame.
    pub(crate) fn receive(&mut self, mut bytes: &[u8]) -> Work {
        let Some(frame) = self.reader.next_frame(&mut bytes) else {
            return Work { request: None, reply: None, busy: Duration::ZERO, then: Then::Listen };
        };
        let request = RequestType::from_wire(frame.header.message_type);
        let told = self.lies.request(frame.header, frame.body);
        let mut out = [0; REPLY_ROOM];
        let mut handled = self.firmware.handle(&told.frame(), &mut out);
        if let (Some(other), Some(kind)) = (&mut self.accomplice, request) {
            match kind {
                RequestType::Identify => {
                    let _ = other.handle(&told.frame(), &mut [0; REPLY_ROOM]);
                }
                RequestType::Keygen | RequestType::Csr => {
                    handled = other.handle(&told.frame(), &mut out);
                }
                _ => {}
            }
        }
        let reply = handled.reply.map(|length| &out[..length]);
        let reply = reply.and_then(|reply| self.lies.reply(frame.header, reply));
        let reply = reply.map(|reply| self.sayings.say(reply));
        self.reader.wipe();
        self.work(request, reply, handled.then)
    }

    fn work(
        &mut self,
        request: Option<RequestType>,
        reply: Option<Vec<u8>>,
        then: dispatch::Then,
    ) -> Work {
        let kind = reply.as_deref().and_then(conversation::message_type);
        let done = |what: RequestType| kind == Some(what.reply_type());
        let mut chip = self.chip.chip();
        let signs = done(RequestType::Prove) || done(RequestType::Keygen);
        let signing = if signs { self.prove_time } else { Duration::ZERO };
        let busy = chip.take_busy() + signing;
        let (reply, then) = match then {
            _ if chip.lost_power() => (None, Then::LostPower),
            dispatch::Then::Restart => (reply, Then::Restart),
            dispatch::Then::Listen if done(RequestType::Finish) => (reply, Then::Finished),
            dispatch::Then::Listen => (reply, Then::Listen),
        };
        Work { request, reply, busy, then }
    }

    fn restart_quietly(&mut self) {
        self.chip.chip().power_up();
        self.firmware = start(self.facts, &self.chip, &self.hand, &self.source);
        self.reader.wipe();
        self.chip.chip().take_busy();
    }
}
