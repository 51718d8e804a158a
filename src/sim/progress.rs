//! How far a slot has come, kept so that a restarted simulator goes on where it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::SimError;

/// What is kept of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    /// From what the hardware ids follow.
    pub(crate) name: String,
    /// The unit in the slot, counted from 1; one more than there are when all are done.
    pub(crate) unit: u32,
    /// The units that were taken out by hand and are not done.
    #[serde(default)]
    pub(crate) aside: Vec<u32>,
}

/// How far a slot has come, for all who see its units: one may end its days in another slot.
#[derive(Debug)]
pub(crate) struct Home {
    file: ProgressFile,
    progress: Mutex<Progress>,
}

impl Home {
    /// What is kept there, or the beginning under that name.
    pub(crate) fn open(
        file: ProgressFile,
        name: impl FnOnce() -> String,
    ) -> Result<Self, SimError> {
        let progress = Mutex::new(file.load(name)?);
        Ok(Self { file, progress })
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From what the hardware ids of its units follow.
    pub(crate) fn name(&self) -> String {
        self.lock().name.clone()
    }

    /// The unit whose turn it is.
    pub(crate) fn turn(&self) -> u32 {
        self.lock().unit
    }

    /// The units that were taken out by hand and are not done.
    pub(crate) fn aside(&self) -> Vec<u32> {
        self.lock().aside.clone()
    }

    /// A unit is done. True where its turn was not over yet.
    pub(crate) fn done(&self, number: u32) -> Result<bool, SimError> {
        self.change(number, |progress| progress.aside.retain(|aside| *aside != number))
    }

    /// A unit was taken out and may come back. True where its turn was not over yet.
    pub(crate) fn lay_aside(&self, number: u32) -> Result<bool, SimError> {
        self.change(number, |progress| {
            if !progress.aside.contains(&number) {
                progress.aside.push(number);
            }
        })
    }

    fn change(&self, number: u32, change: impl FnOnce(&mut Progress)) -> Result<bool, SimError> {
        let mut progress = self.lock();
        let before = progress.clone();
        let was_its_turn = progress.unit == number;
        progress.unit += u32::from(was_its_turn);
        change(&mut progress);
        if *progress != before {
            self.file.save(&progress)?;
        }
        Ok(was_its_turn)
    }
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
        let Some(file) = &self.0 else {
            return Ok(Progress { name: name(), unit: 1, aside: Vec::new() });
        };
        match fs::read(file) {
            Ok(kept) => serde_json::from_slice(&kept)
                .map_err(|_| SimError::OtherProgress { file: file.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let begun = Progress { name: name(), unit: 1, aside: Vec::new() };
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
        assert_eq!(progress, Progress { name: "first".to_owned(), unit: 1, aside: Vec::new() });
        progress.unit = 5;
        open().save(&progress).unwrap();
        assert_eq!(open().load(|| "second".to_owned()).unwrap(), progress);
    }

    #[test]
    fn what_an_older_simulator_kept_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.slot.json"), r#"{"name":"A","unit":3}"#).unwrap();
        let file = ProgressFile::of(Some(folder.path()), Path::new("a")).unwrap();
        let home = Home::open(file, String::new).unwrap();
        assert_eq!((home.name().as_str(), home.turn(), home.aside()), ("A", 3, Vec::new()));
    }

    #[test]
    fn a_unit_that_was_taken_out_is_kept_until_it_is_done_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let file = ProgressFile::of(Some(folder.path()), Path::new("a")).unwrap();
            Home::open(file, || "A".to_owned()).unwrap()
        };
        let home = open();
        assert!(home.lay_aside(1).unwrap());
        assert!(!home.lay_aside(1).unwrap());
        assert_eq!((open().turn(), open().aside()), (2, vec![1]));
        assert!(!home.done(1).unwrap());
        assert!(home.done(2).unwrap());
        assert_eq!((open().turn(), open().aside()), (3, Vec::new()));
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
