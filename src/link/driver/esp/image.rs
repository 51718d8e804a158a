//! What is written into the partition, without the private key.
//!
//! The public part fills whole sectors from the partition's beginning; the key stands alone in
//! the sector behind, and ones follow to the partition's end. So the key can be written first,
//! while no reader finds anything, and the public part, which makes it count, at the commit.

use md5::{Digest, Md5};

use super::loader::{BLOCK, SECTOR};
use super::parts::{KEY_LENGTH, Parts, RECORD_LENGTH, Record, write_key};
use super::table::Place;
use super::{nvs, tlv};
use crate::domain::esp::{EspForm, EspPlace};
use crate::domain::identity::Identity;
use crate::domain::ids::ImageDigest;
use crate::domain::lender::KeyLender;
use crate::error::LinkError;

/// An image for one partition.
pub(super) struct Composed {
    identity: Identity,
    place: Place,
    wanted: EspPlace,
    parts: Parts,
    record: Record,
    front: Vec<u8>,
}

/// Lent memory for the key's own bytes, in either form.
const KEY_ROOM: usize = 512;

/// What is done with the beginning of the key's sector, and memory to do it in.
type Use<'u> = &'u mut dyn FnMut(&[u8], &mut [u8]) -> Result<(), LinkError>;

impl Composed {
    pub(super) fn new(
        identity: &Identity,
        image: ImageDigest,
        keys: &dyn KeyLender,
        place: Place,
        wanted: &EspPlace,
    ) -> Result<Self, LinkError> {
        let parts = Parts::of(identity)?;
        let record = Record { key_at: 0, image, key_digest: [0; 16] };
        let mut composed = Self {
            identity: identity.clone(),
            place,
            wanted: wanted.clone(),
            parts,
            record,
            front: Vec::new(),
        };
        // The record has the same length whatever it says.
        composed.record.key_at = u32::try_from(composed.public()?.len()).unwrap_or(u32::MAX);
        let needs = u64::from(composed.record.key_at) + u64::from(SECTOR);
        if needs > u64::from(place.size) {
            return Err(LinkError::Capacity { needs, has: place.size.into() });
        }
        composed.record.key_digest = composed.key_digest_of(keys)?;
        composed.front = composed.public()?;
        Ok(composed)
    }

    pub(super) fn is_of(&self, identity: &Identity, place: Place) -> bool {
        self.identity == *identity && self.place == place
    }

    pub(super) const fn image(&self) -> ImageDigest {
        self.record.image
    }

    /// The public sectors.
    pub(super) fn front(&self) -> &[u8] {
        &self.front
    }

    /// Where the key's sector begins, and how much there is from it to the end.
    pub(super) const fn key_place(&self) -> Place {
        let Record { key_at, .. } = self.record;
        Place { at: self.place.at + key_at, size: self.place.size - key_at }
    }

    /// MD5 of everything from the key's sector on.
    pub(super) const fn key_digest(&self) -> [u8; 16] {
        self.record.key_digest
    }

    /// Bytes of everything that is written.
    pub(super) fn total(&self) -> u32 {
        self.record.key_at + BLOCK as u32
    }

    fn public(&self) -> Result<Vec<u8>, LinkError> {
        let long = || LinkError::Unfit { part: "the identity", why: "it is too long".to_owned() };
        let Self { parts, wanted, .. } = self;
        let record = parts.record(&self.record);
        debug_assert_eq!(record.len(), RECORD_LENGTH);
        match wanted.form {
            EspForm::Tlv => {
                let mut front = Vec::new();
                let entries: [(tlv::Kind, &[u8]); 5] = [
                    (tlv::Kind::Ca, &parts.ca),
                    (tlv::Kind::Certificate, &parts.certificate),
                    (tlv::Kind::Uri, &parts.uri),
                    (tlv::Kind::ClientId, &parts.client_id),
                    (tlv::Kind::Record, &record),
                ];
                for (kind, data) in entries {
                    tlv::push(kind, data, &mut front).ok_or_else(long)?;
                }
                tlv::fill(&mut front, SECTOR as usize).ok_or_else(long)?;
                Ok(front)
            }
            EspForm::Nvs => {
                let keys = &wanted.keys;
                let values = [
                    nvs::Value::Text(&keys.ca, &parts.ca),
                    nvs::Value::Text(&keys.certificate, &parts.certificate),
                    nvs::Value::Text(&keys.uri, &parts.uri),
                    nvs::Value::Text(&keys.client_id, &parts.client_id),
                    nvs::Value::Blob(&keys.record, &record),
                ];
                nvs::public_pages(&wanted.namespace, &values).ok_or_else(long)
            }
        }
    }

    /// Lends the beginning of the key's sector, up to where only ones follow.
    pub(super) fn lend_key(&self, keys: &dyn KeyLender, work: Use<'_>) -> Result<(), LinkError> {
        let why = "the lender gives too little memory".to_owned();
        let mut outcome = Err(LinkError::Unfit { part: "the key", why });
        keys.lend(self.parts.key, &mut |scalar, scratch| {
            let Some((room, rest)) = scratch.split_at_mut_checked(KEY_ROOM) else { return };
            let Some((der, room)) = room.split_at_mut_checked(KEY_LENGTH) else { return };
            let Some(der) = write_key(scalar, &self.parts.point, der) else { return };
            let length = match self.wanted.form {
                EspForm::Tlv => tlv::write(tlv::Kind::Key, der, room),
                EspForm::Nvs => {
                    let pages = self.record.key_at / SECTOR;
                    nvs::write_key_page(pages, &self.wanted.keys.key, der, room)
                }
            };
            if let Some(begin) = length.and_then(|length| room.get(..length)) {
                outcome = work(begin, rest);
            }
        })
        .map_err(LinkError::Key)?;
        outcome
    }

    fn key_digest_of(&self, keys: &dyn KeyLender) -> Result<[u8; 16], LinkError> {
        let (size, mut digest) = (self.key_place().size as usize, [0; 16]);
        self.lend_key(keys, &mut |begin, _| {
            let mut sum = Md5::new_with_prefix(begin);
            sum.update(vec![0xff; size - begin.len()]);
            digest = sum.finalize().into();
            Ok(())
        })?;
        Ok(digest)
    }
}

/// MD5 of so many ones.
pub(super) fn digest_of_ones(size: u32) -> [u8; 16] {
    Md5::digest(vec![0xff; size as usize]).into()
}
