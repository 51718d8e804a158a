//! A file under way: it gets its name when it is whole and durable, or is removed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::LedgerError;
use crate::keep::files::{self, temporary_beside};

/// A file that is removed unless it was given its final name.
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    pub(crate) fn create(path: &Path) -> Result<Unfinished, LedgerError> {
        let temporary = temporary_beside(path);
        files::sweep(temporary.parent().unwrap_or(Path::new(".")));
        let made = files::make_temporary(&temporary);
        made.map_err(|error| LedgerError::file(&temporary, error))?;
        Ok(Unfinished(temporary))
    }

    /// Where it is until then.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it durable under its final name; one that is there already is kept.
    pub(crate) fn finish(&self, path: &Path) -> Result<(), LedgerError> {
        let failed = |error| LedgerError::file(path, error);
        fs::File::open(&self.0).and_then(|file| file.sync_all()).map_err(failed)?;
        match fs::hard_link(&self.0, path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(LedgerError::Exists(path.to_path_buf()));
            }
            Err(error) => return Err(failed(error)),
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        files::sync_directory(directory.unwrap_or(Path::new(".")))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The other name, where it got one, keeps the file.
        let _ = fs::remove_file(&self.0);
    }
}
