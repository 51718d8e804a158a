//! What each liar says, and by what a station can tell.

use firmware_interface::ids::{ErrorCode, Lifecycle};
use firmware_interface::message::HardwareId;

use super::super::held::held_identity;
use super::super::preloaded::Preloaded;
use super::bench::Bench;
use super::host::{Identity, Proven, Trouble};

fn tried(fault: &str) -> Result<Proven, Trouble> {
    Bench::faulty(fault).open(1).provision(&Identity::number(1))
}

#[test]
fn one_that_stores_nothing_claims_the_image_and_can_not_sign() {
    assert_eq!(tried("lie-stored"), Ok(Proven { signature_good: false, ..Proven::WELL }));
}

#[test]
fn one_that_stores_nothing_leaves_no_flash_file() {
    let bench = Bench::faulty("lie-stored");
    bench.open(1).provision(&Identity::number(1)).unwrap();
    assert!(!bench.slot().flash_file(1).unwrap().exists());
}

#[test]
fn one_that_forgets_is_blank_after_the_restart() {
    assert_eq!(tried("lie-forget"), Err(Trouble::refused(ErrorCode::NoIdentity)));
}

#[test]
fn one_with_another_key_signs_well_for_nobody() {
    assert_eq!(tried("lie-key"), Ok(Proven { signature_good: false, ..Proven::WELL }));
}

#[test]
fn one_with_a_torn_object_claims_the_image_and_signs_another() {
    for fault in ["lie-certificate", "lie-root", "lie-settings"] {
        assert_eq!(tried(fault), Ok(Proven { signature_good: false, ..Proven::WELL }), "{fault}");
    }
}

#[test]
fn a_torn_object_is_torn_in_the_flash() {
    let bench = Bench::faulty("lie-root");
    bench.open(1).provision(&Identity::number(1)).unwrap();
    let held = held_identity(&bench.slot().flash_file(1).unwrap()).unwrap();
    assert!(held.is_none());
}

#[test]
fn one_that_answers_for_another_unit_has_another_id() {
    let proven = tried("lie-other-unit").unwrap();
    assert!(!proven.hardware_id_kept);
    assert!(!proven.signature_good);
}

#[test]
fn one_that_only_pretends_to_restart_still_knows_the_session() {
    let bench = Bench::faulty("lie-restart");
    let proven = bench.open(1).provision(&Identity::number(1)).unwrap();
    // However often it was asked, and in every other way like an honest one.
    assert_ne!(proven.replaced, 0);
    assert_eq!(Proven { replaced: 0, ..proven }, Proven::WELL);
    assert!(!bench.slot().flash_file(1).unwrap().exists());
}

#[test]
fn one_that_replays_signs_every_challenge_alike() {
    let bench = Bench::faulty("lie-replay");
    let mut station = bench.open(1);
    let identity = Identity::number(1);
    let before = station.burn(&identity).unwrap();
    let proven = station.verify(&identity, &before).unwrap();
    assert_eq!(proven, Proven { signature_good: false, ..Proven::WELL });
    assert_eq!(station.prove([1; 32]), station.prove([2; 32]));
}

#[test]
fn ids_of_zeros_and_ones_are_said_as_they_are() {
    let id = |fault| Bench::faulty(fault).open(1).identify().unwrap().hardware_id;
    assert_eq!(id("zero-id"), HardwareId::new(&[0x00; 8]).unwrap());
    assert_eq!(id("ones-id"), HardwareId::new(&[0xff; 8]).unwrap());
}

#[test]
fn twins_have_one_id_in_two_slots() {
    let id = |fault| Bench::faulty(fault).open(1).identify().unwrap().hardware_id;
    assert_eq!(id("twin=pair"), id("twin=pair"));
    assert_ne!(id("twin=pair"), id("twin=others"));
}

#[test]
fn a_twin_without_a_name_is_one_of_unit_one() {
    let bench = Bench::with(|options| {
        options.units = 2;
        options.faults = crate::FaultSpec::parse("twin@2").unwrap();
    });
    let mut station = bench.open(1);
    let first = station.identify().unwrap().hardware_id;
    station.finish().unwrap();
    drop(station);
    assert_eq!(bench.open(2).identify().unwrap().hardware_id, first);
}

#[test]
fn another_product_and_a_factory_serial_are_said() {
    let seen = Bench::faulty("model=OTHER-9,factory-serial=F-001").open(1).identify().unwrap();
    assert_eq!(seen.model.as_str(), "OTHER-9");
    assert_eq!(seen.factory_serial.unwrap().as_str(), "F-001");
}

#[test]
fn another_version_is_refused_by_the_device() {
    let seen = Bench::faulty("other-version").open(1).identify();
    assert_eq!(seen.unwrap_err(), Trouble::refused(ErrorCode::BadVersion));
}

#[test]
fn a_locked_device_refuses_a_new_identity() {
    let bench = Bench::faulty("locked");
    let mut station = bench.open(1);
    assert_eq!(station.identify().unwrap().lifecycle, Lifecycle::Locked);
    let refused = Trouble::refused(ErrorCode::Locked);
    assert_eq!(station.begin(&Identity::number(1)), Err(refused));
}

#[test]
fn a_device_may_hold_an_identity_that_nobody_here_knows() {
    let bench = Bench::faulty("holds-unknown");
    let seen = bench.open(1).identify().unwrap();
    assert!(seen.holds_identity());
    assert_eq!((seen.lifecycle, seen.replaced), (Lifecycle::Provisioned, 0));
}

#[test]
fn a_preloaded_identity_is_held_from_the_beginning() {
    let given = Preloaded { key: [0x11; 32], certificate: vec![0x30; 300], chain: vec![0x31; 9] };
    let identity = given.clone();
    let bench = Bench::with(|options| options.preloaded = Some(identity));
    assert!(bench.open(1).identify().unwrap().holds_identity());
    let held = held_identity(&bench.slot().flash_file(1).unwrap()).unwrap().unwrap();
    assert_eq!((held.key, held.certificate), (given.key, given.certificate));
    assert_eq!(held.chain, given.chain);
}
