//! Replies in the words of the domain, and refusals as errors.

use firmware_interface::ids::{Capabilities, ErrorCode, Lifecycle, RequestType, SecurityFlags};
use firmware_interface::message::{ErrorReply, IdentifyReply, ReadReply};
use firmware_interface::version;

use crate::domain::certificate::Proof;
use crate::domain::device::{Held, Security, Seen, ToldBy};
use crate::domain::identity::Challenge;
use crate::domain::ids::{Fingerprint, HardwareId, ImageDigest};
use crate::error::LinkError;

/// The first bytes of every text that PROVE has signed.
const PROVE_CONTEXT: &[u8] = b"provisioning-station prove v1\0";

/// What a device said, checked as far as it can be without knowing the unit.
pub(super) fn seen(reply: &IdentifyReply) -> Result<Seen, LinkError> {
    let hardware = HardwareId::from_bytes(reply.hardware_id.as_bytes());
    Ok(Seen {
        hardware: hardware.map_err(LinkError::HardwareId)?,
        told_by: ToldBy::HardwareId,
        model: reply.model.to_string(),
        firmware: reply.firmware.to_string(),
        factory_serial: reply.factory_serial.map(|serial| serial.to_string()),
        holds: held(reply),
        locked: reply.lifecycle == Lifecycle::Locked,
        security: security(reply.security),
        best_proof: best_proof(reply.capabilities),
        makes_keys: reply.capabilities.has(Capabilities::KEYGEN),
        can_lock: reply.capabilities.has(Capabilities::LOCK),
    })
}

/// Whether an answer to IDENTIFY agrees with itself, and with the one before in the same
/// session where there was one.
pub(super) fn check(
    reply: &IdentifyReply,
    before: Option<&IdentifyReply>,
) -> Result<(), LinkError> {
    let wrong = |why: &str| Err(malformed(RequestType::Identify, why));
    let names_certificate = reply.certificate != [0; 32];
    match (reply.holds_identity(), names_certificate, reply.lifecycle) {
        (true, false, _) => return wrong("it names an image and no certificate"),
        (false, true, _) => return wrong("it names a certificate and no image"),
        (true, _, Lifecycle::Blank) => return wrong("it is blank and names an image"),
        (false, _, Lifecycle::Provisioned) => return wrong("it is provisioned and names no image"),
        (_, _, Lifecycle::Staged) if before.is_none() => {
            return wrong("it is staged in a session that has just begun");
        }
        _ => {}
    }
    match before.filter(|before| before.hardware_id == reply.hardware_id) {
        Some(before) if ![0, before.replaced].contains(&reply.replaced) => wrong(&format!(
            "in one session it replaced session {:#010x} and then {:#010x}",
            before.replaced, reply.replaced
        )),
        _ => Ok(()),
    }
}

/// Holds a lifecycle against the one that must follow.
pub(super) fn is_still(
    request: &'static str,
    said: Lifecycle,
    expected: Lifecycle,
) -> Result<(), LinkError> {
    let named = |lifecycle: Lifecycle| format!("that it is {lifecycle}");
    match said == expected {
        true => Ok(()),
        false => {
            Err(LinkError::Contradiction { request, said: named(said), expected: named(expected) })
        }
    }
}

/// Takes one part of an object that is read in parts; whether it is whole now.
pub(super) fn is_whole(
    request: RequestType,
    part: ReadReply<'_>,
    object: &mut Vec<u8>,
    longest: usize,
) -> Result<bool, LinkError> {
    let total = usize::try_from(part.total).unwrap_or(usize::MAX);
    let length = object.len() + part.data.len();
    if total > longest || length > total {
        let why = format!("an object of {total} bytes, of which {length} came");
        return Err(malformed(request, why));
    }
    object.extend_from_slice(part.data);
    if part.data.is_empty() && length < total {
        return Err(malformed(request, format!("nothing follows byte {length} of {total}")));
    }
    Ok(length == total)
}

pub(super) fn held(reply: &IdentifyReply) -> Option<Held> {
    reply.holds_identity().then(|| Held {
        certificate: Fingerprint::new(reply.certificate),
        image: ImageDigest::new(reply.image),
    })
}

fn security(flags: SecurityFlags) -> Security {
    Security {
        secure_boot: flags.has(SecurityFlags::SECURE_BOOT),
        readout_protection: flags.has(SecurityFlags::READOUT_PROTECTION),
        flash_encryption: flags.has(SecurityFlags::FLASH_ENCRYPTION),
    }
}

fn best_proof(capabilities: Capabilities) -> Proof {
    match (capabilities.has(Capabilities::PROVE), capabilities.has(Capabilities::READ)) {
        (true, _) => Proof::Possession,
        (false, true) => Proof::ReadBack,
        (false, false) => Proof::None,
    }
}

/// The text that must have been signed, from the station's own records alone.
pub(super) fn prove_text(challenge: &Challenge) -> Vec<u8> {
    let hardware = challenge.hardware.as_bytes();
    let mut text = PROVE_CONTEXT.to_vec();
    text.extend_from_slice(&challenge.nonce);
    // A hardware id has at most 32 bytes.
    text.push(u8::try_from(hardware.len()).unwrap_or(u8::MAX));
    text.extend_from_slice(hardware);
    text.extend_from_slice(challenge.image.as_bytes());
    text.extend_from_slice(challenge.certificate.as_bytes());
    text
}

/// The error that an ERROR reply is.
pub(super) fn refusal(request: RequestType, reply: ErrorReply) -> LinkError {
    let request = request.name();
    match reply.known() {
        Some(ErrorCode::Locked) => LinkError::Locked { request },
        Some(ErrorCode::BadVersion) if !station_speaks(reply.detail) => versions_of(reply.detail),
        known => LinkError::Refused {
            request,
            error: known.map_or_else(|| format!("error {:#06x}", reply.code), |e| e.to_string()),
            detail: reply.detail,
        },
    }
}

/// Whether a refused version is one of those that the device says it speaks.
fn station_speaks(detail: u32) -> bool {
    let [lowest, highest, ..] = detail.to_le_bytes();
    lowest <= version::CURRENT && version::MIN <= highest
}

fn versions_of(detail: u32) -> LinkError {
    let [lowest, highest, ..] = detail.to_le_bytes();
    version_error(format!("{lowest} to {highest}"))
}

/// The device's choice, if the station speaks it.
pub(super) fn check_version(chosen: u8) -> Result<u8, LinkError> {
    match chosen {
        version::MIN..=version::CURRENT => Ok(chosen),
        other => Err(version_error(other.to_string())),
    }
}

fn version_error(device: String) -> LinkError {
    LinkError::Version { device, station: format!("{} to {}", version::MIN, version::CURRENT) }
}

pub(super) fn is_refusal(error: &LinkError, code: ErrorCode) -> bool {
    matches!(error, LinkError::Refused { error, .. } if error == code.name())
}

/// Whether the device no longer knows the session: it restarted, or another one began.
pub(super) fn is_lost_session(error: &LinkError) -> bool {
    is_refusal(error, ErrorCode::NoSession)
}

pub(super) fn malformed(request: RequestType, why: impl Into<String>) -> LinkError {
    LinkError::Malformed { request: request.name(), why: why.into() }
}

/// An answer to something else, under the numbers of what was asked.
pub(super) fn other_type(request: RequestType, came: u8) -> LinkError {
    let expected = request.reply_type();
    malformed(request, format!("its type is {came:#04x}, and {expected:#04x} was expected"))
}

pub(super) fn wrong_type(request: RequestType) -> LinkError {
    malformed(request, "it is the reply to another request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prove_text_has_every_field_in_its_place() {
        let challenge = Challenge {
            nonce: [0x11; 32],
            hardware: HardwareId::from_bytes(&[0xaa, 0xbb, 0xcc, 0xdd]).unwrap(),
            image: ImageDigest::new([0x22; 32]),
            certificate: Fingerprint::new([0x33; 32]),
        };
        let text = prove_text(&challenge);
        assert_eq!(&text[..30], b"provisioning-station prove v1\0");
        assert_eq!(text[30..62], [0x11; 32]);
        assert_eq!(text[62..67], [4, 0xaa, 0xbb, 0xcc, 0xdd]);
        assert_eq!(text[67..99], [0x22; 32]);
        assert_eq!(text[99..], [0x33; 32]);
    }

    #[test]
    fn a_locked_device_and_a_version_have_errors_of_their_own() {
        let locked = refusal(RequestType::Begin, ErrorReply::new(ErrorCode::Locked, 0));
        assert!(matches!(locked, LinkError::Locked { request: "BEGIN" }));
        let version =
            refusal(RequestType::Identify, ErrorReply::new(ErrorCode::BadVersion, 0x0302));
        assert_eq!(version.to_string(), "the device speaks versions 2 to 3, the station 1 to 1");
        let own = refusal(RequestType::Prove, ErrorReply::new(ErrorCode::BadVersion, 0x0101));
        assert_eq!(own.to_string(), "the device refused PROVE with BAD_VERSION (detail 0x101)");
        let unknown = refusal(RequestType::Commit, ErrorReply { code: 0x1234, detail: 5 });
        assert_eq!(unknown.to_string(), "the device refused COMMIT with error 0x1234 (detail 0x5)");
    }

    #[test]
    fn a_version_that_the_station_does_not_speak_is_refused() {
        assert!(check_version(version::CURRENT).is_ok());
        assert!(check_version(version::CURRENT + 1).is_err());
        assert!(check_version(0).is_err());
    }
}
