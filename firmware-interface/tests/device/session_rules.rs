//! Which frames a device answers, with what, and under which session.

use firmware_interface::codec::Frame;
use firmware_interface::dispatch::Then;
use firmware_interface::ids::{
    Capabilities, ErrorCode, KeyAlgorithm, Lifecycle, ObjectKind, RequestType,
};
use firmware_interface::message::{
    Chunk, Commit, Finish, FinishResult, Identify, Keygen, Message, Prove, Read, Reply, Request,
};

use super::support::{
    CAPACITY, Cut, Flash, HARDWARE_ID, Identity, MAX_CHUNK, STORAGE_IS_CUT, Station, boot, boot_as,
    done, error, facts, provisioned, refused,
};

#[test]
fn identify_answers_all_that_a_station_must_know() {
    let identity = Identity::new(0x31);
    let mut device = boot(provisioned(&identity));
    let seen = Station::new(7).identify(&mut device);
    assert_eq!(seen.version, 1);
    assert_eq!(seen.lifecycle, Lifecycle::Provisioned);
    assert_eq!((seen.window.chunks(), seen.max_chunk.bytes()), (4, MAX_CHUNK));
    assert_eq!((seen.capacity, seen.replaced), (CAPACITY, 0));
    assert_eq!((seen.image, seen.certificate), (identity.digest(), identity.certificate_digest()));
    assert_eq!((seen.model.as_str(), seen.firmware.as_str()), ("TH-200", "1.4.2"));
    assert_eq!(seen.hardware_id.as_bytes(), HARDWARE_ID);
    assert_eq!((seen.factory_serial, seen.busy), (None, facts().busy));
}

#[test]
fn a_blank_device_answers_zeros_for_image_and_certificate() {
    let seen = Station::new(7).identify(&mut boot(Flash::blank()));
    assert_eq!((seen.image, seen.certificate), ([0; 32], [0; 32]));
    assert_eq!(seen.lifecycle, Lifecycle::Blank);
    assert!(!seen.holds_identity());
}

#[test]
fn identify_announces_only_what_this_device_can_do() {
    let seen = Station::new(7).identify(&mut boot(Flash::blank()));
    // The board claims every bit there is; those that have a meaning are 0x01 to 0x08.
    let offered = Capabilities::PROVE.with(Capabilities::READ).with(Capabilities::LOCK);
    assert_eq!(seen.capabilities, offered.with(Capabilities::KEYGEN));
}

#[test]
fn a_session_of_zero_is_none() {
    let mut device = boot(Flash::blank());
    let answer = Station::new(0).ask_raw(&mut device, 0x01, &[1, 1]).answers();
    assert_eq!(answer, None);
    let mut station = Station::new(0);
    let reply = station.ask(&mut device, &Request::Identify(Identify { min: 1, max: 1 }));
    assert_eq!(refused(reply), error(ErrorCode::NoSession, 0));
}

#[test]
fn a_new_session_says_which_one_it_replaces_and_a_boot_says_none() {
    let mut device = boot(Flash::blank());
    assert_eq!(Station::new(11).identify(&mut device).replaced, 0);
    assert_eq!(Station::new(12).identify(&mut device).replaced, 11);
    let mut device = boot(device.into_storage());
    assert_eq!(Station::new(13).identify(&mut device).replaced, 0);
}

#[test]
fn the_same_session_again_answers_the_same_and_drops_nothing() {
    let mut device = boot(Flash::blank());
    Station::new(11).identify(&mut device);
    let mut station = Station::new(12);
    let first = station.identify(&mut device);
    station.stage(&mut device, &Identity::new(1)).unwrap();
    let again = station.identify(&mut device);
    assert_eq!((first.replaced, again.replaced), (11, 11));
    assert_eq!(again.lifecycle, Lifecycle::Staged);
    assert!(station.commit(&mut device, &Identity::new(1)).is_ok());
}

#[test]
fn a_new_session_drops_what_was_staged() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    station.stage(&mut device, &Identity::new(1)).unwrap();
    let mut other = Station::new(13);
    assert_eq!(other.identify(&mut device).lifecycle, Lifecycle::Blank);
    let refusal = other.commit(&mut device, &Identity::new(1)).unwrap_err();
    assert_eq!(refusal, error(ErrorCode::NoTransfer, 0));
}

#[test]
fn versions_that_do_not_meet_are_answered_with_the_range_and_open_no_session() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    let reply = station.ask(&mut device, &Request::Identify(Identify { min: 2, max: 9 }));
    assert_eq!(refused(reply), error(ErrorCode::BadVersion, 0x0101));
    let reply = station.ask(&mut device, &Request::Abort);
    assert_eq!(refused(reply), error(ErrorCode::NoSession, 0));
}

#[test]
fn another_version_byte_than_the_chosen_one_is_refused() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    station.version = 2;
    let reply = station.ask(&mut device, &Request::Abort);
    assert_eq!(refused(reply), error(ErrorCode::BadVersion, 0x0101));
    let reply = station.ask(&mut device, &Request::Identify(Identify { min: 1, max: 2 }));
    assert_eq!(refused(reply), error(ErrorCode::BadVersion, 0x0101));
}

/// One of each request that needs a session.
fn requests(identity: &Identity) -> Vec<Request<'_>> {
    vec![
        Request::Begin(identity.begin),
        Request::Chunk(Chunk { offset: 0, data: identity.key() }),
        Request::Commit(Commit { digest: identity.digest() }),
        Request::Restart,
        Request::Prove(Prove { nonce: [1; 32] }),
        Request::Finish(Finish { result: FinishResult::Pass, lock: true }),
        Request::Abort,
        Request::Erase,
        Request::Read(Read { kind: ObjectKind::ClientCertificate, offset: 0, max: 9 }),
        Request::Keygen(Keygen { algorithm: KeyAlgorithm::P256, number: 1 }),
    ]
}

#[test]
fn every_request_under_another_session_is_refused_without_any_effect() {
    let (held, staged) = (Identity::new(1), Identity::new(2));
    let mut device = boot(provisioned(&held));
    let mut station = Station::new(12);
    station.identify(&mut device);
    station.stage(&mut device, &staged).unwrap();
    let calls = device.storage().calls.len();
    for request in requests(&staged) {
        let mut stranger = Station::new(13);
        let reply = stranger.ask(&mut device, &request);
        assert_eq!(refused(reply), error(ErrorCode::NoSession, 0), "{request:?}");
    }
    assert_eq!(device.storage().calls.len(), calls, "storage was touched");
    assert_eq!(station.commit(&mut device, &staged), Ok(2));
}

#[test]
fn every_request_before_the_first_identify_is_refused() {
    let identity = Identity::new(1);
    let mut device = boot(Flash::blank());
    for request in requests(&identity) {
        let reply = Station::new(5).ask(&mut device, &request).answers();
        assert_eq!(reply, None, "{request:?}");
    }
}

#[test]
fn an_unknown_type_is_answered_with_its_number() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    for kind in (0x00..0x80).filter(|kind| RequestType::from_wire(*kind).is_none()) {
        let reply = station.ask_raw(&mut device, kind, b"whatever");
        assert_eq!(refused(reply), error(ErrorCode::UnknownType, u32::from(kind)));
    }
}

#[test]
fn a_type_that_is_not_offered_is_unsupported_whatever_its_body() {
    let mut bare = facts();
    bare.capabilities = Capabilities::NONE;
    let mut device = boot_as(bare, Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    for kind in [0x06, 0x0a, 0x0b, 0x0c] {
        let reply = station.ask_raw(&mut device, kind, b"");
        assert_eq!(refused(reply), error(ErrorCode::Unsupported, u32::from(kind)));
    }
}

#[test]
fn a_reply_is_never_answered() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    for kind in 0x80..=0xff {
        station.send(&mut device, &(station.header(kind), vec![1, 1]));
        assert_eq!(station.answer(), None);
    }
}

#[test]
fn a_body_one_byte_longer_or_shorter_than_its_layout_is_a_bad_length() {
    let identity = Identity::new(1);
    let mut device = boot(provisioned(&identity));
    let mut station = Station::new(12);
    station.identify(&mut device);
    for (kind, size) in
        [(0x01, 2), (0x04, 32), (0x05, 0), (0x06, 32), (0x07, 2), (0x08, 0), (0x09, 0), (0x0a, 7)]
    {
        for length in [size - 1, size + 1].into_iter().filter(|length| *length >= 0) {
            let body = vec![1; length as usize];
            let reply = station.ask_raw(&mut device, kind, &body);
            assert_eq!(refused(reply), error(ErrorCode::BadLength, length as u32), "{kind:#04x}");
        }
    }
    // A table that says two objects and has one and a half.
    let mut begin = [0; 41];
    begin[36] = 2;
    let reply = station.ask_raw(&mut device, 0x02, &begin);
    assert_eq!(refused(reply), error(ErrorCode::BadLength, 41));
    let reply = station.ask_raw(&mut device, 0x03, &[0, 0, 0, 0]);
    assert_eq!(refused(reply), error(ErrorCode::BadLength, 4));
}

#[test]
fn a_device_that_restarts_answers_first_and_then_hears_nothing_until_it_boots() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    done(station.ask(&mut device, &Request::Restart)).unwrap();
    assert_eq!(station.last.then, Then::Restart);
    let identify = Request::Identify(Identify { min: 1, max: 1 });
    station.send(&mut device, &(station.header(identify.message_type()), vec![1, 1]));
    assert_eq!(station.answer(), None);
    let mut device = boot(device.into_storage());
    assert_eq!(Station::new(13).identify(&mut device).replaced, 0);
}

#[test]
fn a_reply_that_finds_no_room_is_lost_and_the_request_is_carried_out() {
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    let header = station.header(RequestType::Restart.to_wire());
    let frame = Frame { header, body: &[] };
    let handled = device.handle(&frame, &mut [0; 4]);
    assert_eq!(handled.reply, None);
    assert_eq!(handled.then, Then::Restart);
}

#[test]
fn the_longest_work_since_the_boot_is_measured() {
    let identity = Identity::new(1);
    let mut device = boot(Flash::blank());
    let mut station = Station::new(12);
    station.identify(&mut device);
    station.stage(&mut device, &identity).unwrap();
    let measured = device.measured();
    assert_eq!((measured.erase, measured.chunk, measured.commit), (3, 3, 0));
}

#[test]
fn storage_that_can_not_be_read_at_boot_counts_as_blank_and_locked() {
    let mut flash = provisioned(&Identity::new(1));
    flash.cut = Some(Cut::Before(0));
    let mut device = boot(flash);
    assert_eq!(device.lifecycle(), Lifecycle::Locked);
    let mut station = Station::new(12);
    assert!(!station.identify(&mut device).holds_identity());
    let reply = station.ask(&mut device, &Request::Abort);
    assert_eq!(refused(reply), error(ErrorCode::Storage, STORAGE_IS_CUT));
    assert!(matches!(station.answer(), Some(Reply::Error(_))));
}
