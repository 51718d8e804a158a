//! Every message and every frame: round trips, one encoding each, no panic on any bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

use firmware_interface::codec::{self, Frame, Header, MAX_BODY, MAX_FRAME};
use firmware_interface::frame::{FrameReader, FullFrameReader};
use firmware_interface::ids::{
    Capabilities, KeyAlgorithm, Lifecycle, ObjectKind, RequestType, SecurityFlags,
};
use firmware_interface::image::{Object, ObjectTable, Settings, TlsVersion};
use firmware_interface::message::{
    Begin, BeginReply, Chunk, ChunkLimit, ChunkReply, Commit, CommitReply, Csr, CsrReply,
    ErrorReply, Finish, FinishReply, FinishResult, HardwareId, Identify, IdentifyReply, Keygen,
    KeygenReply, Message, Prove, ProveReply, Read, ReadReply, Reply, Request, ShortText, Sink,
    Window,
};
use firmware_interface::timing::BusyTimes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[derive(Default, PartialEq, Eq, Debug)]
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn body_of(message: &impl Message) -> Vec<u8> {
    let mut bytes = Bytes::default();
    message.write_body(&mut bytes);
    assert_eq!(bytes.0.len(), message.body_length(), "the length is not what is written");
    bytes.0
}

fn frame_of(header: Header, message: &impl Message) -> Vec<u8> {
    let mut out = [0; MAX_FRAME];
    let length = codec::encode(header, message, &mut out).unwrap();
    out[..length].to_vec()
}

fn header() -> impl Strategy<Value = Header> {
    (any::<u8>(), any::<u8>(), any::<u16>(), any::<u32>()).prop_map(
        |(version, message_type, seq, session)| Header { version, message_type, seq, session },
    )
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0), any::<u8>()];
    vec(byte, 1..=Chunk::MAX_DATA)
}

fn objects() -> impl Strategy<Value = ObjectTable> {
    let optional = (any::<[bool; 3]>(), 1..=u16::MAX, 1..=u16::MAX, 9..=324u16);
    (0..3_usize, 1..=u16::MAX, optional).prop_map(|(key, certificate, optional)| {
        let ([chain, roots, settings], chain_length, roots_length, settings_length) = optional;
        let keys = [(ObjectKind::Key, 32), (ObjectKind::MadeKey, 65), (ObjectKind::Pkcs8Key, 138)];
        let key = keys[key];
        let mut objects = vec![key, (ObjectKind::ClientCertificate, certificate)];
        objects.extend(chain.then_some((ObjectKind::CaChain, chain_length)));
        objects.extend(roots.then_some((ObjectKind::ServerRoots, roots_length)));
        objects.extend(settings.then_some((ObjectKind::Settings, settings_length)));
        let objects: Vec<Object> =
            objects.into_iter().map(|(kind, length)| Object { kind, length }).collect();
        ObjectTable::new(&objects).unwrap()
    })
}

fn text<const MAX: usize>(min: usize) -> impl Strategy<Value = ShortText<MAX>> {
    vec(b' '..=b'~', min..=MAX).prop_map(|bytes| {
        let text = String::from_utf8(bytes).unwrap();
        ShortText::new(&text).unwrap()
    })
}

/// Calls the property with one request of every type.
fn every_request(
    (seed, number, bytes, table): (&[u8; 32], u32, &[u8], ObjectTable),
    mut check: impl FnMut(&Request<'_>),
) {
    let max = (number as u16).max(1);
    let [a, b] = [seed[0].min(seed[1]), seed[0].max(seed[1])];
    check(&Request::Identify(Identify { min: a, max: b }));
    check(&Request::Begin(Begin { digest: *seed, objects: table }));
    check(&Request::Chunk(Chunk { offset: number, data: bytes }));
    check(&Request::Commit(Commit { digest: *seed }));
    check(&Request::Restart);
    check(&Request::Prove(Prove { nonce: *seed }));
    check(&Request::Finish(Finish { result: FinishResult::Pass, lock: seed[2] > 127 }));
    check(&Request::Finish(Finish { result: FinishResult::Fail, lock: false }));
    check(&Request::Abort);
    check(&Request::Erase);
    let kind = ObjectKind::ALL[usize::from(seed[3]) % ObjectKind::ALL.len()];
    check(&Request::Read(Read { kind, offset: number, max }));
    check(&Request::Keygen(Keygen { algorithm: KeyAlgorithm::P256, number }));
    check(&Request::Csr(Csr { offset: number, max }));
}

fn every_reply((seed, number, bytes): (&[u8; 32], u32, &[u8]), mut check: impl FnMut(&Reply<'_>)) {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(seed);
    let mut public_key = [4; 65];
    public_key[33..].copy_from_slice(seed);
    let lifecycle = Lifecycle::ALL[usize::from(seed[4]) % Lifecycle::ALL.len()];
    check(&Reply::Begin(BeginReply { next: number }));
    check(&Reply::Chunk(ChunkReply { next: number, crc: !number }));
    check(&Reply::Commit(CommitReply { digest: *seed, generation: number }));
    check(&Reply::Restart);
    check(&Reply::Prove(ProveReply { signature }));
    check(&Reply::Finish(FinishReply { lifecycle }));
    check(&Reply::Abort);
    check(&Reply::Erase);
    check(&Reply::Read(ReadReply { total: number, data: bytes }));
    check(&Reply::Read(ReadReply { total: number, data: &[] }));
    check(&Reply::Keygen(KeygenReply { public_key }));
    check(&Reply::Csr(CsrReply { total: number, data: bytes }));
    check(&Reply::Error(ErrorReply { code: number as u16, detail: !number }));
}

fn identify_reply() -> impl Strategy<Value = IdentifyReply> {
    let numbers = (any::<u8>(), select(Lifecycle::ALL), any::<u8>(), 1..=Window::MAX);
    let limits = (any::<u32>(), any::<u32>(), any::<u32>(), 65..=ChunkLimit::MAX.bytes());
    let texts = (text(1), vec(any::<u8>(), 4..=32), text(1), prop::option::of(text(1)));
    (numbers, limits, any::<[u16; 5]>(), any::<[[u8; 32]; 2]>(), texts).prop_map(
        |(numbers, limits, [erase, chunk, commit, prove, boot], [image, certificate], texts)| {
            IdentifyReply {
                version: numbers.0,
                lifecycle: numbers.1,
                security: SecurityFlags(numbers.2),
                window: Window::new(numbers.3).unwrap(),
                capabilities: Capabilities(limits.0),
                replaced: limits.1,
                capacity: limits.2,
                max_chunk: ChunkLimit::new(limits.3).unwrap(),
                busy: BusyTimes { erase, chunk, commit, prove, boot },
                image,
                certificate,
                model: texts.0,
                hardware_id: HardwareId::new(&texts.1).unwrap(),
                firmware: texts.2,
                factory_serial: texts.3,
            }
        },
    )
}

proptest! {
    #[test]
    fn every_request_comes_back_from_its_frame(
        header in header(), seed in any::<[u8; 32]>(), number in any::<u32>(),
        bytes in data(), table in objects(),
    ) {
        every_request((&seed, number, &bytes, table), |request| {
            let header = Header { message_type: request.message_type(), ..header };
            let mut line = frame_of(header, request);
            let end = line.len() - 1;
            let frame = codec::decode(&mut line[1..end]).unwrap();
            assert_eq!(frame.header, header);
            assert_eq!(Request::from_frame(&frame).as_ref(), Ok(request));
        });
    }

    #[test]
    fn every_reply_comes_back_from_its_frame(
        header in header(), seed in any::<[u8; 32]>(), number in any::<u32>(), bytes in data(),
        identify in identify_reply(),
    ) {
        let check = |reply: &Reply<'_>| {
            let header = Header { message_type: reply.message_type(), ..header };
            let mut line = frame_of(header, reply);
            let end = line.len() - 1;
            let frame = codec::decode(&mut line[1..end]).unwrap();
            assert_eq!(Reply::from_frame(&frame).as_ref(), Ok(reply));
            let longest = reply.answers().map_or(ErrorReply::SIZE, Reply::longest_body);
            assert!(frame.body.len() <= longest && ErrorReply::SIZE <= longest);
        };
        every_reply((&seed, number, &bytes), check);
        check(&Reply::Identify(identify));
    }

    #[test]
    fn every_body_has_one_length(
        seed in any::<[u8; 32]>(), number in any::<u32>(), bytes in data(), table in objects(),
        identify in identify_reply(),
    ) {
        every_request((&seed, number, &bytes, table), |request| {
            let mut body = body_of(request);
            body.push(0);
            let longer = Request::parse(request.request_type(), &body);
            let open_ended = request.request_type() == RequestType::Chunk;
            assert!(open_ended || longer.is_err(), "{request:?}");
        });
        let mut body = body_of(&Reply::Identify(identify));
        for length in 0..body.len() {
            assert!(Reply::parse(RequestType::Identify, &body[..length]).is_err());
        }
        body.push(0);
        assert!(Reply::parse(RequestType::Identify, &body).is_err());
    }

    #[test]
    fn what_is_understood_is_written_back_byte_for_byte(body in vec(any::<u8>(), 0..200)) {
        for request in RequestType::ALL {
            if let Ok(message) = Request::parse(*request, &body) {
                prop_assert_eq!(body_of(&message), body.clone());
            }
            if let Ok(message) = Reply::parse(*request, &body) {
                prop_assert_eq!(body_of(&message), body.clone());
            }
        }
        if let Ok(message) = Reply::parse_error(&body) {
            prop_assert_eq!(body_of(&message), body);
        }
    }

    #[test]
    fn a_changed_body_is_refused_or_written_back_as_changed(
        table in objects(), identify in identify_reply(), at in any::<usize>(), byte in any::<u8>(),
    ) {
        let mut begin = body_of(&Request::Begin(Begin { digest: [7; 32], objects: table }));
        let place = at % begin.len();
        begin[place] = byte;
        if let Ok(message) = Request::parse(RequestType::Begin, &begin) {
            prop_assert_eq!(body_of(&message), begin);
        }
        let mut reply = body_of(&Reply::Identify(identify));
        let place = at % reply.len();
        reply[place] = byte;
        if let Ok(message) = Reply::parse(RequestType::Identify, &reply) {
            prop_assert_eq!(body_of(&message), reply);
        }
    }

    #[test]
    fn any_bytes_on_the_line_are_read_without_a_panic(line in vec(any::<u8>(), 0..4096)) {
        let (mut full, mut small) = (FullFrameReader::new(), FrameReader::<40>::new());
        let mut input = line.as_slice();
        while let Some(frame) = full.next_frame(&mut input) {
            let _ = (Request::from_frame(&frame), Reply::from_frame(&frame));
        }
        let mut input = line.as_slice();
        while small.next_frame(&mut input).is_some() {}
    }

    #[test]
    fn a_frame_has_one_encoding(mut between in vec(1u8..=255, 13..600)) {
        // A frame made of random stuffing, given a right CRC, must come back as it was.
        let Ok(length) = cobs::decode_in_place(&mut between.clone()) else { return Ok(()) };
        prop_assume!(length >= 12);
        let mut raw = between.clone();
        let _ = cobs::decode_in_place(&mut raw);
        let crc = codec::CRC32.checksum(&raw[..length - 4]);
        raw[length - 4..length].copy_from_slice(&crc.to_le_bytes());
        let mut stuffed = vec![0; length + length / 200 + 8];
        let used = cobs::encode(&raw[..length], &mut stuffed);
        stuffed.truncate(used);
        between.clone_from(&stuffed);
        if let Ok(frame) = codec::decode(&mut between) {
            let again = frame_of(frame.header, &Raw(frame.body));
            prop_assert_eq!(&again[1..again.len() - 1], stuffed.as_slice());
        }
    }

    #[test]
    fn a_reader_finds_its_place_again_after_garbage_or_a_cut_frame(
        garbage in vec(any::<u8>(), 0..3000), data in data(), keep in any::<usize>(),
    ) {
        let header = Header { version: 1, message_type: 3, seq: 77, session: 5 };
        let wanted = frame_of(header, &Request::Chunk(Chunk { offset: 9, data: &data }));
        let mut line = garbage;
        line.extend(&wanted[..keep % wanted.len()]);
        line.extend(&wanted);
        let mut reader = FullFrameReader::new();
        let mut input = line.as_slice();
        let mut last = None;
        while let Some(frame) = reader.next_frame(&mut input) {
            last = Some((frame.header, frame.body[4..].to_vec()));
        }
        prop_assert_eq!(last, Some((header, data)));
    }

    #[test]
    fn an_over_long_frame_yields_nothing_and_the_next_one_is_read(
        length in 1023usize..5000, fill in 1u8..=255, tail in any::<bool>(),
    ) {
        let header = Header { version: 1, message_type: 8, seq: 3, session: 5 };
        let inner = frame_of(header, &Request::Abort);
        let mut line = vec![0];
        line.extend(vec![fill; length]);
        if tail {
            // A whole frame at the end of the long one, without a delimiter before it.
            line.extend(&inner[1..]);
        }
        line.extend(frame_of(Header { seq: 4, ..header }, &Request::Abort));
        let mut reader = FullFrameReader::new();
        let mut input = line.as_slice();
        let first = reader.next_frame(&mut input).map(|frame| frame.header.seq);
        prop_assert_eq!(first, Some(4));
        prop_assert_eq!(reader.dropped().too_long, 1);
    }

    #[test]
    fn settings_come_back_and_have_one_encoding(
        port in 1..=u16::MAX, client_id in text(1), host in text(1), bounds in 0..3usize,
        at in any::<usize>(), byte in any::<u8>(),
    ) {
        use TlsVersion::{V1_2, V1_3};
        let (tls_min, tls_max) = [(V1_2, V1_2), (V1_2, V1_3), (V1_3, V1_3)][bounds];
        let settings = Settings { tls_min, tls_max, port, client_id, host };
        let mut bytes = Bytes::default();
        settings.write(&mut bytes);
        prop_assert_eq!(Settings::parse(&bytes.0), Ok(settings));
        let place = at % bytes.0.len();
        bytes.0[place] = byte;
        if let Ok(other) = Settings::parse(&bytes.0) {
            let mut again = Bytes::default();
            other.write(&mut again);
            prop_assert_eq!(again, bytes);
        }
    }
}

/// A body that is already bytes.
struct Raw<'b>(&'b [u8]);

impl Message for Raw<'_> {
    fn message_type(&self) -> u8 {
        0
    }

    fn body_length(&self) -> usize {
        self.0.len()
    }

    fn write_body(&self, sink: &mut impl Sink) {
        sink.put(self.0);
    }
}

#[test]
fn every_single_flipped_bit_drops_the_frame() {
    let header = Header { version: 1, message_type: 3, seq: 0x0102, session: 0x0a00_0b0c };
    let data: Vec<u8> = (0..300).map(|i| (i % 256) as u8).collect();
    let frame = frame_of(header, &Request::Chunk(Chunk { offset: 0x20, data: &data }));
    for bit in 0..frame.len() * 8 {
        let mut line = frame.clone();
        line[bit / 8] ^= 1 << (bit % 8);
        let mut input = line.as_slice();
        let mut reader = FullFrameReader::new();
        let is_delimiter = bit / 8 == 0 || bit / 8 == frame.len() - 1;
        let found = reader.next_frame(&mut input).is_some();
        assert!(!found, "bit {bit} went unseen (delimiter: {is_delimiter})");
    }
}

#[test]
fn a_body_longer_than_a_frame_allows_is_no_frame() {
    let header = Header { version: 1, message_type: 3, seq: 1, session: 1 };
    let mut out = [0; 2 * MAX_FRAME];
    assert!(codec::encode(header, &Raw(&[0; MAX_BODY]), &mut out).is_ok());
    assert!(codec::encode(header, &Raw(&[0; MAX_BODY + 1]), &mut out).is_err());
    // The same made by another implementation.
    let mut raw = vec![0; 8 + MAX_BODY + 1];
    raw.extend(codec::CRC32.checksum(&raw).to_le_bytes());
    let mut stuffed = vec![0; 2 * MAX_FRAME];
    let used = cobs::encode(&raw, &mut stuffed);
    assert!(codec::decode(&mut stuffed[..used]).is_err());
}

#[test]
fn values_that_no_layout_allows_are_refused() {
    let refused = |request, body: &[u8]| Request::parse(request, body).is_err();
    assert!(refused(RequestType::Identify, &[2, 1]), "the range is empty");
    assert!(refused(RequestType::Finish, &[2, 0]), "no such result");
    assert!(refused(RequestType::Finish, &[1, 2]), "no such lock");
    assert!(refused(RequestType::Keygen, &[2, 0, 0, 0, 0]), "no such algorithm");
    assert!(refused(RequestType::Csr, &[0, 0, 0, 0, 0, 0]), "nothing asked");
}

#[test]
fn a_frame_of_another_type_is_not_the_expected_one() {
    let header = Header { version: 1, message_type: 0x01, seq: 1, session: 1 };
    assert!(Reply::from_frame(&Frame { header, body: &[1, 1] }).is_err());
    let header = Header { message_type: 0x81, ..header };
    assert!(Request::from_frame(&Frame { header, body: &[1, 1] }).is_err());
}
