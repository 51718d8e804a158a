//! What is sent and is no segment of that station: nothing of it is taken, and the next right
//! one is.

use provisioning_station::app::fleet::wait;
use provisioning_station::domain::code::Code;
use provisioning_station::ledger::Head;
use provisioning_station::pki::Verifier;

use crate::database::Database;
use crate::program::run;
use crate::server::Server;
use crate::stations::{Station, Yard};

/// The whole journal of a station as one segment.
fn segment(station: &Station) -> Vec<u8> {
    let asking = station.asking();
    asking.reader.parcel_behind(Head::NONE, &Verifier).unwrap().unwrap().bytes
}

/// With what code this is refused as a segment of that station; none where it is taken.
fn sent(station: &Station, bytes: Vec<u8>) -> Option<Code> {
    let asking = station.asking();
    wait(asking.client.send(bytes)).unwrap().err().map(|error| error.code())
}

/// A number of the header, which begins behind the station's name.
fn put(bytes: &mut [u8], station: &Station, offset: usize, value: u64) {
    let at = 8 + 2 + 2 + station.name.len() + offset;
    bytes[at..at + 8].copy_from_slice(&value.to_be_bytes());
}

#[test]
fn what_is_forged_foreign_or_torn_is_refused_and_changes_nothing() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let (station, other) = (yard.station("line-1"), yard.station("line-2"));
    for (station, serial) in [(&station, "TH200-00000001"), (&other, "TH200-00000002")] {
        station.make(&[serial]);
        station.enrol(&database, &server);
    }
    let right = segment(&station);
    let refused = Some(Code::FleetSegment);
    assert_eq!(sent(&station, segment(&other)), refused, "another station's");
    assert_eq!(sent(&station, Vec::new()), refused);
    assert_eq!(sent(&station, vec![0x5a; 100_000]), refused);
    for length in [8, 12, 40, 100, right.len() / 2, right.len() - 1] {
        assert_eq!(sent(&station, right[..length].to_vec()), refused, "torn at {length}");
    }
    for at in (0..right.len()).step_by(97) {
        let mut changed = right.clone();
        changed[at] ^= 1;
        assert_eq!(sent(&station, changed), refused, "bit {at}");
    }
    assert_eq!(sent(&station, [&right[..], b"x"].concat()), refused, "something behind it");
    // Behind station, instance, numbers, hashes, key and signature stand the certificate and
    // the sizes.
    let sizes = 16 + 8 + 8 + 32 + 32 + 65 + 64;
    let at = 12 + station.name.len() + sizes;
    let certificate = u32::from_be_bytes(right[at..at + 4].try_into().unwrap()) as usize;
    let plain = sizes + 4 + certificate;
    for (what, offset, value) in [
        ("unpacks to terabytes", plain, 4 << 40),
        ("packed to terabytes", plain + 8, 4 << 40),
        ("unpacks to nothing", plain, 0),
        ("begins with another entry", 16, 7),
        ("has no end", 24, u64::MAX),
        ("ends before it begins", 24, 0),
    ] {
        let mut changed = right.clone();
        put(&mut changed, &station, offset, value);
        assert_eq!(sent(&station, changed), refused, "{what}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM segments"), "0");
    assert_eq!(database.sql("SELECT sum(head_seq) FROM stations"), "0");
    assert_eq!(sent(&station, right.clone()), None);
    assert_eq!(sent(&station, right), None, "the same again changes nothing");
    assert_eq!(database.sql("SELECT count(*) FROM segments"), "1");
    run(&["fleet", "verify", "--database", &database.url()]).well();
}

#[test]
fn what_comes_out_of_order_waits_for_what_is_missing() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    let asking = station.asking();
    let first = asking.reader.parcel_behind(Head::NONE, &Verifier).unwrap().unwrap();
    station.note(1);
    let second = asking.reader.parcel_behind(first.head, &Verifier).unwrap().unwrap();
    assert_eq!(sent(&station, second.bytes.clone()), Some(Code::FleetSegment));
    assert_eq!(sent(&station, first.bytes.clone()), None);
    assert_eq!(sent(&station, second.bytes), None);
    assert_eq!(sent(&station, first.bytes), None, "replayed");
    assert_eq!(database.sql("SELECT count(*) FROM segments"), "2");
    run(&["fleet", "verify", "--database", &database.url()]).well();
}

#[test]
fn a_bomb_takes_no_memory_and_no_time() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    let right = segment(&station);
    let at = 12 + station.name.len() + 16 + 8 + 8 + 32 + 32 + 65 + 64;
    let certificate = u32::from_be_bytes(right[at..at + 4].try_into().unwrap()) as usize;
    // A frame of zstd that unpacks to 64 MiB of one byte, and says in its header to be less.
    let bomb = bomb();
    let mut bytes = right[..at + 4 + certificate].to_vec();
    bytes.extend((64_u64 << 20).to_be_bytes());
    bytes.extend((bomb.len() as u64).to_be_bytes());
    bytes.extend(&bomb);
    bytes.extend([0; 32]);
    assert_eq!(sent(&station, bytes), Some(Code::FleetSegment));
    assert_eq!(sent(&station, right), None);
}

/// By hand, RFC 8878: a frame without a checksum, of blocks that each repeat one byte.
fn bomb() -> Vec<u8> {
    // Magic; a frame header with a window of 1 MiB and no size.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let (blocks, size) = (512_u32, 128 << 10);
    for number in 1..=blocks {
        let last = u32::from(number == blocks);
        let header: u32 = last | 1 << 1 | size << 3;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0x20);
    }
    frame
}
