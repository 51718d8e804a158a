//! The driver against the firmware's own dispatcher, over a real pseudo-terminal.

use std::time::Instant;

use firmware_interface::dispatch::Facts;
use firmware_interface::message::{ChunkReply, CommitReply, ErrorReply};
use sha2::{Digest, Sha256};

use super::test_device::{
    Bench, Crossing, Fate, ID, MADE, OneKey, Ram, SCALAR, Way, facts, identity,
};
use super::*;
use crate::domain::certificate::Proof;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::identity::{IdentityKey, KeyFormat};
use crate::domain::ids::{HardwareId, KeyId};
use crate::settings::PortSettings;
use crate::stop::Stop;
use crate::test_line::{Pty, WATCHDOG};

fn slot(path: &str) -> SlotLink {
    let arrival = Duration::ZERO;
    SlotLink { arrival, ..SlotLink::new(PortSettings::new(path, 921_600)) }
}

fn at(path: &str) -> Framed {
    let slot = slot(path);
    let port = Port::open(slot.port.clone(), Stop::new()).unwrap();
    let mut driver = Framed::new(port, &slot).unwrap();
    driver.set_deadline(Some(Instant::now() + WATCHDOG));
    driver
}

fn driver(bench: &Bench) -> Framed {
    at(bench.path())
}

fn challenge(image: ImageDigest) -> Challenge {
    Challenge {
        nonce: [7; 32],
        hardware: HardwareId::from_bytes(&ID).unwrap(),
        image,
        certificate: Fingerprint::new(Sha256::digest(&identity().client_certificate).into()),
    }
}

/// Asks a device who it is.
pub(super) fn identified(bench: &Bench) -> Seen {
    driver(bench).identify().unwrap()
}

/// A whole unit, as the flow asks for it.
fn provision(driver: &mut Framed) -> Result<(), LinkError> {
    driver.identify()?;
    let image = driver.compose(&identity(), &OneKey)?;
    driver.stage(&identity(), &OneKey, &mut |_, _| {})?;
    driver.commit(image)?;
    let seen = driver.restart()?;
    assert_eq!(seen.holds.map(|held| held.image), Some(image));
    let challenge = challenge(image);
    let Response::Signature { message, signature } = driver.prove(&challenge)? else {
        panic!("the device holds a key");
    };
    assert_eq!(signature[..32], *Sha256::digest(&message), "signed what the station expects");
    let held = driver.read_back()?;
    assert_eq!(held, Some(Held { certificate: challenge.certificate, image }));
    driver.finish(false).map(|_| ())
}

fn code<T>(outcome: Result<T, LinkError>) -> Option<Code> {
    outcome.err().map(|error| error.code())
}

fn is(crossing: &Crossing, way: Way, kind: RequestType) -> bool {
    crossing.way == way && crossing.kind == kind
}

fn answer(reply: Reply<'static>) -> Fate {
    Fate::Answer(Box::new(reply))
}

/// The first frame of a kind meets a fate, all others pass.
fn first(way: Way, kind: RequestType, fate: Fate) -> impl FnMut(&Crossing) -> Fate {
    let mut fate = Some(fate);
    move |crossing| {
        let hit = is(crossing, way, kind);
        if hit { fate.take().unwrap_or(Fate::Pass) } else { Fate::Pass }
    }
}

#[test]
fn a_whole_unit_from_identify_to_finish() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    let seen = driver.identify().unwrap();
    assert_eq!((seen.model.as_str(), seen.firmware.as_str()), ("TH200", "1.4.2"));
    assert_eq!((seen.holds, seen.locked, seen.best_proof), (None, false, Proof::Possession));
    provision(&mut driver).unwrap();
    assert_eq!(driver.counts().resent, 0);
    assert_eq!(driver.counts().dropped, 0);
}

#[test]
fn progress_goes_from_the_key_to_the_whole_image() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    let mut told = Vec::new();
    driver.stage(&identity(), &OneKey, &mut |done, total| told.push((done, total))).unwrap();
    assert_eq!(told.first().map(|(done, _)| *done), Some(32));
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0), "{told:?}");
    assert!(matches!(told.last(), Some((done, total)) if done == total));
}

#[test]
fn each_single_frame_lost_doubled_or_corrupted_ends_proven() {
    let bench = Bench::honest();
    provision(&mut driver(&bench)).unwrap();
    let plan = bench.crossings();
    for crossing in &plan {
        for fate in [Fate::Lose, Fate::Double, Fate::Corrupt] {
            let (way, number) = (crossing.way, crossing.number);
            let told = format!("{fate:?} {way:?} {number} {}", crossing.kind);
            let bench = Bench::scripted(move |now| {
                let hit = now.way == way && now.number == number;
                if hit { fate.clone() } else { Fate::Pass }
            });
            provision(&mut driver(&bench)).unwrap_or_else(|error| panic!("{told}: {error}"));
        }
    }
}

#[test]
fn a_resend_keeps_its_seq_and_the_next_request_takes_the_next() {
    for way in [Way::ToDevice, Way::FromDevice] {
        let bench = Bench::scripted(first(way, RequestType::Commit, Fate::Lose));
        provision(&mut driver(&bench)).unwrap();
        let seqs: Vec<_> =
            bench.requests(RequestType::Commit).iter().map(|frame| frame.seq).collect();
        let restart = bench.requests(RequestType::Restart)[0].seq;
        assert_eq!(seqs, [restart - 1, restart - 1]);
    }
}

#[test]
fn a_request_is_sent_four_times_and_is_then_a_time_out() {
    let bench = Bench::scripted(|crossing| match crossing.kind {
        RequestType::Commit => Fate::Lose,
        _ => Fate::Pass,
    });
    let error = provision(&mut driver(&bench)).unwrap_err();
    assert!(matches!(error, LinkError::Timeout { request: "COMMIT", sent: 4, .. }), "{error}");
    assert_eq!(bench.requests(RequestType::Commit).len(), 4);
}

#[test]
fn banners_and_half_frames_before_every_reply_are_skipped() {
    let noise = [b"boot: ok\r\n".as_slice(), &[0, 5, 1, 2, 0, 0x11, 0x22]].concat();
    let bench = Bench::scripted(move |_| Fate::After(noise.clone()));
    provision(&mut driver(&bench)).unwrap();
}

#[test]
fn a_doubled_reply_is_dropped_and_counted() {
    let bench = Bench::scripted(first(Way::FromDevice, RequestType::Begin, Fate::Double));
    let mut driver = driver(&bench);
    provision(&mut driver).unwrap();
    assert_eq!((driver.counts().dropped, driver.counts().resent), (1, 0));
}

#[test]
fn an_echo_is_no_reply() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    let pty = Pty::open();
    let mut deaf = at(&pty.path());
    std::thread::scope(|scope| {
        let asked = scope.spawn(move || code(deaf.probe().map(|seen| assert_eq!(seen, None))));
        let until = Instant::now() + WATCHDOG;
        while !asked.is_finished() && Instant::now() < until {
            pty.send(&pty.receive(Duration::from_millis(1)));
        }
        assert_eq!(asked.join().unwrap(), None);
    });
}

#[test]
fn a_line_that_returns_what_is_sent_is_called_that() {
    let error = against(|pty| pty.send(&pty.receive(Duration::from_millis(1))));
    assert!(matches!(error, LinkError::Echo { request: "IDENTIFY", frames: 4 }), "{error}");
}

#[test]
fn with_replies_withheld_the_device_sees_exactly_its_window() {
    for window in [1, 4, 8] {
        let facts = firmware_interface::dispatch::Facts {
            window: firmware_interface::message::Window::new(window).unwrap(),
            ..facts()
        };
        let bench = Bench::new(facts, Ram::default(), |crossing| {
            let withheld = is(crossing, Way::FromDevice, RequestType::Chunk);
            if withheld { Fate::Lose } else { Fate::Pass }
        });
        assert_eq!(code(provision(&mut driver(&bench))), Some(Code::DevTimeout));
        let chunks = bench.requests(RequestType::Chunk);
        let mut offsets: Vec<_> = chunks.iter().map(|chunk| chunk.body[..4].to_vec()).collect();
        assert_eq!(offsets.len(), 4 * usize::from(window), "sent four times");
        offsets.sort();
        offsets.dedup();
        assert_eq!(offsets.len(), usize::from(window));
    }
}

#[test]
fn a_lost_chunk_sends_the_station_back_once_and_with_the_same_seqs() {
    let second = |crossing: &Crossing| crossing.body[..4] == 32_u32.to_le_bytes();
    let mut lost = false;
    let bench = Bench::scripted(move |crossing| {
        let hit = is(crossing, Way::ToDevice, RequestType::Chunk) && second(crossing) && !lost;
        lost |= hit;
        if hit { Fate::Lose } else { Fate::Pass }
    });
    let mut driver = driver(&bench);
    provision(&mut driver).unwrap();
    let chunks = bench.requests(RequestType::Chunk);
    let mut by_seq: Vec<_> = chunks.iter().map(|chunk| (chunk.seq, chunk.body.clone())).collect();
    let sent = by_seq.len();
    by_seq.sort();
    by_seq.dedup();
    // Window 4: the lost one and the two that followed it unseen go again, the fourth may.
    assert!((3..=4).contains(&(sent - by_seq.len())), "{sent} sent, {} different", by_seq.len());
    by_seq.dedup_by_key(|(seq, _)| *seq);
    assert_eq!(by_seq.len(), by_seq.last().unwrap().0 as usize - by_seq[0].0 as usize + 1);
}

#[test]
fn a_device_that_never_takes_the_next_chunk_did_not_store() {
    let bench = Bench::scripted(|crossing| {
        let stuck = Reply::Chunk(ChunkReply { next: 0, crc: 0 });
        let hit = is(crossing, Way::ToDevice, RequestType::Chunk);
        if hit { answer(stuck) } else { Fate::Pass }
    });
    assert_eq!(code(provision(&mut driver(&bench))), Some(Code::DevNotStored));
}

#[test]
fn a_check_sum_of_other_bytes_is_found_before_the_commit() {
    let bench = Bench::scripted(|crossing| {
        let reply = ChunkReply { next: 32, crc: 1 };
        let hit = is(crossing, Way::ToDevice, RequestType::Chunk);
        if hit { answer(Reply::Chunk(reply)) } else { Fate::Pass }
    });
    let error = provision(&mut driver(&bench)).unwrap_err();
    assert!(error.to_string().ends_with("first 32 bytes have another check sum"), "{error}");
    assert!(bench.requests(RequestType::Commit).is_empty());
}

#[test]
fn a_commit_of_another_image_is_not_stored() {
    let other = Reply::Commit(CommitReply { digest: [9; 32], generation: 1 });
    let bench = Bench::scripted(first(Way::ToDevice, RequestType::Commit, answer(other)));
    assert_eq!(code(provision(&mut driver(&bench))), Some(Code::DevNotStored));
}

#[test]
fn a_device_that_only_says_that_it_restarts_is_found() {
    let bench = Bench::scripted(|crossing| match crossing.kind {
        RequestType::Restart => answer(Reply::Restart),
        _ => Fate::Pass,
    });
    assert_eq!(code(provision(&mut driver(&bench))), Some(Code::DevNotRestarted));
}

#[test]
fn a_port_that_goes_and_comes_back_in_a_restart_is_opened_again() {
    let bench = Bench::scripted(first(Way::ToDevice, RequestType::Restart, Fate::Unplug));
    provision(&mut driver(&bench)).unwrap();
}

#[test]
fn a_port_that_goes_at_any_other_time_is_unplugged_and_no_time_out() {
    for kind in [RequestType::Identify, RequestType::Begin, RequestType::Chunk, RequestType::Prove]
    {
        let bench = Bench::scripted(first(Way::ToDevice, kind, Fate::Unplug));
        assert_eq!(code(provision(&mut driver(&bench))), Some(Code::DevUnplugged), "{kind}");
    }
}

#[test]
fn a_device_that_restarts_in_mid_transfer_is_sent_the_image_again() {
    let lost = Reply::Error(ErrorReply::new(ErrorCode::NoTransfer, 0));
    let bench = Bench::scripted(first(Way::ToDevice, RequestType::Chunk, answer(lost)));
    provision(&mut driver(&bench)).unwrap();
    assert_eq!(bench.requests(RequestType::Begin).len(), 2);
}

#[test]
fn another_device_in_mid_work_is_told_from_the_one_before() {
    let swap = Fate::Swap([0xd0, 0, 0, 2]);
    let bench = Bench::scripted(first(Way::ToDevice, RequestType::Prove, swap));
    assert_eq!(code(provision(&mut driver(&bench))), Some(Code::DevSwapped));
}

#[test]
fn an_image_that_does_not_fit_is_refused_before_anything_is_sent() {
    let mut small = Ram::default();
    small.capacity = 500;
    let bench = Bench::new(facts(), small, |_| Fate::Pass);
    let error = provision(&mut driver(&bench)).unwrap_err();
    assert!(matches!(error, LinkError::Capacity { has: 500, .. }), "{error}");
    assert_eq!(bench.crossings().len(), 2, "identify and its answer");
}

#[test]
fn a_locked_device_says_so_and_takes_no_identity() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    provision(&mut driver).unwrap();
    driver.finish(true).unwrap();
    assert!(driver.identify().unwrap().locked);
    let error = driver.stage(&identity(), &OneKey, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, LinkError::Locked { request: "BEGIN" }), "{error}");
}

#[test]
fn a_device_that_failed_is_not_locked() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    driver.release().unwrap();
    assert!(!driver.identify().unwrap().locked);
}

#[test]
fn a_device_without_a_key_says_so() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    let response = driver.prove(&challenge(ImageDigest::new([1; 32]))).unwrap();
    assert_eq!(response, Response::NoKey);
    assert_eq!(driver.read_back().unwrap(), None);
}

#[test]
fn an_undriven_hardware_id_is_refused_and_a_version_too() {
    let facts = firmware_interface::dispatch::Facts {
        hardware_id: firmware_interface::message::HardwareId::new(&[0xff; 8]).unwrap(),
        ..facts()
    };
    let bench = Bench::new(facts, Ram::default(), |_| Fate::Pass);
    assert_eq!(code(driver(&bench).identify()), Some(Code::DevHardwareId));
    let newer = Reply::Error(ErrorReply::new(ErrorCode::BadVersion, 0x0302));
    let bench = Bench::scripted(first(Way::ToDevice, RequestType::Identify, answer(newer)));
    assert_eq!(code(driver(&bench).identify()), Some(Code::DevVersion));
}

#[test]
fn a_refusal_carries_its_name() {
    let full = Reply::Error(ErrorReply::new(ErrorCode::Storage, 28));
    let bench = Bench::scripted(first(Way::ToDevice, RequestType::Commit, answer(full)));
    let error = provision(&mut driver(&bench)).unwrap_err();
    assert_eq!(error.to_string(), "the device refused COMMIT with STORAGE (detail 0x1c)");
    assert_eq!(error.code(), Code::DevRefused);
}

#[test]
fn the_key_crosses_the_line_in_its_own_chunk_and_nowhere_else() {
    let bench = Bench::honest();
    provision(&mut driver(&bench)).unwrap();
    let carries = |crossing: &Crossing| crossing.body.windows(16).any(|w| w == &SCALAR[..16]);
    let with_key: Vec<_> = bench.crossings().into_iter().filter(carries).collect();
    assert_eq!(with_key.len(), 1);
    assert_eq!(with_key[0].body[4..], SCALAR);
}

#[test]
fn a_pkcs8_key_crosses_in_its_own_chunk_and_only_to_a_device_that_takes_it() {
    let limit = |bytes| firmware_interface::message::ChunkLimit::new(bytes).unwrap();
    let capabilities = facts().capabilities.with(Capabilities::PKCS8);
    let wanted = Identity { key_format: KeyFormat::Pkcs8, ..identity() };
    let takes = Facts { capabilities, max_chunk: limit(200), ..facts() };
    let bench = Bench::new(takes, Ram::default(), |_| Fate::Pass);
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    let image = driver.compose(&wanted, &OneKey).unwrap();
    driver.stage(&wanted, &OneKey, &mut |_, _| {}).unwrap();
    driver.commit(image).unwrap();
    driver.prove(&challenge(image)).unwrap();
    let carries = |crossing: &Crossing| crossing.body.windows(16).any(|w| w == &SCALAR[..16]);
    let with_key: Vec<_> = bench.crossings().into_iter().filter(carries).collect();
    assert_eq!(with_key.len(), 1);
    let document = &with_key[0].body[4..];
    assert_eq!((document.len(), &document[36..68]), (138, &SCALAR[..]));
    assert_eq!(document[73..], MADE);
    for lacking in [Facts { max_chunk: limit(200), ..facts() }, Facts { capabilities, ..facts() }] {
        let bench = Bench::new(lacking, Ram::default(), |_| Fate::Pass);
        let mut driver = self::driver(&bench);
        driver.identify().unwrap();
        let error = driver.compose(&wanted, &OneKey).unwrap_err();
        assert!(error.to_string().contains("key_format"), "{error}");
        assert_eq!(bench.crossings().len(), 2, "nothing but IDENTIFY");
    }
}

#[test]
fn a_key_that_is_not_lent_is_the_lenders_fault() {
    struct Nothing;
    impl KeyLender for Nothing {
        fn lend(
            &self,
            _: crate::domain::ids::KeyId,
            _: &mut dyn FnMut(&[u8; 32], &mut [u8]),
        ) -> Result<(), crate::domain::device::Fault> {
            Err(crate::domain::device::Fault::new(Code::VaultLock, "gone"))
        }
    }
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    assert_eq!(code(driver.compose(&identity(), &Nothing)), Some(Code::VaultLock));
}

/// A far end that is no device: it does `at_work` again and again until the call is over.
fn against(at_work: impl Fn(&Pty)) -> LinkError {
    let pty = Pty::open();
    let mut driver = at(&pty.path());
    std::thread::scope(|scope| {
        let asked = scope.spawn(move || driver.identify().unwrap_err());
        let until = Instant::now() + WATCHDOG;
        while !asked.is_finished() {
            at_work(&pty);
            assert!(Instant::now() < until, "the call never ends");
        }
        asked.join().unwrap()
    })
}

#[test]
fn silence_is_a_time_out() {
    let error = against(|pty| drop(pty.receive(Duration::from_millis(5))));
    assert!(matches!(error, LinkError::Timeout { request: "IDENTIFY", .. }), "{error}");
}

#[test]
fn noise_without_end_ends_at_the_deadline_as_noise() {
    let noise: Vec<u8> = (0..512_u32).map(|i| (i * 7 % 251) as u8).collect();
    let error = against(|pty| pty.offer(&noise));
    assert!(matches!(error, LinkError::Noise { .. }), "{error}");
}

#[test]
fn a_byte_now_and_then_does_not_move_the_deadline() {
    let error = against(|pty| {
        pty.receive(Duration::from_millis(3));
        pty.offer(b"x");
    });
    assert!(matches!(error, LinkError::Noise { .. }), "{error}");
}

#[test]
fn a_flood_of_sound_frames_that_answer_nothing_ends_too() {
    let header = firmware_interface::codec::Header {
        version: 1,
        message_type: RequestType::Restart.reply_type(),
        seq: 1,
        session: 1,
    };
    let mut frame = [0; 64];
    let length = firmware_interface::codec::encode(header, &Reply::Restart, &mut frame).unwrap();
    let flood = frame[..length].repeat(30);
    let error = against(|pty| pty.offer(&flood));
    assert!(matches!(error, LinkError::Unasked { .. }), "{error}");
}

/// What comes of it where each answer to a request carries another version and type.
fn labelled(request: RequestType, version: u8, message_type: u8) -> String {
    let bench = Bench::scripted(move |crossing| match is(crossing, Way::FromDevice, request) {
        true => Fate::Labelled(version, message_type),
        false => Fate::Pass,
    });
    provision(&mut driver(&bench)).unwrap_err().to_string()
}

#[test]
fn an_answer_of_another_version_or_type_is_told_with_what_was_expected() {
    let no_sense = |request, why: &str| format!("the answer to {request} makes no sense: {why}");
    let version = "it carries version 2, and 1 was sent";
    assert_eq!(labelled(RequestType::Chunk, 2, 0x83), no_sense("CHUNK", version));
    assert_eq!(labelled(RequestType::Prove, 2, 0x86), no_sense("PROVE", version));
    let other = "its type is 0x83, and 0x86 was expected";
    assert_eq!(labelled(RequestType::Prove, 1, 0x83), no_sense("PROVE", other));
    let bit = "its type is 0x06, and 0x86 was expected: the bit 0x80 of a reply is missing";
    assert_eq!(labelled(RequestType::Prove, 1, 0x06), no_sense("PROVE", bit));
}

#[test]
fn a_device_that_boots_late_is_waited_for_after_its_port_was_opened() {
    let mut deaf = 8;
    let bench = Bench::scripted(move |crossing| {
        deaf -= i32::from(crossing.way == Way::ToDevice);
        if deaf >= 0 { Fate::Lose } else { Fate::Pass }
    });
    let slot = SlotLink { arrival: WATCHDOG, ..slot(bench.path()) };
    let port = Port::open(slot.port.clone(), Stop::new()).unwrap();
    let mut driver = Framed::new(port, &slot).unwrap();
    assert_eq!(driver.identify().unwrap().model, "TH200");
    assert_eq!(bench.requests(RequestType::Identify).len(), 9);
}

#[test]
fn the_units_deadline_ends_every_wait() {
    let bench = Bench::scripted(|_| Fate::Lose);
    let mut driver = driver(&bench);
    driver.set_deadline(Some(Instant::now()));
    assert_eq!(code(driver.identify()), Some(Code::UnitDeadline));
}

/// A station that has no key to lend.
struct NoKeys;

impl KeyLender for NoKeys {
    fn lend(&self, _: KeyId, _: &mut dyn FnMut(&[u8; 32], &mut [u8])) -> Result<(), Fault> {
        panic!("a key is lent although the device made its own")
    }
}

fn bench_that_makes_keys() -> Bench {
    let capabilities = facts().capabilities.with(Capabilities::KEYGEN);
    Bench::new(Facts { capabilities, ..facts() }, Ram::default(), |_| Fate::Pass)
}

#[test]
fn a_key_that_the_device_made_never_crosses_the_line_and_proves() {
    let bench = bench_that_makes_keys();
    let mut driver = driver(&bench);
    assert!(driver.identify().unwrap().makes_keys);
    let request = driver.make_key().unwrap();
    assert_eq!(*request.public_key.as_bytes(), MADE);
    let [0x30, 0x81, length, ..] = request.der[..] else { panic!("{:02x?}", request.der) };
    assert_eq!(request.der.len(), 3 + usize::from(length), "the whole request and no more");
    let identity = Identity { key: IdentityKey::Device(request.public_key), ..identity() };
    let image = driver.compose(&identity, &NoKeys).unwrap();
    driver.stage(&identity, &NoKeys, &mut |_, _| {}).unwrap();
    driver.commit(image).unwrap();
    assert_eq!(driver.restart().unwrap().holds.map(|held| held.image), Some(image));
    assert!(matches!(driver.prove(&challenge(image)), Ok(Response::Signature { .. })));
    let crossed = bench.crossings();
    let holds_key = |one: &Crossing| one.body.windows(8).any(|part| *part == SCALAR[..8]);
    assert!(!crossed.iter().any(holds_key), "the private key crossed the line");
    let is_chunk = |one: &&Crossing| one.is_request() && one.kind == RequestType::Chunk;
    let first = crossed.iter().find(is_chunk).unwrap();
    assert_eq!(first.body, [&[0; 4][..], &MADE].concat(), "a chunk of its own");
}

#[test]
fn a_device_that_lost_its_session_lost_its_key_and_takes_no_image_for_it() {
    let bench = bench_that_makes_keys();
    let mut driver = driver(&bench);
    driver.identify().unwrap();
    let request = driver.make_key().unwrap();
    driver.restart().unwrap();
    let identity = Identity { key: IdentityKey::Device(request.public_key), ..identity() };
    driver.compose(&identity, &NoKeys).unwrap();
    let error = driver.stage(&identity, &NoKeys, &mut |_, _| {}).unwrap_err();
    assert_eq!(error.code(), Code::DevRefused, "{error}");
}

#[test]
fn a_device_that_makes_no_keys_says_so_and_refuses_to() {
    let bench = Bench::honest();
    let mut driver = driver(&bench);
    assert!(!driver.identify().unwrap().makes_keys);
    assert_eq!(driver.make_key().unwrap_err().code(), Code::DevRefused);
}
