//! What a board brings: storage, a signer, random bytes and a clock.
//!
//! These four are all that [`super::Device`] needs of the hardware. A board that
//! implements them has the whole protocol.

use crate::image::{DIGEST_LENGTH, KEY_LENGTH, PUBLIC_KEY_LENGTH};
use crate::message::SIGNATURE_LENGTH;

use super::layout::SLOT_HEADER_LENGTH;

/// One of the two places for an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Storage could not do what it was asked; the number is the board's own and reaches
/// the station as the detail of `STORAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("storage failed with {0:#x}")]
pub struct StorageError(pub u32);

/// The key could not be used; the number reaches the station as the detail of `SIGNER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signer failed with {0:#x}")]
pub struct SignerError(pub u32);

/// Two slots that outlive a power cut, and a lock that can't be undone.
///
/// Each slot has an area for an image and one for a header. A call returns when what it
/// did is durable. A cut in the middle of a call may leave anything in the area that it
/// was writing or erasing, and must leave every other area as it was.
pub trait Storage {
    /// Bytes of the image area of one slot.
    fn capacity(&self) -> u32;

    /// Erases one slot: its header first, then its image.
    fn erase(&mut self, slot: Slot) -> Result<(), StorageError>;

    /// Writes into the erased image area of a slot, each byte at most once.
    ///
    /// Calls come in order and without gaps. A board whose flash is programmed in larger
    /// units may hold the rest of a unit back until the next call that is not a `write`.
    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError>;

    /// Reads from the image area of a slot.
    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError>;

    /// Writes the erased header of a slot.
    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError>;

    /// Reads the header of a slot, erased or not.
    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError>;

    /// Whether the lock is set. A lock that was cut short counts as set.
    fn is_locked(&mut self) -> Result<bool, StorageError>;

    /// Sets the lock, for ever. Setting it again changes nothing.
    fn lock(&mut self) -> Result<(), StorageError>;
}

/// Random bytes fit for keys and signatures.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), SignerError>;
}

/// ECDSA on P-256.
pub trait Signer {
    /// Signs a SHA-256 digest with a scalar (big-endian, as storage holds it), answering
    /// `r ‖ s`. A scalar that is no key is an error. The scalar must not be kept.
    fn sign(
        &mut self,
        scalar: &[u8; KEY_LENGTH],
        digest: &[u8; DIGEST_LENGTH],
        random: &mut dyn Random,
    ) -> Result<[u8; SIGNATURE_LENGTH], SignerError>;

    /// The public key `04 ‖ x ‖ y` of a scalar that was drawn; an error where it is no key.
    ///
    /// Only a board that offers `KEYGEN` is asked.
    fn public_key(
        &mut self,
        scalar: &[u8; KEY_LENGTH],
    ) -> Result<[u8; PUBLIC_KEY_LENGTH], SignerError> {
        let _ = scalar;
        Err(SignerError(0))
    }
}

/// A clock that only goes forward, for measuring how long the device works.
pub trait Clock {
    /// Milliseconds since any moment; wraps.
    fn milliseconds(&mut self) -> u32;
}
