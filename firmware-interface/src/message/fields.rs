//! Reading and writing the fields of a body.
//!
//! A [`Fields`] never reads beyond the body and never allocates; [`Sink`] is where a
//! body is written, so that a frame is made where the caller wants it.

/// Why a body is not what its type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer or shorter than its layout.
    #[error("a body of {length} bytes does not fit its layout")]
    Length {
        /// Bytes of the body.
        length: usize,
    },
    /// A field has a value that is not allowed.
    #[error("the field at offset {offset} has a value that is not allowed")]
    Value {
        /// Where in the body the field begins.
        offset: usize,
    },
}

impl BodyError {
    /// The field at `offset` has a value that is not allowed.
    pub const fn value(offset: usize) -> Self {
        Self::Value { offset }
    }
}

/// Reads a body field by field, from the front.
#[derive(Clone)]
pub struct Fields<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// Begins with the first field.
    pub const fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    /// Where the next field begins.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], BodyError> {
        let rest = self.body.get(self.at..).and_then(|rest| rest.get(..length));
        let bytes = rest.ok_or(self.wrong_length())?;
        self.at += length;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BodyError> {
        let wrong = self.wrong_length();
        self.bytes(N)?.try_into().map_err(|_| wrong)
    }

    /// An 8-bit number.
    pub fn u8(&mut self) -> Result<u8, BodyError> {
        self.array().map(u8::from_le_bytes)
    }

    /// A 16-bit number.
    pub fn u16(&mut self) -> Result<u16, BodyError> {
        self.array().map(u16::from_le_bytes)
    }

    /// A 32-bit number.
    pub fn u32(&mut self) -> Result<u32, BodyError> {
        self.array().map(u32::from_le_bytes)
    }

    /// All that is left, at least one byte.
    pub fn rest(&mut self) -> Result<&'a [u8], BodyError> {
        match self.body.len() - self.at {
            0 => Err(self.wrong_length()),
            left => self.bytes(left),
        }
    }

    /// All that is left, which may be nothing.
    pub fn remainder(&mut self) -> Result<&'a [u8], BodyError> {
        self.bytes(self.body.len() - self.at)
    }

    /// Makes sure that nothing is left.
    pub fn end(&self) -> Result<(), BodyError> {
        if self.at == self.body.len() { Ok(()) } else { Err(self.wrong_length()) }
    }

    const fn wrong_length(&self) -> BodyError {
        BodyError::Length { length: self.body.len() }
    }
}

/// Where a body is written.
pub trait Sink {
    /// Takes bytes.
    fn put(&mut self, bytes: &[u8]);

    /// An 8-bit number.
    fn put_u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    /// A 16-bit number.
    fn put_u16(&mut self, number: u16) {
        self.put(&number.to_le_bytes());
    }

    /// A 32-bit number.
    fn put_u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }
}

#[cfg(test)]
impl Sink for std::vec::Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
