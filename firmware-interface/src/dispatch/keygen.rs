//! The requests about a key that the device makes: the key, and what is signed for it.

use super::device::{Answer, Device, READ_ROOM};
use super::made_key::{MadeKey, REQUEST_ROOM};
use super::refusal::refuse;
use super::traits::{Clock, Random, Signer, Storage};
use crate::ids::ErrorCode;
use crate::message::{Csr, CsrReply, Keygen, KeygenReply, Reply};

impl<S: Storage, K: Signer, R: Random, C: Clock> Device<S, K, R, C> {
    /// The same number in a session answers the same key again; another one drops it.
    pub(super) fn keygen(&mut self, keygen: Keygen) -> Answer<'static> {
        if self.locked {
            return Err(refuse(ErrorCode::Locked));
        }
        let made = match self.made.take().filter(|made| made.number == keygen.number) {
            Some(made) => made,
            None => MadeKey::draw(keygen.number, &mut self.signer, &mut self.random)?,
        };
        let public_key = made.public_key;
        self.made = Some(made);
        Ok(Reply::Keygen(KeygenReply { public_key }))
    }

    pub(super) fn csr<'b>(&mut self, csr: Csr, room: &'b mut [u8; READ_ROOM]) -> Answer<'b> {
        let id = self.facts.hardware_id;
        let made = self.made.as_mut().ok_or(refuse(ErrorCode::NoKey))?;
        let signature = match made.signature {
            Some(signature) => signature,
            None => made.sign(&id, &mut self.signer, &mut self.random)?,
        };
        made.signature = Some(signature);
        let mut whole = [0; REQUEST_ROOM];
        let request = made.signing_request(&id, &signature, &mut whole);
        let from = usize::try_from(csr.offset).unwrap_or(usize::MAX).min(request.len());
        let rest = &request[from..];
        let data = &mut room[..rest.len().min(usize::from(csr.max)).min(READ_ROOM)];
        data.copy_from_slice(&rest[..data.len()]);
        // At most REQUEST_ROOM.
        let total = request.len() as u32;
        Ok(Reply::Csr(CsrReply { total, data }))
    }
}
