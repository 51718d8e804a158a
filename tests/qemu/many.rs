//! Eight devices at once, each on its own line.

use std::time::Instant;

use firmware_interface::ids::Lifecycle;

use super::device::{Device, NONCE};
use super::flash::Flash;
use super::identity::Identity;
use super::machine::{all_to_itself, firmware};

const DEVICES: u8 = 8;

fn hardware_id(number: u8) -> [u8; 8] {
    [0x51, 0xd0, 0x02, 0, 0, 0, 8, number]
}

#[test]
fn eight_boards_at_once_are_provisioned_and_prove() {
    if firmware().is_none() {
        return;
    }
    let _turn = all_to_itself();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for number in 1..=DEVICES {
            scope.spawn(move || provision(number));
        }
    });
    eprintln!("eight boards, boots included: {} ms", begun.elapsed().as_millis());
}

fn provision(number: u8) {
    let id = hardware_id(number);
    let mut device = Device::start(&Flash::blank(id)).unwrap();
    let (wire, identity) = (&mut device.wire, Identity::new(900));
    let session = 0x2000 + u32::from(number);
    assert_eq!(wire.identify(session).unwrap().hardware_id.as_bytes(), id);
    wire.burn(&identity, 512).unwrap();
    assert_eq!(wire.restart(session + 0x100).unwrap().image, identity.digest());
    assert!(identity.is_proven(&id, NONCE, &wire.prove(NONCE).unwrap()));
    wire.finish(false).unwrap();
    assert_eq!(wire.identify(session + 0x200).unwrap().lifecycle, Lifecycle::Provisioned);
}
