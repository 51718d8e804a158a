//! SLIP: what the loader's line carries between two C0.

const END: u8 = 0xc0;
const ESCAPE: u8 = 0xdb;
const ESCAPED_END: u8 = 0xdc;
const ESCAPED_ESCAPE: u8 = 0xdd;

/// The longest packet that is taken: a block of 0x4000 bytes and what is around it.
const LONGEST: usize = 0x4100;

/// Puts a packet between its ends.
pub(super) fn encode(packet: &[u8]) -> Vec<u8> {
    let mut line = vec![END];
    for byte in packet {
        match *byte {
            END => line.extend([ESCAPE, ESCAPED_END]),
            ESCAPE => line.extend([ESCAPE, ESCAPED_ESCAPE]),
            other => line.push(other),
        }
    }
    line.push(END);
    line
}

/// Collects bytes and gives the packets among them.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    packet: Vec<u8>,
    inside: bool,
    escaped: bool,
}

impl Decoder {
    /// Takes one byte; gives a packet where the byte ends one.
    pub(super) fn take(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte == END {
            let packet = std::mem::take(&mut self.packet);
            // Between two packets one end may serve both.
            let whole = self.inside && !packet.is_empty();
            self.inside = !whole;
            self.escaped = false;
            return whole.then_some(packet);
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
        self.packet.push(plain);
        if self.packet.len() > LONGEST {
            *self = Self::default();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_and_noise_between_packets_is_passed_over() {
        let all: Vec<u8> = (0..=255).collect();
        let line = [b"boot log\r\n".to_vec(), encode(&all), b"x".to_vec(), encode(&[1])].concat();
        let mut decoder = Decoder::default();
        let packets: Vec<_> = line.iter().filter_map(|byte| decoder.take(*byte)).collect();
        assert_eq!(packets, [all, vec![1]]);
    }
}
