//! A device: what it remembers, which requests it takes, and who answers them.

use crate::codec::{self, Frame, Header};
use crate::ids::{Capabilities, ErrorCode, Lifecycle, REPLY_BIT, RequestType};
use crate::image::{DIGEST_LENGTH, PKCS8_LENGTH};
use crate::message::{ErrorReply, Identify, IdentifyReply, Message, Reply, Request};
use crate::timing::BusyTimes;
use crate::version;

use super::facts::Facts;
use super::made_key::MadeKey;
use super::refusal;
use super::slot::{self, Active};
use super::traits::{Clock, Random, Signer, Storage};
use super::transfer::Transfer;

/// The most bytes of an object in one `READ` reply of this dispatcher.
pub const READ_ROOM: usize = 256;

/// Room enough for every reply of this dispatcher, encoded.
pub const REPLY_ROOM: usize = codec::frame_length(largest_reply());

const fn largest_reply() -> usize {
    let read = size_of::<u32>() + READ_ROOM;
    if IdentifyReply::MAX_SIZE > read { IdentifyReply::MAX_SIZE } else { read }
}

/// What this dispatcher can do where the board can.
const OFFERED: Capabilities = Capabilities::PROVE
    .with(Capabilities::READ)
    .with(Capabilities::LOCK)
    .with(Capabilities::KEYGEN)
    .with(Capabilities::PKCS8);

/// What came of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// How many bytes of the buffer to send, if anything.
    pub reply: Option<usize>,
    /// What to do once they are sent.
    pub then: Then,
}

/// What a board does after it sent a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Wait for the next frame.
    Listen,
    /// Reset. Until then every frame is ignored.
    Restart,
}

/// A station's session.
#[derive(Debug, Clone, Copy)]
struct Session {
    number: u32,
    /// The one before it, 0 after a boot.
    replaced: u32,
    version: u8,
}

/// A refusal travels as an `ERROR`.
pub(super) type Answer<'b> = Result<Reply<'b>, ErrorReply>;

/// A device, from the protocol's point of view.
pub struct Device<S, K, R, C> {
    pub(super) facts: Facts,
    pub(super) storage: S,
    pub(super) signer: K,
    pub(super) random: R,
    pub(super) clock: C,
    session: Option<Session>,
    pub(super) transfer: Option<Transfer>,
    pub(super) made: Option<MadeKey>,
    pub(super) active: Option<Active>,
    pub(super) locked: bool,
    restarting: bool,
    measured: BusyTimes,
}

impl<S: Storage, K: Signer, R: Random, C: Clock> Device<S, K, R, C> {
    /// Starts after a reset: looks for the active identity and the lock in storage.
    ///
    /// A lock that can't be read counts as set, an identity that can't be read as absent.
    pub fn boot(facts: Facts, mut storage: S, signer: K, random: R, clock: C) -> Self {
        let active = slot::find_active(&mut storage);
        let locked = storage.is_locked().unwrap_or(true);
        Self {
            facts,
            storage,
            signer,
            random,
            clock,
            session: None,
            transfer: None,
            made: None,
            active,
            locked,
            restarting: false,
            measured: BusyTimes::default(),
        }
    }

    /// Handles one frame; its reply, if there is one, stands encoded in `out`.
    ///
    /// [`REPLY_ROOM`] bytes are always enough; with too few the request is still
    /// carried out and its reply is lost, as it can be on the line.
    pub fn handle(&mut self, frame: &Frame<'_>, out: &mut [u8]) -> Handled {
        // A reply is not for a device: answering an echo would never end.
        if self.restarting || frame.header.message_type & REPLY_BIT != 0 {
            return Handled { reply: None, then: Then::Listen };
        }
        let start = self.clock.milliseconds();
        let mut room = [0; READ_ROOM];
        let reply = self.answer(frame, &mut room).unwrap_or_else(Reply::Error);
        let header = frame.header.reply(reply.message_type());
        self.restarting = reply == Reply::Restart;
        let then = if self.restarting { Then::Restart } else { Then::Listen };
        let handled = Handled { reply: codec::encode(header, &reply, out).ok(), then };
        self.measure(reply.answers(), start);
        handled
    }

    /// How far the device has come.
    pub fn lifecycle(&self) -> Lifecycle {
        match (self.locked, &self.transfer, &self.active) {
            (true, _, _) => Lifecycle::Locked,
            (false, Some(_), _) => Lifecycle::Staged,
            (false, None, Some(_)) => Lifecycle::Provisioned,
            (false, None, None) => Lifecycle::Blank,
        }
    }

    /// SHA-256 of the active image, if an identity is active.
    pub fn active_image(&self) -> Option<[u8; DIGEST_LENGTH]> {
        self.active.map(|active| active.header.image.digest)
    }

    /// The longest that each kind of work took since the boot, where it succeeded.
    ///
    /// A board declares these, with some room, as its busy times.
    pub const fn measured(&self) -> BusyTimes {
        self.measured
    }

    /// The storage.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// The storage, for what a board does with it between two frames.
    pub const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Ends the device, as a reset does, and keeps what outlives it.
    pub fn into_storage(self) -> S {
        self.storage
    }

    fn answer<'b>(&mut self, frame: &Frame<'_>, room: &'b mut [u8; READ_ROOM]) -> Answer<'b> {
        let request = self.admit(frame.header)?;
        let message = Request::parse(request, frame.body)
            .map_err(|error| refusal::bad_body(error, frame.body.len()))?;
        match message {
            Request::Identify(identify) => self.identify(frame.header, identify),
            Request::Begin(begin) => self.begin(begin),
            Request::Chunk(chunk) => self.chunk(chunk),
            Request::Commit(commit) => self.commit(commit),
            Request::Restart => Ok(Reply::Restart),
            Request::Prove(prove) => self.prove(prove),
            Request::Finish(finish) => self.finish(finish),
            Request::Abort => self.abort(),
            Request::Erase => self.erase(),
            Request::Read(read) => self.read(read, room),
            Request::Keygen(keygen) => self.keygen(keygen),
            Request::Csr(csr) => self.csr(csr, room),
        }
    }

    /// Session first, then version, type, and whether this device offers it.
    fn admit(&self, header: Header) -> Result<RequestType, ErrorReply> {
        let request = RequestType::from_wire(header.message_type);
        let version = match (request, self.session) {
            (Some(RequestType::Identify), _) if header.session != 0 => version::IDENTIFY,
            (_, Some(session)) if session.number == header.session => session.version,
            _ => return Err(refusal::refuse(ErrorCode::NoSession)),
        };
        if header.version != version {
            return Err(refusal::bad_version());
        }
        let unknown = ErrorReply::new(ErrorCode::UnknownType, u32::from(header.message_type));
        let request = request.ok_or(unknown)?;
        if self.offers(request) { Ok(request) } else { Err(refusal::unsupported(request)) }
    }

    fn offers(&self, request: RequestType) -> bool {
        let needed = match request {
            RequestType::Prove => Capabilities::PROVE,
            RequestType::Read => Capabilities::READ,
            RequestType::Keygen | RequestType::Csr => Capabilities::KEYGEN,
            _ => Capabilities::NONE,
        };
        self.capabilities().has(needed)
    }

    /// A device that can't sign can't ask for a certificate either, and one whose chunks are
    /// shorter than a PKCS #8 key can't get one.
    pub(super) const fn capabilities(&self) -> Capabilities {
        let offered = Capabilities(self.facts.capabilities.0 & OFFERED.0);
        let mut lacking = Capabilities::NONE;
        if !offered.has(Capabilities::PROVE) {
            lacking = lacking.with(Capabilities::KEYGEN);
        }
        if (self.facts.max_chunk.bytes() as usize) < PKCS8_LENGTH {
            lacking = lacking.with(Capabilities::PKCS8);
        }
        Capabilities(offered.0 & !lacking.0)
    }

    fn identify(&mut self, header: Header, identify: Identify) -> Answer<'static> {
        let Some(version) = version::choose(identify.min, identify.max) else {
            return Err(refusal::bad_version());
        };
        let session = match self.session {
            Some(session) if session.number == header.session => session,
            before => {
                self.transfer = None;
                self.made = None;
                let replaced = before.map_or(0, |session| session.number);
                Session { number: header.session, replaced, version }
            }
        };
        self.session = Some(session);
        Ok(Reply::Identify(self.describe(session)))
    }

    fn describe(&self, session: Session) -> IdentifyReply {
        let Facts { model, hardware_id, firmware, factory_serial, .. } = self.facts;
        IdentifyReply {
            version: session.version,
            lifecycle: self.lifecycle(),
            security: self.facts.security,
            window: self.facts.window,
            capabilities: self.capabilities(),
            replaced: session.replaced,
            capacity: self.storage.capacity(),
            max_chunk: self.facts.max_chunk,
            busy: self.facts.busy,
            image: self.active_image().unwrap_or_default(),
            certificate: self.active.map(|active| active.certificate).unwrap_or_default(),
            model,
            hardware_id,
            firmware,
            factory_serial,
        }
    }

    fn measure(&mut self, answered: Option<RequestType>, start: u32) {
        let elapsed = self.clock.milliseconds().wrapping_sub(start);
        let longest = match answered {
            Some(RequestType::Begin | RequestType::Abort) => &mut self.measured.erase,
            Some(RequestType::Chunk) => &mut self.measured.chunk,
            Some(RequestType::Commit) => &mut self.measured.commit,
            Some(RequestType::Prove) => &mut self.measured.prove,
            _ => return,
        };
        *longest = u16::try_from(elapsed).unwrap_or(u16::MAX).max(*longest);
    }
}
