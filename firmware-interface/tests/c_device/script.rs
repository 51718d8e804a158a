//! What can happen to a board, as data.

use std::fmt;

/// Bytes of the image area of each slot, on both boards.
pub(crate) const CAPACITY: u32 = 512;

/// Header and image of both slots, then the lock.
pub(crate) const STORAGE_LENGTH: usize = 2 * SLOT_LENGTH + LOCK_LENGTH;

pub(crate) const HEADER_LENGTH: usize = 96;
pub(crate) const SLOT_LENGTH: usize = HEADER_LENGTH + CAPACITY as usize;
pub(crate) const LOCK_LENGTH: usize = 4;

/// What the board is: bits that `c/host/board.c` explains at `set_facts`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FactBits(pub(crate) u8);

impl FactBits {
    /// As the page's example has it.
    pub(crate) const PAGE: Self = Self(0x87);
    /// PROVE, READ and the lock.
    pub(crate) const USUAL: Self = Self(0x07);
    /// The usual, and KEYGEN.
    pub(crate) const MAKES_KEYS: Self = Self(0x0f);

    pub(crate) fn max_chunk(self) -> u16 {
        [256, 65, 100, 1001][usize::from(self.0 >> 4 & 3)]
    }

    pub(crate) fn capacity(self) -> u32 {
        if self.0 & 0x80 != 0 { 2048 } else { CAPACITY }
    }
}

/// How a call of the flash goes wrong; the numbers are those of `c/host/board.c`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None = 0,
    FailsUndone = 1,
    FailsDone = 2,
    PowerCut = 3,
    Forgets = 4,
    ReadsFail = 5,
    LockReadFails = 6,
}

/// A fault to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ComingFault {
    pub(crate) how: Fault,
    /// How many changing calls still succeed.
    pub(crate) after: u16,
    /// How many bytes a cut call has done, or the slot that can't be read.
    pub(crate) done: u16,
    /// What a cut call leaves behind them; ff leaves what was there.
    pub(crate) garbage: u8,
}

impl ComingFault {
    pub(crate) const NONE: Self = Self { how: Fault::None, after: 0, done: 0, garbage: 0xff };
}

/// One thing that happens.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Facts(FactBits),
    PowerOn,
    Receive(Vec<u8>),
    Fault(ComingFault),
    /// Storage place (0 and 1 the slots, 2 the lock), offset and the bits that flip.
    Flip(u8, u16, u8),
    Dump,
    /// As `Dump`; then the flash is blank.
    End,
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts(bits) => write!(f, "facts {:02x}", bits.0),
            Self::PowerOn => write!(f, "power on"),
            Self::Receive(bytes) => write!(f, "receive {bytes:02x?}"),
            Self::Fault(fault) => write!(f, "{fault:?}"),
            Self::Flip(place, offset, mask) => write!(f, "flip {place} {offset} {mask:02x}"),
            Self::Dump => write!(f, "dump"),
            Self::End => write!(f, "end"),
        }
    }
}

impl Op {
    /// Writes the order as the C board reads it.
    pub(crate) fn write(&self, script: &mut Vec<u8>) {
        match self {
            Self::Facts(bits) => script.extend([b'F', bits.0]),
            Self::PowerOn => script.push(b'B'),
            Self::Receive(bytes) => {
                script.push(b'R');
                script.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
                script.extend(bytes);
            }
            Self::Fault(fault) => {
                script.extend([b'X', fault.how as u8]);
                script.extend(fault.after.to_le_bytes());
                script.extend(fault.done.to_le_bytes());
                script.push(fault.garbage);
            }
            Self::Flip(place, offset, mask) => {
                script.extend([b'I', *place]);
                script.extend(offset.to_le_bytes());
                script.push(*mask);
            }
            Self::Dump => script.push(b'D'),
            Self::End => script.push(b'E'),
        }
    }
}

/// What a board answers to an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Sent { bytes: Vec<u8>, resets: bool },
    Storage(Vec<u8>),
}

/// Whether an order is answered at all.
pub(crate) fn is_answered(op: &Op) -> bool {
    matches!(op, Op::Receive(_) | Op::Dump | Op::End)
}
