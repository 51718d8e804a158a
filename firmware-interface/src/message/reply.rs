//! What a device answers.

use super::body::Message;
use super::fields::{BodyError, Fields, Sink};
use super::request::{Chunk, TypeError};
use super::text::{HardwareId, MAX_NAME, MAX_SERIAL, ShortText};
use crate::codec::{Frame, MAX_BODY};
use crate::ids::{
    Capabilities, ERROR_TYPE, ErrorCode, Lifecycle, REPLY_BIT, RequestType, SecurityFlags,
};
use crate::image::{DIGEST_LENGTH, PUBLIC_KEY_LENGTH};
use crate::timing::BusyTimes;

/// Bytes of an ECDSA signature: `r ‖ s`, each 32 bytes, big-endian.
pub const SIGNATURE_LENGTH: usize = 64;

/// How many chunks may be unanswered: 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(u8);

impl Window {
    /// One at a time, which every device can.
    pub const ONE: Self = Self(1);

    /// The widest.
    pub const MAX: u8 = 8;

    /// Takes 1 to 8.
    pub const fn new(chunks: u8) -> Option<Self> {
        if matches!(chunks, 1..=Self::MAX) { Some(Self(chunks)) } else { None }
    }

    /// The number of chunks.
    pub const fn chunks(self) -> u8 {
        self.0
    }
}

/// How many bytes of data the largest chunk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkLimit(u16);

impl ChunkLimit {
    /// The smallest: a key of either kind must fit in a chunk of its own.
    pub const MIN: Self = Self(PUBLIC_KEY_LENGTH as u16);

    /// The largest: a frame carries no more.
    pub const MAX: Self = Self(Chunk::MAX_DATA as u16);

    /// Takes a number of bytes within the limits.
    pub const fn new(bytes: u16) -> Option<Self> {
        if bytes >= Self::MIN.0 && bytes <= Self::MAX.0 { Some(Self(bytes)) } else { None }
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u16 {
        self.0
    }
}

/// Who the device is and what it holds. Its layout is the same in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifyReply {
    /// The version that the device chose for this session.
    pub version: u8,
    /// How far it has come.
    pub lifecycle: Lifecycle,
    /// Protections that it reports.
    pub security: SecurityFlags,
    /// How many chunks may be unanswered.
    pub window: Window,
    /// What it can do beyond what all must.
    pub capabilities: Capabilities,
    /// The session that this one replaced; 0 after a boot.
    pub replaced: u32,
    /// Bytes of the largest image that it takes.
    pub capacity: u32,
    /// Bytes of data in its largest chunk.
    pub max_chunk: ChunkLimit,
    /// How long it may be silent while it works.
    pub busy: BusyTimes,
    /// SHA-256 of the active image; zeros if there is none.
    pub image: [u8; DIGEST_LENGTH],
    /// SHA-256 of the active client certificate's DER; zeros if there is none.
    pub certificate: [u8; DIGEST_LENGTH],
    /// Its model.
    pub model: ShortText<MAX_NAME>,
    /// What it calls itself.
    pub hardware_id: HardwareId,
    /// Its firmware version.
    pub firmware: ShortText<MAX_NAME>,
    /// The serial that its maker gave it.
    pub factory_serial: Option<ShortText<MAX_SERIAL>>,
}

impl IdentifyReply {
    const NUMBERS: usize = 4 + 3 * 4 + 6 * 2;

    const MAX_CHUNK_AT: usize = 4 + 3 * 4;

    const FIXED: usize = Self::NUMBERS + 2 * DIGEST_LENGTH;

    /// Bytes of the longest body.
    pub const MAX_SIZE: usize = Self::FIXED + 4 + 2 * MAX_NAME + HardwareId::MAX + MAX_SERIAL;

    /// Whether an identity is active.
    pub fn holds_identity(&self) -> bool {
        self.image != [0; DIGEST_LENGTH]
    }

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let version = fields.u8()?;
        let lifecycle = Lifecycle::from_wire(fields.u8()?).ok_or(BodyError::value(1))?;
        let security = SecurityFlags(fields.u8()?);
        let window = Window::new(fields.u8()?).ok_or(BodyError::value(3))?;
        let capabilities = Capabilities(fields.u32()?);
        let (replaced, capacity) = (fields.u32()?, fields.u32()?);
        let max_chunk = ChunkLimit::new(fields.u16()?);
        let max_chunk = max_chunk.ok_or(BodyError::value(Self::MAX_CHUNK_AT))?;
        let busy = read_busy(fields)?;
        let (image, certificate) = (fields.array()?, fields.array()?);
        let model = ShortText::parse(fields, 1)?;
        let hardware_id = HardwareId::parse(fields)?;
        let firmware = ShortText::parse(fields, 1)?;
        let factory_serial = read_serial(fields)?;
        Ok(Self {
            version,
            lifecycle,
            security,
            window,
            capabilities,
            replaced,
            capacity,
            max_chunk,
            busy,
            image,
            certificate,
            model,
            hardware_id,
            firmware,
            factory_serial,
        })
    }

    fn length(&self) -> usize {
        let serial = self.factory_serial.map_or(1, |serial| serial.encoded_length());
        Self::FIXED
            + self.model.encoded_length()
            + self.hardware_id.encoded_length()
            + self.firmware.encoded_length()
            + serial
    }

    fn write(&self, sink: &mut impl Sink) {
        sink.put_u8(self.version);
        sink.put_u8(self.lifecycle.to_wire());
        sink.put_u8(self.security.0);
        sink.put_u8(self.window.chunks());
        sink.put_u32(self.capabilities.0);
        sink.put_u32(self.replaced);
        sink.put_u32(self.capacity);
        sink.put_u16(self.max_chunk.bytes());
        write_busy(&self.busy, sink);
        sink.put(&self.image);
        sink.put(&self.certificate);
        self.model.write(sink);
        self.hardware_id.write(sink);
        self.firmware.write(sink);
        match &self.factory_serial {
            Some(serial) => serial.write(sink),
            None => sink.put_u8(0),
        }
    }
}

fn read_busy(fields: &mut Fields<'_>) -> Result<BusyTimes, BodyError> {
    Ok(BusyTimes {
        erase: fields.u16()?,
        chunk: fields.u16()?,
        commit: fields.u16()?,
        prove: fields.u16()?,
        boot: fields.u16()?,
    })
}

fn write_busy(busy: &BusyTimes, sink: &mut impl Sink) {
    for time in [busy.erase, busy.chunk, busy.commit, busy.prove, busy.boot] {
        sink.put_u16(time);
    }
}

fn read_serial(fields: &mut Fields<'_>) -> Result<Option<ShortText<MAX_SERIAL>>, BodyError> {
    let serial = ShortText::parse(fields, 0)?;
    Ok(Some(serial).filter(|serial| !serial.as_bytes().is_empty()))
}

/// The staging area is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeginReply {
    /// From where the image is expected: 0, or more if this transfer was under way.
    pub next: u32,
}

/// What has arrived so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkReply {
    /// The first byte that has not arrived.
    pub next: u32,
    /// CRC-32 of the image up to there.
    pub crc: u32,
}

/// The image is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReply {
    /// SHA-256 of the image as read back.
    pub digest: [u8; DIGEST_LENGTH],
    /// Counts the commits of this device.
    pub generation: u32,
}

/// The signature over the prove text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProveReply {
    /// `r ‖ s`.
    pub signature: [u8; SIGNATURE_LENGTH],
}

/// The attempt is over on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinishReply {
    /// How far the device has come now.
    pub lifecycle: Lifecycle,
}

/// Part of a public object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadReply<'a> {
    /// Bytes of the whole object.
    pub total: u32,
    /// The part from the asked offset; empty only if that is not below `total`.
    pub data: &'a [u8],
}

/// The key that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeygenReply {
    /// `04 ‖ x ‖ y`.
    pub public_key: [u8; PUBLIC_KEY_LENGTH],
}

/// Part of the signing request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsrReply<'a> {
    /// Bytes of the whole signing request.
    pub total: u32,
    /// The part from the asked offset; empty only if that is not below `total`.
    pub data: &'a [u8],
}

impl BeginReply {
    /// Bytes of the body.
    pub const SIZE: usize = 4;
}

impl ChunkReply {
    /// Bytes of the body.
    pub const SIZE: usize = 4 + 4;
}

impl CommitReply {
    /// Bytes of the body.
    pub const SIZE: usize = DIGEST_LENGTH + 4;
}

impl FinishReply {
    /// Bytes of the body.
    pub const SIZE: usize = 1;
}

impl ReadReply<'_> {
    const FIXED: usize = 4;

    /// The most bytes of data in one reply.
    pub const MAX_DATA: usize = MAX_BODY - Self::FIXED;
}

/// The request is refused. Its layout is the same in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReply {
    /// Why, as a number: a newer device may send codes that this version does not know.
    pub code: u16,
    /// What the code says about it.
    pub detail: u32,
}

impl ErrorReply {
    /// Bytes of the body.
    pub const SIZE: usize = 2 + 4;

    /// A refusal.
    pub const fn new(code: ErrorCode, detail: u32) -> Self {
        Self { code: code.to_wire(), detail }
    }

    /// The code, if this version knows it.
    pub const fn known(self) -> Option<ErrorCode> {
        ErrorCode::from_wire(self.code)
    }
}

const _: () = assert!(IdentifyReply::MAX_SIZE <= MAX_BODY);

/// Any reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented at its struct and in RequestType")]
pub enum Reply<'a> {
    Identify(IdentifyReply),
    Begin(BeginReply),
    Chunk(ChunkReply),
    Commit(CommitReply),
    Restart,
    Prove(ProveReply),
    Finish(FinishReply),
    Abort,
    Erase,
    Read(ReadReply<'a>),
    Keygen(KeygenReply),
    Csr(CsrReply<'a>),
    Error(ErrorReply),
}

impl<'a> Reply<'a> {
    /// Reads the body of the reply to a request of that type.
    pub fn parse(request: RequestType, body: &'a [u8]) -> Result<Self, BodyError> {
        let mut fields = Fields::new(body);
        let message = match request {
            RequestType::Identify => Self::Identify(IdentifyReply::parse(&mut fields)?),
            RequestType::Begin => Self::Begin(BeginReply { next: fields.u32()? }),
            RequestType::Chunk => {
                Self::Chunk(ChunkReply { next: fields.u32()?, crc: fields.u32()? })
            }
            RequestType::Commit => {
                Self::Commit(CommitReply { digest: fields.array()?, generation: fields.u32()? })
            }
            RequestType::Restart => Self::Restart,
            RequestType::Prove => Self::Prove(ProveReply { signature: fields.array()? }),
            RequestType::Finish => Self::Finish(read_finish(&mut fields)?),
            RequestType::Abort => Self::Abort,
            RequestType::Erase => Self::Erase,
            RequestType::Read => {
                Self::Read(ReadReply { total: fields.u32()?, data: fields.remainder()? })
            }
            RequestType::Keygen => Self::Keygen(KeygenReply { public_key: fields.array()? }),
            RequestType::Csr => {
                Self::Csr(CsrReply { total: fields.u32()?, data: fields.remainder()? })
            }
        };
        fields.end().map(|()| message)
    }

    /// Reads the body of an `ERROR`.
    pub fn parse_error(body: &'a [u8]) -> Result<Self, BodyError> {
        let mut fields = Fields::new(body);
        let error = ErrorReply { code: fields.u16()?, detail: fields.u32()? };
        fields.end().map(|()| Self::Error(error))
    }

    /// Reads a frame as a reply.
    pub fn from_frame(frame: &Frame<'a>) -> Result<Self, TypeError> {
        let message_type = frame.header.message_type;
        if message_type == ERROR_TYPE {
            return Ok(Self::parse_error(frame.body)?);
        }
        let request = match message_type & REPLY_BIT {
            0 => None,
            _ => RequestType::from_wire(message_type & !REPLY_BIT),
        };
        let request = request.ok_or(TypeError::Unknown { message_type })?;
        Ok(Self::parse(request, frame.body)?)
    }

    /// The most bytes that the body of a reply to that request has, `ERROR` included.
    pub const fn longest_body(request: RequestType) -> usize {
        match request {
            RequestType::Identify => IdentifyReply::MAX_SIZE,
            RequestType::Chunk => ChunkReply::SIZE,
            RequestType::Commit => CommitReply::SIZE,
            RequestType::Prove => SIGNATURE_LENGTH,
            RequestType::Read | RequestType::Csr => MAX_BODY,
            RequestType::Keygen => PUBLIC_KEY_LENGTH,
            RequestType::Begin
            | RequestType::Restart
            | RequestType::Finish
            | RequestType::Abort
            | RequestType::Erase => ErrorReply::SIZE,
        }
    }

    /// The request that it answers; none for an `ERROR`, which answers any.
    pub const fn answers(&self) -> Option<RequestType> {
        Some(match self {
            Self::Identify(_) => RequestType::Identify,
            Self::Begin(_) => RequestType::Begin,
            Self::Chunk(_) => RequestType::Chunk,
            Self::Commit(_) => RequestType::Commit,
            Self::Restart => RequestType::Restart,
            Self::Prove(_) => RequestType::Prove,
            Self::Finish(_) => RequestType::Finish,
            Self::Abort => RequestType::Abort,
            Self::Erase => RequestType::Erase,
            Self::Read(_) => RequestType::Read,
            Self::Keygen(_) => RequestType::Keygen,
            Self::Csr(_) => RequestType::Csr,
            Self::Error(_) => return None,
        })
    }
}

fn read_finish(fields: &mut Fields<'_>) -> Result<FinishReply, BodyError> {
    let lifecycle = Lifecycle::from_wire(fields.u8()?).ok_or(BodyError::value(0))?;
    Ok(FinishReply { lifecycle })
}

impl Message for Reply<'_> {
    fn message_type(&self) -> u8 {
        self.answers().map_or(ERROR_TYPE, RequestType::reply_type)
    }

    fn body_length(&self) -> usize {
        match self {
            Self::Identify(identify) => identify.length(),
            Self::Begin(_) => BeginReply::SIZE,
            Self::Chunk(_) => ChunkReply::SIZE,
            Self::Commit(_) => CommitReply::SIZE,
            Self::Prove(_) => SIGNATURE_LENGTH,
            Self::Finish(_) => FinishReply::SIZE,
            Self::Read(ReadReply { data, .. }) | Self::Csr(CsrReply { data, .. }) => {
                ReadReply::FIXED + data.len()
            }
            Self::Keygen(_) => PUBLIC_KEY_LENGTH,
            Self::Error(_) => ErrorReply::SIZE,
            Self::Restart | Self::Abort | Self::Erase => 0,
        }
    }

    fn write_body(&self, sink: &mut impl Sink) {
        match self {
            Self::Identify(identify) => identify.write(sink),
            Self::Begin(begin) => sink.put_u32(begin.next),
            Self::Chunk(chunk) => {
                sink.put_u32(chunk.next);
                sink.put_u32(chunk.crc);
            }
            Self::Commit(commit) => {
                sink.put(&commit.digest);
                sink.put_u32(commit.generation);
            }
            Self::Prove(prove) => sink.put(&prove.signature),
            Self::Finish(finish) => sink.put_u8(finish.lifecycle.to_wire()),
            Self::Read(ReadReply { total, data }) | Self::Csr(CsrReply { total, data }) => {
                sink.put_u32(*total);
                sink.put(data);
            }
            Self::Keygen(keygen) => sink.put(&keygen.public_key),
            Self::Error(error) => {
                sink.put_u16(error.code);
                sink.put_u32(error.detail);
            }
            Self::Restart | Self::Abort | Self::Erase => {}
        }
    }
}
