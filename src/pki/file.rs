//! Files that are made once: whole or not at all, durable, and never over another one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::ids::to_hex;
use crate::say;

/// For a private key, encrypted though it is: its owner alone.
pub(super) const OWNER_ONLY: u32 = 0o600;
/// For a certificate, which is public.
pub(super) const PUBLIC: u32 = 0o644;

/// Writes a file that must not exist yet; the error's kind is `AlreadyExists` where it does.
///
/// The bytes are written beside it, synced, and given the name by a hard link, which no
/// file system does over an existing name: of two processes one wins, and a power cut
/// leaves the whole file or none.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let draft = draft_beside(path)?;
    let written = write_synced(&draft, bytes, mode).and_then(|()| fs::hard_link(&draft, path));
    // The draft is of no use any more, whatever came of it; its leftover would harm nobody.
    let _ = fs::remove_file(&draft);
    written?;
    sync_directory(path)
}

fn write_synced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name in the same directory that no other process draws.
fn draft_beside(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let no_name = || {
        let why = say!("the path names no file", "路径没有指到文件");
        io::Error::new(io::ErrorKind::InvalidInput, why)
    };
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or_else(no_name)?);
    name.push(format!(".{}.new", to_hex(&random)));
    Ok(path.with_file_name(name))
}

/// Makes the directory's entry for `path` durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_has_its_bytes_and_mode_and_leaves_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.key");
        write_new(&path, b"text", OWNER_ONLY).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"text");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.key");
        fs::write(&path, b"old").unwrap();
        let error = write_new(&path, b"new", OWNER_ONLY).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn of_many_at_once_one_wins_and_its_file_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.key");
        let won: Vec<u8> = std::thread::scope(|scope| {
            let writers: Vec<_> = (b'a'..b'i')
                .map(|letter| {
                    let path = &path;
                    scope.spawn(move || {
                        write_new(path, &[letter; 4096], OWNER_ONLY).ok().map(|()| letter)
                    })
                })
                .collect();
            writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1);
        assert_eq!(fs::read(&path).unwrap(), [won[0]; 4096]);
    }
}
