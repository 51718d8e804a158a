//! A few words with a device's firmware in its own process, without a line.
//!
//! The simulator uses it to give a device an identity before a station sees it, to see
//! what a device would have said, and to look into a flash file. It is no station: it
//! checks nothing.

use firmware_interface::codec::{self, Header, MAX_FRAME};
use firmware_interface::dispatch::REPLY_ROOM;
use firmware_interface::ids::{ObjectKind, RequestType};
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{
    Begin, Chunk, Commit, Identify, IdentifyReply, Message, Read, Reply, Request,
};
use firmware_interface::version;
use sha2::{Digest, Sha256};

use super::error::SimError;
use super::firmware::Firmware;
use super::preloaded::Preloaded;
use super::transcript::trimmed;

/// Small enough for every device.
const PIECE: usize = 64;

/// The session in which the simulator speaks; a station draws its own.
const SESSION: u32 = 0x5117_0001;

/// The type in the header of an encoded frame.
pub(crate) fn message_type(frame: &[u8]) -> Option<u8> {
    let mut between = trimmed(frame).to_vec();
    codec::decode(&mut between).ok().map(|frame| frame.header.message_type)
}

/// Asks one question; `take` is given the answer.
fn ask<T>(
    firmware: &mut Firmware,
    request: &Request<'_>,
    take: impl FnOnce(Reply<'_>) -> Option<T>,
) -> Option<T> {
    let header = Header {
        version: version::CURRENT,
        message_type: request.message_type(),
        seq: 0,
        session: SESSION,
    };
    let mut room = [0; MAX_FRAME];
    let length = codec::encode(header, request, &mut room).ok()?;
    let frame = codec::decode(&mut room[1..length - 1]).ok()?;
    let mut out = [0; REPLY_ROOM];
    let length = firmware.handle(&frame, &mut out).reply?;
    let reply = codec::decode(&mut out[1..length - 1]).ok()?;
    take(Reply::from_frame(&reply).ok()?)
}

/// Asks who it is. This opens a session and so ends a station's.
pub(crate) fn identify(firmware: &mut Firmware) -> Option<IdentifyReply> {
    let identify = Identify { min: version::MIN, max: version::CURRENT };
    ask(firmware, &Request::Identify(identify), |reply| match reply {
        Reply::Identify(reply) => Some(reply),
        _ => None,
    })
}

/// Gives it an identity.
pub(crate) fn provision(firmware: &mut Firmware, identity: &Preloaded) -> Result<(), SimError> {
    try_provision(firmware, identity).ok_or(SimError::Preload)
}

fn try_provision(firmware: &mut Firmware, identity: &Preloaded) -> Option<()> {
    provision_with(
        firmware,
        &[
            (ObjectKind::Key, &identity.key),
            (ObjectKind::ClientCertificate, &identity.certificate),
            (ObjectKind::CaChain, &identity.chain),
        ],
    )
}

/// Gives it these objects, the key first; those that are empty are none.
pub(crate) fn provision_with(
    firmware: &mut Firmware,
    objects: &[(ObjectKind, &[u8])],
) -> Option<()> {
    let (objects, image) = lay_out(objects)?;
    let digest = Sha256::digest(&image).into();
    identify(firmware)?;
    let wanted = |request: RequestType| {
        move |reply: Reply<'_>| (reply.answers() == Some(request)).then_some(())
    };
    let begin = Request::Begin(Begin { digest, objects });
    ask(firmware, &begin, wanted(RequestType::Begin))?;
    let key_length = usize::try_from(objects.key_length()).ok()?;
    let (key, rest) = image.split_at(key_length);
    let mut offset = 0;
    for data in std::iter::once(key).chain(rest.chunks(PIECE)) {
        let chunk = Request::Chunk(Chunk { offset, data });
        ask(firmware, &chunk, wanted(RequestType::Chunk))?;
        offset += u32::try_from(data.len()).ok()?;
    }
    ask(firmware, &Request::Commit(Commit { digest }), wanted(RequestType::Commit))
}

fn lay_out(objects: &[(ObjectKind, &[u8])]) -> Option<(ObjectTable, Vec<u8>)> {
    let mut objects = objects.to_vec();
    objects.retain(|(_, bytes)| !bytes.is_empty());
    let table: Option<Vec<Object>> = objects
        .iter()
        .map(|(kind, bytes)| Some(Object { kind: *kind, length: bytes.len().try_into().ok()? }))
        .collect();
    let image = objects.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    Some((ObjectTable::new(&table?).ok()?, image))
}

/// Reads one public object of the active identity, if it has it.
pub(crate) fn read_object(firmware: &mut Firmware, kind: ObjectKind) -> Option<Vec<u8>> {
    let mut object = Vec::new();
    loop {
        let offset = u32::try_from(object.len()).ok()?;
        let read = Request::Read(Read { kind, offset, max: u16::MAX });
        let total = ask(firmware, &read, |reply| match reply {
            Reply::Read(reply) => {
                object.extend_from_slice(reply.data);
                usize::try_from(reply.total).ok()
            }
            _ => None,
        })?;
        if object.len() >= total {
            return Some(object);
        }
    }
}
