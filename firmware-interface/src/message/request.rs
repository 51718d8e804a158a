//! What a station asks.

use core::fmt;

use super::body::Message;
use super::fields::{BodyError, Fields, Sink};
use crate::codec::{Frame, MAX_BODY};
use crate::ids::{KeyAlgorithm, ObjectKind, RequestType};
use crate::image::{DIGEST_LENGTH, ENTRY_LENGTH, MAX_OBJECTS, ObjectTable};

/// Bytes of the nonce in `PROVE`.
pub const NONCE_LENGTH: usize = 32;

/// Opens a session. Its layout is the same in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identify {
    /// The lowest version that the station speaks.
    pub min: u8,
    /// The highest; not below `min`.
    pub max: u8,
}

impl Identify {
    /// Bytes of the body.
    pub const SIZE: usize = 1 + 1;

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let (min, max) = (fields.u8()?, fields.u8()?);
        if min > max { Err(BodyError::value(0)) } else { Ok(Self { min, max }) }
    }
}

/// Announces an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// SHA-256 of the whole image.
    pub digest: [u8; DIGEST_LENGTH],
    /// Its objects; the total length on the wire is their sum.
    pub objects: ObjectTable,
}

impl Begin {
    const FIXED: usize = 4 + DIGEST_LENGTH + 1;

    /// Bytes of the longest body.
    pub const MAX_SIZE: usize = Self::FIXED + MAX_OBJECTS * ENTRY_LENGTH;

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let total = fields.u32()?;
        let begin = Self { digest: fields.array()?, objects: ObjectTable::parse(fields)? };
        if total == begin.objects.total() { Ok(begin) } else { Err(BodyError::value(0)) }
    }

    fn write(&self, sink: &mut impl Sink) {
        sink.put_u32(self.objects.total());
        sink.put(&self.digest);
        self.objects.write(sink);
    }
}

/// Carries a piece of the announced image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Where in the image it belongs.
    pub offset: u32,
    /// At least one byte, to the end of the body.
    pub data: &'a [u8],
}

impl<'a> Chunk<'a> {
    const FIXED: usize = 4;

    /// Where in the body the data begins.
    pub(crate) const DATA_AT: usize = Self::FIXED;

    /// The most bytes of data that a frame can carry.
    pub const MAX_DATA: usize = MAX_BODY - Self::FIXED;

    fn parse(fields: &mut Fields<'a>) -> Result<Self, BodyError> {
        Ok(Self { offset: fields.u32()?, data: fields.rest()? })
    }
}

impl fmt::Debug for Chunk<'_> {
    /// Leaves the data out: it may be a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk(offset {}, {} bytes)", self.offset, self.data.len())
    }
}

/// Makes the staged image active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// SHA-256 of the image, as announced.
    pub digest: [u8; DIGEST_LENGTH],
}

impl Commit {
    /// Bytes of the body.
    pub const SIZE: usize = DIGEST_LENGTH;
}

/// Asks for a signature over the prove text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prove {
    /// Fresh random bytes.
    pub nonce: [u8; NONCE_LENGTH],
}

impl Prove {
    /// Bytes of the body.
    pub const SIZE: usize = NONCE_LENGTH;
}

crate::ids::wire_numbers! {
    /// How the attempt ended.
    FinishResult: u8 {
        /// The unit failed.
        Fail = 0x00, "fail";
        /// The unit is proven.
        Pass = 0x01, "pass";
    }
}

/// Ends the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// How it ended.
    pub result: FinishResult,
    /// Whether the device shall lock; only after a pass.
    pub lock: bool,
}

impl Finish {
    /// Bytes of the body.
    pub const SIZE: usize = 1 + 1;

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let result = FinishResult::from_wire(fields.u8()?).ok_or(BodyError::value(0))?;
        let lock = match fields.u8()? {
            0 => false,
            1 if result == FinishResult::Pass => true,
            _ => return Err(BodyError::value(1)),
        };
        Ok(Self { result, lock })
    }
}

/// Asks for part of a public object of the active image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Which object.
    pub kind: ObjectKind,
    /// From where in the object.
    pub offset: u32,
    /// At most so many bytes, at least one.
    pub max: u16,
}

impl Read {
    /// Bytes of the body.
    pub const SIZE: usize = 1 + 4 + 2;

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let kind = ObjectKind::from_wire(fields.u8()?).ok_or(BodyError::value(0))?;
        let (offset, max) = (fields.u32()?, fields.u16()?);
        if max == 0 { Err(BodyError::value(5)) } else { Ok(Self { kind, offset, max }) }
    }
}

/// Makes a key on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keygen {
    /// Of which algorithm.
    pub algorithm: KeyAlgorithm,
    /// The station's number for the key: the same number in a session answers the same
    /// key again, another one makes another key.
    pub number: u32,
}

impl Keygen {
    /// Bytes of the body.
    pub const SIZE: usize = 1 + 4;

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let algorithm = KeyAlgorithm::from_wire(fields.u8()?).ok_or(BodyError::value(0))?;
        Ok(Self { algorithm, number: fields.u32()? })
    }
}

/// Asks for part of the signing request for the key made in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Csr {
    /// From where in the signing request.
    pub offset: u32,
    /// At most so many bytes, at least one.
    pub max: u16,
}

impl Csr {
    /// Bytes of the body.
    pub const SIZE: usize = 4 + 2;

    fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let (offset, max) = (fields.u32()?, fields.u16()?);
        if max == 0 { Err(BodyError::value(4)) } else { Ok(Self { offset, max }) }
    }
}

const _: () = assert!(Begin::MAX_SIZE <= MAX_BODY);

/// Why a frame is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// Its type is not one that is expected here.
    #[error("type {message_type:#04x} is not expected")]
    Unknown {
        /// The type.
        message_type: u8,
    },
    /// Its body does not follow its layout.
    #[error(transparent)]
    Body(#[from] BodyError),
}

/// Any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented at its struct and in RequestType")]
pub enum Request<'a> {
    Identify(Identify),
    Begin(Begin),
    Chunk(Chunk<'a>),
    Commit(Commit),
    Restart,
    Prove(Prove),
    Finish(Finish),
    Abort,
    Erase,
    Read(Read),
    Keygen(Keygen),
    Csr(Csr),
}

impl<'a> Request<'a> {
    /// Reads the body of a request of a known type.
    pub fn parse(request: RequestType, body: &'a [u8]) -> Result<Self, BodyError> {
        if fixed_size(request).is_some_and(|size| size != body.len()) {
            return Err(BodyError::Length { length: body.len() });
        }
        let mut fields = Fields::new(body);
        let message = match request {
            RequestType::Identify => Self::Identify(Identify::parse(&mut fields)?),
            RequestType::Begin => Self::Begin(Begin::parse(&mut fields)?),
            RequestType::Chunk => Self::Chunk(Chunk::parse(&mut fields)?),
            RequestType::Commit => Self::Commit(Commit { digest: fields.array()? }),
            RequestType::Restart => Self::Restart,
            RequestType::Prove => Self::Prove(Prove { nonce: fields.array()? }),
            RequestType::Finish => Self::Finish(Finish::parse(&mut fields)?),
            RequestType::Abort => Self::Abort,
            RequestType::Erase => Self::Erase,
            RequestType::Read => Self::Read(Read::parse(&mut fields)?),
            RequestType::Keygen => Self::Keygen(Keygen::parse(&mut fields)?),
            RequestType::Csr => Self::Csr(Csr::parse(&mut fields)?),
        };
        fields.end().map(|()| message)
    }

    /// Reads a frame as a request.
    pub fn from_frame(frame: &Frame<'a>) -> Result<Self, TypeError> {
        let message_type = frame.header.message_type;
        let request = RequestType::from_wire(message_type);
        let request = request.ok_or(TypeError::Unknown { message_type })?;
        Ok(Self::parse(request, frame.body)?)
    }

    /// Its type.
    pub const fn request_type(&self) -> RequestType {
        match self {
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
        }
    }
}

/// The size of a body that always has the same.
const fn fixed_size(request: RequestType) -> Option<usize> {
    match request {
        RequestType::Identify => Some(Identify::SIZE),
        RequestType::Begin | RequestType::Chunk => None,
        RequestType::Commit => Some(Commit::SIZE),
        RequestType::Prove => Some(Prove::SIZE),
        RequestType::Finish => Some(Finish::SIZE),
        RequestType::Read => Some(Read::SIZE),
        RequestType::Keygen => Some(Keygen::SIZE),
        RequestType::Csr => Some(Csr::SIZE),
        RequestType::Restart | RequestType::Abort | RequestType::Erase => Some(0),
    }
}

impl Message for Request<'_> {
    fn message_type(&self) -> u8 {
        self.request_type().to_wire()
    }

    fn body_length(&self) -> usize {
        match self {
            Self::Begin(begin) => Begin::FIXED + begin.objects.objects().len() * ENTRY_LENGTH,
            Self::Chunk(chunk) => Chunk::FIXED + chunk.data.len(),
            other => fixed_size(other.request_type()).unwrap_or(0),
        }
    }

    fn write_body(&self, sink: &mut impl Sink) {
        match self {
            Self::Identify(identify) => sink.put(&[identify.min, identify.max]),
            Self::Begin(begin) => begin.write(sink),
            Self::Chunk(chunk) => {
                sink.put_u32(chunk.offset);
                sink.put(chunk.data);
            }
            Self::Commit(commit) => sink.put(&commit.digest),
            Self::Prove(prove) => sink.put(&prove.nonce),
            Self::Finish(finish) => sink.put(&[finish.result.to_wire(), u8::from(finish.lock)]),
            Self::Read(read) => {
                sink.put_u8(read.kind.to_wire());
                sink.put_u32(read.offset);
                sink.put_u16(read.max);
            }
            Self::Keygen(keygen) => {
                sink.put_u8(keygen.algorithm.to_wire());
                sink.put_u32(keygen.number);
            }
            Self::Csr(csr) => {
                sink.put_u32(csr.offset);
                sink.put_u16(csr.max);
            }
            Self::Restart | Self::Abort | Self::Erase => {}
        }
    }
}
