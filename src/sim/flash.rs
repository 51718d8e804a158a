//! The storage of a simulated device: a chip whose contents are a file.
//!
//! It implements the firmware's storage trait, and the faults of storage: full, torn,
//! power lost in the middle of a call. Like NOR flash it takes each byte once between
//! two erasures and says so. Contents survive the death of the simulator, not that of
//! the machine: nothing here waits for a disk. Start with [`Chip`].

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use firmware_interface::dispatch::{SLOT_HEADER_LENGTH, Slot, Storage, StorageError};

use super::error::SimError;
use super::timings::Timings;

/// What an erased byte reads as.
const ERASED: u8 = 0xff;

/// What the lock's byte is once it is set.
const LOCK_SET: u8 = 0x00;

/// Where the lock stands; the rest of its block is left erased.
const LOCK_AT: usize = 0;
const LOCK_BLOCK: usize = 16;

/// The chip's own numbers for what went wrong, as they reach the station.
const PROGRAMMED_TWICE: StorageError = StorageError(0x01);
const OUTSIDE: StorageError = StorageError(0x02);
const FULL: StorageError = StorageError(0x03);
const POWER_LOST: StorageError = StorageError(0x04);
const FILE_FAILED: StorageError = StorageError(0x05);

/// What goes wrong in the chip; counted from when the device was plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ChipFaults {
    /// Writes beyond this offset of an image fail.
    pub(crate) full_after: Option<u32>,
    /// Which write stores half of its data and says OK.
    pub(crate) torn_write: Option<u32>,
    /// In which call that changes something power is lost, counted from 1.
    pub(crate) power: Option<u32>,
}

/// A chip with two slots and a lock.
#[derive(Debug)]
pub(crate) struct Chip {
    /// Everything as the file has it; empty while nothing was ever written.
    cells: Vec<u8>,
    file: Option<File>,
    capacity: u32,
    times: Timings,
    faults: ChipFaults,
    writes: u32,
    changes: u32,
    busy: Duration,
    dark: bool,
}

impl Chip {
    /// A chip that forgets everything with the process.
    pub(crate) fn in_memory(capacity: u32, times: Timings, faults: ChipFaults) -> Self {
        Self {
            cells: Vec::new(),
            file: None,
            capacity,
            times,
            faults,
            writes: 0,
            changes: 0,
            busy: Duration::ZERO,
            dark: false,
        }
    }

    /// The chip whose contents are in that file; a new file is a new chip.
    pub(crate) fn in_file(
        path: &Path,
        capacity: u32,
        times: Timings,
        faults: ChipFaults,
    ) -> Result<Self, SimError> {
        let failed = |source| SimError::Flash { file: path.to_owned(), source };
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(failed)?;
        let mut cells =
            vec![0; usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(0)];
        file.read_exact_at(&mut cells, 0).map_err(failed)?;
        let mut chip = Self::in_memory(capacity, times, faults);
        if !cells.is_empty() && cells.len() != chip.size() {
            return Err(SimError::OtherFlash { file: path.to_owned(), length: cells.len() });
        }
        (chip.cells, chip.file) = (cells, Some(file));
        Ok(chip)
    }

    /// How long the calls since the last question would have taken.
    pub(crate) fn take_busy(&mut self) -> Duration {
        std::mem::take(&mut self.busy)
    }

    /// Whether power was lost; it is back with the next boot.
    pub(crate) const fn lost_power(&self) -> bool {
        self.dark
    }

    /// Power is back.
    pub(crate) const fn power_up(&mut self) {
        self.dark = false;
    }

    /// Whether nothing was ever written to it.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.cells.is_empty()
    }

    /// Forgets everything, as RAM does.
    pub(crate) fn forget(&mut self) {
        self.cells.clear();
    }

    /// Damages the image bytes of both slots in that place, as a bad cell would.
    pub(crate) fn damage(&mut self, place: &Range<u32>) -> Result<(), StorageError> {
        let middle = place.start + (place.end - place.start) / 2;
        for slot in Slot::ALL {
            let at = self.image(slot, middle, 1)?.start;
            let found = self.cells.get(at).copied().unwrap_or(ERASED);
            self.store(at, &[found ^ 0x10])?;
        }
        Ok(())
    }

    /// The capacity of a chip whose file has that length.
    pub(crate) fn capacity_of(length: usize) -> u32 {
        let images = length.saturating_sub(LOCK_BLOCK + 2 * SLOT_HEADER_LENGTH);
        u32::try_from(images / 2).unwrap_or(u32::MAX)
    }

    const fn size(&self) -> usize {
        LOCK_BLOCK + 2 * (SLOT_HEADER_LENGTH + self.capacity as usize)
    }

    const fn header(slot: Slot) -> Range<usize> {
        let start = match slot {
            Slot::A => LOCK_BLOCK,
            Slot::B => LOCK_BLOCK + SLOT_HEADER_LENGTH,
        };
        start..start + SLOT_HEADER_LENGTH
    }

    fn image(&self, slot: Slot, offset: u32, length: usize) -> Result<Range<usize>, StorageError> {
        let end = u64::from(offset) + length as u64;
        if end > u64::from(self.capacity) {
            return Err(OUTSIDE);
        }
        let images = LOCK_BLOCK + 2 * SLOT_HEADER_LENGTH;
        let first = if slot == Slot::A { images } else { images + self.capacity as usize };
        let start = first + offset as usize;
        Ok(start..start + length)
    }

    fn load(&self, place: Range<usize>, into: &mut [u8]) -> Result<(), StorageError> {
        if self.dark {
            return Err(POWER_LOST);
        }
        match self.cells.get(place) {
            Some(cells) => into.copy_from_slice(cells),
            None => into.fill(ERASED),
        }
        Ok(())
    }

    fn store(&mut self, at: usize, bytes: &[u8]) -> Result<(), StorageError> {
        if self.cells.is_empty() {
            self.cells = vec![ERASED; self.size()];
            self.save(0..self.size())?;
        }
        self.cells[at..at + bytes.len()].copy_from_slice(bytes);
        self.save(at..at + bytes.len())
    }

    fn save(&self, place: Range<usize>) -> Result<(), StorageError> {
        let Some(file) = &self.file else { return Ok(()) };
        file.write_all_at(&self.cells[place.clone()], place.start as u64).map_err(|_| FILE_FAILED)
    }

    /// Programs erased cells, or half of them if power is lost in this call.
    fn program(&mut self, place: Range<usize>, bytes: &[u8]) -> Result<(), StorageError> {
        let mut found = vec![0; bytes.len()];
        self.load(place.clone(), &mut found)?;
        if found.iter().any(|byte| *byte != ERASED) {
            return Err(PROGRAMMED_TWICE);
        }
        let cut = self.power_fails();
        let written = if cut { &bytes[..bytes.len() / 2] } else { bytes };
        self.store(place.start, written)?;
        self.after(cut)
    }

    /// Counts a call that changes something; true if power is lost in its middle.
    fn power_fails(&mut self) -> bool {
        self.changes += 1;
        self.faults.power == Some(self.changes)
    }

    const fn after(&mut self, cut: bool) -> Result<(), StorageError> {
        self.dark = cut;
        if cut { Err(POWER_LOST) } else { Ok(()) }
    }

    fn takes(&mut self, time: Duration) {
        self.busy += time;
    }
}

impl Storage for Chip {
    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn erase(&mut self, slot: Slot) -> Result<(), StorageError> {
        if self.dark {
            return Err(POWER_LOST);
        }
        self.takes(self.times.erase);
        let cut = self.power_fails();
        if !self.cells.is_empty() {
            let image = self.image(slot, 0, self.capacity as usize)?;
            self.store(Self::header(slot).start, &[ERASED; SLOT_HEADER_LENGTH])?;
            let erased = if cut { image.len() / 2 } else { image.len() };
            self.store(image.start, &vec![ERASED; erased])?;
        }
        self.after(cut)
    }

    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError> {
        self.takes(self.times.chunk);
        let place = self.image(slot, offset, data.len())?;
        let end = u64::from(offset) + data.len() as u64;
        if self.faults.full_after.is_some_and(|room| end > u64::from(room)) {
            return Err(FULL);
        }
        self.writes += 1;
        if self.faults.torn_write == Some(self.writes) {
            let half = data.len() / 2;
            return self.program(place.start..place.start + half, &data[..half]);
        }
        self.program(place, data)
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        let place = self.image(slot, offset, into.len())?;
        self.load(place, into)
    }

    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.takes(self.times.commit);
        self.program(Self::header(slot), header)
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.load(Self::header(slot), into)
    }

    fn is_locked(&mut self) -> Result<bool, StorageError> {
        let mut lock = [0];
        self.load(LOCK_AT..LOCK_AT + 1, &mut lock)?;
        Ok(lock != [ERASED])
    }

    fn lock(&mut self) -> Result<(), StorageError> {
        if self.is_locked()? {
            return Ok(());
        }
        self.takes(self.times.commit);
        let cut = self.power_fails();
        self.store(LOCK_AT, &[LOCK_SET])?;
        self.after(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: u32 = 64;

    fn chip(faults: ChipFaults) -> Chip {
        Chip::in_memory(CAPACITY, Timings::INSTANT, faults)
    }

    fn read(chip: &mut Chip, slot: Slot, offset: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        chip.read(slot, offset, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn contents_and_lock_survive_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.flash");
        let open =
            || Chip::in_file(&file, CAPACITY, Timings::INSTANT, ChipFaults::default()).unwrap();
        let mut first = open();
        first.write(Slot::B, 3, b"identity").unwrap();
        first.write_header(Slot::B, &[7; SLOT_HEADER_LENGTH]).unwrap();
        first.lock().unwrap();
        drop(first);
        let mut second = open();
        assert_eq!(read(&mut second, Slot::B, 3, 8), b"identity");
        assert_eq!(read(&mut second, Slot::A, 3, 2), [ERASED; 2]);
        let mut header = [0; SLOT_HEADER_LENGTH];
        second.read_header(Slot::B, &mut header).unwrap();
        assert_eq!(header, [7; SLOT_HEADER_LENGTH]);
        assert!(second.is_locked().unwrap());
    }

    #[test]
    fn a_file_of_another_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.flash");
        std::fs::write(&file, [0; 10]).unwrap();
        let refused = Chip::in_file(&file, CAPACITY, Timings::INSTANT, ChipFaults::default());
        assert!(matches!(refused, Err(SimError::OtherFlash { length: 10, .. })));
    }

    #[test]
    fn a_byte_is_programmed_once_between_two_erasures() {
        let mut chip = chip(ChipFaults::default());
        chip.write(Slot::A, 0, b"one").unwrap();
        assert_eq!(chip.write(Slot::A, 2, b"two"), Err(PROGRAMMED_TWICE));
        chip.erase(Slot::A).unwrap();
        chip.write(Slot::A, 2, b"two").unwrap();
    }

    #[test]
    fn erasing_one_slot_leaves_the_other() {
        let mut chip = chip(ChipFaults::default());
        chip.write(Slot::A, 0, b"old").unwrap();
        chip.write(Slot::B, 0, b"new").unwrap();
        chip.erase(Slot::A).unwrap();
        assert_eq!(read(&mut chip, Slot::A, 0, 3), [ERASED; 3]);
        assert_eq!(read(&mut chip, Slot::B, 0, 3), b"new");
    }

    #[test]
    fn a_full_flash_fails_beyond_its_room() {
        let mut chip = chip(ChipFaults { full_after: Some(8), ..ChipFaults::default() });
        chip.write(Slot::A, 0, &[1; 8]).unwrap();
        assert_eq!(chip.write(Slot::A, 8, &[1]), Err(FULL));
    }

    #[test]
    fn a_torn_write_says_ok_and_stores_half() {
        let mut chip = chip(ChipFaults { torn_write: Some(2), ..ChipFaults::default() });
        chip.write(Slot::A, 0, b"key!").unwrap();
        chip.write(Slot::A, 4, b"cert").unwrap();
        assert_eq!(read(&mut chip, Slot::A, 0, 8), *b"key!ce\xff\xff");
    }

    #[test]
    fn after_a_power_cut_nothing_works_until_power_is_back() {
        let mut chip = chip(ChipFaults { power: Some(2), ..ChipFaults::default() });
        chip.erase(Slot::A).unwrap();
        assert_eq!(chip.write(Slot::A, 0, b"four"), Err(POWER_LOST));
        assert!(chip.lost_power());
        assert_eq!(chip.read(Slot::A, 0, &mut [0; 1]), Err(POWER_LOST));
        chip.power_up();
        assert_eq!(read(&mut chip, Slot::A, 0, 4), *b"fo\xff\xff");
    }

    #[test]
    fn calls_take_the_time_that_the_device_declares() {
        let milliseconds = Duration::from_millis;
        let times = Timings {
            erase: milliseconds(20),
            chunk: milliseconds(3),
            commit: milliseconds(10),
            ..Timings::INSTANT
        };
        let mut chip = Chip::in_memory(CAPACITY, times, ChipFaults::default());
        chip.erase(Slot::A).unwrap();
        chip.write(Slot::A, 0, b"x").unwrap();
        chip.write_header(Slot::A, &[0; SLOT_HEADER_LENGTH]).unwrap();
        assert_eq!(chip.take_busy(), Duration::from_millis(33));
        assert_eq!(chip.take_busy(), Duration::ZERO);
    }

    #[test]
    fn damage_changes_one_byte_of_the_place() {
        let mut chip = chip(ChipFaults::default());
        chip.write(Slot::A, 0, &[0; 12]).unwrap();
        chip.damage(&(4..8)).unwrap();
        assert_eq!(read(&mut chip, Slot::A, 0, 12), [0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0]);
    }
}
