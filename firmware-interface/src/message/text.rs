//! Short texts and the hardware id, held in place so that no message needs a heap.
//!
//! On the wire both are a length byte and that many bytes.

use core::fmt;

use super::fields::{BodyError, Fields, Sink};

/// The most characters of a model or a firmware version.
pub const MAX_NAME: usize = 32;

/// The most characters of a factory serial.
pub const MAX_SERIAL: usize = 64;

/// Why a text, or a hardware id, is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Too short or too long.
    #[error("{length} bytes, allowed are {min} to {max}")]
    Length {
        /// Bytes found.
        length: usize,
        /// The fewest allowed.
        min: usize,
        /// The most allowed.
        max: usize,
    },
    /// A byte that is no printable ASCII character.
    #[error("byte {position} is {byte:#04x}, allowed is printable ASCII")]
    Character {
        /// Counted from one.
        position: usize,
        /// The byte.
        byte: u8,
    },
}

/// Printable ASCII, space included, of at most `MAX` characters (at most 255).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortText<const MAX: usize> {
    bytes: [u8; MAX],
    length: u8,
}

impl<const MAX: usize> ShortText<MAX> {
    const FITS: () = assert!(MAX <= u8::MAX as usize, "the length is one byte");

    /// Takes a text of at least one character.
    pub fn new(text: &str) -> Result<Self, TextError> {
        Self::from_bytes(text.as_bytes(), 1)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Only printable ASCII ever comes in.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    fn from_bytes(text: &[u8], min: usize) -> Result<Self, TextError> {
        let () = Self::FITS;
        if !(min..=MAX).contains(&text.len()) {
            return Err(TextError::Length { length: text.len(), min, max: MAX });
        }
        if let Some(index) = text.iter().position(|b| !matches!(b, b' '..=b'~')) {
            return Err(TextError::Character { position: index + 1, byte: text[index] });
        }
        let mut bytes = [0; MAX];
        bytes[..text.len()].copy_from_slice(text);
        Ok(Self { bytes, length: text.len() as u8 })
    }

    /// Bytes on the wire, its length byte included.
    pub(crate) fn encoded_length(&self) -> usize {
        1 + usize::from(self.length)
    }

    pub(crate) fn write(&self, sink: &mut impl Sink) {
        sink.put_u8(self.length);
        sink.put(self.as_bytes());
    }

    pub(crate) fn parse(fields: &mut Fields<'_>, min: usize) -> Result<Self, BodyError> {
        let start = fields.offset();
        let length = usize::from(fields.u8()?);
        Self::from_bytes(fields.bytes(length)?, min).map_err(|_| BodyError::value(start))
    }
}

impl<const MAX: usize> fmt::Debug for ShortText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const MAX: usize> fmt::Display for ShortText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a device calls itself: 4 to 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HardwareId {
    bytes: [u8; Self::MAX],
    length: u8,
}

impl HardwareId {
    /// The fewest bytes.
    pub const MIN: usize = 4;

    /// The most bytes.
    pub const MAX: usize = 32;

    /// Takes 4 to 32 bytes.
    pub fn new(id: &[u8]) -> Result<Self, TextError> {
        if !(Self::MIN..=Self::MAX).contains(&id.len()) {
            return Err(TextError::Length { length: id.len(), min: Self::MIN, max: Self::MAX });
        }
        let mut bytes = [0; Self::MAX];
        bytes[..id.len()].copy_from_slice(id);
        Ok(Self { bytes, length: id.len() as u8 })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    pub(crate) fn encoded_length(&self) -> usize {
        1 + usize::from(self.length)
    }

    pub(crate) fn write(&self, sink: &mut impl Sink) {
        sink.put_u8(self.length);
        sink.put(self.as_bytes());
    }

    pub(crate) fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let start = fields.offset();
        let length = usize::from(fields.u8()?);
        Self::new(fields.bytes(length)?).map_err(|_| BodyError::value(start))
    }
}

impl fmt::Debug for HardwareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
