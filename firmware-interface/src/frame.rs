//! Finds frames in what a line delivers.
//!
//! A [`FrameReader`] is fed bytes as they come and yields frames whose CRC is right.
//! Boot banners, log lines, damaged and over-long frames are dropped and counted; after
//! an overflow everything up to the next delimiter goes, so the tail of a long frame
//! never becomes a message. It does no I/O and knows no message.

use zeroize::Zeroize;

use crate::codec::{self, DELIMITER, Frame, MAX_FRAME};

/// Room for any frame: all but its delimiters.
pub const FULL_ROOM: usize = MAX_FRAME - 2;

/// A reader with room for any frame.
pub type FullFrameReader = FrameReader<FULL_ROOM>;

/// What a reader has dropped since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Bytes between two delimiters that are not a frame: noise, or a damaged frame.
    pub damaged: u32,
    /// Those among them that had more bytes than the reader has room for.
    pub too_long: u32,
}

/// Collects bytes into frames, with room for `ROOM` bytes between two delimiters.
pub struct FrameReader<const ROOM: usize> {
    buffer: [u8; ROOM],
    used: usize,
    discarding: bool,
    /// The buffer holds a frame that was given out; it is dropped with the next byte.
    given: bool,
    dropped: Dropped,
}

impl<const ROOM: usize> Default for FrameReader<ROOM> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const ROOM: usize> FrameReader<ROOM> {
    /// An empty reader.
    pub const fn new() -> Self {
        let dropped = Dropped { damaged: 0, too_long: 0 };
        Self { buffer: [0; ROOM], used: 0, discarding: false, given: false, dropped }
    }

    /// Takes bytes from the front of `input` until a frame is complete.
    ///
    /// `None` means that all were taken. Call again with what is left for the next frame:
    /// `while let Some(frame) = reader.next_frame(&mut input) { … }`.
    pub fn next_frame(&mut self, input: &mut &[u8]) -> Option<Frame<'_>> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            if self.take(*byte) {
                return codec::view(&self.buffer[..self.used]);
            }
        }
        None
    }

    /// What was dropped so far.
    pub const fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Whether bytes of an unfinished frame, or of noise, have arrived.
    pub const fn is_in_frame(&self) -> bool {
        self.discarding || (self.used > 0 && !self.given)
    }

    /// Forgets an unfinished frame and overwrites the buffer with zeros.
    ///
    /// A device calls it after each handled frame, since that may have carried a key.
    pub fn wipe(&mut self) {
        // As a slice: an array is wiped by a call for each of its bytes.
        self.buffer.as_mut_slice().zeroize();
        (self.used, self.discarding, self.given) = (0, false, false);
    }

    /// Takes one byte; true if the buffer now holds a sound frame.
    fn take(&mut self, byte: u8) -> bool {
        if self.given {
            (self.used, self.given) = (0, false);
        }
        if byte == DELIMITER {
            return self.close();
        }
        match self.buffer.get_mut(self.used) {
            Some(place) => {
                *place = byte;
                self.used += 1;
            }
            // The buffer stays full, so nothing is taken before the next delimiter.
            None => self.discarding = true,
        }
        false
    }

    fn close(&mut self) -> bool {
        let whole = !self.discarding;
        if self.used == 0 && whole {
            return false;
        }
        let sound = codec::decode_in_place(&mut self.buffer[..self.used]).ok().filter(|_| whole);
        if sound.is_none() {
            self.dropped.damaged = self.dropped.damaged.saturating_add(1);
            self.dropped.too_long = self.dropped.too_long.saturating_add(u32::from(!whole));
        }
        (self.used, self.discarding) = (sound.unwrap_or(0), false);
        self.given = sound.is_some();
        self.given
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::codec::{Header, encode};
    use crate::message::{Chunk, Request};

    fn frame(seq: u16, data: &[u8]) -> Vec<u8> {
        let header = Header { version: 1, message_type: 3, seq, session: 5 };
        let mut out = [0; MAX_FRAME];
        let length = encode(header, &Request::Chunk(Chunk { offset: 0, data }), &mut out).unwrap();
        out[..length].to_vec()
    }

    fn sequence_numbers<const ROOM: usize>(
        reader: &mut FrameReader<ROOM>,
        line: &[u8],
    ) -> Vec<u16> {
        let (mut input, mut found) = (line, Vec::new());
        while let Some(frame) = reader.next_frame(&mut input) {
            found.push(frame.header.seq);
        }
        found
    }

    #[test]
    fn frames_among_boot_noise_are_found() {
        let mut line = b"\r\nboot v1.2\r\n".to_vec();
        line.extend(frame(1, b"a"));
        line.extend(b"log line\n");
        line.extend(frame(2, b"b"));
        let mut reader = FullFrameReader::new();
        assert_eq!(sequence_numbers(&mut reader, &line), [1, 2]);
        assert_eq!(reader.dropped(), Dropped { damaged: 2, too_long: 0 });
    }

    #[test]
    fn one_delimiter_between_two_frames_is_enough() {
        let mut line = frame(1, b"a");
        line.extend(&frame(2, b"b")[1..]);
        assert_eq!(sequence_numbers(&mut FullFrameReader::new(), &line), [1, 2]);
    }

    #[test]
    fn a_frame_may_come_byte_by_byte() {
        let mut reader = FullFrameReader::new();
        let mut found = Vec::new();
        for byte in frame(7, &[0; 300]) {
            found.extend(sequence_numbers(&mut reader, &[byte]));
        }
        assert_eq!(found, [7]);
    }

    #[test]
    fn the_tail_of_an_over_long_frame_is_no_message() {
        // As many bytes as there is room for, then a whole frame without its delimiters.
        let mut line = [0x01; 64].to_vec();
        let inner = frame(9, b"x");
        line.extend(&inner[1..inner.len() - 1]);
        line.push(0);
        line.extend(frame(2, b"y"));
        let mut reader = FrameReader::<64>::new();
        assert_eq!(sequence_numbers(&mut reader, &line), [2]);
        assert_eq!(reader.dropped(), Dropped { damaged: 1, too_long: 1 });
    }

    #[test]
    fn after_a_wipe_nothing_of_a_frame_is_left() {
        let mut reader = FullFrameReader::new();
        assert_eq!(sequence_numbers(&mut reader, &frame(1, &[0x5a; 40])), [1]);
        reader.wipe();
        assert!(reader.buffer.iter().all(|byte| *byte == 0));
        assert_eq!(sequence_numbers(&mut reader, &frame(2, b"b")), [2]);
    }
}
