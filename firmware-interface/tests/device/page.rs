//! `docs/protocol.md` held against the code: its tables, and every byte of its example.
//!
//! The page's bytes were made by another program. Where this fails, either the page or
//! the code is wrong; once version 1 is frozen, it is the code.

use std::cell::Cell;
use std::rc::Rc;

use firmware_interface::codec::{self, CRC32, Header, MAX_FRAME};
use firmware_interface::dispatch::{
    Device, Facts, REPLY_ROOM, Random, SLOT_HEADER_LENGTH, Signer, SignerError, Slot, Storage, Then,
};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{Capabilities, ErrorCode, ObjectKind, REPLY_BIT, RequestType};
use firmware_interface::image::{Settings, TlsVersion};
use firmware_interface::message::{
    Begin, Chunk, ChunkLimit, HardwareId, IdentifyReply, Message, Reply, Request, Sink,
};
use firmware_interface::prove::ProveText;
use firmware_interface::timing::{IDENTIFY_INTERVAL_MS, REPLY_MARGIN_MS, RESENDS};
use sha2::{Digest, Sha256};

use super::support::{CountingClock, Flash, NoRandom, facts};

const PAGE: &str = include_str!("../../../docs/protocol.md");

struct Block {
    kind: String,
    bytes: Vec<u8>,
}

/// Every block of hexadecimal on the page.
fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for part in PAGE.split("```hex ").skip(1) {
        let (kind, rest) = part.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        let bytes = text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap());
        blocks.push(Block { kind: kind.to_owned(), bytes: bytes.collect() });
    }
    blocks
}

fn only(kind: &str) -> Vec<u8> {
    let mut found = blocks().into_iter().filter(|block| block.kind == kind);
    let block = found.next().expect("the block is on the page");
    assert!(found.next().is_none());
    block.bytes
}

/// What the station sends and what the device answers, in their order.
fn exchanges() -> Vec<(Vec<u8>, Vec<u8>)> {
    let wire = |block: &Block| matches!(block.kind.as_str(), "station" | "device");
    let blocks: Vec<Block> = blocks().into_iter().filter(wire).collect();
    let pair = |pair: &[Block]| {
        assert_eq!((pair[0].kind.as_str(), pair[1].kind.as_str()), ("station", "device"));
        (pair[0].bytes.clone(), pair[1].bytes.clone())
    };
    blocks.chunks(2).map(pair).collect()
}

/// Answers the stand-in of the page and keeps what it was asked to sign.
struct StandIn {
    asked: Rc<Cell<[u8; 64]>>,
}

impl Signer for StandIn {
    fn sign(
        &mut self,
        scalar: &[u8; 32],
        digest: &[u8; 32],
        _random: &mut dyn Random,
    ) -> Result<[u8; 64], SignerError> {
        let asked: Vec<u8> = [*scalar, *digest].concat();
        self.asked.set(asked.try_into().unwrap());
        let mut signature = [0x11; 64];
        signature[32..].fill(0x22);
        Ok(signature)
    }
}

fn page_facts() -> Facts {
    let capabilities = Capabilities::PROVE.with(Capabilities::READ).with(Capabilities::LOCK);
    Facts { max_chunk: ChunkLimit::new(256).unwrap(), capabilities, ..facts() }
}

#[test]
fn a_device_answers_the_example_byte_for_byte() {
    let asked = Rc::new(Cell::new([0; 64]));
    let start = |flash| {
        let signer = StandIn { asked: Rc::clone(&asked) };
        Device::boot(page_facts(), flash, signer, NoRandom, CountingClock::default())
    };
    let mut device = start(Flash::blank());
    let exchanges = exchanges();
    assert_eq!(exchanges.len(), 12);
    for (index, (request, answer)) in exchanges.iter().enumerate() {
        let mut reader = FullFrameReader::new();
        let frame = reader.next_frame(&mut request.as_slice()).expect("a sound frame");
        let mut out = [0; REPLY_ROOM];
        let handled = device.handle(&frame, &mut out);
        assert_eq!(out[..handled.reply.unwrap()], **answer, "answer {}", index + 1);
        if handled.then == Then::Restart {
            device = start(device.into_storage());
        }
    }
    let digest = only("prove-digest");
    assert_eq!(asked.get()[..32], only("image")[..32]);
    assert_eq!(asked.get()[32..], *digest);
    let mut header = [0; SLOT_HEADER_LENGTH];
    device.storage_mut().read_header(Slot::A, &mut header).unwrap();
    assert_eq!(header.as_slice(), only("slot-header"));
}

#[test]
fn the_codec_writes_every_frame_of_the_example() {
    for (request, answer) in exchanges() {
        check_frame(&request, |frame, out| {
            let request = Request::from_frame(frame).unwrap();
            codec::encode(frame.header, &request, out).unwrap()
        });
        check_frame(&answer, |frame, out| {
            let reply = Reply::from_frame(frame).unwrap();
            codec::encode(frame.header, &reply, out).unwrap()
        });
    }
}

fn check_frame(bytes: &[u8], encode: impl Fn(&codec::Frame<'_>, &mut [u8]) -> usize) {
    let mut reader = FullFrameReader::new();
    let frame = reader.next_frame(&mut &bytes[..]).expect("a sound frame");
    let mut out = [0; MAX_FRAME];
    let length = encode(&frame, &mut out);
    assert_eq!(out[..length], *bytes);
}

#[test]
fn the_example_shows_a_resend_and_an_error() {
    let exchanges = exchanges();
    assert_eq!(exchanges[3], exchanges[4], "a resend is the same bytes");
    let mut answer = exchanges[7].1.clone();
    let end = answer.len() - 1;
    let frame = codec::decode(&mut answer[1..end]).unwrap();
    let Ok(Reply::Error(error)) = Reply::from_frame(&frame) else { panic!("{frame:?}") };
    assert_eq!(error.known(), Some(ErrorCode::NoSession));
}

#[test]
fn the_image_of_the_page_is_what_it_says() {
    let image = only("image");
    let key: Vec<u8> = (1..=32).collect();
    assert_eq!(image[..32], key);
    let settings = Settings::parse(&image[72..]).unwrap();
    assert_eq!(
        (settings.client_id.as_str(), settings.host.as_str()),
        ("TH-000017", "mqtt.example")
    );
    assert_eq!((settings.port, settings.tls_min), (8883, TlsVersion::V1_2));
    assert_eq!(settings.tls_max, TlsVersion::V1_3);
}

#[test]
fn the_prove_text_of_the_page_is_made_of_the_example() {
    let image = only("image");
    let text = ProveText {
        nonce: std::array::from_fn(|i| 0xe0 + i as u8),
        hardware_id: HardwareId::new(facts().hardware_id.as_bytes()).unwrap(),
        image: Sha256::digest(&image).into(),
        certificate: Sha256::digest(&image[32..72]).into(),
    };
    let mut written = Bytes(Vec::new());
    text.write(&mut written);
    assert_eq!(written.0, only("prove-text"));
    assert_eq!(text.digest().as_slice(), only("prove-digest"));
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[test]
fn the_stuffing_examples_are_what_another_encoder_makes() {
    let raws: Vec<Block> = blocks().into_iter().filter(|block| block.kind == "raw").collect();
    let stuffed: Vec<Block> = blocks().into_iter().filter(|block| block.kind == "cobs").collect();
    assert_eq!((raws.len(), stuffed.len()), (4, 4));
    for (raw, stuffed) in raws.iter().zip(&stuffed) {
        let mut theirs = vec![0; raw.bytes.len() + 8];
        let used = cobs::encode(&raw.bytes, &mut theirs);
        // The crate appends the tail that the page forbids.
        let used = if raw.bytes.len() == 254 { used.min(255) } else { used };
        assert_eq!(theirs[..used], stuffed.bytes);
    }
}

#[test]
fn the_page_names_every_number() {
    let row = |number: String, name: &str| {
        let row = format!("| `{number}` | {name} |");
        assert_eq!(PAGE.matches(&row).count(), 1, "{row}");
    };
    for request in RequestType::ALL {
        row(format!("{:#04x}", request.to_wire()), request.name());
    }
    for code in ErrorCode::ALL {
        row(format!("{:#06x}", code.to_wire()), code.name());
    }
    for kind in ObjectKind::ALL {
        row(format!("{:#04x}", kind.to_wire()), kind.name());
    }
    let rows = PAGE.lines().filter(|line| line.starts_with("| `0x")).count();
    // One more: ERROR stands among the types.
    let numbers = RequestType::ALL.len() + ErrorCode::ALL.len() + ObjectKind::ALL.len();
    assert_eq!(rows, numbers + 1);
}

#[test]
fn the_limits_of_the_page_are_the_limits_of_the_code() {
    for said in [
        format!("at most {MAX_FRAME} bytes, both delimiters counted"),
        format!("a body of {} bytes needs at worst: 8 + {0} + 4", codec::MAX_BODY),
        format!("more than {} bytes remain", codec::MAX_RAW),
        format!("most data in one `CHUNK`, {} to {}", ChunkLimit::MIN.bytes(), Chunk::MAX_DATA),
        format!("| 2 | 102 to {} |", IdentifyReply::MAX_SIZE),
        format!("| settings | {} to {} |", Settings::MIN_SIZE, Settings::MAX_SIZE),
        format!("header of {SLOT_HEADER_LENGTH} bytes"),
        format!("busy time + {REPLY_MARGIN_MS} ms"),
        format!("`IDENTIFY` every {IDENTIFY_INTERVAL_MS} ms"),
    ] {
        assert!(PAGE.contains(&said), "the page does not say: {said}");
    }
    assert_eq!(RESENDS, 3);
    assert!(PAGE.contains("After three resends"));
    assert_eq!(Begin::MAX_SIZE, 37 + 3 * 5);
    assert_eq!(CRC32.checksum(b"123456789"), 0xcbf4_3926);
    assert_eq!(REPLY_BIT, 0x80);
}

#[test]
fn a_body_has_the_size_that_the_page_says() {
    for request in [Request::Restart, Request::Abort, Request::Erase] {
        assert_eq!(request.body_length(), 0);
    }
    let header = Header { version: 1, message_type: 0, seq: 0, session: 0 };
    for (kind, size) in [(0x04, 32), (0x06, 32), (0x07, 2), (0x0a, 7), (0x0b, 5), (0x0c, 6)] {
        let body: &[u8] = &[1; 32][..size];
        let frame = codec::Frame { header: Header { message_type: kind, ..header }, body };
        let request = Request::from_frame(&frame).unwrap();
        let row = format!("| `{kind:#04x}` | {} | {size} |", request.request_type().name());
        assert!(PAGE.contains(&row), "{row}");
    }
}
