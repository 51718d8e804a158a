//! Two slots and a lock in memory, as a strict flash behaves, which can lose power.

use firmware_interface::dispatch::{SLOT_HEADER_LENGTH, Slot, Storage, StorageError};

pub(crate) const CAPACITY: u32 = 2048;
pub(crate) const STORAGE_IS_CUT: u32 = 0xdead;
pub(crate) const DENIED: u32 = 0xde;
pub(crate) const WRITTEN_TWICE: u32 = 0x2222;

/// Where the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Before(usize),
    After(usize),
    /// In the middle of a call: so many bytes are done, the next ones hold `garbage`.
    Torn {
        call: usize,
        done: usize,
        garbage: Option<u8>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Erase,
    Write(usize),
    WriteHeader,
    Lock,
    /// A call that changes nothing.
    Look,
}

impl Call {
    /// How many bytes a call changes; an erase is torn within header and image.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Erase => SLOT_HEADER_LENGTH + CAPACITY as usize,
            Self::Write(length) => length,
            Self::WriteHeader => SLOT_HEADER_LENGTH,
            Self::Lock => 4,
            Self::Look => 0,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Flash {
    /// Header, then image, of each slot.
    areas: [Vec<u8>; 2],
    lock: [u8; 4],
    pub(crate) cut: Option<Cut>,
    is_cut: bool,
    pub(crate) calls: Vec<Call>,
    /// Every later write fails, as on a worn-out flash.
    pub(crate) worn_out: bool,
    /// A header is written, and a failure is reported.
    pub(crate) denies_headers: bool,
    /// Written bytes are lost, and success is reported.
    pub(crate) forgets: bool,
}

impl Flash {
    pub(crate) fn blank() -> Self {
        let area = vec![0xff; SLOT_HEADER_LENGTH + CAPACITY as usize];
        Self {
            areas: [area.clone(), area],
            lock: [0xff; 4],
            cut: None,
            is_cut: false,
            calls: Vec::new(),
            worn_out: false,
            denies_headers: false,
            forgets: false,
        }
    }

    /// What is left after the power comes back.
    pub(crate) fn rebooted(mut self) -> Self {
        (self.cut, self.is_cut, self.calls) = (None, false, Vec::new());
        self
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn is_erased(&self, slot: Slot) -> bool {
        self.areas[index(slot)].iter().all(|byte| *byte == 0xff)
    }

    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        self.areas.iter().any(|area| area.windows(bytes.len()).any(|window| window == bytes))
    }

    pub(crate) fn flip_image_bit(&mut self, slot: Slot, offset: usize) {
        self.areas[index(slot)][SLOT_HEADER_LENGTH + offset] ^= 1;
    }

    pub(crate) fn flip_header_bit(&mut self, slot: Slot, offset: usize) {
        self.areas[index(slot)][offset] ^= 1;
    }

    /// Counts the call and says how many of its bytes are still done.
    fn call(&mut self, call: Call) -> Result<usize, StorageError> {
        let number = self.calls.len();
        self.calls.push(call);
        if self.is_cut {
            return Err(StorageError(STORAGE_IS_CUT));
        }
        match self.cut {
            Some(Cut::Before(at)) if at == number => {
                self.is_cut = true;
                Err(StorageError(STORAGE_IS_CUT))
            }
            Some(Cut::After(at)) if at == number => {
                self.is_cut = true;
                Ok(call.bytes())
            }
            Some(Cut::Torn { call: at, done, .. }) if at == number => {
                self.is_cut = true;
                Ok(done)
            }
            _ => Ok(call.bytes()),
        }
    }

    fn outcome(&self) -> Result<(), StorageError> {
        if self.is_cut { Err(StorageError(STORAGE_IS_CUT)) } else { Ok(()) }
    }

    fn put(&mut self, slot: Slot, at: usize, data: &[u8], done: usize) -> Result<(), StorageError> {
        if self.worn_out {
            return Err(StorageError(7));
        }
        if self.forgets {
            return self.outcome();
        }
        let garbage = match self.cut {
            Some(Cut::Torn { garbage, .. }) if self.is_cut => garbage,
            _ => None,
        };
        let place = &mut self.areas[index(slot)][at..at + data.len()];
        if place.iter().any(|byte| *byte != 0xff) {
            return Err(StorageError(WRITTEN_TWICE));
        }
        place[..done].copy_from_slice(&data[..done]);
        if let Some(byte) = garbage {
            place[done..].fill(byte);
        }
        self.outcome()
    }
}

fn index(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}

impl Storage for Flash {
    fn capacity(&self) -> u32 {
        CAPACITY
    }

    fn erase(&mut self, slot: Slot) -> Result<(), StorageError> {
        let done = self.call(Call::Erase)?;
        self.areas[index(slot)][..done].fill(0xff);
        self.outcome()
    }

    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError> {
        let done = self.call(Call::Write(data.len()))?;
        self.put(slot, SLOT_HEADER_LENGTH + offset as usize, data, done)
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        self.call(Call::Look)?;
        let at = SLOT_HEADER_LENGTH + offset as usize;
        into.copy_from_slice(&self.areas[index(slot)][at..at + into.len()]);
        self.outcome()
    }

    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        let done = self.call(Call::WriteHeader)?;
        self.put(slot, 0, header, done)?;
        if self.denies_headers { Err(StorageError(DENIED)) } else { Ok(()) }
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.call(Call::Look)?;
        into.copy_from_slice(&self.areas[index(slot)][..SLOT_HEADER_LENGTH]);
        self.outcome()
    }

    fn is_locked(&mut self) -> Result<bool, StorageError> {
        self.call(Call::Look)?;
        self.outcome()?;
        Ok(self.lock != [0xff; 4])
    }

    fn lock(&mut self) -> Result<(), StorageError> {
        let done = self.call(Call::Lock)?;
        self.lock[..done].fill(0);
        self.outcome()
    }
}
