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
    file: File,
}

impl Drop for WorkLock {
    /// Nobody is named who does not work here any more.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
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
                return Err(LedgerError::Busy { pid: holder(&path, &mut file) });
            }
            Err(error) => return Err(failed(error.into())),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(WorkLock { file })
    }
}

impl WorkLock {
    /// Whether some process has the lock, without touching it: whoever wants it meanwhile gets
    /// it. Where the system doesn't say, nobody has.
    pub fn is_held(data_dir: &Path, work: Work) -> bool {
        locked_by(&data_dir.join(work.file())).is_some()
    }
}

/// The process that has the lock, as the system knows it; another name space's is 0 or less.
fn locked_by(path: &Path) -> Option<i64> {
    let found = std::fs::symlink_metadata(path).ok()?;
    let inode = format!(":{}", std::os::unix::fs::MetadataExt::ino(&found));
    let held = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1310742 0 EOF`
    held.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1).filter(|word| *word != "->");
        let is_flock = words.next() == Some("FLOCK");
        let (pid, file) = (words.nth(2)?, words.next()?);
        (is_flock && file.ends_with(&inode)).then(|| pid.parse().unwrap_or_default())
    })
}

/// The one that has the lock. The file names it a moment after it was taken; until then the
/// system knows.
fn holder(path: &Path, file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), pid) if !pid.is_empty() => pid.to_owned(),
        _ => match locked_by(path).filter(|pid| *pid > 0) {
            Some(pid) => pid.to_string(),
            None => "?".to_owned(),
        },
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
    fn the_first_is_named_before_it_wrote_its_name() {
        let dir = tempfile::tempdir().unwrap();
        drop(WorkLock::take(dir.path(), Work::Sync).unwrap());
        let first = File::open(dir.path().join("sync.lock")).unwrap();
        flock(&first, FlockOperation::NonBlockingLockExclusive).unwrap();
        let error = WorkLock::take(dir.path(), Work::Sync).unwrap_err();
        let named = format!("process {} ", std::process::id());
        assert!(error.to_string().contains(&named), "{error}");
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
