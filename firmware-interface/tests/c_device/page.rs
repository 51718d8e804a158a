//! The worked example of `docs/protocol.md`, against the C device.

use super::frames::{delimited, frame, stuff, unstuff};
use super::peer::CBoard;
use super::script::{Answer, FactBits, HEADER_LENGTH, Op};

const PAGE: &str = include_str!("../../../docs/protocol.md");

/// The blocks of bytes of one kind, in their order on the page.
fn blocks(kind: &str) -> Vec<Vec<u8>> {
    let fence = format!("```hex {kind}\n");
    let bytes = |text: &str| {
        let (hex, _) = text.split_once("```").unwrap();
        hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    };
    PAGE.split(&fence).skip(1).map(bytes).collect()
}

#[test]
fn the_c_device_answers_the_example_byte_for_byte() {
    let mut ops = vec![Op::Facts(FactBits::PAGE), Op::PowerOn];
    for (number, request) in blocks("station").into_iter().enumerate() {
        ops.push(Op::Receive(request));
        if number == 6 {
            ops.push(Op::PowerOn);
        }
    }
    ops.push(Op::End);
    let answers = CBoard::start().run(&ops);
    let expected = blocks("device");
    assert_eq!((answers.len(), expected.len()), (13, 12));
    for (number, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
        let Answer::Sent { bytes, resets } = answer else { panic!("{answer:?}") };
        assert_eq!(*resets, number == 6);
        if number == 9 {
            check_proof(bytes);
        } else {
            assert_eq!(bytes, expected, "answer {}", number + 1);
        }
    }
    let Answer::Storage(stored) = &answers[12] else { panic!("no storage") };
    assert_eq!(stored[..HEADER_LENGTH], blocks("slot-header")[0]);
    let image = &blocks("image")[0];
    assert_eq!(stored[HEADER_LENGTH..HEADER_LENGTH + image.len()], **image);
}

/// The board shows key and digest where the page has a stand-in for the signature.
fn check_proof(sent: &[u8]) {
    let replies = super::frames::replies(sent);
    let key = blocks("image")[0][..32].to_vec();
    let shown = [key, blocks("prove-digest")[0].clone()].concat();
    assert_eq!(replies, [(0x86, shown)]);
}

#[test]
fn the_stuffing_of_the_page_is_what_these_tests_use() {
    for (raw, stuffed) in blocks("raw").iter().zip(&blocks("cobs")) {
        assert_eq!(stuff(raw), *stuffed);
        assert_eq!(unstuff(stuffed), *raw);
    }
}

#[test]
fn the_other_form_of_a_full_last_block_is_dropped() {
    // Version to CRC are 254 bytes without a zero: an unknown type, so that any reply shows.
    let head = super::frames::Head { version: 1, kind: 0x7f, seq: 0x0101, session: 0x0101_0101 };
    let body = vec![0x55; 242];
    let raw = super::frames::raw_frame(head, &body);
    assert!(raw.len() == 254 && !raw.contains(&0));
    let other = delimited(&[stuff(&raw), vec![1]].concat());
    let ops = [Op::PowerOn, Op::Receive(other), Op::Receive(frame(head, &body))];
    let answers = CBoard::start().run(&ops);
    let sent = |answer: &Answer| matches!(answer, Answer::Sent { bytes, .. } if !bytes.is_empty());
    assert_eq!(answers.iter().map(sent).collect::<Vec<_>>(), [false, true]);
}
