//! The driver of the framed protocol, which `docs/protocol.md` specifies.
//!
//! Start with [`Framed`]. Below it: `session` sends requests again and matches replies,
//! `staging` sends chunks in a window, `image` composes what is sent, `restart` proves
//! that a device restarted, `answers` turns replies into the domain's words, `conformance`
//! tries a device's implementation against the page. Only this module knows the crate
//! `firmware-interface`.

mod answers;
pub mod conformance;
mod heard;
mod image;
mod made_key;
mod restart;
mod session;
mod staging;
#[cfg(test)]
pub(crate) mod test_device;
#[cfg(test)]
mod tests;
mod unreadable;

use std::time::{Duration, Instant};

use firmware_interface::ids::{Capabilities, ErrorCode, Lifecycle, ObjectKind, RequestType};
use firmware_interface::message::{
    ChunkLimit, Commit, Finish, FinishResult, HardwareId, IdentifyReply, Prove, Read, ReadReply,
    Reply, Request,
};
use sha2::{Digest, Sha256};

use crate::domain::device::{Held, Seen};
use crate::domain::identity::{Challenge, Identity, Response, SigningRequest};
use crate::domain::ids::{self, Fingerprint, ImageDigest, to_hex};
use crate::domain::lender::KeyLender;
use crate::error::LinkError;
use crate::port::{InputLine, Port};
use crate::settings::{RestartBy, SlotLink};

use super::contract::{Asked, DeviceFamily, Driver};
use image::Composed;
use session::{Policy, Session};

/// The most bytes of an object that are read back, whatever the device says it has.
const LARGEST_OBJECT: usize = u16::MAX as usize;

/// A device that speaks the framed protocol.
pub struct Framed {
    session: Session,
    restart: RestartBy,
    /// Until when a device at a port that was just opened may be silent.
    fresh_until: Option<Instant>,
    limits: Option<IdentifyReply>,
    composed: Option<Composed>,
}

/// Where the family is registered.
pub(super) struct Family;

impl DeviceFamily for Family {
    fn drive(&self, port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
        Ok(Box::new(Framed::new(port, slot)?))
    }

    fn ask(&self, port: Port, slot: &SlotLink) -> Result<Asked, LinkError> {
        let mut driver = Framed::new(port, slot)?;
        let answer = driver.probe();
        Asked::of(driver, answer, Framed::into_port)
    }
}

impl Framed {
    /// A driver over an open port.
    pub fn new(port: Port, slot: &SlotLink) -> Result<Self, LinkError> {
        Ok(Self {
            session: Session::new(port)?,
            restart: slot.restart,
            fresh_until: Some(Instant::now() + slot.arrival),
            limits: None,
            composed: None,
        })
    }

    /// Gives the port back.
    pub(in crate::driver) fn into_port(self) -> Port {
        self.session.into_port()
    }

    /// What was counted on this line since the driver was made.
    pub fn counts(&self) -> Counts {
        self.session.counts()
    }

    fn limits(&self, operation: &'static str) -> Result<IdentifyReply, LinkError> {
        self.limits.ok_or(LinkError::Order { operation, missing: "IDENTIFY" })
    }

    /// IDENTIFY under the session's number as it stands.
    fn identify_with(&mut self, policy: &Policy) -> Result<IdentifyReply, LinkError> {
        let reply = self.session.identify(policy)?;
        let before = self.session.adopt(reply.version).then_some(self.limits).flatten();
        answers::check(&reply, before.as_ref())?;
        self.fresh_until = None;
        self.limits = Some(reply);
        Ok(reply)
    }

    /// IDENTIFY in mid-work: the same device must answer, since what follows is judged as
    /// this device's doing.
    fn identify_same(&mut self) -> Result<IdentifyReply, LinkError> {
        let before = self.limits("identifying again")?.hardware_id;
        let reply = self.identify_with(&Policy::default())?;
        if reply.hardware_id == before {
            return Ok(reply);
        }
        let hex = |id: HardwareId| to_hex(id.as_bytes());
        Err(LinkError::Swapped { before: hex(before), now: hex(reply.hardware_id) })
    }

    /// A request that has its busy time from the device, and works again in a session
    /// that the device lost: all but CHUNK are idempotent by content.
    fn ask(&mut self, request: Request<'_>) -> Result<session::Received, LinkError> {
        let kind = request.request_type();
        let busy = self.limits(kind.name())?.busy.of(kind);
        let policy = Policy::answered_within(Duration::from_millis(busy.into()));
        match self.session.call(request, &policy) {
            Err(error) if answers::is_lost_session(&error) => {
                self.identify_same()?;
                self.session.call(request, &policy)
            }
            outcome => outcome,
        }
    }

    fn tell_end(&mut self, finish: Finish) -> Result<Lifecycle, LinkError> {
        let received = self.ask(Request::Finish(finish))?;
        match received.reply(RequestType::Finish)? {
            Reply::Finish(reply) => Ok(reply.lifecycle),
            _ => Err(answers::wrong_type(RequestType::Finish)),
        }
    }

    fn read_object(&mut self, kind: ObjectKind) -> Result<Vec<u8>, LinkError> {
        let mut object = Vec::new();
        loop {
            let offset = u32::try_from(object.len()).unwrap_or(u32::MAX);
            let max = u16::try_from(ReadReply::MAX_DATA).unwrap_or(u16::MAX);
            let received = self.ask(Request::Read(Read { kind, offset, max }))?;
            let Reply::Read(part) = received.reply(RequestType::Read)? else {
                return Err(answers::wrong_type(RequestType::Read));
            };
            if answers::is_whole(RequestType::Read, part, &mut object, LARGEST_OBJECT)? {
                return Ok(object);
            }
        }
    }
}

pub use session::Counts;

/// What the image of an identity is called, by devices of every form that speak this protocol.
pub(in crate::driver) fn image_digest(
    identity: &Identity,
    keys: &dyn KeyLender,
) -> Result<ImageDigest, LinkError> {
    Ok(Composed::new(identity, keys, ChunkLimit::MAX)?.digest())
}

impl Driver for Framed {
    fn identify(&mut self) -> Result<Seen, LinkError> {
        let policy = match self.fresh_until {
            Some(until) => Policy::arriving(until),
            None => Policy::default(),
        };
        let reply = self.identify_with(&policy)?;
        answers::seen(&reply)
    }

    fn probe(&mut self) -> Result<Option<Seen>, LinkError> {
        let before = self.session.heard();
        let mut outcome = self.identify_with(&Policy::once());
        let unanswered = outcome.as_ref().is_err_and(LinkError::is_unanswered);
        if unanswered && self.session.heard().has_strays_since(before) {
            // A late answer, or one who answers wrongly: only asking again can tell.
            outcome = self.identify_with(&Policy::default());
        }
        match outcome {
            Ok(reply) => answers::seen(&reply).map(Some),
            Err(error) if error.is_unanswered() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn probe_identifies(&self) -> bool {
        true
    }

    fn answered_by(&self) -> Option<ids::HardwareId> {
        self.session.answered_by().cloned()
    }

    fn make_key(&mut self) -> Result<SigningRequest, LinkError> {
        self.request_key()
    }

    fn compose(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
    ) -> Result<ImageDigest, LinkError> {
        let limits = self.limits("composing an image")?;
        let composed = Composed::new(identity, keys, limits.max_chunk)?;
        if composed.is_pkcs8() && !limits.capabilities.has(Capabilities::PKCS8) {
            return Err(LinkError::KeyForm { form: "PKCS#8" });
        }
        let (needs, has) = (composed.total(), limits.capacity);
        if needs > has {
            return Err(LinkError::Capacity { needs: needs.into(), has: has.into() });
        }
        let digest = composed.digest();
        self.composed = Some(composed);
        Ok(digest)
    }

    fn stage(
        &mut self,
        identity: &Identity,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        if !self.composed.as_ref().is_some_and(|composed| composed.is_of(identity)) {
            self.compose(identity, keys)?;
        }
        let composed = self.composed.take();
        let composed =
            composed.ok_or(LinkError::Order { operation: "CHUNK", missing: "the image" })?;
        let outcome = self.stage_composed(&composed, keys, progress);
        self.composed = Some(composed);
        outcome
    }

    fn commit(&mut self, image: ImageDigest) -> Result<(), LinkError> {
        let request = Request::Commit(Commit { digest: *image.as_bytes() });
        let received = self.ask(request)?;
        match received.reply(RequestType::Commit)? {
            Reply::Commit(reply) if reply.digest == *image.as_bytes() => Ok(()),
            Reply::Commit(reply) => {
                let stored = ImageDigest::new(reply.digest);
                Err(LinkError::NotStored { why: format!("it committed image {stored}") })
            }
            _ => Err(answers::wrong_type(RequestType::Commit)),
        }
    }

    fn restart(&mut self) -> Result<Seen, LinkError> {
        let reply = self.restart_and_identify()?;
        answers::seen(&reply)
    }

    fn prove(&mut self, challenge: &Challenge) -> Result<Response, LinkError> {
        let request = Request::Prove(Prove { nonce: challenge.nonce });
        let received = match self.ask(request) {
            Err(error) if answers::is_refusal(&error, ErrorCode::NoIdentity) => {
                return Ok(Response::NoKey);
            }
            outcome => outcome?,
        };
        match received.reply(RequestType::Prove)? {
            Reply::Prove(reply) => Ok(Response::Signature {
                message: answers::prove_text(challenge),
                signature: reply.signature,
            }),
            _ => Err(answers::wrong_type(RequestType::Prove)),
        }
    }

    fn read_back(&mut self) -> Result<Option<Held>, LinkError> {
        let reply = self.identify_same()?;
        let Some(held) = answers::held(&reply) else { return Ok(None) };
        if !reply.capabilities.has(Capabilities::READ) {
            return Ok(Some(held));
        }
        let certificate = self.read_object(ObjectKind::ClientCertificate)?;
        let certificate = Fingerprint::new(Sha256::digest(&certificate).into());
        Ok(Some(Held { certificate, ..held }))
    }

    fn read_certificate(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        let reply = self.identify_same()?;
        if answers::held(&reply).is_none() {
            return Ok(None);
        }
        if !reply.capabilities.has(Capabilities::READ) {
            return Err(LinkError::CannotRead { what: "its certificate" });
        }
        self.read_object(ObjectKind::ClientCertificate).map(Some)
    }

    fn finish(&mut self, lock: bool) -> Result<Seen, LinkError> {
        let before = self.limits("FINISH")?.lifecycle;
        let locked = lock || before == Lifecycle::Locked;
        let expected = if locked { Lifecycle::Locked } else { Lifecycle::Provisioned };
        let said = self.tell_end(Finish { result: FinishResult::Pass, lock })?;
        answers::is_still("FINISH", said, expected)?;
        let reply = self.identify_same()?;
        answers::is_still("FINISH", reply.lifecycle, expected)?;
        answers::seen(&reply)
    }

    fn release(&mut self) -> Result<(), LinkError> {
        // Whatever a device that failed calls itself afterwards: it is asked again anyway.
        self.tell_end(Finish { result: FinishResult::Fail, lock: false }).map(|_| ())
    }

    fn restart_kind(&self) -> &'static str {
        self.restart.as_str()
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.session.port().set_deadline(deadline);
    }

    fn level(&mut self, line: InputLine) -> Result<bool, LinkError> {
        self.session.port().level(line)
    }

    fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        self.session.idle(time)
    }
}
