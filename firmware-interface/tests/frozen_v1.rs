//! Version 1 of the wire, frozen: every message, every number, every byte with its meaning.
//!
//! **A failure here means: revert the change. Do not edit this test.** Devices are in the
//! field that speak these bytes. What has to be different is another version, another
//! type or another object; see `docs/protocol.md`, section 8.
//!
//! A table holds a whole frame before stuffing: the bytes, a bar, and what they are.
//! The sums in it were made by zlib and not by this crate.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

use firmware_interface::codec::{self, CRC32, Frame, Header, MAX_FRAME};
use firmware_interface::dispatch::SLOT_HEADER_LENGTH;
use firmware_interface::ids::{
    Capabilities, ErrorCode, KeyAlgorithm, Lifecycle, ObjectKind, RequestType, SecurityFlags,
};
use firmware_interface::image::{Object, ObjectTable, Settings, TlsVersion};
use firmware_interface::message::{
    Begin, BeginReply, Chunk, ChunkLimit, ChunkReply, Commit, CommitReply, Csr, CsrReply,
    ErrorReply, Finish, FinishReply, FinishResult, HardwareId, Identify, IdentifyReply, Keygen,
    KeygenReply, Message, Prove, ProveReply, Read, ReadReply, Reply, Request, ShortText, Sink,
    Window,
};
use firmware_interface::prove::ProveText;
use firmware_interface::timing::BusyTimes;
use firmware_interface::version;

const IDENTIFY: &str = "
01                      | version
01                      | type IDENTIFY
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
01                      | min
02                      | max
3f 0e 54 f7             | crc";

const IDENTIFY_REPLY: &str = "
01                      | version
81                      | type IDENTIFY, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
01                      | version chosen
02                      | lifecycle: provisioned
07                      | security: secure boot 01, read-out protection 02, flash encryption 04
04                      | window
0f 00 00 00             | capabilities: PROVE 1, READ 2, lock 4, KEYGEN and CSR 8
11 12 13 14             | replaced session 0x14131211
00 08 00 00             | capacity 2048
00 01                   | max chunk 256
32 00                   | busy erase 50 ms
05 00                   | busy chunk 5 ms
14 00                   | busy commit 20 ms
1e 00                   | busy prove 30 ms
2c 01                   | busy boot 300 ms
5b 60 b3 d4 5d 88 92 a9 | SHA-256 of the active image
7e ed ba c7 bf 78 99 a6 |     so on
27 f8 3b d8 25 f3 ea 2e |     so on
47 bd 02 23 89 14 b0 b6 |     so on
35 2f 38 50 7d ab 81 d5 | SHA-256 of the client certificate
43 88 77 a8 0d ea ea e8 |     so on
9f 17 1a 17 79 20 3a 46 |     so on
2d 94 d7 2a 03 d6 05 14 |     so on
06                      | length of the model
54 48 2d 32 30 30       | TH-200
08                      | length of the hardware id
10 32 54 76 98 ba dc fe | hardware id
05                      | length of the firmware version
31 2e 34 2e 32          | 1.4.2
03                      | length of the factory serial
46 2d 31                | F-1
23 13 22 56             | crc";

const BEGIN: &str = "
01                      | version
02                      | type BEGIN
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
f7 01 00 00             | total 503
5b 60 b3 d4 5d 88 92 a9 | SHA-256 of the image
7e ed ba c7 bf 78 99 a6 |     so on
27 f8 3b d8 25 f3 ea 2e |     so on
47 bd 02 23 89 14 b0 b6 |     so on
05                      | number of objects
01 20 00                | key, 32 bytes
03 2c 01                | client certificate, 300 bytes
04 37 00                | ca chain, 55 bytes
05 50 00                | server roots, 80 bytes
06 24 00                | settings, 36 bytes
ed 93 66 fc             | crc";

const BEGIN_MADE_KEY: &str = "
01                      | version
02                      | type BEGIN
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
6d 01 00 00             | total 365
5b 60 b3 d4 5d 88 92 a9 | SHA-256 of the image
7e ed ba c7 bf 78 99 a6 |     so on
27 f8 3b d8 25 f3 ea 2e |     so on
47 bd 02 23 89 14 b0 b6 |     so on
02                      | number of objects
02 41 00                | made key, 65 bytes
03 2c 01                | client certificate, 300 bytes
29 ff 28 81             | crc";

const BEGIN_REPLY: &str = "
01                      | version
82                      | type BEGIN, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
20 00 00 00             | next 32
3b ad b6 0b             | crc";

const CHUNK: &str = "
01                      | version
03                      | type CHUNK
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
20 00 00 00             | offset 32
a0 00 a1                | data, to the end of the body
ff c7 01 88             | crc";

const CHUNK_REPLY: &str = "
01                      | version
83                      | type CHUNK, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
23 00 00 00             | next 35
78 56 34 12             | crc 0x12345678 of the image up to next
fc 3a de 4b             | crc";

const COMMIT: &str = "
01                      | version
04                      | type COMMIT
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
5b 60 b3 d4 5d 88 92 a9 | SHA-256 of the image
7e ed ba c7 bf 78 99 a6 |     so on
27 f8 3b d8 25 f3 ea 2e |     so on
47 bd 02 23 89 14 b0 b6 |     so on
19 dc 7d 16             | crc";

const COMMIT_REPLY: &str = "
01                      | version
84                      | type COMMIT, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
5b 60 b3 d4 5d 88 92 a9 | SHA-256 of the image as read back
7e ed ba c7 bf 78 99 a6 |     so on
27 f8 3b d8 25 f3 ea 2e |     so on
47 bd 02 23 89 14 b0 b6 |     so on
07 01 00 00             | generation 263
4e 29 0a 2a             | crc";

const RESTART: &str = "
01                      | version
05                      | type RESTART
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
d7 26 84 cb             | crc";

const RESTART_REPLY: &str = "
01                      | version
85                      | type RESTART, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
25 cc 92 43             | crc";

const PROVE: &str = "
01                      | version
06                      | type PROVE
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
e0 e1 e2 e3 e4 e5 e6 e7 | nonce
e8 e9 ea eb ec ed ee ef |     so on
f0 f1 f2 f3 f4 f5 f6 f7 |     so on
f8 f9 fa fb fc fd fe ff |     so on
3d 5e f4 e4             | crc";

const PROVE_REPLY: &str = "
01                      | version
86                      | type PROVE, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
01 02 03 04 05 06 07 08 | r, big-endian
09 0a 0b 0c 0d 0e 0f 10 |     so on
11 12 13 14 15 16 17 18 |     so on
19 1a 1b 1c 1d 1e 1f 20 |     so on
41 42 43 44 45 46 47 48 | s, big-endian
49 4a 4b 4c 4d 4e 4f 50 |     so on
51 52 53 54 55 56 57 58 |     so on
59 5a 5b 5c 5d 5e 5f 60 |     so on
07 e2 fa 8c             | crc";

const FINISH: &str = "
01                      | version
07                      | type FINISH
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
01                      | result: pass
01                      | lock: yes
0f 26 47 1d             | crc";

const FINISH_FAIL: &str = "
01                      | version
07                      | type FINISH
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
00                      | result: fail
00                      | lock: no
d8 27 5b 73             | crc";

const FINISH_REPLY: &str = "
01                      | version
87                      | type FINISH, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
03                      | lifecycle: locked
c1 ff 69 42             | crc";

const ABORT: &str = "
01                      | version
08                      | type ABORT
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
17 47 53 aa             | crc";

const ABORT_REPLY: &str = "
01                      | version
88                      | type ABORT, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
e5 ad 45 22             | crc";

const ERASE: &str = "
01                      | version
09                      | type ERASE
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
a3 4c 24 0c             | crc";

const ERASE_REPLY: &str = "
01                      | version
89                      | type ERASE, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
51 a6 32 84             | crc";

const READ: &str = "
01                      | version
0a                      | type READ
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
03                      | kind: client certificate
02 00 00 00             | offset 2
10 00                   | max 16
fa 66 a1 a7             | crc";

const READ_REPLY: &str = "
01                      | version
8a                      | type READ, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
28 00 00 00             | total 40
b0 00 b1                | data, to the end of the body
2e 2a 5a 97             | crc";

const KEYGEN: &str = "
01                      | version
0b                      | type KEYGEN
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
01                      | algorithm: ECDSA on P-256
04 03 02 01             | key number 0x01020304
db 98 d8 aa             | crc";

const KEYGEN_REPLY: &str = "
01                      | version
8b                      | type KEYGEN, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
04                      | an uncompressed point
01 02 03 04 05 06 07 08 | x, big-endian
09 0a 0b 0c 0d 0e 0f 10 |     so on
11 12 13 14 15 16 17 18 |     so on
19 1a 1b 1c 1d 1e 1f 20 |     so on
41 42 43 44 45 46 47 48 | y, big-endian
49 4a 4b 4c 4d 4e 4f 50 |     so on
51 52 53 54 55 56 57 58 |     so on
59 5a 5b 5c 5d 5e 5f 60 |     so on
1b 1e 6f 40             | crc";

const CSR: &str = "
01                      | version
0c                      | type CSR
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
40 00 00 00             | offset 64
80 00                   | max 128
92 97 f7 bc             | crc";

const CSR_REPLY: &str = "
01                      | version
8c                      | type CSR, reply
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
d4 00 00 00             | total 212
c0 00 c1                | data, to the end of the body
59 28 b2 c8             | crc";

const ERROR: &str = "
01                      | version
ff                      | type ERROR
01 02                   | seq 0x0201
03 04 05 06             | session 0x06050403
05 00                   | code 0x0005 BAD_VALUE
24 00 00 00             | detail 36
32 99 e5 50             | crc";

/// The same on the line: the first table above, stuffed and delimited.
const IDENTIFY_ON_THE_LINE: &str = "
00                      | delimiter
0f                      | fourteen bytes without a zero follow, and the frame ends with them
01 01 01 02 03 04 05 06 | version, type, seq, session
01 02                   | min, max";

const BEGIN_REPLY_ON_THE_LINE: &str = "
00                      | delimiter
0a                      | nine bytes without a zero follow, then a zero
01 82 01 02 03 04 05 06 | version, type, seq, session
20                      | next, its first byte
01                      | a zero
01                      | a zero
05                      | four bytes without a zero follow, and the frame ends with them";

const SETTINGS: &str = "
01                      | layout
03                      | lowest TLS version: 1.2
04                      | highest TLS version: 1.3
b3 22                   | port 8883
09                      | length of the client id
54 48 2d 30 30 30 30 31 | TH-000017
37                      |     so on
0c                      | length of the host
6d 71 74 74 2e 65 78 61 | mqtt.example
6d 70 6c 65             |     so on";

const PROVE_TEXT: &str = "
70 72 6f 76 69 73 69 6f | provisioning-station prove v1
6e 69 6e 67 2d 73 74 61 |     so on
74 69 6f 6e 20 70 72 6f |     so on
76 65 20 76 31          |     so on
00                      | the end of the label
e0 e1 e2 e3 e4 e5 e6 e7 | nonce
e8 e9 ea eb ec ed ee ef |     so on
f0 f1 f2 f3 f4 f5 f6 f7 |     so on
f8 f9 fa fb fc fd fe ff |     so on
08                      | length of the hardware id
10 32 54 76 98 ba dc fe | hardware id
5b 60 b3 d4 5d 88 92 a9 | SHA-256 of the active image
7e ed ba c7 bf 78 99 a6 |     so on
27 f8 3b d8 25 f3 ea 2e |     so on
47 bd 02 23 89 14 b0 b6 |     so on
35 2f 38 50 7d ab 81 d5 | SHA-256 of the client certificate
43 88 77 a8 0d ea ea e8 |     so on
9f 17 1a 17 79 20 3a 46 |     so on
2d 94 d7 2a 03 d6 05 14 |     so on";

const HARDWARE_ID: [u8; 8] = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe];

fn bytes(table: &str) -> Vec<u8> {
    let lines = table.lines().filter_map(|line| line.split_once('|'));
    let hex = lines.flat_map(|(hex, _)| hex.split_whitespace());
    hex.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// The bytes of a table that stand in lines with this meaning, and on from there.
fn field<const N: usize>(table: &str, meaning: &str) -> [u8; N] {
    let (before, _) = table.split_once(meaning).unwrap();
    let start = before.rfind('\n').unwrap();
    bytes(&table[start..])[..N].try_into().unwrap()
}

fn image_digest() -> [u8; 32] {
    field(COMMIT, "SHA-256 of the image")
}

fn certificate_digest() -> [u8; 32] {
    field(IDENTIFY_REPLY, "SHA-256 of the client certificate")
}

fn header(message_type: u8) -> Header {
    Header { version: 1, message_type, seq: 0x0201, session: 0x0605_0403 }
}

/// What is written is the table, and the table is read as what was written.
fn frozen(table: &str, message: &impl Message, read: impl Fn(&Frame<'_>) -> bool) {
    let mut line = [0; MAX_FRAME];
    let length = codec::encode(header(message.message_type()), message, &mut line).unwrap();
    assert_eq!((line[0], line[length - 1]), (0, 0));
    let mut raw = [0; MAX_FRAME];
    let stuffed = &line[1..length - 1];
    let used = cobs::decode(stuffed, &mut raw).unwrap().frame_size();
    assert_eq!(raw[..used], bytes(table), "{table}");
    let mut stuffed = stuffed.to_vec();
    assert!(read(&codec::decode(&mut stuffed).unwrap()), "{table}");
}

fn request(table: &str, request: &Request<'_>) {
    frozen(table, request, |frame| Request::from_frame(frame).as_ref() == Ok(request));
}

fn reply(table: &str, reply: &Reply<'_>) {
    frozen(table, reply, |frame| Reply::from_frame(frame).as_ref() == Ok(reply));
}

fn objects(objects: &[(ObjectKind, u16)]) -> ObjectTable {
    let objects: Vec<Object> =
        objects.iter().map(|(kind, length)| Object { kind: *kind, length: *length }).collect();
    ObjectTable::new(&objects).unwrap()
}

#[test]
fn identify() {
    request(IDENTIFY, &Request::Identify(Identify { min: 1, max: 2 }));
    let security = [SecurityFlags::SECURE_BOOT, SecurityFlags::READOUT_PROTECTION];
    assert_eq!(security.map(|flag| flag.0), [0x01, 0x02]);
    assert_eq!(SecurityFlags::FLASH_ENCRYPTION.0, 0x04);
    reply(
        IDENTIFY_REPLY,
        &Reply::Identify(IdentifyReply {
            version: 1,
            lifecycle: Lifecycle::Provisioned,
            security: SecurityFlags(0x07),
            window: Window::new(4).unwrap(),
            capabilities: Capabilities(0x0f),
            replaced: 0x1413_1211,
            capacity: 2048,
            max_chunk: ChunkLimit::new(256).unwrap(),
            busy: BusyTimes { erase: 50, chunk: 5, commit: 20, prove: 30, boot: 300 },
            image: image_digest(),
            certificate: certificate_digest(),
            model: ShortText::new("TH-200").unwrap(),
            hardware_id: HardwareId::new(&HARDWARE_ID).unwrap(),
            firmware: ShortText::new("1.4.2").unwrap(),
            factory_serial: Some(ShortText::new("F-1").unwrap()),
        }),
    );
}

#[test]
fn begin() {
    let all = objects(&[
        (ObjectKind::Key, 32),
        (ObjectKind::ClientCertificate, 300),
        (ObjectKind::CaChain, 55),
        (ObjectKind::ServerRoots, 80),
        (ObjectKind::Settings, 36),
    ]);
    request(BEGIN, &Request::Begin(Begin { digest: image_digest(), objects: all }));
    let made = objects(&[(ObjectKind::MadeKey, 65), (ObjectKind::ClientCertificate, 300)]);
    request(BEGIN_MADE_KEY, &Request::Begin(Begin { digest: image_digest(), objects: made }));
    reply(BEGIN_REPLY, &Reply::Begin(BeginReply { next: 32 }));
}

#[test]
fn chunk() {
    request(CHUNK, &Request::Chunk(Chunk { offset: 32, data: &[0xa0, 0x00, 0xa1] }));
    reply(CHUNK_REPLY, &Reply::Chunk(ChunkReply { next: 35, crc: 0x1234_5678 }));
}

#[test]
fn commit() {
    let digest = image_digest();
    request(COMMIT, &Request::Commit(Commit { digest }));
    reply(COMMIT_REPLY, &Reply::Commit(CommitReply { digest, generation: 263 }));
}

#[test]
fn restart_abort_and_erase() {
    request(RESTART, &Request::Restart);
    reply(RESTART_REPLY, &Reply::Restart);
    request(ABORT, &Request::Abort);
    reply(ABORT_REPLY, &Reply::Abort);
    request(ERASE, &Request::Erase);
    reply(ERASE_REPLY, &Reply::Erase);
}

#[test]
fn prove() {
    request(PROVE, &Request::Prove(Prove { nonce: field(PROVE, "nonce") }));
    let signature = field(PROVE_REPLY, "r, big-endian");
    reply(PROVE_REPLY, &Reply::Prove(ProveReply { signature }));
}

#[test]
fn finish() {
    let pass = Finish { result: FinishResult::Pass, lock: true };
    request(FINISH, &Request::Finish(pass));
    let fail = Finish { result: FinishResult::Fail, lock: false };
    request(FINISH_FAIL, &Request::Finish(fail));
    reply(FINISH_REPLY, &Reply::Finish(FinishReply { lifecycle: Lifecycle::Locked }));
}

#[test]
fn read() {
    let kind = ObjectKind::ClientCertificate;
    request(READ, &Request::Read(Read { kind, offset: 2, max: 16 }));
    reply(READ_REPLY, &Reply::Read(ReadReply { total: 40, data: &[0xb0, 0x00, 0xb1] }));
}

#[test]
fn keygen_and_csr() {
    let algorithm = KeyAlgorithm::P256;
    request(KEYGEN, &Request::Keygen(Keygen { algorithm, number: 0x0102_0304 }));
    let public_key = field(KEYGEN_REPLY, "an uncompressed point");
    reply(KEYGEN_REPLY, &Reply::Keygen(KeygenReply { public_key }));
    request(CSR, &Request::Csr(Csr { offset: 64, max: 128 }));
    reply(CSR_REPLY, &Reply::Csr(CsrReply { total: 212, data: &[0xc0, 0x00, 0xc1] }));
}

#[test]
fn error() {
    reply(ERROR, &Reply::Error(ErrorReply::new(ErrorCode::BadValue, 36)));
}

#[test]
fn the_line() {
    let on_the_line = |message: &dyn Fn(&mut [u8]) -> usize, table: &str, crc: &str| {
        let mut line = [0; MAX_FRAME];
        let length = message(&mut line);
        let expected = [bytes(table), field::<4>(crc, "crc").to_vec(), vec![0]].concat();
        assert_eq!(line[..length], expected);
    };
    let identify = Request::Identify(Identify { min: 1, max: 2 });
    let crc = bytes(IDENTIFY).len() - 4;
    assert!(!bytes(IDENTIFY)[crc..].contains(&0), "the table on the line says so");
    let write = |out: &mut [u8]| codec::encode(header(0x01), &identify, out).unwrap();
    on_the_line(&write, IDENTIFY_ON_THE_LINE, IDENTIFY);
    let begin = Reply::Begin(BeginReply { next: 32 });
    let write = |out: &mut [u8]| codec::encode(header(0x82), &begin, out).unwrap();
    on_the_line(&write, BEGIN_REPLY_ON_THE_LINE, BEGIN_REPLY);
    assert_eq!(MAX_FRAME, 1024);
    assert_eq!(CRC32.checksum(b"123456789"), 0xcbf4_3926);
}

struct Written(Vec<u8>);

impl Sink for Written {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[test]
fn the_settings() {
    let settings = Settings {
        tls_min: TlsVersion::V1_2,
        tls_max: TlsVersion::V1_3,
        port: 8883,
        client_id: ShortText::new("TH-000017").unwrap(),
        host: ShortText::new("mqtt.example").unwrap(),
    };
    let mut written = Written(Vec::new());
    settings.write(&mut written);
    assert_eq!(written.0, bytes(SETTINGS));
    assert_eq!(Settings::parse(&bytes(SETTINGS)), Ok(settings));
}

#[test]
fn the_prove_text() {
    let text = ProveText {
        nonce: field(PROVE, "nonce"),
        hardware_id: HardwareId::new(&HARDWARE_ID).unwrap(),
        image: image_digest(),
        certificate: certificate_digest(),
    };
    let mut written = Written(Vec::new());
    text.write(&mut written);
    assert_eq!(written.0, bytes(PROVE_TEXT));
}

#[test]
fn the_numbers() {
    let requests = RequestType::ALL.iter().map(|kind| (kind.to_wire(), kind.name()));
    let expected = [
        (0x01, "IDENTIFY"),
        (0x02, "BEGIN"),
        (0x03, "CHUNK"),
        (0x04, "COMMIT"),
        (0x05, "RESTART"),
        (0x06, "PROVE"),
        (0x07, "FINISH"),
        (0x08, "ABORT"),
        (0x09, "ERASE"),
        (0x0a, "READ"),
        (0x0b, "KEYGEN"),
        (0x0c, "CSR"),
    ];
    // A later version may add to these lists; what stands in them stays.
    assert_eq!(requests.take(expected.len()).collect::<Vec<_>>(), expected);
    let errors = ErrorCode::ALL.iter().map(|code| (code.to_wire(), code.name()));
    let expected = [
        (0x0001, "BAD_VERSION"),
        (0x0002, "UNKNOWN_TYPE"),
        (0x0003, "UNSUPPORTED"),
        (0x0004, "BAD_LENGTH"),
        (0x0005, "BAD_VALUE"),
        (0x0006, "NO_SESSION"),
        (0x0007, "LOCKED"),
        (0x0008, "TOO_LARGE"),
        (0x0009, "NO_TRANSFER"),
        (0x000a, "INCOMPLETE"),
        (0x000b, "WRONG_DIGEST"),
        (0x000c, "CORRUPT"),
        (0x000d, "NO_IDENTITY"),
        (0x000e, "NO_OBJECT"),
        (0x000f, "SECRET"),
        (0x0010, "STORAGE"),
        (0x0011, "SIGNER"),
        (0x0012, "NO_KEY"),
    ];
    assert_eq!(errors.take(expected.len()).collect::<Vec<_>>(), expected);
    let kinds = ObjectKind::ALL.iter().map(|kind| (kind.to_wire(), kind.name()));
    let expected = [
        (0x01, "key"),
        (0x02, "made key"),
        (0x03, "client certificate"),
        (0x04, "ca chain"),
        (0x05, "server roots"),
        (0x06, "settings"),
    ];
    assert_eq!(kinds.take(expected.len()).collect::<Vec<_>>(), expected);
    let capabilities =
        [Capabilities::PROVE, Capabilities::READ, Capabilities::LOCK, Capabilities::KEYGEN];
    assert_eq!(capabilities.map(|bit| bit.0), [0x1, 0x2, 0x4, 0x8]);
    use Lifecycle::{Blank, Locked, Provisioned, Staged};
    assert_eq!([Blank, Staged, Provisioned, Locked].map(Lifecycle::to_wire), [0, 1, 2, 3]);
    assert_eq!((version::MIN, version::IDENTIFY, SLOT_HEADER_LENGTH), (1, 1, 96));
}
