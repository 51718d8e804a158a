//! What every device family brings, in the words of the flow.
//!
//! Frames, chunks, windows and resends stay below these traits. A driver owns its port
//! and closes it when it is dropped; it decides nothing about the unit and compares
//! neither model nor hardware id: it says what it saw.

use std::time::{Duration, Instant};

use crate::domain::device::{Held, Seen};
use crate::domain::esp::EspEntry;
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{HardwareId, ImageDigest};
use crate::domain::lender::KeyLender;
use crate::error::LinkError;
use crate::port::{InputLine, Port};
use crate::settings::SlotLink;

/// A family of devices: how one of them is talked to, and how it is found by asking.
pub(super) trait DeviceFamily: Sync {
    /// A driver over an open port at which a device of this family is expected.
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError>;

    /// Asks once, in this family's way, whether one of its devices is there.
    ///
    /// The question must be noise to every other family, and mean nothing to its devices.
    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError>;
}

/// What came of asking.
pub(super) enum Asked {
    /// A device of this family answers.
    Answers(Box<dyn Driver>, Seen),
    /// A device of this family answers, and not as it must: its driver knows more than a port.
    Fails(Box<dyn Driver>, LinkError),
    /// Nothing that the family understands came in time; the port goes back.
    Silent(Port),
}

impl Asked {
    /// What a driver's own question came to. A port that is gone tells nothing of a device.
    pub(super) fn of<D: Driver + 'static>(
        driver: D,
        answer: Result<Option<Seen>, LinkError>,
        into_port: impl FnOnce(D) -> Port,
    ) -> Result<Asked, LinkError> {
        match answer {
            Ok(Some(seen)) => Ok(Asked::Answers(Box::new(driver), seen)),
            Ok(None) => Ok(Asked::Silent(into_port(driver))),
            Err(error) => Asked::failed(driver, error),
        }
    }

    /// The same where it came to an error.
    pub(super) fn failed<D: Driver + 'static>(
        driver: D,
        error: LinkError,
    ) -> Result<Asked, LinkError> {
        match error {
            LinkError::Unplugged { .. } | LinkError::Stopped => Err(error),
            _ => Ok(Asked::Fails(Box::new(driver), error)),
        }
    }
}

/// One device at one port.
pub trait Driver: Send {
    /// Asks the device who it is and what it holds.
    ///
    /// At a port that was just opened it waits long enough for a device that resets when
    /// its port is opened.
    fn identify(&mut self) -> Result<Seen, LinkError>;

    /// Asks once who is there; `None` where nothing that can be read came in time.
    fn probe(&mut self) -> Result<Option<Seen>, LinkError>;

    /// Whether what a probe gives is all that [`Driver::identify`] would give, asked anew.
    fn probe_identifies(&self) -> bool {
        false
    }

    /// Who gave the last answer to a question of who is there, where that can be told though the
    /// answer makes no sense.
    fn answered_by(&self) -> Option<HardwareId> {
        None
    }

    /// Has the device make a key and hand in its signing request, as it comes.
    fn make_key(&mut self) -> Result<SigningRequest, LinkError>;

    /// Composes the image, refuses what can't fit, and sends nothing.
    fn compose(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
    ) -> Result<ImageDigest, LinkError>;

    /// Takes the image aside on the device; nothing of what is active changes. A family
    /// that has room for one identity gives up the one it holds here.
    ///
    /// `progress` is told the bytes acknowledged and their total.
    fn stage(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError>;

    /// Makes what was staged the active identity.
    // IRREVERSIBLE: the caller made "commit asked" durable before.
    fn commit(&mut self, image: ImageDigest) -> Result<(), LinkError>;

    /// Restarts the device, proves that it did restart, and identifies it again.
    ///
    /// The port may vanish and come back meanwhile. The caller compares the hardware id.
    fn restart(&mut self) -> Result<Seen, LinkError>;

    /// Has a fresh challenge signed with the key as it stands in storage.
    fn prove(&mut self, challenge: &Challenge) -> Result<Response, LinkError>;

    /// What the device holds now, from its storage where the family can.
    fn read_back(&mut self) -> Result<Option<Held>, LinkError>;

    /// The client certificate that the device holds, DER, as it comes; none where it holds
    /// none. A family that can't give it says so.
    fn read_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        Err(LinkError::CannotRead { what: "its certificate" })
    }

    /// The public parts of the identity as they lie in a chip. A family that keeps them in no
    /// partition says so.
    fn read_partition(&mut self) -> Result<Vec<EspEntry>, LinkError> {
        Err(LinkError::CannotRead { what: "a partition" })
    }

    /// Tells the device that the attempt is over and passed, has it lock where that is
    /// asked, and identifies it once more.
    // IRREVERSIBLE with `lock`: the caller made "proven" durable before.
    fn finish(&mut self, lock: bool) -> Result<Seen, LinkError>;

    /// Tells the device that the attempt is over and failed.
    fn release(&mut self) -> Result<(), LinkError>;

    /// Who restarts the device: `"command"`, `"dtr"` or `"rts"`.
    fn restart_kind(&self) -> &'static str;

    /// Until when the unit must be done; every wait of this driver ends there.
    fn set_deadline(&mut self, deadline: Option<Instant>);

    /// Whether the fixture holds a modem line of this device's port.
    fn level(&mut self, line: InputLine) -> Result<bool, LinkError>;

    /// Waits, discarding what comes, and fails at once where the line goes.
    fn idle(&mut self, time: Duration) -> Result<(), LinkError>;
}
