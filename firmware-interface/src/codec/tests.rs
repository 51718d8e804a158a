//! Frames to bytes and back, whole and broken.

use super::*;
use crate::message::{Chunk, Identify, Request};

const HEADER: Header = Header { version: 1, message_type: 1, seq: 2, session: 0x0403_0201 };

fn encoded(message: &Request<'_>) -> std::vec::Vec<u8> {
    let mut out = [0xaa; MAX_FRAME];
    let length = encode(HEADER, message, &mut out).unwrap();
    assert!(out[length..].iter().all(|byte| *byte == 0xaa), "wrote beyond the frame");
    out[..length].to_vec()
}

#[test]
fn the_crc_has_its_check_value() {
    assert_eq!(CRC32.checksum(b"123456789"), 0xcbf4_3926);
}

#[test]
fn a_frame_is_delimited_and_has_no_zero_inside() {
    let frame = encoded(&Request::Identify(Identify { min: 0, max: 1 }));
    assert_eq!((frame[0], frame[frame.len() - 1]), (0, 0));
    assert!(frame[1..frame.len() - 1].iter().all(|byte| *byte != 0));
}

#[test]
fn any_body_of_the_largest_size_fits() {
    for fill in [0x00, 0x01, 0xff] {
        let data = [fill; Chunk::MAX_DATA];
        let mut frame = encoded(&Request::Chunk(Chunk { offset: 0x0101_0101, data: &data }));
        assert!(frame.len() <= MAX_FRAME);
        let end = frame.len() - 1;
        assert_eq!(decode(&mut frame[1..end]).unwrap().body.len(), MAX_BODY);
    }
}

#[test]
fn a_longer_body_is_refused_before_anything_is_written() {
    let data = [1; Chunk::MAX_DATA + 1];
    let mut out = [0xaa; 2 * MAX_FRAME];
    let message = Request::Chunk(Chunk { offset: 0, data: &data });
    let error = encode(HEADER, &message, &mut out).unwrap_err();
    assert_eq!(error, EncodeError::BodyTooLong { length: MAX_BODY + 1 });
    assert!(out.iter().all(|byte| *byte == 0xaa));
}

#[test]
fn a_buffer_that_is_too_small_is_an_error_at_every_size() {
    let message = Request::Identify(Identify { min: 1, max: 1 });
    let needed = encoded(&message).len();
    for room in 0..needed {
        let error = encode(HEADER, &message, &mut [0; MAX_FRAME][..room]).unwrap_err();
        assert_eq!(error, EncodeError::BufferTooSmall { room });
    }
}

#[test]
fn a_last_block_of_254_bytes_has_no_tail_and_a_tail_is_refused() {
    // 241 bytes without a zero make 254 with header (seq 0x0101) and CRC, if that has none.
    let header = Header { seq: 0x0101, session: 0x0101_0101, version: 1, message_type: 3 };
    let found = (1..=255u8).find_map(|fill| {
        let data = [fill; 238];
        let message = Request::Chunk(Chunk { offset: 0x0101_0101, data: &data });
        let mut out = [0; MAX_FRAME];
        let length = encode(header, &message, &mut out).unwrap();
        (out[1] == 0xff).then(|| out[1..length - 1].to_vec())
    });
    let mut frame = found.expect("a fill whose CRC has no zero byte");
    assert_eq!(frame.len(), 255);
    let mut with_tail = frame.clone();
    with_tail.push(1);
    assert!(decode(&mut frame).is_ok());
    assert_eq!(decode(&mut with_tail), Err(DecodeError::Cobs));
}

#[test]
fn another_implementation_of_cobs_reads_the_same_bytes() {
    for length in [1, 200, 240, 241, 242, 243, 500, 997] {
        let data: std::vec::Vec<u8> = (0..length).map(|i| (i % 7) as u8).collect();
        let frame = encoded(&Request::Chunk(Chunk { offset: 7, data: &data }));
        let mut theirs = frame[1..frame.len() - 1].to_vec();
        let mut ours = theirs.clone();
        let their_length = cobs::decode_in_place(&mut theirs).unwrap();
        let our_length = decode_in_place(&mut ours).unwrap();
        assert_eq!(theirs[..their_length], ours[..our_length]);
    }
}

#[test]
fn a_frame_that_is_printed_does_not_show_its_body() {
    let frame = Frame { header: HEADER, body: &[0x42; 32] };
    assert!(!std::format!("{frame:?}").contains("42"));
}
