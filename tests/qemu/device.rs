//! One device, through its pseudo-terminal, as a station sees it.

use std::time::Instant;

use firmware_interface::ids::{Capabilities, ErrorCode, Lifecycle};
use firmware_interface::message::ErrorReply;
use p256::ecdsa::VerifyingKey;
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use super::flash::Flash;
use super::identity::Identity;
use super::line::Line;
use super::machine::{Machine, firmware};
use super::wire::{Silence, Wire};

pub(crate) const HARDWARE_ID: [u8; 8] = [0x51, 0xd0, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01];
pub(crate) const NONCE: [u8; 32] = [0x4e; 32];

/// A machine behind a pseudo-terminal.
pub(crate) struct Device {
    pub(crate) wire: Wire,
    // In this order: the plug is pulled before the power goes.
    _line: Line,
    machine: Machine,
    _folder: tempfile::TempDir,
}

impl Device {
    pub(crate) fn start(flash: &Flash) -> Option<Self> {
        let (machine, uart) = Machine::power_on(firmware()?, flash);
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("slot");
        let line = Line::plug_in(uart, &port);
        let wire = Wire::open(&port);
        Some(Self { wire, _line: line, machine, _folder: folder })
    }
}

fn refused(code: ErrorCode) -> Silence {
    Silence::Refused(ErrorReply::new(code, 0))
}

#[test]
fn a_blank_board_says_what_it_is() {
    let Some(mut device) = Device::start(&Flash::blank(HARDWARE_ID)) else { return };
    let seen = device.wire.identify(0x1001).unwrap();
    assert_eq!(seen.model.as_str(), "MPS2-AN385");
    assert_eq!(seen.hardware_id.as_bytes(), HARDWARE_ID);
    assert_eq!((seen.lifecycle, seen.replaced), (Lifecycle::Blank, 0));
    let all = [Capabilities::PROVE, Capabilities::READ, Capabilities::LOCK, Capabilities::KEYGEN];
    assert!(all.into_iter().all(|capability| seen.capabilities.has(capability)));
}

#[test]
fn a_board_is_provisioned_restarts_proves_and_locks() {
    let Some(mut device) = Device::start(&Flash::blank(HARDWARE_ID)) else { return };
    let begun = Instant::now();
    let (wire, identity) = (&mut device.wire, Identity::new(700));
    let limits = wire.identify(0x1001).unwrap();
    let chunk = usize::from(limits.max_chunk.bytes());
    assert_eq!(wire.burn(&identity, chunk), Ok(1));
    let seen = wire.restart(0x1002).unwrap();
    assert_eq!((seen.lifecycle, seen.image), (Lifecycle::Provisioned, identity.digest()));
    let proof = wire.prove(NONCE).unwrap();
    assert!(identity.is_proven(&HARDWARE_ID, NONCE, &proof));
    assert_eq!(wire.finish(true), Ok(()));
    eprintln!("one board: {} ms", begun.elapsed().as_millis());
    assert_eq!(wire.identify(0x1003).unwrap().lifecycle, Lifecycle::Locked);
    assert_eq!(wire.burn(&identity, chunk), Err(refused(ErrorCode::Locked)));
}

#[test]
fn two_proofs_have_different_signatures() {
    let Some(mut device) = Device::start(&Flash::blank(HARDWARE_ID)) else { return };
    let (wire, identity) = (&mut device.wire, Identity::new(100));
    wire.identify(0x1001).unwrap();
    wire.burn(&identity, 512).unwrap();
    let (one, other) = (wire.prove(NONCE).unwrap(), wire.prove(NONCE).unwrap());
    assert_ne!(one[..32], other[..32], "a nonce of ECDSA came twice");
}

#[test]
fn a_key_made_on_the_board_certifies_itself_and_proves_after_a_restart() {
    let Some(mut device) = Device::start(&Flash::blank(HARDWARE_ID)) else { return };
    let wire = &mut device.wire;
    wire.identify(0x1001).unwrap();
    let public = wire.make_key(7).unwrap();
    assert_eq!(wire.make_key(7), Ok(public));
    check_signing_request(&wire.signing_request().unwrap(), &public);
    let identity = Identity::of_made_key(&public, 700);
    assert_eq!(wire.burn(&identity, 512), Ok(1));
    wire.restart(0x1002).unwrap();
    let proof = wire.prove(NONCE).unwrap();
    assert!(identity.is_proven(&HARDWARE_ID, NONCE, &proof));
    assert_eq!(wire.signing_request(), Err(refused(ErrorCode::NoKey)));
}

fn check_signing_request(der: &[u8], public: &[u8; 65]) {
    let (rest, request) = X509CertificationRequest::from_der(der).unwrap();
    assert!(rest.is_empty());
    request.verify_signature().unwrap();
    let info = request.certification_request_info;
    assert_eq!(info.subject.to_string(), "CN=51d0020000000001");
    let key = VerifyingKey::from_sec1_bytes(&info.subject_pki.subject_public_key.data).unwrap();
    assert_eq!(key, VerifyingKey::from_sec1_bytes(public).unwrap());
}

#[test]
fn a_board_keeps_its_identity_when_the_power_goes_and_comes() {
    let identity = Identity::new(700);
    let Some(mut device) = Device::start(&Flash::blank(HARDWARE_ID)) else { return };
    device.wire.identify(0x1001).unwrap();
    device.wire.burn(&identity, 512).unwrap();
    let flash = device.machine.power_off();
    let mut device = Device::start(&flash).unwrap();
    assert_eq!(device.wire.identify(0x1002).unwrap().image, identity.digest());
}
