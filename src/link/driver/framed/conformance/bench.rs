//! The device under test and what the checks do with it again and again.
//!
//! Every helper is a right request with a right answer, or an error that says how the
//! device differs from the page. Start with [`Bench::hold`] and [`Bench::new_session`],
//! with which a check brings the device to where it begins.

use std::collections::BTreeMap;
use std::time::Duration;

use firmware_interface::codec::Header;
use firmware_interface::ids::{Capabilities, ERROR_TYPE, ErrorCode, RequestType};
use firmware_interface::message::{
    ChunkReply, CommitReply, ErrorReply, IdentifyReply, Message, Reply, Sink,
};
use firmware_interface::{timing, version};

use super::sample::{Image, Samples, chunk};
use super::verdict::{Checked, Notice, Options, Wrong};
use super::wire::{Answer, Wire};
use crate::domain::cause::Told;
use crate::domain::identity::Challenge;
use crate::domain::ids::{Fingerprint, HardwareId, ImageDigest};
use crate::domain::say::Say;
use crate::driver::framed::answers;
use crate::driver::framed::session::random_number;
use crate::error::LinkError;
use crate::say;

/// Takes the bytes of a body.
struct Body(Vec<u8>);

impl Sink for Body {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// How long answers took, and how long they may.
pub(super) type Times = BTreeMap<&'static str, Vec<(Duration, Duration)>>;

/// What a restart is called among the requests that are timed.
pub(super) const THE_RESTART: &str = "the restart";

/// A device at a port.
pub(super) struct Bench<'a> {
    pub(super) wire: Wire,
    pub(super) samples: &'a dyn Samples,
    pub(super) options: Options,
    pub(super) tell: &'a mut dyn FnMut(Notice<'_>),
    /// What it said at first: its limits, which never change.
    pub(super) facts: IdentifyReply,
    /// The session that is open.
    pub(super) session: u32,
    /// Two identities that differ in all.
    pub(super) first: Image,
    pub(super) second: Image,
    /// How long the device was away at its newest restart.
    pub(super) restart_took: Duration,
    /// What a check has to say beside its verdict.
    pub(super) note: Option<Say>,
    /// While a check measures: how long each request took.
    pub(super) times: Option<Times>,
}

impl Bench<'_> {
    pub(super) fn offers(&self, capability: Capabilities) -> bool {
        self.facts.capabilities.has(capability)
    }

    pub(super) fn max_chunk(&self) -> usize {
        self.facts.max_chunk.bytes().into()
    }

    pub(super) fn hardware(&self) -> Checked<HardwareId> {
        HardwareId::from_bytes(self.facts.hardware_id.as_bytes())
            .map_err(|error| Wrong::device(error.sentence()))
    }

    pub(super) fn busy(&self, kind: RequestType) -> Duration {
        Duration::from_millis(self.facts.busy.of(kind).into())
    }

    /// The header of a new request.
    pub(super) fn header(&mut self, message_type: u8) -> Header {
        let version = version::CURRENT;
        Header { version, message_type, seq: self.wire.next_seq(), session: self.session }
    }

    /// An IDENTIFY under the open session, which changes nothing.
    pub(super) fn harmless(&mut self) -> (Header, Vec<u8>) {
        (self.header(RequestType::Identify.to_wire()), vec![version::MIN, version::CURRENT])
    }

    /// What the device says to bytes, up to the answer to a request behind them.
    pub(super) fn probe(&mut self, bytes: &[u8]) -> Checked<Vec<(Header, Vec<u8>)>> {
        let (known, body) = self.harmless();
        self.wire.probe(bytes, known, &body)
    }

    /// Asks under any header.
    pub(super) fn ask_as(&mut self, header: Header, body: &[u8]) -> Checked<Answer> {
        let kind = RequestType::from_wire(header.message_type);
        let busy = kind.map_or(Duration::ZERO, |kind| self.busy(kind));
        self.wire.ask(header, body, busy, 1 + timing::RESENDS)
    }

    pub(super) fn ask(&mut self, kind: RequestType, body: &[u8]) -> Checked<Answer> {
        let header = self.header(kind.to_wire());
        let answer = self.ask_as(header, body)?;
        if let Some(times) = &mut self.times {
            times.entry(kind.name()).or_default().push((answer.took, answer.may_take));
        }
        Ok(answer)
    }

    /// Asks what must be answered, and gives the body of the answer.
    pub(super) fn reply(&mut self, kind: RequestType, body: &[u8]) -> Checked<Vec<u8>> {
        let answer = self.ask(kind, body)?;
        if let Some(error) = refusal(&answer) {
            let how = say!("{kind} is refused with {}", "{kind} 被拒绝：{}", said(error));
            return Err(Wrong::Refused { how, error });
        }
        if answer.header.message_type != kind.reply_type() {
            let found = answer.header.message_type;
            return Err(Wrong::device(say!(
                "{kind} is answered with type {found:#04x}",
                "{kind} 的应答类型是 {found:#04x}"
            )));
        }
        check_form(kind, &answer.body)?;
        Ok(answer.body)
    }

    /// Asks what must be refused with that code; `detail` where the page names it.
    pub(super) fn refused(
        &mut self,
        kind: RequestType,
        body: &[u8],
        code: ErrorCode,
        detail: Option<u32>,
    ) -> Checked {
        let answer = self.ask(kind, body)?;
        expect_refusal(Say::same(kind.name()), &answer, code, detail)
    }

    /// IDENTIFY under the open session.
    pub(super) fn identify(&mut self) -> Checked<IdentifyReply> {
        let body = self.reply(RequestType::Identify, &[version::MIN, version::CURRENT])?;
        self.same_device(&body)
    }

    /// Opens another session, which drops what was staged.
    pub(super) fn new_session(&mut self) -> Checked<IdentifyReply> {
        self.renew()?;
        self.identify()
    }

    /// Draws another session number, and sends nothing.
    pub(super) fn renew(&mut self) -> Checked {
        let before = self.session;
        while self.session == before {
            self.session = random_number()?;
        }
        Ok(())
    }

    fn same_device(&self, body: &[u8]) -> Checked<IdentifyReply> {
        let Ok(Reply::Identify(seen)) = Reply::parse(RequestType::Identify, body) else {
            return Err(Wrong::device((
                "the answer to IDENTIFY does not follow its layout",
                "IDENTIFY 的应答不符合格式",
            )));
        };
        let fixed = |seen: &IdentifyReply| {
            let IdentifyReply { version, security, window, capabilities, capacity, .. } = *seen;
            let IdentifyReply { max_chunk, busy, model, hardware_id, firmware, .. } = *seen;
            let limits = (version, security, window, capabilities, capacity, max_chunk, busy);
            (limits, model, hardware_id, firmware, seen.factory_serial)
        };
        if fixed(&seen) != fixed(&self.facts) {
            return Err(Wrong::device((
                "it says something else about itself than at first",
                "它对自己的说明与最初不同",
            )));
        }
        Ok(seen)
    }

    /// Announces an image; where it is expected to go on.
    pub(super) fn begin(&mut self, image: &Image) -> Checked<u32> {
        let body = self.reply(RequestType::Begin, &image.begin())?;
        Ok(number(&body[..4]))
    }

    /// Announces an image that must begin anew.
    pub(super) fn begin_anew(&mut self, image: &Image) -> Checked {
        let next = self.begin(image)?;
        expect_equal(("next after a new BEGIN", "新的 BEGIN 之后的 next"), next, 0)
    }

    pub(super) fn chunk(&mut self, offset: u32, data: &[u8]) -> Checked<ChunkReply> {
        let body = self.reply(RequestType::Chunk, &chunk(offset, data))?;
        Ok(ChunkReply { next: number(&body[..4]), crc: number(&body[4..]) })
    }

    /// Sends a chunk and demands that `next` bytes of the image have arrived by then.
    pub(super) fn chunk_to(
        &mut self,
        image: &Image,
        offset: u32,
        data: &[u8],
        next: usize,
    ) -> Checked {
        let found = self.chunk(offset, data)?;
        let expected =
            ChunkReply { next: u32::try_from(next).unwrap_or(u32::MAX), crc: image.crc(next) };
        expect_equal(("next and crc", "next 和 crc"), found, expected)
    }

    /// The key, alone.
    pub(super) fn send_key(&mut self, image: &Image) -> Checked {
        let length = image.key_length();
        self.chunk_to(image, 0, &image.bytes[..length], length)
    }

    /// Everything but the commit, in a transfer that begins anew.
    pub(super) fn stage(&mut self, image: &Image) -> Checked {
        self.begin_anew(image)?;
        self.send_all(image)
    }

    /// Every chunk of an image that was begun.
    pub(super) fn send_all(&mut self, image: &Image) -> Checked {
        for (offset, data) in image.pieces(self.max_chunk()) {
            self.chunk_to(image, offset, data, offset as usize + data.len())?;
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, image: &Image) -> Checked<CommitReply> {
        let body = self.reply(RequestType::Commit, &image.digest)?;
        let Ok(Reply::Commit(committed)) = Reply::parse(RequestType::Commit, &body) else {
            return Err(Wrong::device((
                "the answer to COMMIT does not follow its layout",
                "COMMIT 的应答不符合格式",
            )));
        };
        expect_equal(
            ("the digest that COMMIT answers", "COMMIT 应答的摘要"),
            committed.digest,
            image.digest,
        )?;
        Ok(committed)
    }

    /// Stages and commits.
    pub(super) fn burn(&mut self, image: &Image) -> Checked<CommitReply> {
        self.stage(image)?;
        self.commit(image)
    }

    /// The first identity as an image of `length` bytes, as near as device and protocol allow.
    pub(super) fn large_image(&self, length: usize) -> Image {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.first.padded(length.min(self.facts.capacity))
    }

    /// Opens a session in which the device holds that identity.
    pub(super) fn hold(&mut self, image: &Image) -> Checked {
        if self.new_session()?.image != image.digest {
            self.burn(image)?;
        }
        Ok(())
    }

    /// Opens a session in which the device holds nothing.
    pub(super) fn blank(&mut self) -> Checked {
        self.new_session()?;
        self.reply(RequestType::Erase, &[]).map(|_| ())
    }

    /// Demands that this identity, or none, is active.
    pub(super) fn expect_active(&mut self, image: Option<&Image>) -> Checked<IdentifyReply> {
        let seen = self.identify()?;
        expect_held(&seen, image)?;
        Ok(seen)
    }

    fn ask_to_restart(&mut self) -> Checked {
        let header = self.header(RequestType::Restart.to_wire());
        match self.wire.ask(header, &[], Duration::ZERO, 1) {
            Ok(answer) if answer.header.message_type == RequestType::Restart.reply_type() => Ok(()),
            Ok(_) => Err(Wrong::device(("RESTART is refused", "RESTART 被拒绝"))),
            // A port that is the device's own goes with it, and the answer perhaps too.
            Err(Wrong::Link(LinkError::Unplugged { .. })) => Ok(()),
            Err(wrong) => Err(wrong),
        }
    }

    /// Restarts the device, and asks something without a body before anything else.
    pub(super) fn first_after_restart(
        &mut self,
        kind: RequestType,
        session: u32,
    ) -> Checked<Answer> {
        self.ask_to_restart()?;
        let header = Header { session, ..self.header(kind.to_wire()) };
        let boot = Duration::from_millis(self.facts.busy.boot.into());
        self.wire.ask_until_booted(header, &[], boot)
    }

    /// Restarts the device, and identifies it under a new session.
    pub(super) fn restart(&mut self) -> Checked<IdentifyReply> {
        self.ask_to_restart()?;
        self.renew()?;
        let seen = self.identify_booting()?;
        match seen.replaced {
            0 => Ok(seen),
            _ => Err(Wrong::device((
                "it answered RESTART and still knows the session before",
                "它应答了 RESTART，却仍记得先前的会话",
            ))),
        }
    }

    /// Identifies a device that is on its way back.
    pub(super) fn identify_booting(&mut self) -> Checked<IdentifyReply> {
        let (header, body) = self.harmless();
        let boot = Duration::from_millis(self.facts.busy.boot.into());
        let answer = self.wire.ask_until_booted(header, &body, boot)?;
        self.restart_took = answer.took;
        if let Some(times) = &mut self.times {
            times.entry(THE_RESTART).or_default().push((answer.took, answer.may_take));
        }
        if let Some(error) = refusal(&answer) {
            return Err(Wrong::device(say!(
                "IDENTIFY is refused with {}",
                "IDENTIFY 被拒绝：{}",
                said(error)
            )));
        }
        check_form(RequestType::Identify, &answer.body)?;
        self.same_device(&answer.body)
    }

    /// A signature over the prove text of this image under that challenge.
    pub(super) fn prove(&mut self, nonce: [u8; 32]) -> Checked<[u8; 64]> {
        let body = self.reply(RequestType::Prove, &nonce)?;
        body.try_into().map_err(|_| Wrong::device(("a signature has 64 bytes", "签名应为 64 字节")))
    }

    /// Demands that the device signs a fresh challenge with this identity's key.
    pub(super) fn expect_proof(&mut self, image: &Image) -> Checked {
        let mut nonce = [0; 32];
        for part in nonce.chunks_mut(4) {
            part.copy_from_slice(&random_number()?.to_le_bytes());
        }
        let signature = self.prove(nonce)?;
        match self.is_proof(image, nonce, &signature)? {
            true => Ok(()),
            false => Err(Wrong::device((
                "the signature does not verify over the station's text",
                "签名与本站的文本不符",
            ))),
        }
    }

    /// Whether a signature is over the station's own text, under this identity's key.
    pub(super) fn is_proof(
        &self,
        image: &Image,
        nonce: [u8; 32],
        signature: &[u8; 64],
    ) -> Checked<bool> {
        let Some(public_key) = &image.public_key else { return Ok(false) };
        let challenge = Challenge {
            nonce,
            hardware: self.hardware()?,
            image: ImageDigest::new(image.digest),
            certificate: Fingerprint::new(image.certificate()),
        };
        Ok(self.samples.is_signed(public_key, &answers::prove_text(&challenge), signature))
    }
}

/// A reply parses, and written again it has the same bytes: bits that mean nothing are 0.
fn check_form(kind: RequestType, body: &[u8]) -> Checked {
    let parsed = Reply::parse(kind, body);
    let parsed = parsed.map_err(|error| {
        Wrong::device(say!("the answer to {kind}: {error}", "{kind} 的应答不符合格式"))
    })?;
    let mut again = Body(Vec::new());
    parsed.write_body(&mut again);
    expect_equal(("the answer, written again", "重新写出的应答"), again.0.as_slice(), body)
}

/// The error that an answer is.
pub(super) fn refusal(answer: &Answer) -> Option<ErrorReply> {
    match Reply::parse_error(&answer.body) {
        Ok(Reply::Error(error)) if answer.header.message_type == ERROR_TYPE => Some(error),
        _ => None,
    }
}

/// An error in the words of the page.
pub(super) fn said(error: ErrorReply) -> String {
    let name = error.known().map_or_else(|| format!("{:#06x}", error.code), |c| c.to_string());
    format!("{name}, detail {:#x}", error.detail)
}

/// Demands a refusal with that code, and with that detail where the page names it.
pub(super) fn expect_refusal(
    what: impl Into<Say>,
    answer: &Answer,
    code: ErrorCode,
    detail: Option<u32>,
) -> Checked {
    let wanted = match detail {
        Some(detail) => format!("{code}, detail {detail:#x}"),
        None => code.to_string(),
    };
    let Some(error) = refusal(answer) else {
        let how = say!(" is not refused; {wanted} is expected", " 没有被拒绝，应为 {wanted}");
        return Err(Wrong::device(what.into().with(&how)));
    };
    let as_wanted = error.code == code.to_wire() && detail.is_none_or(|d| d == error.detail);
    match as_wanted {
        true => Ok(()),
        false => Err(Wrong::device(what.into().with(&say!(
            " is refused with {}; {wanted} is expected",
            " 被拒绝：{}，应为 {wanted}",
            said(error)
        )))),
    }
}

/// Demands that a device says that it holds this identity, or none.
pub(super) fn expect_held(seen: &IdentifyReply, image: Option<&Image>) -> Checked {
    let digest = image.map_or([0; 32], |image| image.digest);
    let certificate = image.map_or([0; 32], Image::certificate);
    expect_equal(("the active image's digest", "已生效身份的摘要"), seen.image, digest)?;
    expect_equal(
        ("the active certificate's digest", "已生效证书的摘要"),
        seen.certificate,
        certificate,
    )
}

/// Demands that two things are the same.
pub(super) fn expect_equal<T: PartialEq + std::fmt::Debug>(
    what: impl Into<Say>,
    found: T,
    wanted: T,
) -> Checked {
    match found == wanted {
        true => Ok(()),
        false => Err(Wrong::device(what.into().with(&say!(
            " is {}; {} is expected",
            " 是 {}，应为 {}",
            short(&found),
            short(&wanted)
        )))),
    }
}

fn short(value: &impl std::fmt::Debug) -> String {
    const ENOUGH: usize = 80;
    let text = format!("{value:?}");
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Four bytes as a number.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}
