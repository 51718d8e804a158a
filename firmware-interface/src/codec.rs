//! A message as bytes on the line, and back.
//!
//! On the line: `00 COBS(version u8, type u8, seq u16, session u32, body, crc u32) 00`,
//! the CRC being CRC-32/ISO-HDLC over version to body. [`encode`] writes byte by byte
//! into the caller's buffer and nowhere else, so a frame that carries a private key
//! exists only where the caller put it. [`decode`] works in place for the same reason.
//!
//! There is one encoding for a frame: the byte 01 that some COBS encoders append after
//! a last block of 254 bytes is not part of it, and a decoder drops such a frame.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Digest, Table};

use crate::message::body::Message;
use crate::message::fields::Sink;

/// The most bytes an encoded frame has, both delimiters counted.
pub const MAX_FRAME: usize = 1024;

/// The byte before and after every frame; it stands nowhere inside one.
pub const DELIMITER: u8 = 0x00;

/// Bytes of version, type, seq and session.
pub const HEADER_LENGTH: usize = 1 + 1 + 2 + 4;

/// Bytes of the CRC.
pub const CRC_LENGTH: usize = 4;

/// The most bytes of a frame before COBS.
pub const MAX_RAW: usize = largest_raw();

/// The most bytes of a body. Whatever they are, the frame fits in [`MAX_FRAME`].
pub const MAX_BODY: usize = MAX_RAW - HEADER_LENGTH - CRC_LENGTH;

/// COBS adds one byte for every 254 begun.
const COBS_BLOCK: usize = 254;

const fn largest_raw() -> usize {
    let mut raw = MAX_FRAME;
    while encoded_length(raw) > MAX_FRAME {
        raw -= 1;
    }
    raw
}

/// The most bytes a frame of `raw` bytes has on the line, both delimiters counted.
pub const fn encoded_length(raw: usize) -> usize {
    1 + raw + raw.div_ceil(COBS_BLOCK) + 1
}

/// The most bytes that a frame with a body of `body` bytes has on the line.
pub const fn frame_length(body: usize) -> usize {
    encoded_length(HEADER_LENGTH + body + CRC_LENGTH)
}

const _: () = assert!(frame_length(MAX_BODY) <= MAX_FRAME);
const _: () = assert!(frame_length(MAX_BODY + 1) > MAX_FRAME);

/// CRC-32/ISO-HDLC, also called CRC-32 or the CRC of zlib; its check value is 0xcbf43926.
pub static CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A CRC that is being calculated.
pub type RunningCrc = Digest<'static, u32, Table<1>>;

/// Everything before a frame's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// By which version the body is read.
    pub version: u8,
    /// A request type, a reply type or [`crate::ids::ERROR_TYPE`].
    pub message_type: u8,
    /// Grows by one for each new request, the same in its reply.
    pub seq: u16,
    /// The session that the station opened.
    pub session: u32,
}

impl Header {
    /// The header of this request's reply.
    #[must_use]
    pub const fn reply(self, message_type: u8) -> Self {
        Self { message_type, ..self }
    }

    const fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let [s0, s1] = self.seq.to_le_bytes();
        let [n0, n1, n2, n3] = self.session.to_le_bytes();
        [self.version, self.message_type, s0, s1, n0, n1, n2, n3]
    }

    const fn from_bytes(bytes: [u8; HEADER_LENGTH]) -> Self {
        let [version, message_type, s0, s1, n0, n1, n2, n3] = bytes;
        let seq = u16::from_le_bytes([s0, s1]);
        Self { version, message_type, seq, session: u32::from_le_bytes([n0, n1, n2, n3]) }
    }
}

/// A frame whose CRC is right. Its body is not yet understood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Everything before the body.
    pub header: Header,
    /// The body, as many bytes as its message has.
    pub body: &'a [u8],
}

impl fmt::Debug for Frame<'_> {
    /// Leaves the body out: it may be a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.header, self.body.len())
    }
}

/// Why a message did not become a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The body would be longer than a frame allows.
    #[error("the body has {length} bytes, a frame carries at most {MAX_BODY}")]
    BodyTooLong {
        /// Bytes of the body.
        length: usize,
    },
    /// The caller's buffer is too small.
    #[error("the buffer has {room} bytes, too few for this frame")]
    BufferTooSmall {
        /// Bytes of the buffer.
        room: usize,
    },
}

/// Why bytes between two delimiters are not a frame. All are dropped in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A COBS block reaches beyond the end, or the form is not the one encoding.
    #[error("not a COBS sequence")]
    Cobs,
    /// Too few bytes for header and CRC, or more than a frame has.
    #[error("{length} bytes are no frame")]
    Length {
        /// Bytes after COBS.
        length: usize,
    },
    /// The CRC is wrong.
    #[error("wrong CRC")]
    Crc,
}

/// Writes `message` as a frame into `out` and says how many bytes it took.
///
/// Nothing of the body is written anywhere else. Where it fails, `out` may hold a part
/// of the frame; [`MAX_FRAME`] bytes are always enough.
pub fn encode(
    header: Header,
    message: &impl Message,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let length = message.body_length();
    if length > MAX_BODY {
        return Err(EncodeError::BodyTooLong { length });
    }
    let mut writer = FrameWriter::begin(out);
    writer.put(&header.to_bytes());
    message.write_body(&mut writer);
    writer.finish()
}

/// Reads the bytes between two delimiters as a frame, decoding them in place.
pub fn decode(between: &mut [u8]) -> Result<Frame<'_>, DecodeError> {
    let length = decode_in_place(between)?;
    view(&between[..length]).ok_or(DecodeError::Length { length })
}

/// Undoes COBS and checks length and CRC; how many bytes the frame has then.
pub(crate) fn decode_in_place(between: &mut [u8]) -> Result<usize, DecodeError> {
    let length = remove_stuffing(between).ok_or(DecodeError::Cobs)?;
    if !(HEADER_LENGTH + CRC_LENGTH..=MAX_RAW).contains(&length) {
        return Err(DecodeError::Length { length });
    }
    let (covered, crc) = between[..length].split_at(length - CRC_LENGTH);
    match CRC32.checksum(covered).to_le_bytes() == crc {
        true => Ok(length),
        false => Err(DecodeError::Crc),
    }
}

/// The parts of a frame that [`decode_in_place`] found sound.
pub(crate) fn view(raw: &[u8]) -> Option<Frame<'_>> {
    let (covered, _) = raw.split_last_chunk::<CRC_LENGTH>()?;
    let (header, body) = covered.split_first_chunk()?;
    Some(Frame { header: Header::from_bytes(*header), body })
}

/// Undoes COBS in place; the length that remains, or none if it is not the one encoding.
fn remove_stuffing(bytes: &mut [u8]) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    let mut after_full_block = false;
    while read < bytes.len() {
        let code = usize::from(bytes[read]);
        let end = read + code;
        let empty_tail = after_full_block && code == 1 && end == bytes.len();
        if code == 0 || end > bytes.len() || bytes[read + 1..end].contains(&0) || empty_tail {
            return None;
        }
        bytes.copy_within(read + 1..end, written);
        written += code - 1;
        after_full_block = code == COBS_BLOCK + 1;
        if !after_full_block && end < bytes.len() {
            bytes[written] = 0;
            written += 1;
        }
        read = end;
    }
    Some(written)
}

/// Stuffs bytes into the caller's buffer as they come and keeps the CRC.
struct FrameWriter<'o> {
    out: &'o mut [u8],
    used: usize,
    /// Where the code of the open block stands.
    code_at: usize,
    /// The code of the open block so far.
    code: u8,
    crc: RunningCrc,
}

impl<'o> FrameWriter<'o> {
    fn begin(out: &'o mut [u8]) -> Self {
        let mut writer = Self { out, used: 0, code_at: 0, code: 1, crc: CRC32.digest() };
        writer.place(DELIMITER);
        writer.open_block();
        writer
    }

    /// Counts a byte that has no room too, so that `finish` knows.
    fn place(&mut self, byte: u8) {
        if let Some(place) = self.out.get_mut(self.used) {
            *place = byte;
        }
        self.used += 1;
    }

    fn open_block(&mut self) {
        (self.code_at, self.code) = (self.used, 1);
        self.place(0);
    }

    fn close_block(&mut self) {
        if let Some(place) = self.out.get_mut(self.code_at) {
            *place = self.code;
        }
    }

    fn stuff(&mut self, byte: u8) {
        // A full block is closed only when another byte comes: a last one has no tail.
        if self.code == u8::MAX {
            self.close_block();
            self.open_block();
        }
        if byte == 0 {
            self.close_block();
            self.open_block();
        } else {
            self.place(byte);
            self.code += 1;
        }
    }

    fn finish(mut self) -> Result<usize, EncodeError> {
        for byte in self.crc.clone().finalize().to_le_bytes() {
            self.stuff(byte);
        }
        self.close_block();
        self.place(DELIMITER);
        match self.used <= self.out.len() {
            true => Ok(self.used),
            false => Err(EncodeError::BufferTooSmall { room: self.out.len() }),
        }
    }
}

impl Sink for FrameWriter<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        for byte in bytes {
            self.stuff(*byte);
        }
    }
}

#[cfg(test)]
mod tests;
