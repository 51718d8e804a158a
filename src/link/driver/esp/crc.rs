//! The check sum of Espressif's formats: its CRC-32 with a start value of all ones, which the
//! routine inverts, so that the register begins at zero.

use crc::{Algorithm, Crc};

const CRC32: Crc<u32> = Crc::<u32>::new(&Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    init: 0,
    refin: true,
    refout: true,
    xorout: 0xffff_ffff,
    check: 0xd202_d277,
    residue: 0xdebb_20e3,
});

/// The check sum of these bytes.
pub(super) fn of(bytes: &[u8]) -> u32 {
    CRC32.checksum(bytes)
}

/// A check sum of bytes that are not one piece.
pub(super) struct Sum(crc::Digest<'static, u32>);

impl Sum {
    pub(super) fn new() -> Self {
        static TABLE: Crc<u32> = CRC32;
        Self(TABLE.digest())
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn value(self) -> u32 {
        self.0.finalize()
    }
}
