//! How an image comes in: begin, chunks, commit.
//!
//! The image goes to the spare slot in order, and only a commit makes it active: by
//! writing the slot's header, last and at once. Until then the old identity stands.

use zeroize::Zeroizing;

use super::device::{Answer, Device};
use super::layout::SLOT_HEADER_LENGTH;
use super::made_key::MadeKey;
use super::refusal::{bad_length, refuse, unsupported};
use super::slot::{self, Active, SlotHeader};
use super::traits::{Clock, Random, Signer, Slot, Storage};
use super::transfer::Transfer;
use crate::ids::{Capabilities, ErrorCode, ObjectKind, RequestType};
use crate::image::{DIGEST_LENGTH, KEY_LENGTH, PUBLIC_KEY_LENGTH};
use crate::message::{Begin, BeginReply, Chunk, Commit, CommitReply, ErrorReply, Reply};

/// What a board reports when it has committed 2^32 - 1 times.
const GENERATIONS_USED_UP: u32 = u32::MAX;

impl<S: Storage, K: Signer, R: Random, C: Clock> Device<S, K, R, C> {
    /// Refuses what can't be taken before anything is erased.
    pub(super) fn begin(&mut self, begin: Begin) -> Answer<'static> {
        if self.locked {
            return Err(refuse(ErrorCode::Locked));
        }
        if begin.objects.place(ObjectKind::MadeKey).is_some() && self.made.is_none() {
            return Err(refuse(ErrorCode::NoKey));
        }
        let is_pkcs8 = begin.objects.place(ObjectKind::Pkcs8Key).is_some();
        if is_pkcs8 && !self.capabilities().has(Capabilities::PKCS8) {
            return Err(unsupported(RequestType::Begin));
        }
        let capacity = self.storage.capacity();
        if begin.objects.total() > capacity {
            return Err(ErrorReply::new(ErrorCode::TooLarge, capacity));
        }
        match &self.transfer {
            Some(transfer) if transfer.announced == begin => {}
            _ => self.start(begin)?,
        }
        let next = self.transfer.as_ref().map_or(0, |transfer| transfer.next);
        Ok(Reply::Begin(BeginReply { next }))
    }

    fn start(&mut self, begin: Begin) -> Result<(), ErrorReply> {
        self.transfer = None;
        let spare = self.spare();
        self.storage.erase(spare)?;
        self.transfer = Some(Transfer::new(begin));
        Ok(())
    }

    /// Writes what is next; whatever else comes is only answered.
    pub(super) fn chunk(&mut self, chunk: Chunk<'_>) -> Answer<'static> {
        if chunk.data.len() > usize::from(self.facts.max_chunk.bytes()) {
            return Err(bad_length(Chunk::DATA_AT + chunk.data.len()));
        }
        let spare = self.spare();
        let transfer = self.transfer.as_mut().ok_or(refuse(ErrorCode::NoTransfer))?;
        if chunk.offset == transfer.next {
            let end = transfer.end_of(chunk.data)?;
            if let Err(error) = self.storage.write(spare, chunk.offset, chunk.data) {
                // Bytes may be half written, and flash takes each only once.
                self.transfer = None;
                return Err(error.into());
            }
            transfer.crc.update(chunk.data);
            transfer.next = end;
        }
        Ok(Reply::Chunk(transfer.arrived()))
    }

    pub(super) fn commit(&mut self, commit: Commit) -> Answer<'static> {
        if self.locked {
            return Err(refuse(ErrorCode::Locked));
        }
        if let Some(active) = self.active.filter(|a| a.header.image.digest == commit.digest) {
            return self.commit_again(active);
        }
        let transfer = self.transfer.as_ref().ok_or(refuse(ErrorCode::NoTransfer))?;
        if transfer.next < transfer.total() {
            return Err(ErrorReply::new(ErrorCode::Incomplete, transfer.next));
        }
        if transfer.announced.digest != commit.digest {
            return Err(refuse(ErrorCode::WrongDigest));
        }
        let image = transfer.announced;
        // Whatever comes of it, this transfer is over.
        self.transfer = None;
        self.make_active(image).map(committed)
    }

    /// What is active was committed before, and its answer may have been lost.
    fn commit_again(&mut self, active: Active) -> Answer<'static> {
        let verified = slot::verify(&mut self.storage, active.slot, active.header);
        verified.map(committed).ok_or(refuse(ErrorCode::Corrupt))
    }

    fn make_active(&mut self, image: Begin) -> Result<Active, ErrorReply> {
        let spare = self.spare();
        let generation = slot::next_generation(&mut self.storage, self.active);
        let used_up = ErrorReply::new(ErrorCode::Storage, GENERATIONS_USED_UP);
        let header = SlotHeader { generation: generation.ok_or(used_up)?, image };
        let staged = slot::verify(&mut self.storage, spare, header);
        let staged = staged.ok_or(refuse(ErrorCode::Corrupt))?;
        self.is_the_made_key(spare, image)?;
        let written = self.write_header(spare, header);
        // Even a failed write may have reached storage: what a boot would find holds.
        self.active = match written {
            Ok(()) => Some(staged),
            Err(_) => slot::find_active(&mut self.storage),
        };
        match self.active {
            Some(active) if active == staged => {
                self.made = None;
                Ok(active)
            }
            _ => Err(written.err().unwrap_or(refuse(ErrorCode::Corrupt))),
        }
    }

    /// A made key in the image must be the one that was made; of other keys the device
    /// knows nothing.
    fn is_the_made_key(&mut self, slot: Slot, image: Begin) -> Result<(), ErrorReply> {
        if image.objects.place(ObjectKind::MadeKey).is_none() {
            return Ok(());
        }
        let mut stored = [0; PUBLIC_KEY_LENGTH];
        let read = self.storage.read(slot, 0, &mut stored);
        match &self.made {
            Some(made) if read.is_ok() && *made.public_key() == stored => Ok(()),
            _ => Err(refuse(ErrorCode::Corrupt)),
        }
    }

    // IRREVERSIBLE: the new identity replaces the old one; its image was verified before.
    fn write_header(&mut self, slot: Slot, header: SlotHeader) -> Result<(), ErrorReply> {
        let made_here = header.image.objects.place(ObjectKind::MadeKey).and(self.made.as_ref());
        let bytes = header.to_bytes(made_here.map_or(&[0; KEY_LENGTH], MadeKey::scalar));
        self.storage.write_header(slot, &bytes)?;
        let mut stored = Zeroizing::new([0; SLOT_HEADER_LENGTH]);
        self.storage.read_header(slot, &mut stored)?;
        if *stored == *bytes { Ok(()) } else { Err(refuse(ErrorCode::Corrupt)) }
    }
}

fn committed(active: Active) -> Reply<'static> {
    let digest: [u8; DIGEST_LENGTH] = active.header.image.digest;
    Reply::Commit(CommitReply { digest, generation: active.header.generation })
}
