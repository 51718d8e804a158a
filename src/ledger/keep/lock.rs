//! One line process, and one sync: an flock on a file in the data directory.
//!
//! The lock goes with the process, however it ends; the file stays.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::error::LedgerError;

/// As `open(2)` takes it.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Work that only one process at a time does on a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Provisioning units.
    Line,
    /// Talking to the cloud.
    Sync,
}

impl Work {
    const fn file(self) -> &'static str {
        match self {
            Work::Line => "line.lock",
            Work::Sync => "sync.lock",
        }
    }
}

/// Held while this process does its work; let go when dropped.
#[derive(Debug)]
pub struct WorkLock {
    _file: File,
}

impl WorkLock {
    /// Takes the lock, or names the process that has it.
    pub fn take(data_dir: &Path, work: Work) -> Result<WorkLock, LedgerError> {
        let path = data_dir.join(work.file());
        let failed = |error| LedgerError::file(&path, error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        // What a link there points to is somebody else's, and would be emptied.
        options.custom_flags(NO_FOLLOW);
        let mut file = options.open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LedgerError::Busy { pid: holder(&mut file) });
            }
            Err(error) => return Err(failed(error.into())),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(WorkLock { _file: file })
    }
}

impl WorkLock {
    /// Whether some process has the lock, without touching it: whoever wants it meanwhile gets
    /// it. Where the system doesn't say, nobody has.
    pub fn is_held(data_dir: &Path, work: Work) -> bool {
        let Ok(found) = std::fs::symlink_metadata(data_dir.join(work.file())) else { return false };
        let inode = format!(":{}", std::os::unix::fs::MetadataExt::ino(&found));
        let held = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        // `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1310742 0 EOF`
        held.lines().any(|line| {
            let mut words = line.split_whitespace().skip(1);
            let is_flock = words.next() == Some("FLOCK");
            is_flock && words.nth(3).is_some_and(|file| file.ends_with(&inode))
        })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), pid) if !pid.is_empty() => pid.to_owned(),
        _ => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn a_second_line_is_refused_and_the_first_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let first = WorkLock::take(dir.path(), Work::Line).unwrap();
        let error = WorkLock::take(dir.path(), Work::Line).unwrap_err();
        assert_eq!(error.code(), Code::LedgerBusy);
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        assert!(WorkLock::is_held(dir.path(), Work::Line));
        assert!(!WorkLock::is_held(dir.path(), Work::Sync));
        drop(first);
        assert!(!WorkLock::is_held(dir.path(), Work::Line));
        assert!(WorkLock::take(dir.path(), Work::Line).is_ok());
    }

    #[test]
    fn what_a_link_points_to_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("other");
        std::fs::write(&other, "somebody's").unwrap();
        std::os::unix::fs::symlink(&other, dir.path().join("line.lock")).unwrap();
        let error = WorkLock::take(dir.path(), Work::Line).unwrap_err();
        assert_eq!(error.code(), Code::LedgerOpen);
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody's");
    }

    #[test]
    fn a_line_and_a_sync_run_beside_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let _line = WorkLock::take(dir.path(), Work::Line).unwrap();
        assert!(WorkLock::take(dir.path(), Work::Sync).is_ok());
    }
}
