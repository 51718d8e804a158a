//! Devices that do not say what holds.
//!
//! A lie is told by giving the firmware another request than the station sent, by
//! rewriting its reply, or by spoiling its storage behind its back. So a liar still
//! speaks a flawless protocol, and only a station that checks finds it out. Start with
//! [`Lies`]; which device tells which lie is decided elsewhere.

use std::ops::Range;

use firmware_interface::codec::{self, Frame, Header, MAX_FRAME};
use firmware_interface::ids::{ErrorCode, Lifecycle, ObjectKind, RequestType};
use firmware_interface::message::{
    Begin, ErrorReply, IdentifyReply, Message, NONCE_LENGTH, ProveReply, Reply, Request,
    SIGNATURE_LENGTH,
};

use super::conversation;
use super::dice::Dice;
use super::firmware::{Firmware, SharedChip};

/// The challenge that an old proof answered.
const OLD_NONCE: [u8; NONCE_LENGTH] = [0x4f; NONCE_LENGTH];

/// A version that no station speaks yet.
const FAR_VERSION: u8 = 200;

/// Whether what a device stored outlives its restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Memory {
    /// It does.
    #[default]
    Flash,
    /// It does not, and the device admits it.
    Forgets,
    /// It does not, and the device goes on claiming what it held.
    Claims,
}

/// The lies that a device tells; none by default.
#[derive(Default)]
pub(crate) struct Lies {
    pub(crate) memory: Memory,
    /// Which object is damaged once the firmware has checked it.
    pub(crate) torn: Option<ObjectKind>,
    /// Says that it restarts and does not.
    pub(crate) no_restart: bool,
    /// Signs an old challenge.
    pub(crate) replay: bool,
    /// Speaks no version of the station's.
    pub(crate) far_version: bool,
    /// Answers IDENTIFY with what no IDENTIFY is answered with.
    pub(crate) nonsense: bool,
    /// For what should look like a signature.
    pub(crate) dice: Option<Dice>,
    /// Where the object to be damaged stands, once it was announced.
    place: Option<Range<u32>>,
    /// What it would have said before the restart.
    claim: Option<IdentifyReply>,
}

/// A request as the firmware is told it.
pub(crate) struct Told<'r> {
    header: Header,
    body: Body<'r>,
}

enum Body<'r> {
    Same(&'r [u8]),
    Other(Vec<u8>),
}

impl Told<'_> {
    /// The request as a frame.
    pub(crate) fn frame(&self) -> Frame<'_> {
        let body = match &self.body {
            Body::Same(body) => body,
            Body::Other(body) => body.as_slice(),
        };
        Frame { header: self.header, body }
    }
}

impl Lies {
    /// What the firmware is told that the station asked.
    pub(crate) fn request<'r>(&mut self, header: Header, body: &'r [u8]) -> Told<'r> {
        self.take_note(header, body);
        match RequestType::from_wire(header.message_type) {
            Some(RequestType::Prove) if self.replay && body.len() == NONCE_LENGTH => {
                Told { header, body: Body::Other(OLD_NONCE.to_vec()) }
            }
            // Reading changes nothing, and a wrong session is refused as it should be.
            Some(RequestType::Restart) if self.no_restart => self.harmless(header),
            Some(RequestType::Identify) if self.far_version => {
                Told { header, body: Body::Other(vec![FAR_VERSION, FAR_VERSION]) }
            }
            _ => Told { header, body: Body::Same(body) },
        }
    }

    fn harmless<'r>(&self, header: Header) -> Told<'r> {
        let message_type = RequestType::Read.to_wire();
        let one_byte = [ObjectKind::ClientCertificate.to_wire(), 0, 0, 0, 0, 1, 0];
        Told { header: Header { message_type, ..header }, body: Body::Other(one_byte.to_vec()) }
    }

    fn take_note(&mut self, header: Header, body: &[u8]) {
        let begin = Request::parse(RequestType::Begin, body).ok();
        let is_begin = header.message_type == RequestType::Begin.to_wire();
        if let (true, Some(kind), Some(Request::Begin(Begin { objects, .. }))) =
            (is_begin, self.torn, begin)
        {
            self.place = objects.place(kind);
        }
    }

    /// What the station is told that the firmware answered to `asked`.
    pub(crate) fn reply(&mut self, asked: Header, reply: &[u8]) -> Option<Vec<u8>> {
        let mut between = super::transcript::trimmed(reply).to_vec();
        let frame = codec::decode(&mut between).ok();
        let parsed = frame.as_ref().and_then(|frame| Reply::from_frame(frame).ok());
        match parsed.and_then(|parsed| self.lie(asked, parsed)) {
            Some(lie) => encode(asked, &lie),
            None => Some(reply.to_vec()),
        }
    }

    /// What to say instead.
    fn lie(&mut self, asked: Header, reply: Reply<'_>) -> Option<Reply<'static>> {
        let asked = RequestType::from_wire(asked.message_type)?;
        match (asked, reply) {
            (RequestType::Restart, reply) if self.no_restart && !is_refusal(&reply) => {
                Some(Reply::Restart)
            }
            (RequestType::Identify, Reply::Error(error)) if self.far_version => {
                let range = u32::from(FAR_VERSION) | u32::from(FAR_VERSION) << 8;
                Some(Reply::Error(ErrorReply { detail: range, ..error }))
            }
            (RequestType::Identify, Reply::Identify(_)) if self.nonsense => Some(Reply::Restart),
            (RequestType::Identify, Reply::Identify(honest)) => {
                self.claim.map(|claim| Reply::Identify(claimed(honest, claim)))
            }
            (RequestType::Prove, Reply::Error(_)) if self.claim.is_some() => Some(self.rubbish()),
            _ => None,
        }
    }

    /// Well-formed, and no signature of anyone.
    fn rubbish(&mut self) -> Reply<'static> {
        let mut signature = [0; SIGNATURE_LENGTH];
        self.dice.get_or_insert_with(|| Dice::new(0, "signature")).fill(&mut signature);
        // Both halves stay below the order of the curve.
        (signature[0], signature[SIGNATURE_LENGTH / 2]) = (0x7f, 0x7f);
        Reply::Prove(ProveReply { signature })
    }

    /// Remembers what a device without flash would go on claiming, and loses the rest.
    ///
    /// `rebooted` makes a firmware as the device would run after an honest restart.
    pub(crate) fn before_restart(
        &mut self,
        chip: &SharedChip,
        rebooted: impl FnOnce() -> Firmware,
    ) {
        if self.memory == Memory::Claims {
            let honest = conversation::identify(&mut rebooted());
            self.claim = honest.filter(IdentifyReply::holds_identity).or(self.claim);
        }
        if self.memory != Memory::Flash {
            chip.chip().forget();
        }
    }

    /// Damages what the firmware has just found sound.
    pub(crate) fn after_restart(&mut self, chip: &SharedChip) {
        if let Some(place) = self.place.take() {
            // A chip that can't even be damaged holds nothing to lie about.
            let _ = chip.chip().damage(&place);
        }
    }
}

/// A wrong session stays refused; a device without an identity still "restarts".
fn is_refusal(reply: &Reply<'_>) -> bool {
    matches!(reply, Reply::Error(error) if error.known() == Some(ErrorCode::NoSession))
}

fn claimed(honest: IdentifyReply, claim: IdentifyReply) -> IdentifyReply {
    let lifecycle = match honest.lifecycle {
        Lifecycle::Blank => Lifecycle::Provisioned,
        other => other,
    };
    IdentifyReply { lifecycle, image: claim.image, certificate: claim.certificate, ..honest }
}

fn encode(asked: Header, reply: &Reply<'_>) -> Option<Vec<u8>> {
    let mut room = [0; MAX_FRAME];
    let header = asked.reply(reply.message_type());
    let length = codec::encode(header, reply, &mut room).ok()?;
    Some(room[..length].to_vec())
}
