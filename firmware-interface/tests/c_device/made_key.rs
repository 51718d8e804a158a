//! KEYGEN and CSR, of the C device and of the Rust device alike.
//!
//! The board draws its private keys as 00, 01, 02 and so on repeated, refuses the first,
//! and has a stand-in for a public key. Real curves are for the firmware's own test.

use sha2::{Digest, Sha256};

use super::frames::{Head, Identity, frame, replies};
use super::peer::CBoard;
use super::rust_board::RustBoard;
use super::script::{Answer, FactBits, HEADER_LENGTH, Op, SLOT_LENGTH};

fn ask(kind: u8, body: &[u8]) -> Op {
    Op::Receive(frame(Head { version: 1, kind, seq: 1, session: 0x5e55 }, body))
}

fn identify() -> Op {
    ask(0x01, &[1, 1])
}

fn keygen(number: u32) -> Op {
    ask(0x0b, &[&[1][..], &number.to_le_bytes()].concat())
}

fn csr(offset: u32, max: u16) -> Op {
    ask(0x0c, &[&offset.to_le_bytes()[..], &max.to_le_bytes()].concat())
}

/// Runs on a new board that makes keys; the replies, and last what is stored.
fn run(ops: &[Op]) -> (Vec<(u8, Vec<u8>)>, Vec<u8>) {
    let start = [Op::Facts(FactBits::MAKES_KEYS), Op::PowerOn];
    let script = [&start, ops, &[Op::Dump]].concat();
    let mut answers = CBoard::start().run(&script);
    assert_eq!(RustBoard::start().run(&script), answers, "the Rust device differs");
    let Some(Answer::Storage(stored)) = answers.pop() else { panic!("no storage") };
    let sent = |answer: &Answer| match answer {
        Answer::Sent { bytes, .. } => replies(bytes),
        Answer::Storage(_) => Vec::new(),
    };
    (answers.iter().flat_map(sent).collect(), stored)
}

fn error(code: u16, detail: u32) -> (u8, Vec<u8>) {
    (0xff, [&code.to_le_bytes()[..], &detail.to_le_bytes()].concat())
}

/// The stand-in for the public key of the key that is `byte` repeated.
fn public_key(byte: u8) -> Vec<u8> {
    [&[4][..], &[byte ^ 0xa5; 64]].concat()
}

/// An image that begins with this made key.
fn image_of(byte: u8) -> Identity {
    let image = [&public_key(byte)[..], &[0x30; 50]].concat();
    Identity::of(&[(2, 65), (3, 50)], image)
}

fn stage(identity: &Identity) -> Vec<Op> {
    let mut ops = vec![ask(0x02, &identity.begin())];
    ops.extend(identity.chunks(256).iter().map(|body| ask(0x03, body)));
    ops.push(ask(0x04, &identity.digest));
    ops
}

#[test]
fn the_same_key_number_answers_the_same_key_and_another_makes_another() {
    let (replies, _) = run(&[identify(), keygen(5), keygen(5), keygen(6), keygen(5)]);
    let keys: Vec<_> = replies[1..].iter().map(|(_, key)| key.clone()).collect();
    assert_eq!(keys, [public_key(1), public_key(1), public_key(2), public_key(3)]);
    let identity = &replies[0].1;
    assert_eq!(identity[4..8], [0x0f, 0, 0, 0], "the capability");
}

#[test]
fn a_made_key_is_committed_with_its_image_and_proves() {
    let identity = image_of(1);
    let mut ops = vec![identify(), keygen(5)];
    ops.extend(stage(&identity));
    ops.extend([Op::PowerOn, identify(), ask(0x06, &[0x4e; 32])]);
    let (replies, stored) = run(&ops);
    let (kind, proof) = replies.last().unwrap();
    assert_eq!((*kind, &proof[..32]), (0x86, &[1; 32][..]), "signed with another key");
    assert_eq!(stored[56..88], [1; 32]);
    assert_eq!(replies[replies.len() - 2].1[28..60], identity.digest);
}

#[test]
fn an_image_with_another_public_key_is_corrupt_and_nothing_becomes_active() {
    let mut ops = vec![identify(), keygen(5)];
    ops.extend(stage(&image_of(9)));
    let (replies, stored) = run(&ops);
    assert_eq!(*replies.last().unwrap(), error(0x0c, 0));
    assert_eq!(stored[..HEADER_LENGTH], [0xff; HEADER_LENGTH]);
}

#[test]
fn a_made_key_lives_until_a_commit_a_new_session_an_abort_a_finish_an_erase_or_a_reset() {
    let begin = ask(0x02, &image_of(1).begin());
    let new_session =
        Op::Receive(frame(Head { version: 1, kind: 0x01, seq: 1, session: 0x9999 }, &[1, 1]));
    let endings = [
        vec![new_session, identify()],
        vec![ask(0x08, &[])],
        vec![ask(0x07, &[0, 0])],
        vec![ask(0x09, &[])],
        vec![Op::PowerOn, identify()],
        stage(&image_of(1)),
    ];
    for ending in endings {
        let ops = [vec![identify(), keygen(5)], ending, vec![begin.clone(), csr(0, 1)]].concat();
        let (replies, _) = run(&ops);
        assert_eq!(replies[replies.len() - 2..], [error(0x12, 0), error(0x12, 0)], "{ops:?}");
    }
}

#[test]
fn the_private_key_never_reaches_storage_before_the_commit_nor_the_line() {
    let ops =
        [vec![identify(), keygen(5), csr(0, 300)], stage(&image_of(1))[..2].to_vec()].concat();
    let (replies, stored) = run(&ops);
    let shows = |bytes: &[u8]| bytes.windows(8).any(|part| *part == [1; 8]);
    assert!(!shows(&stored));
    // The stand-in signature shows the key, but no other answer may.
    assert!(!replies.iter().filter(|(kind, _)| *kind != 0x8c).any(|(_, body)| shows(body)));
}

/// Two bytes before an INTEGER of 32 bytes, three where its first bit is set.
fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap();
    let sign = if number[start] & 0x80 != 0 { vec![0] } else { vec![] };
    let value = [&sign, &number[start..]].concat();
    [&[2, value.len() as u8][..], &value].concat()
}

#[test]
fn the_signing_request_is_der_to_the_byte() {
    let (replies, _) = run(&[identify(), keygen(5), csr(0, 300), csr(0, 300)]);
    assert_eq!(replies[2], replies[3], "the bytes stay the same");
    let (total, request) = replies[2].1.split_at(4);
    assert_eq!(total, (request.len() as u32).to_le_bytes());

    let name = b"1032547698badcfe";
    let subject = [&hex("30 1b 31 19 30 17 06 03 55 04 03 0c 10")[..], name].concat();
    let key_algorithm =
        "30 59 30 13 06 07 2a 86 48 ce 3d 02 01 06 08 2a 86 48 ce 3d 03 01 07 03 42 00";
    let key = [hex(key_algorithm), public_key(1)].concat();
    let info = [hex("02 01 00"), subject, key, hex("a0 00")].concat();
    let info = [&[0x30, info.len() as u8][..], &info].concat();
    let digest = Sha256::digest(&info);
    let numbers = [integer(&[1; 32]), integer(&digest)].concat();
    let numbers = [&[0x30, numbers.len() as u8][..], &numbers].concat();
    let signature = [&[3, numbers.len() as u8 + 1, 0][..], &numbers].concat();
    let all = [info, hex("30 0a 06 08 2a 86 48 ce 3d 04 03 02"), signature].concat();
    let all = [&[0x30, 0x81, all.len() as u8][..], &all].concat();
    assert_eq!(request, all);
}

#[test]
fn a_signing_request_is_read_in_pieces_and_ends_where_it_ends() {
    let whole = run(&[identify(), keygen(5), csr(0, 256)]).0[2].1[4..].to_vec();
    let ops: Vec<Op> = (0..=whole.len()).step_by(7).map(|at| csr(at as u32, 7)).collect();
    let (replies, _) = run(&[vec![identify(), keygen(5)], ops].concat());
    let read: Vec<u8> = replies[2..].iter().flat_map(|(_, body)| body[4..].to_vec()).collect();
    assert_eq!(read, whole);
    let (replies, _) = run(&[identify(), keygen(5), csr(5000, 7), csr(0, 0)]);
    assert_eq!(replies[2].1, (whole.len() as u32).to_le_bytes());
    assert_eq!(replies[3], error(0x05, 4));
}

#[test]
fn a_locked_device_makes_no_key() {
    let identity = Identity::new(&[(1, 32), (3, 40)], 1);
    let mut ops = vec![identify()];
    ops.extend(stage(&identity));
    ops.extend([ask(0x07, &[1, 1]), keygen(5), csr(0, 1)]);
    let (replies, stored) = run(&ops);
    assert_eq!(replies[replies.len() - 2..], [error(0x07, 0), error(0x12, 0)]);
    assert_eq!(stored[2 * SLOT_LENGTH..], [0; 4]);
}

fn hex(text: &str) -> Vec<u8> {
    text.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn a_pkcs8_key_is_stored_as_it_is_and_signs_with_the_scalar_in_it() {
    let identity = Identity::new(&[(7, 138), (3, 40), (6, 28)], 0x31);
    let bits = FactBits(FactBits::USUAL.0 | 0x40);
    let mut ops = vec![Op::Facts(bits), Op::PowerOn, identify()];
    ops.extend(stage(&identity));
    ops.extend([Op::PowerOn, identify(), ask(0x06, &[0x4e; 32])]);
    ops.push(ask(0x0a, &[7, 0, 0, 0, 0, 1, 0]));
    let replies: Vec<_> = CBoard::start().run(&ops).iter().filter_map(reply_of).collect();
    assert_eq!(replies[0].1[4..8], [0x17, 0, 0, 0], "the capability");
    let (kind, proof) = &replies[replies.len() - 2];
    assert_eq!((*kind, &proof[..32]), (0x86, &identity.image[36..68]), "another key");
    assert_eq!(replies[replies.len() - 1], error(0x0f, 7), "the key is secret");
}

#[test]
fn a_pkcs8_key_is_unsupported_where_it_is_not_offered() {
    let identity = Identity::new(&[(7, 138), (3, 40), (6, 28)], 0x31);
    // Not said, and said with a largest chunk of 100 bytes.
    for bits in [FactBits::USUAL, FactBits(FactBits::USUAL.0 | 0x60)] {
        let ops = [Op::Facts(bits), Op::PowerOn, identify(), ask(0x02, &identity.begin())];
        let replies: Vec<_> = CBoard::start().run(&ops).iter().filter_map(reply_of).collect();
        assert_eq!(replies[1], error(0x03, 2));
        assert_eq!(replies[0].1[4] & 0x10, 0);
    }
}

fn reply_of(answer: &Answer) -> Option<(u8, Vec<u8>)> {
    match answer {
        Answer::Sent { bytes, .. } => replies(bytes).into_iter().next(),
        Answer::Storage(_) => None,
    }
}
