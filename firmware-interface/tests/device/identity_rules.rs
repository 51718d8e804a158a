//! What a device does with an identity that it holds: prove, finish, lock, erase, read.

use firmware_interface::dispatch::Slot;
use firmware_interface::ids::{Capabilities, ErrorCode, Lifecycle, ObjectKind};
use firmware_interface::message::{Finish, FinishResult, HardwareId, Read, Reply, Request};
use firmware_interface::prove::ProveText;

use super::support::{
    Cut, Flash, HARDWARE_ID, Identity, STORAGE_IS_CUT, Station, TestDevice, boot, boot_as, done,
    error, facts, provisioned, provisioned_over, refused,
};

fn opened(flash: Flash) -> (TestDevice, Station) {
    let mut device = boot(flash);
    let mut station = Station::new(12);
    station.identify(&mut device);
    (device, station)
}

fn locked(identity: &Identity) -> (TestDevice, Station) {
    let (mut device, mut station) = opened(provisioned(identity));
    station.finish(&mut device, true).unwrap();
    (device, station)
}

#[test]
fn a_proof_covers_nonce_hardware_id_image_and_certificate() {
    let identity = Identity::new(1);
    let (mut device, mut station) = opened(provisioned(&identity));
    let (key, digest) = station.prove(&mut device).unwrap();
    let text = ProveText {
        nonce: [0x4e; 32],
        hardware_id: HardwareId::new(&HARDWARE_ID).unwrap(),
        image: identity.digest(),
        certificate: identity.certificate_digest(),
    };
    assert_eq!(key, identity.key());
    assert_eq!(digest, text.digest());
}

#[test]
fn a_proof_is_made_from_what_storage_holds_now() {
    let identity = Identity::new(1);
    let (mut device, mut station) = opened(provisioned(&identity));
    let before = station.prove(&mut device).unwrap();
    device.storage_mut().flip_image_bit(Slot::A, 400);
    let after = station.prove(&mut device).unwrap();
    assert_eq!(before.0, after.0);
    assert_ne!(before.1, after.1, "a rotten server root went unseen");
    device.storage_mut().flip_image_bit(Slot::A, 0);
    assert_ne!(station.prove(&mut device).unwrap().0, after.0, "an old key was kept");
}

#[test]
fn a_device_without_an_identity_has_nothing_to_prove_or_read() {
    let (mut device, mut station) = opened(Flash::blank());
    assert_eq!(station.prove(&mut device).unwrap_err(), error(ErrorCode::NoIdentity, 0));
    let read = Request::Read(Read { kind: ObjectKind::ServerRoots, offset: 0, max: 1 });
    assert_eq!(refused(station.ask(&mut device, &read)), error(ErrorCode::NoIdentity, 0));
}

#[test]
fn finish_wipes_the_spare_slot() {
    let (old, new) = (Identity::new(1), Identity::new(2));
    let (mut device, mut station) = opened(provisioned_over(provisioned(&old), &new));
    assert!(device.storage().contains(old.key()));
    station.finish(&mut device, false).unwrap();
    assert!(device.storage().is_erased(Slot::A));
    assert_eq!(device.active_image(), Some(new.digest()));
}

#[test]
fn finish_of_a_failed_attempt_wipes_what_was_staged() {
    let (old, new) = (Identity::new(1), Identity::new(2));
    let (mut device, mut station) = opened(provisioned(&old));
    station.stage(&mut device, &new).unwrap();
    let finish = Request::Finish(Finish { result: FinishResult::Fail, lock: false });
    done(station.ask(&mut device, &finish)).unwrap();
    assert!(!device.storage().contains(new.key()));
    assert_eq!(device.active_image(), Some(old.digest()));
}

#[test]
fn a_failed_attempt_locks_nothing() {
    let (mut device, mut station) = opened(provisioned(&Identity::new(1)));
    let reply = station.ask_raw(&mut device, 0x07, &[0, 1]);
    assert_eq!(refused(reply), error(ErrorCode::BadValue, 1));
    assert_eq!(device.lifecycle(), Lifecycle::Provisioned);
}

#[test]
fn a_device_without_an_identity_is_never_locked() {
    let (mut device, mut station) = opened(Flash::blank());
    let refusal = station.finish(&mut device, true).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::NoIdentity, 0));
    assert_eq!(boot(device.into_storage()).lifecycle(), Lifecycle::Blank);
}

#[test]
fn a_device_that_can_not_lock_says_so_and_wipes_nothing() {
    let old = Identity::new(1);
    let mut bare = facts();
    bare.capabilities = Capabilities::PROVE;
    let mut device = boot_as(bare, provisioned_over(provisioned(&old), &Identity::new(2)));
    let mut station = Station::new(12);
    station.identify(&mut device);
    let refusal = station.finish(&mut device, true).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Unsupported, 0x07));
    assert!(device.storage().contains(old.key()));
}

#[test]
fn a_lock_outlives_a_restart() {
    let identity = Identity::new(1);
    let (device, _) = locked(&identity);
    let device = boot(device.into_storage());
    assert_eq!(device.lifecycle(), Lifecycle::Locked);
    assert_eq!(device.active_image(), Some(identity.digest()));
}

#[test]
fn a_lock_that_failed_and_can_not_be_read_counts_as_set() {
    let (mut device, mut station) = opened(provisioned(&Identity::new(1)));
    // The erase of the spare slot comes first, then the lock.
    let calls = device.storage().calls.len();
    device.storage_mut().cut = Some(Cut::Before(calls + 1));
    let refusal = station.finish(&mut device, true).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Storage, STORAGE_IS_CUT));
    assert_eq!(device.lifecycle(), Lifecycle::Locked);
}

#[test]
fn a_locked_device_refuses_begin_commit_and_erase() {
    let identity = Identity::new(1);
    let (mut device, mut station) = locked(&identity);
    let refusal = error(ErrorCode::Locked, 0);
    let begin = Request::Begin(Identity::new(2).begin);
    assert_eq!(refused(station.ask(&mut device, &begin)), refusal);
    assert_eq!(station.commit(&mut device, &identity).unwrap_err(), refusal);
    assert_eq!(refused(station.ask(&mut device, &Request::Erase)), refusal);
    assert_eq!(device.active_image(), Some(identity.digest()));
}

#[test]
fn a_locked_device_answers_identify_prove_and_finish() {
    let identity = Identity::new(1);
    let (mut device, mut station) = locked(&identity);
    let seen = station.identify(&mut device);
    assert_eq!((seen.lifecycle, seen.image), (Lifecycle::Locked, identity.digest()));
    assert_eq!(station.prove(&mut device).unwrap().0, identity.key());
    assert!(station.finish(&mut device, true).is_ok());
    assert!(station.finish(&mut device, false).is_ok());
}

#[test]
fn abort_wipes_what_is_staged_and_keeps_what_is_active() {
    let (old, new) = (Identity::new(1), Identity::new(2));
    let (mut device, mut station) = opened(provisioned(&old));
    station.stage(&mut device, &new).unwrap();
    done(station.ask(&mut device, &Request::Abort)).unwrap();
    done(station.ask(&mut device, &Request::Abort)).unwrap();
    assert!(!device.storage().contains(new.key()));
    assert_eq!(boot(device.into_storage()).active_image(), Some(old.digest()));
}

#[test]
fn erase_wipes_both_slots() {
    let (old, new) = (Identity::new(1), Identity::new(2));
    let (mut device, mut station) = opened(provisioned_over(provisioned(&old), &new));
    for _ in 0..2 {
        done(station.ask(&mut device, &Request::Erase)).unwrap();
        assert_eq!(device.lifecycle(), Lifecycle::Blank);
    }
    assert!(Slot::ALL.iter().all(|slot| device.storage().is_erased(*slot)));
}

/// Reads an object in pieces of at most `max`.
fn read_all(device: &mut TestDevice, station: &mut Station, kind: ObjectKind, max: u16) -> Vec<u8> {
    let mut object = Vec::new();
    loop {
        let offset = object.len() as u32;
        match station.ask(device, &Request::Read(Read { kind, offset, max })) {
            Reply::Read(reply) if reply.data.is_empty() => {
                assert_eq!(reply.total, offset);
                return object;
            }
            Reply::Read(reply) => object.extend(reply.data),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn public_objects_are_read_in_pieces() {
    let identity = Identity::new(1);
    let (mut device, mut station) = opened(provisioned(&identity));
    for max in [1, 7, 299, 300, 301, u16::MAX] {
        let read = read_all(&mut device, &mut station, ObjectKind::ClientCertificate, max);
        assert_eq!(read, identity.certificate());
    }
    let settings = read_all(&mut device, &mut station, ObjectKind::Settings, 64);
    assert_eq!(settings, identity.image[identity.image.len() - 40..]);
}

#[test]
fn no_request_returns_the_key() {
    let (mut device, mut station) = opened(provisioned(&Identity::new(1)));
    let read = Request::Read(Read { kind: ObjectKind::Key, offset: 0, max: 32 });
    assert_eq!(refused(station.ask(&mut device, &read)), error(ErrorCode::Secret, 0x01));
}

#[test]
fn an_object_that_the_image_lacks_is_named() {
    let (mut device, mut station) = opened(provisioned(&Identity::new(1)));
    let read = Request::Read(Read { kind: ObjectKind::CaChain, offset: 0, max: 32 });
    assert_eq!(refused(station.ask(&mut device, &read)), error(ErrorCode::NoObject, 0x04));
    assert_eq!(
        refused(station.ask_raw(&mut device, 0x0a, &[0x63, 0, 0, 0, 0, 1, 0])),
        error(ErrorCode::BadValue, 0)
    );
    assert_eq!(
        refused(station.ask_raw(&mut device, 0x0a, &[0x03, 0, 0, 0, 0, 0, 0])),
        error(ErrorCode::BadValue, 5)
    );
}
