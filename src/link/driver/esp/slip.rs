//! SLIP: what the loader's line carries between two C0.

use zeroize::Zeroize;

const END: u8 = 0xc0;
const ESCAPE: u8 = 0xdb;
const ESCAPED_END: u8 = 0xdc;
const ESCAPED_ESCAPE: u8 = 0xdd;

/// The longest answer that is taken; the ROM's longest has 44 bytes, and a read one 76.
const LONGEST: usize = 256;

/// What ends a packet, and begins one.
pub(super) const FRAME: &[u8] = &[END];

/// Escapes bytes of a packet into a buffer of at least twice their length. None where it is
/// too short.
pub(super) fn escape<'b>(bytes: &[u8], into: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut end = 0;
    for byte in bytes {
        let pair = match *byte {
            END => [ESCAPE, ESCAPED_END],
            ESCAPE => [ESCAPE, ESCAPED_ESCAPE],
            other => {
                *into.get_mut(end)? = other;
                end += 1;
                continue;
            }
        };
        into.get_mut(end..end + 2)?.copy_from_slice(&pair);
        end += 2;
    }
    into.get(..end)
}

/// Collects what comes and gives the packets in it. A line that echoes gives back what was
/// sent, and that may be a key: nothing that was collected is left behind.
#[derive(Default)]
pub(super) struct Ear {
    packet: Vec<u8>,
    inside: bool,
    escaped: bool,
}

impl Ear {
    /// Takes one byte; gives an answer where the byte ends one.
    pub(super) fn take(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte == END {
            let is_whole = self.inside && !self.packet.is_empty();
            // An answer's first byte; a request that came back begins with a zero.
            let is_answer = is_whole && self.packet.first() == Some(&0x01);
            let packet = is_answer.then(|| self.packet.clone());
            self.clear();
            self.inside = !is_whole;
            return packet;
        }
        if !self.inside {
            return None;
        }
        let plain = match (std::mem::take(&mut self.escaped), byte) {
            (false, ESCAPE) => {
                self.escaped = true;
                return None;
            }
            (true, ESCAPED_END) => END,
            (true, ESCAPED_ESCAPE) => ESCAPE,
            (_, other) => other,
        };
        match self.packet.len() {
            // The rest of what is too long is passed over, up to its end.
            LONGEST.. => self.clear(),
            _ => {
                // So that it never moves and leaves a copy.
                self.packet.reserve_exact(LONGEST);
                self.packet.push(plain);
            }
        }
        None
    }

    /// Forgets what came so far.
    pub(super) fn clear(&mut self) {
        self.packet.as_mut_slice().zeroize();
        self.packet.clear();
        (self.inside, self.escaped) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(packet: &[u8]) -> Vec<u8> {
        let mut room = vec![0; 2 * packet.len()];
        [FRAME, escape(packet, &mut room).unwrap(), FRAME].concat()
    }

    #[test]
    fn every_byte_comes_back() {
        let packet: Vec<u8> = std::iter::once(1).chain(2..=255).chain([0]).collect();
        let mut ear = Ear::default();
        let log = b"rst:0x1 (POWERON)\r\n".to_vec();
        let all = [log, line(&packet), b"x".to_vec(), line(&[1, 2])].concat();
        let heard: Vec<_> = all.iter().filter_map(|byte| ear.take(*byte)).collect();
        assert_eq!(heard, [packet, vec![1, 2]]);
    }

    #[test]
    fn a_packet_without_an_end_stays_bounded_and_hides_nothing_behind_it() {
        let mut ear = Ear::default();
        assert_eq!(ear.take(FRAME[0]), None);
        for _ in 0..100 * LONGEST {
            assert_eq!(ear.take(1), None);
        }
        assert!(ear.packet.capacity() <= 2 * LONGEST);
        let heard: Vec<_> = line(&[1, 2]).iter().filter_map(|byte| ear.take(*byte)).collect();
        assert_eq!(heard, [[1, 2]]);
    }

    #[test]
    fn what_was_sent_and_comes_back_is_dropped_and_kept_nowhere() {
        let mut ear = Ear::default();
        let echo = line(&[0, 3, 9, 9, 9]);
        assert!(echo.iter().all(|byte| ear.take(*byte).is_none()));
        let capacity = ear.packet.capacity();
        // The memory is still ours; it was overwritten before its length went to zero.
        ear.packet.resize(capacity.min(5), 0);
        assert!(ear.packet.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn escaping_needs_room_for_the_worst() {
        assert_eq!(escape(&[END, 1], &mut [0; 3]), Some(&[ESCAPE, ESCAPED_END, 1][..]));
        assert_eq!(escape(&[END, 1], &mut [0; 2]), None);
    }
}
