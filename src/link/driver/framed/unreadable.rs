//! Why an answer does not fit its layout, in the words of the protocol's page.
//!
//! The parser says where a field is wrong; here it gets its name, what stands there and what
//! may. Whatever a device wrote as text is not repeated.

use firmware_interface::ids::RequestType;
use firmware_interface::message::{
    BodyError, ChunkLimit, HardwareId, IdentifyReply, MAX_NAME, MAX_SERIAL, Reply, Window,
};

use crate::domain::ids;

/// The offset of the first text in an answer to IDENTIFY.
const TEXTS: usize = 92;

/// The fewest bytes that an answer to IDENTIFY has.
const SHORTEST_IDENTIFY: usize = 102;

/// A sentence about `error` in the answer to `request`.
pub(super) fn why(request: RequestType, body: &[u8], error: BodyError) -> String {
    match (request, error) {
        (_, BodyError::Length { length }) => wrong_length(request, length),
        (RequestType::Identify, BodyError::Value { offset }) => identify(body, offset),
        (RequestType::Finish, BodyError::Value { offset: 0 }) => lifecycle(body, 0),
        (_, BodyError::Value { .. }) => error.to_string(),
    }
}

/// Whom an answer to IDENTIFY is from, where its texts stand in their places.
pub(super) fn hardware_id(body: &[u8]) -> Option<ids::HardwareId> {
    let (model, rest) = body.get(TEXTS..)?.split_first()?;
    let (length, rest) = rest.get(usize::from(*model)..)?.split_first()?;
    ids::HardwareId::from_bytes(rest.get(..usize::from(*length))?).ok()
}

fn wrong_length(request: RequestType, length: usize) -> String {
    let most = match request {
        RequestType::Begin => 4,
        RequestType::Finish => 1,
        RequestType::Restart | RequestType::Abort | RequestType::Erase => 0,
        other => Reply::longest_body(other),
    };
    let allowed = match request {
        RequestType::Identify => format!("{SHORTEST_IDENTIFY} to {}", IdentifyReply::MAX_SIZE),
        RequestType::Read | RequestType::Csr => format!("4 to {most}"),
        _ => most.to_string(),
    };
    match request {
        RequestType::Identify if (SHORTEST_IDENTIFY..=most).contains(&length) => {
            format!("its body has {length} bytes, and its four texts don't end there")
        }
        _ => format!("its body has {length} bytes, its layout {allowed}"),
    }
}

fn identify(body: &[u8], offset: usize) -> String {
    match offset {
        1 => lifecycle(body, 1),
        3 => number("window", u8_at(body, 3), 1, Window::MAX.into()),
        16 => {
            let (least, most) = (ChunkLimit::MIN.bytes(), ChunkLimit::MAX.bytes());
            number("max chunk", u16_at(body, 16), least.into(), most.into())
        }
        _ => text(body, offset),
    }
}

fn lifecycle(body: &[u8], at: usize) -> String {
    number("lifecycle", u8_at(body, at), 0, 3)
}

fn number(name: &str, found: u32, least: u32, most: u32) -> String {
    format!("{name} is {found}, allowed are {least} to {most}")
}

/// Which of the four texts begins there, and what is wrong with it.
fn text(body: &[u8], offset: usize) -> String {
    let limits = [
        ("model", 1, MAX_NAME),
        ("hardware id", HardwareId::MIN, HardwareId::MAX),
        ("firmware", 1, MAX_NAME),
        ("factory serial", 0, MAX_SERIAL),
    ];
    let mut at = TEXTS;
    for (name, least, most) in limits {
        let length = usize::from(body.get(at).copied().unwrap_or_default());
        if at == offset && !(least..=most).contains(&length) {
            return format!("{name} has {length} bytes, allowed are {least} to {most}");
        }
        if at == offset {
            return format!("{name} has a character that is not printable ASCII");
        }
        at += 1 + length;
    }
    format!("the field at offset {offset} has a value that is not allowed")
}

fn u8_at(body: &[u8], at: usize) -> u32 {
    body.get(at).copied().unwrap_or_default().into()
}

fn u16_at(body: &[u8], at: usize) -> u32 {
    let low_high = body.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
    low_high.map(u16::from_le_bytes).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
