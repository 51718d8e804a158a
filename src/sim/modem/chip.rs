//! What a simulated modem is and keeps: its IMEI, and items in a flash whose contents are a
//! file.
//!
//! Key material lies in that file alone, which only its owner may read. Faults of the flash are
//! made here; the commands stand in a file for each maker.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::error::SimError;

/// What the file has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    imei: String,
    /// Each item's name, and its bytes in base64.
    items: BTreeMap<String, String>,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is done, or the modem says so.
    Done,
    /// It is done, and the modem says nothing.
    Unsaid,
    /// The modem refuses it.
    Refused,
    /// There is no room.
    Full,
    /// Power was lost in its middle.
    PowerLost,
}

/// A modem's flash, and who it is.
pub(super) struct Chip {
    imei: String,
    items: BTreeMap<String, Vec<u8>>,
    file: Option<PathBuf>,
    faults: Vec<Fault>,
    writes: u32,
    changes: u32,
}

impl Chip {
    /// The modem with this IMEI, as its file has it; a new file is a new modem.
    pub(super) fn open(
        imei: String,
        file: Option<PathBuf>,
        faults: Vec<Fault>,
    ) -> Result<Self, SimError> {
        let mut chip = Self { imei, items: BTreeMap::new(), file, faults, writes: 0, changes: 0 };
        let Some(path) = chip.file.clone() else { return Ok(chip) };
        match fs::read(&path) {
            Ok(bytes) => {
                let kept: Kept = serde_json::from_slice(&bytes)
                    .map_err(|error| failed(&path, std::io::Error::other(error)))?;
                for (name, text) in kept.items {
                    let bytes = STANDARD.decode(text);
                    let bytes = bytes.map_err(|error| failed(&path, std::io::Error::other(error)));
                    chip.items.insert(name, bytes?);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => chip.save()?,
            Err(error) => return Err(failed(&path, error)),
        }
        Ok(chip)
    }

    pub(super) fn imei(&self) -> &str {
        &self.imei
    }

    pub(super) fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How often its flash was changed since it was plugged in.
    pub(super) const fn changes(&self) -> u32 {
        self.changes
    }

    /// The model that it reports, in the place of its maker's.
    pub(super) fn model<'m>(&'m self, usual: &'m str) -> &'m str {
        let other = self.faults.iter().find_map(|fault| match fault {
            Fault::Model(model) => Some(model.as_str()),
            _ => None,
        });
        other.unwrap_or(usual)
    }

    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.items.get(name).map(Vec::as_slice)
    }

    /// Every item, by name.
    pub(super) fn items(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.items.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Puts something there before a station sees the modem.
    pub(super) fn preload(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), SimError> {
        self.items.insert(name.to_owned(), bytes);
        self.save()
    }

    /// Stores an item.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<Change, SimError> {
        self.writes += 1;
        let (writes, half) = (self.writes, &bytes[..bytes.len() / 2]);
        if self.has(&Fault::Full) {
            return Ok(Change::Full);
        }
        if self.has(&Fault::RefuseWrite(writes)) {
            return Ok(Change::Refused);
        }
        if self.has(&Fault::LieStored(writes)) {
            return Ok(Change::Done);
        }
        let is_cut = self.is_cut();
        let is_torn = is_cut || self.has(&Fault::TornWrite(writes));
        let stored = if is_torn { half } else { bytes };
        self.items.insert(name.to_owned(), stored.to_vec());
        self.save()?;
        Ok(match (is_cut, self.has(&Fault::WithholdWrite(writes))) {
            (true, _) => Change::PowerLost,
            (false, true) => Change::Unsaid,
            (false, false) => Change::Done,
        })
    }

    /// Removes an item; none where there is none.
    pub(super) fn remove(&mut self, name: &str) -> Result<Option<Change>, SimError> {
        if self.items.remove(name).is_none() {
            return Ok(None);
        }
        self.save()?;
        Ok(Some(if self.is_cut() { Change::PowerLost } else { Change::Done }))
    }

    /// Counts a change; true where power is lost in it.
    fn is_cut(&mut self) -> bool {
        self.changes += 1;
        self.has(&Fault::Power(self.changes))
    }

    /// What a restart does to what it keeps.
    pub(super) fn restart(&mut self) -> Result<(), SimError> {
        if self.has(&Fault::LieForget) {
            self.items.clear();
        }
        if self.has(&Fault::LieOtherUnit) {
            self.imei = with_check_digit(&format!("99{}", &self.imei[2..14]));
        }
        let flipped = self.faults.iter().find_map(|fault| match fault {
            Fault::LieFlip(number) => Some(usize::try_from(*number).unwrap_or(usize::MAX)),
            _ => None,
        });
        let item = flipped.and_then(|number| self.items.values_mut().nth(number - 1));
        if let Some(byte) = item.and_then(|bytes| bytes.get_mut(60)) {
            *byte ^= 1;
        }
        self.save()
    }

    /// Keeps it, whole or not at all, for its owner alone.
    fn save(&self) -> Result<(), SimError> {
        let Some(path) = &self.file else { return Ok(()) };
        let items = self.items.iter();
        let items = items.map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes))).collect();
        let kept = Kept { imei: self.imei.clone(), items };
        // Texts and names always become JSON.
        let text = serde_json::to_vec_pretty(&kept).unwrap_or_default();
        let fresh = path.with_extension("new");
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&fresh)?.write_all(&text)?;
            fs::rename(&fresh, path)
        };
        write().map_err(|error| failed(path, error))
    }
}

fn failed(file: &Path, source: std::io::Error) -> SimError {
    SimError::Flash { file: file.to_owned(), source }
}

/// Fourteen digits of an IMEI and the one that checks them (3GPP TS 23.003, annex B).
pub(super) fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            let doubled = digit * 2;
            match place % 2 {
                0 => digit,
                _ => doubled / 10 + doubled % 10,
            }
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_imei_ends_with_its_check_digit() {
        assert_eq!(with_check_digit("49015420323751"), "490154203237518");
        assert_eq!(with_check_digit("35209900176148"), "352099001761481");
    }

    #[test]
    fn what_is_stored_is_there_again_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.modem");
        let open = || Chip::open("1".repeat(15), Some(file.clone()), Vec::new()).unwrap();
        let mut chip = open();
        assert_eq!(chip.put("7/2", b"key").unwrap(), Change::Done);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(open().get("7/2"), Some(&b"key"[..]));
        assert_eq!(chip.remove("7/2").unwrap(), Some(Change::Done));
        assert_eq!(chip.remove("7/2").unwrap(), None);
    }

    #[test]
    fn faults_of_the_flash_fall_on_the_write_that_they_name() {
        let faults = vec![Fault::LieStored(1), Fault::TornWrite(2), Fault::Power(2)];
        let mut chip = Chip::open("1".repeat(15), None, faults).unwrap();
        assert_eq!(chip.put("a", b"four").unwrap(), Change::Done);
        assert_eq!(chip.get("a"), None);
        assert_eq!(chip.put("b", b"four").unwrap(), Change::Done);
        assert_eq!(chip.get("b"), Some(&b"fo"[..]));
        assert_eq!(chip.put("c", b"four").unwrap(), Change::PowerLost);
        assert_eq!(chip.get("c"), Some(&b"fo"[..]));
    }
}
