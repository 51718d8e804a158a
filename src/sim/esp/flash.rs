//! The chip's flash: NOR cells in a file. Erasing a sector sets its bits, programming only
//! clears them, and both take their time.
//!
//! Contents survive the death of the simulator, not that of the machine. Power may be lost
//! in the middle of any change, which is then done by half.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use super::super::error::SimError;

/// What is erased together.
pub(super) const SECTOR: usize = 0x1000;

const ERASED: u8 = 0xff;

/// How long the flash works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashTimes {
    /// Erasing one sector of 4096 bytes.
    pub erase: Duration,
    /// Programming one page of 256 bytes.
    pub program: Duration,
}

/// What goes wrong in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FlashFaults {
    /// In which change power is lost, counted from 1.
    pub(super) power: Option<u32>,
    /// In which programming one bit stays as it was, counted from 1.
    pub(super) stuck: Option<u32>,
    /// Programming does nothing and says nothing.
    pub(super) deaf: bool,
}

/// Power was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dark;

/// The flash of one chip.
#[derive(Debug)]
pub(super) struct Flash {
    cells: Vec<u8>,
    file: Option<File>,
    times: FlashTimes,
    faults: FlashFaults,
    changes: u32,
    programmed: u32,
    busy: Duration,
}

impl Flash {
    /// The flash in that file, or one as it left its factory with these contents.
    pub(super) fn open(
        path: Option<&Path>,
        fresh: Vec<u8>,
        times: FlashTimes,
        faults: FlashFaults,
    ) -> Result<Self, SimError> {
        let (cells, file) = match path {
            None => (fresh, None),
            Some(path) => in_file(path, fresh)?,
        };
        Ok(Self { cells, file, times, faults, changes: 0, programmed: 0, busy: Duration::ZERO })
    }

    /// Everything in it.
    pub(super) fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// How long the work since the last question would have taken.
    pub(super) fn take_busy(&mut self) -> Duration {
        std::mem::take(&mut self.busy)
    }

    /// The bytes there, where all of them are.
    pub(super) fn read(&self, at: usize, length: usize) -> Option<&[u8]> {
        self.cells.get(at..at.checked_add(length)?)
    }

    /// Erases every sector that the range touches; the range lies inside.
    pub(super) fn erase(&mut self, place: Range<usize>) -> Result<(), Dark> {
        let mut at = place.start / SECTOR * SECTOR;
        while at < place.end {
            self.busy += self.times.erase;
            let cut = self.is_cut();
            let end = if cut { at + SECTOR / 2 } else { at + SECTOR };
            self.set(at, &vec![ERASED; end - at]);
            if cut {
                return Err(Dark);
            }
            at += SECTOR;
        }
        Ok(())
    }

    /// Clears the bits that are zero in `bytes`; the place lies inside.
    pub(super) fn program(&mut self, at: usize, bytes: &[u8]) -> Result<(), Dark> {
        self.busy += self.times.program * u32::try_from(bytes.len().div_ceil(256)).unwrap_or(1);
        self.programmed += 1;
        let cut = self.is_cut();
        let bytes = if cut { &bytes[..bytes.len() / 2] } else { bytes };
        let stuck = self.faults.stuck == Some(self.programmed);
        let mut is_stuck = false;
        let cells = &self.cells[at..at + bytes.len()];
        let mut written: Vec<u8> = cells.iter().zip(bytes).map(|(old, new)| old & new).collect();
        for (now, old) in written.iter_mut().zip(cells) {
            let cleared = old & !*now;
            if stuck && !is_stuck && cleared != 0 {
                *now |= cleared & cleared.wrapping_neg();
                is_stuck = true;
            }
        }
        if !self.faults.deaf {
            self.set(at, &written);
        }
        if cut { Err(Dark) } else { Ok(()) }
    }

    fn is_cut(&mut self) -> bool {
        self.changes += 1;
        self.faults.power == Some(self.changes)
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.cells[at..at + bytes.len()].copy_from_slice(bytes);
        if let Some(file) = &self.file {
            // A disk that is full shows when the contents are held against the ledger.
            let _ = file.write_all_at(bytes, at as u64);
        }
    }
}

fn in_file(path: &Path, fresh: Vec<u8>) -> Result<(Vec<u8>, Option<File>), SimError> {
    let failed = |source| SimError::Flash { file: path.to_owned(), source };
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path).map_err(failed)?;
    let length = usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(0);
    if length == 0 {
        file.write_all_at(&fresh, 0).map_err(failed)?;
        return Ok((fresh, Some(file)));
    }
    if length != fresh.len() {
        return Err(SimError::OtherFlash { file: path.to_owned(), length });
    }
    let mut cells = vec![0; length];
    file.read_exact_at(&mut cells, 0).map_err(failed)?;
    Ok((cells, Some(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: FlashTimes = FlashTimes { erase: Duration::ZERO, program: Duration::ZERO };

    fn flash(faults: FlashFaults) -> Flash {
        Flash::open(None, vec![0x5a; 4 * SECTOR], NONE, faults).unwrap()
    }

    #[test]
    fn erasing_sets_whole_sectors_and_programming_only_clears() {
        let mut flash = flash(FlashFaults::default());
        flash.erase(SECTOR + 1..SECTOR + 2).unwrap();
        assert_eq!(flash.read(SECTOR - 1, 2), Some(&[0x5a, 0xff][..]));
        assert_eq!(flash.read(2 * SECTOR - 1, 2), Some(&[0xff, 0x5a][..]));
        flash.program(SECTOR, &[0x0f]).unwrap();
        flash.program(SECTOR, &[0xf1]).unwrap();
        assert_eq!(flash.read(SECTOR, 1), Some(&[0x01][..]));
    }

    #[test]
    fn a_change_that_is_cut_is_done_by_half() {
        let mut flash = flash(FlashFaults { power: Some(2), ..FlashFaults::default() });
        flash.erase(0..SECTOR).unwrap();
        assert_eq!(flash.program(0, &[0; 8]), Err(Dark));
        assert_eq!(flash.read(2, 4), Some(&[0, 0, 0xff, 0xff][..]));
    }

    #[test]
    fn a_bit_that_is_stuck_is_one_bit() {
        let mut flash = flash(FlashFaults { stuck: Some(1), ..FlashFaults::default() });
        flash.erase(0..SECTOR).unwrap();
        flash.program(0, &[0xff, 0x00, 0x00]).unwrap();
        assert_eq!(flash.read(0, 3), Some(&[0xff, 0x01, 0x00][..]));
    }
}
