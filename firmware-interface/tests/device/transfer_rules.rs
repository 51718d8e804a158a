//! Begin, chunks and commit.

use firmware_interface::codec::CRC32;
use firmware_interface::dispatch::{Facts, Slot};
use firmware_interface::ids::{Capabilities, ErrorCode, ObjectKind};
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{
    Begin, Chunk, ChunkLimit, ChunkReply, Commit, Read, Reply, Request,
};
use sha2::{Digest, Sha256};

use super::support::{
    CAPACITY, Call, Flash, Identity, MAX_CHUNK, Station, TestDevice, boot, boot_as, done, error,
    facts, provisioned, refused,
};

/// A blank device with an open session in which an image was announced.
fn begun(identity: &Identity) -> (TestDevice, Station) {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    assert_eq!(begin(&mut device, &mut station, identity), 0);
    (device, station)
}

fn begin(device: &mut TestDevice, station: &mut Station, identity: &Identity) -> u32 {
    match station.ask(device, &Request::Begin(identity.begin)) {
        Reply::Begin(reply) => reply.next,
        other => panic!("{other:?}"),
    }
}

fn chunk(device: &mut TestDevice, station: &mut Station, offset: u32, data: &[u8]) -> ChunkReply {
    match station.ask(device, &Request::Chunk(Chunk { offset, data })) {
        Reply::Chunk(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn calls(device: &TestDevice, wanted: fn(&Call) -> bool) -> usize {
    device.storage().calls.iter().filter(|call| wanted(call)).count()
}

fn erases(device: &TestDevice) -> usize {
    calls(device, |call| *call == Call::Erase)
}

fn writes(device: &TestDevice) -> usize {
    calls(device, |call| matches!(call, Call::Write(_)))
}

#[test]
fn an_identical_begin_erases_nothing_and_answers_the_current_offset() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    chunk(&mut device, &mut station, 0, identity.key());
    assert_eq!(begin(&mut device, &mut station, &identity), 32);
    assert_eq!(erases(&device), 1);
}

#[test]
fn another_begin_starts_from_the_front() {
    let (first, second) = (Identity::new(1), Identity::new(2));
    let (mut device, mut station) = begun(&first);
    chunk(&mut device, &mut station, 0, first.key());
    assert_eq!(begin(&mut device, &mut station, &second), 0);
    assert_eq!(erases(&device), 2);
    assert!(!device.storage().contains(first.key()));
}

#[test]
fn a_begin_with_the_same_digest_and_other_objects_is_another_begin() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    chunk(&mut device, &mut station, 0, identity.key());
    let mut objects = identity.begin.objects.objects().to_vec();
    (objects[1].length, objects[2].length) = (objects[1].length - 1, objects[2].length + 1);
    let objects = ObjectTable::new(&objects).unwrap();
    let moved = Identity { image: Vec::new(), begin: Begin { objects, ..identity.begin } };
    assert_eq!(begin(&mut device, &mut station, &moved), 0);
}

#[test]
fn an_image_that_does_not_fit_is_refused_before_anything_is_erased() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    let sized = |certificate: u32| {
        let length = u16::try_from(certificate - 32).unwrap();
        let key = Object { kind: ObjectKind::Key, length: 32 };
        let objects = [key, Object { kind: ObjectKind::ClientCertificate, length }];
        Request::Begin(Begin { digest: [1; 32], objects: ObjectTable::new(&objects).unwrap() })
    };
    let refusal = refused(station.ask(&mut device, &sized(CAPACITY + 1)));
    assert_eq!(refusal, error(ErrorCode::TooLarge, CAPACITY));
    assert_eq!(erases(&device), 0);
    assert!(station.ask(&mut device, &sized(CAPACITY)).answers().is_some());
}

#[test]
fn a_key_made_on_the_device_is_refused_where_the_device_makes_none() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    let objects = [
        Object { kind: ObjectKind::MadeKey, length: 65 },
        Object { kind: ObjectKind::ClientCertificate, length: 300 },
    ];
    let begin = Begin { digest: [1; 32], objects: ObjectTable::new(&objects).unwrap() };
    let refusal = refused(station.ask(&mut device, &Request::Begin(begin)));
    assert_eq!(refusal, error(ErrorCode::NoKey, 0));
    assert_eq!(erases(&device), 0);
}

#[test]
fn a_pkcs8_key_is_refused_where_its_capability_is_lacking_and_nothing_is_erased() {
    let without = Capabilities(!Capabilities::PKCS8.0);
    let roomy = ChunkLimit::new(138).unwrap();
    // A chunk of one byte less can't carry the key, so the capability is not claimed either.
    let short = ChunkLimit::new(137).unwrap();
    for (capabilities, max_chunk) in [(without, roomy), (Capabilities(u32::MAX), short)] {
        let facts = Facts { capabilities, max_chunk, ..facts() };
        let mut device = boot_as(facts, Flash::blank());
        let mut station = Station::new(12);
        let seen = station.identify(&mut device);
        assert!(!seen.capabilities.has(Capabilities::PKCS8));
        let refusal = refused(station.ask(&mut device, &pkcs8_identity().1));
        assert_eq!(refusal, error(ErrorCode::Unsupported, 2));
        assert_eq!(erases(&device), 0);
    }
}

#[test]
fn a_pkcs8_key_is_stored_as_it_is_and_signs_with_the_scalar_in_it() {
    let facts = Facts { max_chunk: ChunkLimit::new(138).unwrap(), ..facts() };
    let mut device = boot_as(facts, Flash::blank());
    let mut station = Station::new(12);
    assert!(station.identify(&mut device).capabilities.has(Capabilities::PKCS8));
    let (image, begin, digest) = pkcs8_identity();
    done(station.ask(&mut device, &begin)).unwrap();
    let half = Request::Chunk(Chunk { offset: 0, data: &image[..69] });
    assert_eq!(refused(station.ask(&mut device, &half)), error(ErrorCode::BadValue, 4));
    for piece in [0..138, 138..image.len()] {
        let chunk = Chunk { offset: piece.start as u32, data: &image[piece] };
        done(station.ask(&mut device, &Request::Chunk(chunk))).unwrap();
    }
    done(station.ask(&mut device, &Request::Commit(Commit { digest }))).unwrap();
    assert_eq!(station.prove(&mut device).unwrap().0, image[36..68]);
    let read = Request::Read(Read { kind: ObjectKind::Pkcs8Key, offset: 0, max: 1 });
    assert_eq!(refused(station.ask(&mut device, &read)), error(ErrorCode::Secret, 7));
}

fn pkcs8_identity() -> (Vec<u8>, Request<'static>, [u8; 32]) {
    let objects = [
        Object { kind: ObjectKind::Pkcs8Key, length: 138 },
        Object { kind: ObjectKind::ClientCertificate, length: 100 },
    ];
    let image: Vec<u8> = (0..238).collect();
    let digest: [u8; 32] = Sha256::digest(&image).into();
    let begin = Begin { digest, objects: ObjectTable::new(&objects).unwrap() };
    (image, Request::Begin(begin), digest)
}

#[test]
fn a_chunk_at_the_next_offset_is_written() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    let reply = chunk(&mut device, &mut station, 0, identity.key());
    assert_eq!(reply, ChunkReply { next: 32, crc: CRC32.checksum(identity.key()) });
    let reply = chunk(&mut device, &mut station, 32, &identity.image[32..80]);
    assert_eq!(reply, ChunkReply { next: 80, crc: CRC32.checksum(&identity.image[..80]) });
}

#[test]
fn a_chunk_below_the_next_offset_is_not_written_again() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    let first = chunk(&mut device, &mut station, 0, identity.key());
    assert_eq!(chunk(&mut device, &mut station, 0, identity.key()), first);
    assert_eq!(writes(&device), 1);
}

#[test]
fn a_chunk_above_the_next_offset_or_across_it_is_not_written() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    let nothing = ChunkReply { next: 0, crc: 0 };
    assert_eq!(chunk(&mut device, &mut station, 32, &identity.image[32..40]), nothing);
    let key = chunk(&mut device, &mut station, 0, identity.key());
    assert_eq!(chunk(&mut device, &mut station, 33, &identity.image[33..40]), key);
    assert_eq!(chunk(&mut device, &mut station, 16, &identity.image[16..40]), key);
    assert_eq!(chunk(&mut device, &mut station, u32::MAX, &[1, 2, 3]), key);
    assert_eq!(writes(&device), 1);
}

#[test]
fn the_key_travels_in_a_chunk_of_its_own() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    for data in [&identity.image[..31], &identity.image[..33]] {
        let refusal = refused(station.ask(&mut device, &Request::Chunk(Chunk { offset: 0, data })));
        assert_eq!(refusal, error(ErrorCode::BadValue, 4));
    }
    assert_eq!(writes(&device), 0);
}

#[test]
fn a_chunk_beyond_the_end_of_the_image_is_refused() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    let chunks = identity.chunks();
    let (last, before) = chunks.split_last().unwrap();
    for piece in before {
        chunk(&mut device, &mut station, piece.offset, piece.data);
    }
    let data = [last.data, &[0]].concat();
    let request = Request::Chunk(Chunk { offset: last.offset, data: &data });
    assert_eq!(refused(station.ask(&mut device, &request)), error(ErrorCode::BadValue, 4));
    let reply = chunk(&mut device, &mut station, last.offset, last.data);
    assert_eq!(reply.next, identity.begin.objects.total());
}

#[test]
fn a_chunk_longer_than_the_device_takes_is_a_bad_length() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    chunk(&mut device, &mut station, 0, identity.key());
    let length = usize::from(MAX_CHUNK) + 1;
    let data = &identity.image[32..32 + length];
    let reply = station.ask(&mut device, &Request::Chunk(Chunk { offset: 32, data }));
    assert_eq!(refused(reply), error(ErrorCode::BadLength, 4 + length as u32));
}

#[test]
fn a_chunk_without_a_begin_is_refused() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    let reply = station.ask(&mut device, &Request::Chunk(Chunk { offset: 0, data: &[1] }));
    assert_eq!(refused(reply), error(ErrorCode::NoTransfer, 0));
}

#[test]
fn a_write_that_fails_ends_the_transfer() {
    let identity = Identity::new(1);
    let mut flash = Flash::blank();
    flash.worn_out = true;
    let mut device = boot(flash);
    let mut station = Station::new(12);
    station.identify(&mut device);
    let refusal = station.stage(&mut device, &identity).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Storage, 7));
    let reply =
        station.ask(&mut device, &Request::Chunk(Chunk { offset: 0, data: identity.key() }));
    assert_eq!(refused(reply), error(ErrorCode::NoTransfer, 0));
}

#[test]
fn a_commit_needs_every_byte() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    chunk(&mut device, &mut station, 0, identity.key());
    let refusal = station.commit(&mut device, &identity).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Incomplete, 32));
    assert_eq!(device.active_image(), None);
}

#[test]
fn a_commit_of_another_digest_than_begun_is_refused_and_can_be_put_right() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    station.stage(&mut device, &identity).unwrap();
    let reply = station.ask(&mut device, &Request::Commit(Commit { digest: [9; 32] }));
    assert_eq!(refused(reply), error(ErrorCode::WrongDigest, 0));
    assert_eq!(station.commit(&mut device, &identity), Ok(1));
}

#[test]
fn a_commit_hashes_what_it_reads_back() {
    let (old, identity) = (Identity::new(3), Identity::new(1));
    let mut flash = provisioned(&old);
    flash.forgets = true;
    let mut device = boot(flash);
    let mut station = Station::new(12);
    station.identify(&mut device);
    station.stage(&mut device, &identity).unwrap();
    let refusal = station.commit(&mut device, &identity).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Corrupt, 0));
    assert_eq!(device.active_image(), Some(old.digest()));
}

#[test]
fn bytes_that_do_not_hash_to_the_announced_digest_are_refused() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    for piece in identity.chunks() {
        let mut data = piece.data.to_vec();
        data[0] ^= u8::from(piece.offset > 32);
        chunk(&mut device, &mut station, piece.offset, &data);
    }
    let refusal = station.commit(&mut device, &identity).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Corrupt, 0));
}

#[test]
fn a_commit_again_answers_the_same_in_any_session_and_after_any_restart() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    station.stage(&mut device, &identity).unwrap();
    let first = station.commit(&mut device, &identity);
    assert_eq!(first, Ok(1));
    assert_eq!(station.commit(&mut device, &identity), first);
    let mut other = Station::new(13);
    other.identify(&mut device);
    assert_eq!(other.commit(&mut device, &identity), first);
    let mut device = boot(device.into_storage());
    let mut later = Station::new(14);
    later.identify(&mut device);
    assert_eq!(later.commit(&mut device, &identity), first);
}

#[test]
fn a_commit_again_hashes_again_what_it_reads_back() {
    let identity = Identity::new(1);
    let (mut device, mut station) = begun(&identity);
    station.stage(&mut device, &identity).unwrap();
    station.commit(&mut device, &identity).unwrap();
    device.storage_mut().flip_image_bit(Slot::A, 100);
    let refusal = station.commit(&mut device, &identity).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::Corrupt, 0));
    assert_eq!(boot(device.into_storage()).active_image(), None);
}

#[test]
fn each_commit_has_the_next_generation_and_goes_to_the_other_slot() {
    let mut flash = Flash::blank();
    for generation in 1..=5 {
        let identity = Identity::new(generation as u8);
        let mut device = boot(flash);
        let mut station = Station::new(12);
        station.identify(&mut device);
        station.stage(&mut device, &identity).unwrap();
        assert_eq!(station.commit(&mut device, &identity), Ok(generation));
        flash = device.into_storage().rebooted();
        assert_eq!(boot(flash.clone()).active_image(), Some(identity.digest()));
    }
}

#[test]
fn any_damaged_bit_of_the_newest_header_leaves_the_identity_before_it() {
    let (old, new) = (Identity::new(1), Identity::new(2));
    let flash = super::support::provisioned_over(provisioned(&old), &new);
    for offset in 0..firmware_interface::dispatch::SLOT_HEADER_LENGTH {
        let mut damaged = flash.clone();
        damaged.flip_header_bit(Slot::B, offset);
        assert_eq!(boot(damaged).active_image(), Some(old.digest()), "byte {offset}");
    }
}

#[test]
fn a_rotten_newer_identity_never_outranks_the_next_commit() {
    let (first, second, third) = (Identity::new(1), Identity::new(2), Identity::new(3));
    let mut flash = super::support::provisioned_over(provisioned(&first), &second);
    flash.flip_image_bit(Slot::B, 7);
    assert_eq!(boot(flash.clone()).active_image(), Some(first.digest()));
    let flash = super::support::provisioned_over(flash, &third);
    assert_eq!(boot(flash).active_image(), Some(third.digest()));
}

#[test]
fn an_identity_that_could_not_be_read_for_a_while_never_outranks_the_next_commit() {
    let (first, second, third) = (Identity::new(1), Identity::new(2), Identity::new(3));
    let mut flash = super::support::provisioned_over(provisioned(&first), &second);
    flash.flip_image_bit(Slot::A, 7);
    flash.flip_image_bit(Slot::B, 7);
    assert_eq!(boot(flash.clone()).active_image(), None);
    let mut flash = super::support::provisioned_over(flash, &third);
    flash.flip_image_bit(Slot::B, 7);
    assert_eq!(boot(flash).active_image(), Some(third.digest()));
}

#[test]
fn a_header_that_was_written_counts_even_if_storage_reported_a_failure() {
    let (old, new) = (Identity::new(1), Identity::new(2));
    let mut flash = provisioned(&old);
    flash.denies_headers = true;
    let mut device = boot(flash);
    let mut station = Station::new(12);
    station.identify(&mut device);
    station.stage(&mut device, &new).unwrap();
    assert_eq!(station.commit(&mut device, &new), Ok(2));
    assert_eq!(device.active_image(), Some(new.digest()));
    assert_eq!(boot(device.into_storage()).active_image(), Some(new.digest()));
}
