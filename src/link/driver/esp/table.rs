//! The partition table: where in its flash a chip keeps what.

use md5::{Digest, Md5};

use super::loader::{Loader, SECTOR};
use crate::domain::esp::EspPlace;
use crate::error::{ChipRefusal, LinkError};

/// Where ESP-IDF puts it unless a project says otherwise.
const TABLE_AT: u32 = 0x8000;

/// Bytes of an entry, and how many there may be.
const ENTRY: u32 = 32;
const MAX_ENTRIES: u32 = 95;

/// Where the identity lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u32,
    pub(super) size: u32,
}

/// Finds the partition that station.toml names in the chip's own table.
pub(super) fn find(loader: &mut Loader, wanted: &EspPlace) -> Result<Place, LinkError> {
    let refuse = |why: String| {
        let partition = wanted.partition.clone();
        LinkError::Chip(ChipRefusal::Partition { partition, why })
    };
    let (mut table, mut found) = (Vec::new(), None);
    for number in 0..MAX_ENTRIES {
        let entry = loader.read(TABLE_AT + number * ENTRY, ENTRY)?;
        match entry.first_chunk::<2>() {
            Some([0xaa, 0x50]) => {
                if name(&entry) == wanted.partition.as_bytes() {
                    found = Some(Place { at: word(&entry, 4), size: word(&entry, 8) });
                }
                table.extend(entry);
            }
            Some([0xeb, 0xeb]) if entry[16..] == Md5::digest(&table)[..] => break,
            Some([0xff, 0xff]) if number > 0 => break,
            _ if number == 0 => return Err(refuse(format!("no table is at {TABLE_AT:#x}"))),
            _ => return Err(refuse("the table is damaged".to_owned())),
        }
    }
    let place = found.ok_or_else(|| refuse("the table lacks it".to_owned()))?;
    fits(place, wanted).map_err(refuse)?;
    Ok(place)
}

/// Holds a place against station.toml, and against what can be erased.
fn fits(place: Place, wanted: &EspPlace) -> Result<(), String> {
    let Place { at, size } = place;
    if at % SECTOR != 0 || size % SECTOR != 0 || at.checked_add(size).is_none() {
        return Err(format!("it lies at {at:#x} and has {size:#x} bytes, no whole sectors"));
    }
    match (wanted.offset, wanted.size) {
        (Some(offset), _) if offset != at => {
            Err(format!("it lies at {at:#x}, not at {offset:#x} as station.toml says"))
        }
        (_, Some(wanted)) if wanted != size => {
            Err(format!("it has {size:#x} bytes, not {wanted:#x} as station.toml says"))
        }
        _ => Ok(()),
    }
}

fn name(entry: &[u8]) -> &[u8] {
    let field = entry.get(12..28).unwrap_or_default();
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn word(entry: &[u8], at: usize) -> u32 {
    let byte = |index: usize| entry.get(at + index).copied().unwrap_or_default();
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_must_be_whole_sectors_and_what_the_file_says() {
        let place = Place { at: 0xd000, size: 0x2000 };
        let usual = EspPlace::default();
        assert_eq!(fits(place, &usual), Ok(()));
        fits(Place { at: 0xd010, ..place }, &usual).unwrap_err();
        fits(Place { at: 0xffff_f000, ..place }, &usual).unwrap_err();
        let elsewhere = EspPlace { offset: Some(0xf000), ..usual.clone() };
        assert!(fits(place, &elsewhere).unwrap_err().contains("0xf000"));
        fits(place, &EspPlace { size: Some(0x3000), ..usual }).unwrap_err();
    }
}
