//! The requests that carry no image: prove, finish, abort, erase, read.

use zeroize::Zeroizing;

use super::device::{Answer, Device, READ_ROOM};
use super::refusal::{refuse, unsupported};
use super::slot::{self, Active};
use super::traits::{Clock, Random, Signer, Slot, Storage, StorageError};
use crate::ids::{Capabilities, ErrorCode, ObjectKind, RequestType};
use crate::image::{KEY_LENGTH, ObjectTable, PKCS8_SCALAR_AT};
use crate::message::{ErrorReply, Finish, FinishReply, Prove, ProveReply, Read, ReadReply, Reply};
use crate::prove::ProveText;

impl<S: Storage, K: Signer, R: Random, C: Clock> Device<S, K, R, C> {
    /// The slot that holds no active identity.
    pub(super) fn spare(&self) -> Slot {
        self.active.map_or(Slot::A, |active| active.slot.other())
    }

    pub(super) fn held(&self) -> Result<Active, ErrorReply> {
        self.active.ok_or(refuse(ErrorCode::NoIdentity))
    }

    /// Signs over what storage holds now, not over what was found at the boot.
    pub(super) fn prove(&mut self, prove: Prove) -> Answer<'static> {
        let Active { slot, header, .. } = self.held()?;
        let objects = header.image.objects;
        let certificate = objects.place(ObjectKind::ClientCertificate);
        let certificate = certificate.ok_or(refuse(ErrorCode::NoIdentity))?;
        let text = ProveText {
            nonce: prove.nonce,
            hardware_id: self.facts.hardware_id,
            image: slot::hash(&mut self.storage, slot, 0..objects.total())?,
            certificate: slot::hash(&mut self.storage, slot, certificate)?,
        };
        let mut scalar = Zeroizing::new([0; KEY_LENGTH]);
        match objects.place(ObjectKind::MadeKey) {
            Some(_) => slot::read_made_key(&mut self.storage, slot, &mut scalar)?,
            None => self.storage.read(slot, scalar_at(&objects), scalar.as_mut_slice())?,
        }
        let signature = self.signer.sign(&scalar, &text.digest(), &mut self.random)?;
        Ok(Reply::Prove(ProveReply { signature }))
    }

    /// Wipes the spare slot first: a locked device never holds an old key.
    pub(super) fn finish(&mut self, finish: Finish) -> Answer<'static> {
        if finish.lock {
            self.may_lock()?;
        }
        self.wipe_spare()?;
        if finish.lock {
            let outcome = self.storage.lock();
            self.locked = outcome.is_ok() || self.storage.is_locked().unwrap_or(true);
            outcome?;
        }
        Ok(Reply::Finish(FinishReply { lifecycle: self.lifecycle() }))
    }

    fn may_lock(&self) -> Result<(), ErrorReply> {
        if !self.capabilities().has(Capabilities::LOCK) {
            return Err(unsupported(RequestType::Finish));
        }
        self.held().map(|_| ())
    }

    pub(super) fn abort(&mut self) -> Answer<'static> {
        self.wipe_spare()?;
        Ok(Reply::Abort)
    }

    fn wipe_spare(&mut self) -> Result<(), StorageError> {
        self.transfer = None;
        self.made = None;
        let spare = self.spare();
        self.storage.erase(spare)
    }

    /// Wipes the spare slot first, so that a cut never brings an older identity back.
    pub(super) fn erase(&mut self) -> Answer<'static> {
        if self.locked {
            return Err(refuse(ErrorCode::Locked));
        }
        self.wipe_spare()?;
        let erased = self.storage.erase(self.spare().other());
        self.active = slot::find_active(&mut self.storage);
        erased?;
        Ok(Reply::Erase)
    }

    pub(super) fn read<'b>(&mut self, read: Read, room: &'b mut [u8; READ_ROOM]) -> Answer<'b> {
        let kind = u32::from(read.kind.to_wire());
        if matches!(read.kind, ObjectKind::Key | ObjectKind::Pkcs8Key) {
            return Err(ErrorReply::new(ErrorCode::Secret, kind));
        }
        let Active { slot, header, .. } = self.held()?;
        let place = header.image.objects.place(read.kind);
        let place = place.ok_or(ErrorReply::new(ErrorCode::NoObject, kind))?;
        let total = place.end - place.start;
        let left = usize::try_from(total.saturating_sub(read.offset)).unwrap_or(READ_ROOM);
        let data = &mut room[..left.min(usize::from(read.max)).min(READ_ROOM)];
        if !data.is_empty() {
            self.storage.read(slot, place.start + read.offset, data)?;
        }
        Ok(Reply::Read(ReadReply { total, data }))
    }
}

/// Where in an image the scalar of a private key stands that the station made.
fn scalar_at(objects: &ObjectTable) -> u32 {
    let in_document = objects.place(ObjectKind::Pkcs8Key).is_some();
    if in_document { PKCS8_SCALAR_AT as u32 } else { 0 }
}
