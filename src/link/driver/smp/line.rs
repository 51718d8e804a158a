//! SMP over serial: a packet as base64 in lines of at most 127 bytes.
//!
//! Zephyr's `smp_transport.rst`: the first line begins with `06 09`, each further one with
//! `04 14`, and each ends with a line feed. The base64 of all of them is the packet: its
//! length (16 bits, big-endian, of what follows), the message, and CRC-16/XMODEM of the
//! message. A console may share the line, so a marker is looked for anywhere in a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_16_XMODEM, Crc};

const CRC16: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

const FIRST: [u8; 2] = [0x06, 0x09];
const FURTHER: [u8; 2] = [0x04, 0x14];

/// Bytes of a packet in one line: 127, without marker and line feed, in base64.
pub(super) const LINE_DATA: usize = (127 - 3) / 4 * 3;

/// Length and check sum around a message.
pub(super) const AROUND: usize = 4;

/// Room for a message and what is around it; its lines take twice that at most.
pub(super) const BUFFER: usize = 256;

/// Memory in which a message is made: it, its packet and its lines.
pub(super) const MEMORY: usize = 4 * BUFFER;

/// The longest answer that is taken: more than any server's buffer.
const LONGEST: usize = 8192;

/// Puts a message into lines. Both buffers are the caller's, because a private key may pass
/// through; `packet` needs [`AROUND`] bytes more than the message. None where one is too short.
pub(super) fn encode(message: &[u8], packet: &mut [u8], into: &mut [u8]) -> Option<usize> {
    let length = u16::try_from(message.len() + 2).ok()?;
    let packet = packet.get_mut(..message.len() + AROUND)?;
    packet[..2].copy_from_slice(&length.to_be_bytes());
    packet[2..2 + message.len()].copy_from_slice(message);
    packet[2 + message.len()..].copy_from_slice(&CRC16.checksum(message).to_be_bytes());
    let mut end = 0;
    for (index, part) in packet.chunks(LINE_DATA).enumerate() {
        let marker = if index == 0 { FIRST } else { FURTHER };
        into.get_mut(end..end + 2)?.copy_from_slice(&marker);
        end += 2;
        end += STANDARD.encode_slice(part, into.get_mut(end..)?).ok()?;
        *into.get_mut(end)? = b'\n';
        end += 1;
    }
    Some(end)
}

/// Collects what comes and gives the messages in it.
#[derive(Default)]
pub(super) struct Ear {
    line: Vec<u8>,
    packet: Vec<u8>,
}

impl Ear {
    /// Takes one byte; gives a message where the byte completes one.
    pub(super) fn take(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte != b'\n' {
            match self.line.len() {
                LONGEST.. => self.line.clear(),
                _ => self.line.push(byte),
            }
            return None;
        }
        let line = std::mem::take(&mut self.line);
        let (is_first, text) = marked(&line)?;
        if is_first {
            self.packet.clear();
        }
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match STANDARD.decode(text) {
            Ok(data) if self.packet.len() < LONGEST => self.packet.extend(data),
            _ => self.packet.clear(),
        }
        let message = whole(&self.packet)?.to_vec();
        self.packet.clear();
        Some(message)
    }

    /// Forgets what came so far.
    pub(super) fn clear(&mut self) {
        self.line.clear();
        self.packet.clear();
    }
}

/// Whether a line is a packet's first, and what follows its marker.
fn marked(line: &[u8]) -> Option<(bool, &[u8])> {
    let at = line.windows(2).rposition(|pair| pair == FIRST || pair == FURTHER)?;
    Some((line[at..at + 2] == FIRST, &line[at + 2..]))
}

/// The message of a packet that is complete and undamaged.
fn whole(packet: &[u8]) -> Option<&[u8]> {
    let (length, rest) = packet.split_first_chunk::<2>()?;
    let body = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    let (message, check) = body.split_last_chunk::<2>()?;
    (CRC16.checksum(message).to_be_bytes() == *check).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"d": "hi"}` to echo, version 2, sequence number 1.
    const ECHO: &[u8] = &[0x0a, 0, 0, 6, 0, 0, 1, 0, 0xa1, 0x61, b'd', 0x62, b'h', b'i'];

    fn lines(message: &[u8]) -> Vec<u8> {
        let (mut packet, mut lines) = (vec![0; message.len() + AROUND], vec![0; 4096]);
        let length = encode(message, &mut packet, &mut lines).unwrap();
        lines.truncate(length);
        lines
    }

    fn heard(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut ear = Ear::default();
        bytes.iter().filter_map(|byte| ear.take(*byte)).collect()
    }

    #[test]
    fn a_message_is_the_lines_that_zephyr_takes() {
        assert_eq!(lines(ECHO), b"\x06\x09ABAKAAAGAAABAKFhZGJoaaWv\n");
    }

    #[test]
    fn a_long_message_is_cut_into_lines_of_127_bytes() {
        let message = vec![0x5a; 182];
        let sent = lines(&message);
        let lengths: Vec<_> =
            sent.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        assert_eq!(lengths, [127, 127]);
        assert!(sent[127..].starts_with(&FURTHER));
        assert_eq!(heard(&sent), [message]);
    }

    #[test]
    fn lines_and_packets_without_an_end_stay_bounded_and_hide_nothing_behind_them() {
        let mut ear = Ear::default();
        for _ in 0..10 * LONGEST {
            assert_eq!(ear.take(b'x'), None);
        }
        assert!(ear.line.capacity() <= 2 * LONGEST);
        assert_eq!(ear.take(b'\n'), None);
        // Each further line belongs to a packet that says it is as long as one can be.
        let endless = [&FIRST[..], STANDARD.encode([0xff; LINE_DATA]).as_bytes(), b"\n"].concat();
        let further = [&FURTHER[..], STANDARD.encode([0; LINE_DATA]).as_bytes(), b"\n"].concat();
        for byte in endless.iter().chain(std::iter::repeat_n(&further, 1000).flatten()) {
            assert_eq!(ear.take(*byte), None);
        }
        assert!(ear.packet.capacity() <= 4 * LONGEST, "{}", ear.packet.capacity());
        let heard: Vec<_> = lines(ECHO).into_iter().filter_map(|byte| ear.take(byte)).collect();
        assert_eq!(heard, [ECHO]);
    }

    #[test]
    fn a_console_on_the_same_line_is_passed_over() {
        let noise = [b"uart:~$ ", &lines(ECHO)[..], b"[00:00:01] <inf> hello\r\n", &lines(ECHO)];
        assert_eq!(heard(&noise.concat()), [ECHO, ECHO]);
    }

    #[test]
    fn what_is_damaged_is_no_message() {
        let sound = lines(ECHO);
        for at in 0..sound.len() - 1 {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x01;
            assert!(!heard(&damaged).contains(&ECHO.to_vec()), "byte {at}");
        }
        assert!(heard(b"\x06\x09\n\x04\x14\n\x06\x09AA==\n").is_empty());
    }
}
