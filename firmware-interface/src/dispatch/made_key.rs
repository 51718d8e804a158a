//! A key that the device makes itself, and the signing request for it.
//!
//! The key lives in memory from `KEYGEN` to a successful commit, which stores it with the
//! slot's header; whatever else ends an attempt drops it. The request is PKCS #10 in DER
//! and is built in a buffer of its own: start with [`MadeKey::signing_request`].

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::traits::{Random, Signer, SignerError};
use crate::image::{KEY_LENGTH, PUBLIC_KEY_LENGTH};
use crate::message::{HardwareId, SIGNATURE_LENGTH};

/// How often a key is drawn: the first one is a key, but for once in four billion draws.
const DRAWS: u32 = 8;

/// Room for the longest signing request: a hardware id of 32 bytes, two long numbers.
pub(super) const REQUEST_ROOM: usize = 320;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The attributes, `[0]`; there are none.
const ATTRIBUTES: u8 = 0xa0;

/// OBJECT IDENTIFIER commonName.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

/// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING }, but for the key.
const KEY_START: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// SEQUENCE { ecdsa-with-SHA256 }.
const SIGNATURE_ALGORITHM: &[u8] =
    &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// The key that was made in this session.
pub(super) struct MadeKey {
    pub(super) number: u32,
    scalar: Zeroizing<[u8; KEY_LENGTH]>,
    pub(super) public_key: [u8; PUBLIC_KEY_LENGTH],
    /// Made once, so that the request's bytes stay the same.
    pub(super) signature: Option<[u8; SIGNATURE_LENGTH]>,
}

impl MadeKey {
    /// The private key, for the header of the slot that is committed.
    pub(super) fn scalar(&self) -> &[u8; KEY_LENGTH] {
        &self.scalar
    }

    pub(super) const fn public_key(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        &self.public_key
    }

    pub(super) fn draw(
        number: u32,
        signer: &mut impl Signer,
        random: &mut impl Random,
    ) -> Result<Self, SignerError> {
        let mut scalar = Zeroizing::new([0; KEY_LENGTH]);
        let mut outcome = Err(SignerError(0));
        for _ in 0..DRAWS {
            random.fill(scalar.as_mut_slice())?;
            outcome = signer.public_key(&scalar);
            if outcome.is_ok() {
                break;
            }
        }
        outcome.map(|public_key| Self { number, scalar, public_key, signature: None })
    }

    /// The request's bytes, which stand at the end of the buffer.
    pub(super) fn signing_request<'b>(
        &self,
        id: &HardwareId,
        signature: &[u8; SIGNATURE_LENGTH],
        room: &'b mut [u8; REQUEST_ROOM],
    ) -> &'b [u8] {
        let mut der = Der::new(room);
        der.signature(signature);
        der.put(SIGNATURE_ALGORITHM);
        der.request_info(id, &self.public_key);
        der.wrap(SEQUENCE, REQUEST_ROOM);
        der.finish()
    }

    pub(super) fn sign(
        &self,
        id: &HardwareId,
        signer: &mut impl Signer,
        random: &mut impl Random,
    ) -> Result<[u8; SIGNATURE_LENGTH], SignerError> {
        let mut room = [0; REQUEST_ROOM];
        let mut der = Der::new(&mut room);
        der.request_info(id, &self.public_key);
        let digest = Sha256::digest(der.finish()).into();
        signer.sign(&self.scalar, &digest, random)
    }
}

/// DER from its end to its start, so that each length is known when it is written.
struct Der<'b> {
    room: &'b mut [u8; REQUEST_ROOM],
    at: usize,
}

impl<'b> Der<'b> {
    const fn new(room: &'b mut [u8; REQUEST_ROOM]) -> Self {
        Self { room, at: REQUEST_ROOM }
    }

    fn finish(self) -> &'b [u8] {
        let Self { room, at } = self;
        &room[at..]
    }

    fn put(&mut self, bytes: &[u8]) {
        // REQUEST_ROOM holds the longest request; a test builds it.
        let start = self.at.saturating_sub(bytes.len());
        if let Some(place) = self.room.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.at = start;
    }

    /// Puts tag and length before what was written since `end`.
    fn wrap(&mut self, tag: u8, end: usize) {
        let length = end - self.at;
        let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        match length {
            0..0x80 => self.put(&[tag, low]),
            0x80..0x100 => self.put(&[tag, 0x81, low]),
            _ => self.put(&[tag, 0x82, high, low]),
        }
    }

    fn integer(&mut self, number: &[u8]) {
        let end = self.at;
        let last = number.len().saturating_sub(1);
        let zeros = number.iter().take(last).take_while(|byte| **byte == 0).count();
        let number = &number[zeros..];
        self.put(number);
        if number.first().is_some_and(|byte| byte & 0x80 != 0) {
            self.put(&[0]);
        }
        self.wrap(INTEGER, end);
    }

    fn signature(&mut self, signature: &[u8; SIGNATURE_LENGTH]) {
        let end = self.at;
        let (r, s) = signature.split_at(SIGNATURE_LENGTH / 2);
        self.integer(s);
        self.integer(r);
        self.wrap(SEQUENCE, end);
        // No unused bits.
        self.put(&[0]);
        self.wrap(BIT_STRING, end);
    }

    /// CertificationRequestInfo: what is signed.
    fn request_info(&mut self, id: &HardwareId, public_key: &[u8; PUBLIC_KEY_LENGTH]) {
        let end = self.at;
        self.wrap(ATTRIBUTES, end);
        self.put(public_key);
        self.put(KEY_START);
        self.name(id);
        self.put(&[INTEGER, 1, 0]);
        self.wrap(SEQUENCE, end);
    }

    fn name(&mut self, id: &HardwareId) {
        let digit = |number: u8| b"0123456789abcdef"[usize::from(number & 0x0f)];
        let end = self.at;
        for byte in id.as_bytes().iter().rev() {
            self.put(&[digit(byte >> 4), digit(*byte)]);
        }
        self.wrap(UTF8_STRING, end);
        self.put(COMMON_NAME);
        self.wrap(SEQUENCE, end);
        self.wrap(SET, end);
        self.wrap(SEQUENCE, end);
    }
}
