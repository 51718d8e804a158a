//! Sound devices: provisioning, one after another, and after a restart of the simulator.

use std::fs;
use std::time::Duration;

use super::super::held::held_identity;
use super::super::mishap::Direction;
use super::super::transcript::Transcript;
use super::bench::Bench;
use super::host::{Host, Identity, PATIENCE, Proven, Trouble};

#[test]
fn a_sound_device_is_provisioned_and_holds_what_it_was_given() {
    let bench = Bench::with(|_| {});
    let identity = Identity::number(1);
    assert_eq!(bench.open(1).provision(&identity), Ok(Proven::WELL));
    let held = held_identity(&bench.slot().flash_file(1).unwrap()).unwrap().unwrap();
    assert_eq!(held.digest, identity.digest());
    assert_eq!(held.image, identity.image);
    assert_eq!(held.key, <[u8; 32]>::from(identity.key.to_bytes()));
    assert_eq!(held.certificate, identity.certificate);
    assert!(!held.locked);
}

#[test]
fn a_paced_line_with_busy_times_carries_the_same_session() {
    let bench = Bench::with(|options| {
        options.baud = 115_200;
        options.timings = crate::Timings::default();
    });
    assert_eq!(bench.open(1).provision(&Identity::number(1)), Ok(Proven::WELL));
}

#[test]
fn the_next_device_comes_when_the_station_has_let_go() {
    let bench = Bench::with(|options| options.units = 2);
    let mut station = bench.open(1);
    station.provision(&Identity::number(1)).unwrap();
    // The link is gone before the reply to finish is complete.
    assert!(fs::symlink_metadata(bench.link()).is_err());
    // Whoever holds on still talks to the same device.
    assert_eq!(station.finish(), Ok(()));
    assert_eq!(bench.slot().state().unit, 1);
    let first = station.identify().unwrap().hardware_id;
    drop(station);
    let mut station = bench.open(2);
    let second = station.identify().unwrap();
    assert_ne!(second.hardware_id, first);
    assert!(!second.holds_identity());
    assert_eq!(bench.slot().state().done, 1);
}

#[test]
fn a_device_that_never_received_finish_stays() {
    let bench = Bench::with(|options| options.units = 2);
    let mut station = bench.open(1);
    let first = station.burn(&Identity::number(1)).unwrap();
    drop(station);
    let mut station = bench.open(1);
    station.new_session();
    let again = station.identify().unwrap();
    assert_eq!(again.hardware_id, first.hardware_id);
    assert!(again.holds_identity());
}

#[test]
fn after_the_last_device_the_slot_is_empty() {
    let bench = Bench::with(|_| {});
    let mut station = bench.open(1);
    station.provision(&Identity::number(1)).unwrap();
    drop(station);
    let state = bench.slot().wait_until(PATIENCE, |state| state.ended).unwrap();
    assert_eq!((state.unit, state.done, state.finished, state.plugged), (2, 1, 1, false));
    assert!(fs::symlink_metadata(bench.link()).is_err());
}

#[test]
fn a_device_in_the_slot_is_still_there_after_the_simulator_was_restarted() {
    let mut bench = Bench::with(|options| options.units = 3);
    let mut station = bench.open(1);
    station.provision(&Identity::number(1)).unwrap();
    drop(station);
    let mut station = bench.open(2);
    let identity = Identity::number(2);
    let before = station.burn(&identity).unwrap();
    drop(station);
    bench.stop();
    assert!(fs::symlink_metadata(bench.link()).is_err());
    bench.start(|options| options.units = 3);
    assert_eq!(bench.slot().state().done, 1);
    let mut station = bench.open(2);
    assert_eq!(station.identify().unwrap().hardware_id, before.hardware_id);
    assert_eq!(station.verify(&identity, &before), Ok(Proven::WELL));
}

#[test]
fn a_device_hears_nothing_while_it_boots() {
    let transcript = Transcript::new();
    let shared = transcript.clone();
    let bench = Bench::with(|options| {
        options.timings.boot = Duration::from_millis(400);
        options.recorder = Some(Box::new(shared));
    });
    let mut station = bench.open(1);
    station.identify().unwrap();
    station.restart().unwrap();
    station.new_session();
    station.identify().unwrap();
    let asked = transcript.of(1, Direction::ToDevice);
    let answered = transcript.of(1, Direction::FromDevice);
    assert_eq!(answered.len(), 3);
    assert!(asked.len() > answered.len());
    assert!(answered[2].arrived >= answered[1].arrived + Duration::from_millis(400));
}

#[test]
fn a_stopped_simulator_hangs_up() {
    let mut bench = Bench::with(|_| {});
    let mut station = bench.open(1);
    station.identify().unwrap();
    bench.stop();
    station.identify_until(&Trouble::Unplugged);
}

#[test]
fn two_slots_hold_different_devices() {
    let (first, second) = (Bench::with(|_| {}), Bench::with(|_| {}));
    let id = |bench: &Bench| bench.open(1).identify().unwrap().hardware_id;
    assert_ne!(id(&first), id(&second));
}

#[test]
fn the_same_name_and_seed_make_the_same_device() {
    let named = || Bench::with(|options| (options.name, options.seed) = (Some("A".into()), 7));
    let id = |bench: &Bench| bench.open(1).identify().unwrap().hardware_id;
    assert_eq!(id(&named()), id(&named()));
}

#[test]
fn a_recorder_sees_every_frame_of_both_directions() {
    let transcript = Transcript::new();
    let shared = transcript.clone();
    let bench = Bench::with(|options| options.recorder = Some(Box::new(shared)));
    bench.open(1).provision(&Identity::number(1)).unwrap();
    let types = |direction| -> Vec<u8> {
        let mut types: Vec<_> =
            transcript.of(1, direction).iter().map(|frame| frame.message_type.unwrap()).collect();
        types.dedup();
        types
    };
    assert_eq!(types(Direction::ToDevice), [0x01, 0x02, 0x03, 0x04, 0x05, 0x01, 0x06, 0x07]);
    assert_eq!(types(Direction::FromDevice), [0x81, 0x82, 0x83, 0x84, 0x85, 0x81, 0x86, 0x87]);
}

#[test]
fn a_link_that_can_not_be_made_is_the_callers_error() {
    let folder = tempfile::tempdir().unwrap();
    let options = crate::Options::new(folder.path().join("missing").join("slot"));
    assert!(matches!(crate::start(options), Err(super::super::SimError::Link { .. })));
}

#[test]
fn a_host_can_open_the_port_again_and_again() {
    let bench = Bench::with(|_| {});
    for _ in 0..20 {
        let mut station: Host = bench.open(1);
        station.new_session();
        assert!(station.identify().is_ok());
    }
}
