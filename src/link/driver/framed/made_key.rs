//! A key that the device makes: KEYGEN, and its signing request in pieces.
//!
//! The bytes are handed on as they come; whether they verify is for others to say.

use firmware_interface::ids::{KeyAlgorithm, RequestType};
use firmware_interface::message::{Csr, Keygen, ReadReply, Reply, Request};

use super::session::random_number;
use super::{Framed, answers};
use crate::domain::identity::SigningRequest;
use crate::domain::ids::PublicKey;
use crate::error::LinkError;

/// Longer than any signing request of the protocol: a name of 64 characters, one key.
const LONGEST_REQUEST: usize = 1024;

impl Framed {
    /// A new number each time: no key of an earlier attempt is taken for this one's.
    pub(super) fn request_key(&mut self) -> Result<SigningRequest, LinkError> {
        let keygen = Keygen { algorithm: KeyAlgorithm::P256, number: random_number()? };
        let received = self.ask(Request::Keygen(keygen))?;
        let Reply::Keygen(reply) = received.reply(RequestType::Keygen)? else {
            return Err(answers::wrong_type(RequestType::Keygen));
        };
        let public_key = PublicKey::from_bytes(&reply.public_key)
            .map_err(|error| answers::malformed(RequestType::Keygen, error.to_string()))?;
        Ok(SigningRequest { public_key, der: self.read_request()? })
    }

    fn read_request(&mut self) -> Result<Vec<u8>, LinkError> {
        let mut der = Vec::new();
        loop {
            let offset = u32::try_from(der.len()).unwrap_or(u32::MAX);
            let max = u16::try_from(ReadReply::MAX_DATA).unwrap_or(u16::MAX);
            let received = self.ask(Request::Csr(Csr { offset, max }))?;
            let Reply::Csr(part) = received.reply(RequestType::Csr)? else {
                return Err(answers::wrong_type(RequestType::Csr));
            };
            let part = ReadReply { total: part.total, data: part.data };
            if answers::is_whole(RequestType::Csr, part, &mut der, LONGEST_REQUEST)? {
                return Ok(der);
            }
        }
    }
}
