//! How long to wait for an answer: line time, the device's own busy time, a margin.
//!
//! Only numbers and sums; no clock is read here.

use crate::ids::RequestType;

/// What is added to line time and busy time before a request counts as unanswered.
///
/// It covers a USB adapter's latency timer (16 ms each way on common ones) and a busy host.
pub const REPLY_MARGIN_MS: u32 = 60;

/// How often a request is sent again, with the same seq, before it has timed out.
pub const RESENDS: u32 = 3;

/// How often `IDENTIFY` is sent while a device restarts.
pub const IDENTIFY_INTERVAL_MS: u32 = 50;

/// Bits on the line for a byte: start, eight data, stop.
const BITS_PER_BYTE: u64 = 10;

const MICROSECONDS: u64 = 1_000_000;

/// How long `bytes` take on a line of `baud` bits a second, in microseconds, rounded up.
pub const fn line_time_us(bytes: u32, baud: u32) -> u64 {
    let baud = if baud == 0 { 1 } else { baud };
    (bytes as u64 * BITS_PER_BYTE * MICROSECONDS).div_ceil(baud as u64)
}

/// How long a device may be silent while it works, in milliseconds, as it declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BusyTimes {
    /// Erasing one slot.
    pub erase: u16,
    /// Writing one chunk of the largest size.
    pub chunk: u16,
    /// Reading a whole image back, hashing it and writing one header.
    pub commit: u16,
    /// Reading a whole image back, hashing it and signing once.
    pub prove: u16,
    /// From the reset to the first answered `IDENTIFY`.
    pub boot: u16,
}

impl BusyTimes {
    /// How long the device may work on one request before it answers.
    pub fn of(&self, request: RequestType) -> u32 {
        let (erase, commit) = (u32::from(self.erase), u32::from(self.commit));
        match request {
            RequestType::Identify | RequestType::Restart | RequestType::Read => 0,
            RequestType::Begin | RequestType::Abort => erase,
            RequestType::Chunk => u32::from(self.chunk),
            RequestType::Commit => commit,
            RequestType::Prove | RequestType::Keygen | RequestType::Csr => u32::from(self.prove),
            // The lock is a write like a header's.
            RequestType::Finish => erase + commit,
            RequestType::Erase => 2 * erase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_takes_ten_bits() {
        assert_eq!(line_time_us(11_520, 115_200), 1_000_000);
        assert_eq!(line_time_us(1, 115_200), 87);
        assert_eq!(line_time_us(0, 9_600), 0);
    }

    #[test]
    fn an_erase_of_the_identity_takes_both_slots() {
        let busy = BusyTimes { erase: 100, commit: 20, ..BusyTimes::default() };
        assert_eq!(busy.of(RequestType::Erase), 200);
        assert_eq!(busy.of(RequestType::Finish), 120);
        assert_eq!(busy.of(RequestType::Identify), 0);
    }
}
