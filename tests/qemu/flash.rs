//! The board's flash as a file; its layout is told at the head of `flash.c`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

/// What the firmware uses of the 16 MiB.
const USED: usize = 0x8000;

const STEPS_LEFT: usize = 0;
const TORN: usize = 4;
const STEPS_DONE: usize = 8;
const HARDWARE_ID: usize = 16;

/// Where the images begin, slot after slot.
const IMAGES: usize = 0x4000;

#[derive(Clone)]
pub(crate) struct Flash(Vec<u8>);

impl Flash {
    /// As it comes from the factory: blank but for the hardware id.
    pub(crate) fn blank(hardware_id: [u8; 8]) -> Self {
        let mut bytes = vec![0xff; USED];
        bytes[..HARDWARE_ID].fill(0);
        bytes[HARDWARE_ID..HARDWARE_ID + 8].copy_from_slice(&hardware_id);
        Self(bytes)
    }

    pub(crate) fn hardware_id(&self) -> [u8; 8] {
        self.0[HARDWARE_ID..HARDWARE_ID + 8].try_into().unwrap()
    }

    pub(crate) fn read(path: &Path) -> Self {
        let mut bytes = vec![0; USED];
        File::open(path).unwrap().read_exact(&mut bytes).unwrap();
        Self(bytes)
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut file = File::create(path).unwrap();
        file.write_all(&self.0).unwrap();
        file.set_len(16 << 20).unwrap();
        assert_eq!(fs::metadata(path).unwrap().len(), 16 << 20);
    }

    /// The power goes at this step from now, within it or before it begins; 0 is never.
    pub(crate) fn cut_at(&self, step: u32, torn: bool) -> Self {
        let mut flash = self.clone();
        flash.put(STEPS_LEFT, step);
        flash.put(TORN, u32::from(torn));
        flash.put(STEPS_DONE, 0);
        flash
    }

    /// How many steps there were since the last [`Self::cut_at`].
    pub(crate) fn steps_done(&self) -> u32 {
        u32::from_le_bytes(self.0[STEPS_DONE..STEPS_DONE + 4].try_into().unwrap())
    }

    /// The bytes directly before those, as many as asked for.
    pub(crate) fn before(&self, bytes: &[u8], count: usize) -> Vec<Vec<u8>> {
        let places = self.0.windows(bytes.len()).enumerate();
        let found = places.filter(|(_, window)| *window == bytes);
        found.filter_map(|(at, _)| Some(self.0.get(at.checked_sub(count)?..at)?.to_vec())).collect()
    }

    /// Whether these bytes stand anywhere in an image area.
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        self.0[IMAGES..].windows(bytes.len()).any(|window| window == bytes)
    }

    fn put(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}
