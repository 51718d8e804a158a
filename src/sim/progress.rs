//! How far a slot has come, kept so that a restarted simulator goes on where it was.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SimError;

/// What is kept of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    /// From what the hardware ids follow.
    pub(crate) name: String,
    /// The unit in the slot, counted from 1; one more than there are when all are done.
    pub(crate) unit: u32,
}

/// Where it is kept, if anywhere.
#[derive(Debug)]
pub(crate) struct ProgressFile(Option<PathBuf>);

impl ProgressFile {
    /// The file of the slot with that link, in a directory that is made if missing.
    pub(crate) fn of(state_dir: Option<&Path>, link: &Path) -> Result<Self, SimError> {
        let Some(folder) = state_dir else { return Ok(Self(None)) };
        let mut name = link.file_name().unwrap_or_default().to_owned();
        name.push(".slot.json");
        let file = folder.join(name);
        fs::create_dir_all(folder)
            .map_err(|source| SimError::Progress { file: file.clone(), source })?;
        Ok(Self(Some(file)))
    }

    /// What is kept, or the beginning under that name.
    pub(crate) fn load(&self, name: impl FnOnce() -> String) -> Result<Progress, SimError> {
        let Some(file) = &self.0 else { return Ok(Progress { name: name(), unit: 1 }) };
        match fs::read(file) {
            Ok(kept) => serde_json::from_slice(&kept)
                .map_err(|_| SimError::OtherProgress { file: file.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let begun = Progress { name: name(), unit: 1 };
                self.save(&begun).map(|()| begun)
            }
            Err(source) => Err(SimError::Progress { file: file.clone(), source }),
        }
    }

    /// Keeps it, whole or not at all.
    pub(crate) fn save(&self, progress: &Progress) -> Result<(), SimError> {
        let Some(file) = &self.0 else { return Ok(()) };
        let fresh = file.with_extension("json.new");
        // A name and a number always become JSON.
        let text = serde_json::to_vec(progress).unwrap_or_default();
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, file))
            .map_err(|source| SimError::Progress { file: file.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_goes_on_where_it_was_and_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("devices");
        let open = || ProgressFile::of(Some(&state), Path::new("/dev/slot-a")).unwrap();
        let mut progress = open().load(|| "first".to_owned()).unwrap();
        assert_eq!(progress, Progress { name: "first".to_owned(), unit: 1 });
        progress.unit = 5;
        open().save(&progress).unwrap();
        assert_eq!(open().load(|| "second".to_owned()).unwrap(), progress);
    }

    #[test]
    fn a_file_that_is_not_understood_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.slot.json"), "{").unwrap();
        let file = ProgressFile::of(Some(folder.path()), Path::new("a")).unwrap();
        let refused = file.load(String::new);
        assert!(matches!(refused, Err(SimError::OtherProgress { .. })));
    }
}
