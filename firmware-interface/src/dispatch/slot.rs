//! How an identity stands in a slot: the header, and which slot wins at boot.
//!
//! The image is written first and its header last, so a slot is either complete or it
//! has no sound header. The newest slot whose header and image verify is active.
//! This is the reference layout; a board may store otherwise if its commit is atomic.

use core::ops::Range;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::layout::{COUNT_AT, CRC_AT, ENTRIES_AT, MADE_KEY_AT, MAGIC, SLOT_HEADER_LENGTH};
use super::traits::{Slot, Storage, StorageError};
use crate::codec::CRC32;
use crate::ids::ObjectKind;
use crate::image::{DIGEST_LENGTH, ENTRY_LENGTH, KEY_LENGTH, ObjectTable};
use crate::message::{Begin, Fields, Sink};

/// How much is read at a time where a whole object or image is hashed.
const READ_PIECE: usize = 64;

/// A header's bytes, which may hold a private key.
pub(super) type HeaderBytes = Zeroizing<[u8; SLOT_HEADER_LENGTH]>;

/// What stands in a slot, according to its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotHeader {
    /// Counts the commits of the device; the highest is the newest.
    pub(super) generation: u32,
    /// Digest and objects as they were announced.
    pub(super) image: Begin,
}

impl SlotHeader {
    /// The header with the scalar that was made for it, or with zeros.
    pub(super) fn to_bytes(self, made: &[u8; KEY_LENGTH]) -> HeaderBytes {
        let mut bytes = Zeroizing::new([0; SLOT_HEADER_LENGTH]);
        let mut sink = Front { bytes: &mut bytes, used: 0 };
        sink.put(&MAGIC);
        sink.put_u32(self.generation);
        sink.put(&self.image.digest);
        self.image.objects.write(&mut sink);
        bytes[MADE_KEY_AT..MADE_KEY_AT + KEY_LENGTH].copy_from_slice(made);
        let crc = CRC32.checksum(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header, if every byte of it is as [`Self::to_bytes`] writes it.
    pub(super) fn from_bytes(bytes: &[u8; SLOT_HEADER_LENGTH]) -> Option<Self> {
        let entries = usize::from(bytes[COUNT_AT]) * ENTRY_LENGTH;
        let mut fields = Fields::new(bytes.get(..ENTRIES_AT + entries)?);
        fields.bytes(MAGIC.len()).ok()?;
        let generation = fields.u32().ok()?;
        let digest = fields.array().ok()?;
        let objects = ObjectTable::parse(&mut fields).ok()?;
        let header = Self { generation, image: Begin { digest, objects } };
        let mut made = Zeroizing::new([0; KEY_LENGTH]);
        if objects.place(ObjectKind::MadeKey).is_some() {
            made.copy_from_slice(&bytes[MADE_KEY_AT..MADE_KEY_AT + KEY_LENGTH]);
        }
        Some(header).filter(|header| *header.to_bytes(&made) == *bytes)
    }
}

struct Front<'b> {
    bytes: &'b mut [u8; SLOT_HEADER_LENGTH],
    used: usize,
}

impl Sink for Front<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        if let Some(place) = self.bytes.get_mut(self.used..end) {
            place.copy_from_slice(bytes);
        }
        self.used = end;
    }
}

/// The identity that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Active {
    pub(super) slot: Slot,
    pub(super) header: SlotHeader,
    /// SHA-256 of the client certificate.
    pub(super) certificate: [u8; DIGEST_LENGTH],
}

/// The newest slot whose header and image verify.
pub(super) fn find_active(storage: &mut impl Storage) -> Option<Active> {
    let mut slots = Slot::ALL.map(|slot| (slot, read_header(storage, slot)));
    // Verifying reads a whole image, so the newer one comes first. Of two with the same
    // generation the first slot is newer: it takes the image where none was active.
    slots.sort_unstable_by_key(|(slot, header)| {
        (header.map(|header| header.generation), *slot == Slot::A)
    });
    slots.into_iter().rev().find_map(|(slot, header)| verify(storage, slot, header?))
}

/// The generation for the next commit: above the active one, whose header may be
/// unreadable just now, and every header that can be read, whether its image verifies or
/// not, so that no old identity ever comes back as the newer one.
pub(super) fn next_generation(storage: &mut impl Storage, active: Option<Active>) -> Option<u32> {
    let headers = Slot::ALL.map(|slot| read_header(storage, slot));
    let held = active.map(|active| active.header);
    let newest = headers.into_iter().chain([held]).flatten().map(|header| header.generation).max();
    newest.unwrap_or(0).checked_add(1)
}

fn read_header(storage: &mut impl Storage, slot: Slot) -> Option<SlotHeader> {
    let mut bytes = Zeroizing::new([0; SLOT_HEADER_LENGTH]);
    storage.read_header(slot, &mut bytes).ok()?;
    SlotHeader::from_bytes(&bytes)
}

/// The private key that was made on the device, as the slot's header has it now.
pub(super) fn read_made_key(
    storage: &mut impl Storage,
    slot: Slot,
    into: &mut [u8; KEY_LENGTH],
) -> Result<(), StorageError> {
    let mut bytes = Zeroizing::new([0; SLOT_HEADER_LENGTH]);
    storage.read_header(slot, &mut bytes)?;
    into.copy_from_slice(&bytes[MADE_KEY_AT..MADE_KEY_AT + KEY_LENGTH]);
    Ok(())
}

/// The identity in a slot, if what is read back is what its header says.
pub(super) fn verify(storage: &mut impl Storage, slot: Slot, header: SlotHeader) -> Option<Active> {
    let objects = &header.image.objects;
    if objects.total() > storage.capacity() {
        return None;
    }
    let certificate = objects.place(ObjectKind::ClientCertificate)?;
    let digest = hash(storage, slot, 0..objects.total()).ok()?;
    let certificate = hash(storage, slot, certificate).ok()?;
    (digest == header.image.digest).then_some(Active { slot, header, certificate })
}

/// SHA-256 of a part of a slot's image, as it is read back now.
pub(super) fn hash(
    storage: &mut impl Storage,
    slot: Slot,
    part: Range<u32>,
) -> Result<[u8; DIGEST_LENGTH], StorageError> {
    let mut hash = Sha256::new();
    // The key is among what is read.
    let mut piece = Zeroizing::new([0; READ_PIECE]);
    for offset in part.clone().step_by(READ_PIECE) {
        let left = usize::try_from(part.end - offset).unwrap_or(READ_PIECE);
        let piece = &mut piece[..left.min(READ_PIECE)];
        storage.read(slot, offset, piece)?;
        hash.update(piece);
    }
    Ok(hash.finalize().into())
}
