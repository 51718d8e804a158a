//! Frames of any bytes, right or wrong: what a conformance run puts on the line.
//!
//! The codec of `firmware-interface` makes right frames only; a test here holds that both
//! agree where a frame is right.

use firmware_interface::codec::{CRC32, DELIMITER, Header};

/// What a full block of COBS has as its code: 254 bytes follow and no zero.
const FULL_BLOCK: u8 = 0xff;

/// A frame on the line, delimiters included.
pub(super) fn frame(header: Header, body: &[u8]) -> Vec<u8> {
    enclose(&cobs(&with_crc(&plain(header, body))))
}

/// Version to body.
pub(super) fn plain(header: Header, body: &[u8]) -> Vec<u8> {
    let mut plain = vec![header.version, header.message_type];
    plain.extend(header.seq.to_le_bytes());
    plain.extend(header.session.to_le_bytes());
    plain.extend(body);
    plain
}

/// The same with its CRC behind it.
pub(super) fn with_crc(plain: &[u8]) -> Vec<u8> {
    let mut whole = plain.to_vec();
    whole.extend(CRC32.checksum(plain).to_le_bytes());
    whole
}

/// Between two delimiters.
pub(super) fn enclose(encoded: &[u8]) -> Vec<u8> {
    let mut frame = vec![DELIMITER];
    frame.extend(encoded);
    frame.push(DELIMITER);
    frame
}

/// COBS in its one form.
pub(super) fn cobs(plain: &[u8]) -> Vec<u8> {
    let mut encoded = vec![1];
    let mut code = 0;
    for byte in plain {
        if encoded[code] == FULL_BLOCK {
            code = open_block(&mut encoded);
        }
        if *byte == DELIMITER {
            code = open_block(&mut encoded);
        } else {
            encoded.push(*byte);
            encoded[code] += 1;
        }
    }
    encoded
}

fn open_block(encoded: &mut Vec<u8>) -> usize {
    encoded.push(1);
    encoded.len() - 1
}

#[cfg(test)]
mod tests {
    use firmware_interface::codec;
    use firmware_interface::message::{Chunk, Request};

    use super::*;

    #[test]
    fn frames_are_those_of_the_codec() {
        let header = Header { version: 1, message_type: 3, seq: 0x0100, session: 0x00ff_1200 };
        for length in 1..=1001 {
            for data in [vec![0; length], vec![0x55; length], (0..length).map(mixed).collect()] {
                let mut theirs = [0; codec::MAX_FRAME];
                let request = Request::Chunk(Chunk { offset: 0, data: &data });
                let encoded = codec::encode(header, &request, &mut theirs).unwrap();
                let body = [[0; 4].as_slice(), &data].concat();
                assert_eq!(frame(header, &body), theirs[..encoded], "{length}");
            }
        }
    }

    fn mixed(index: usize) -> u8 {
        u8::try_from(index * 7 % 251).unwrap()
    }
}
