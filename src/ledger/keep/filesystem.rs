//! Which file systems can hold a ledger, and how much room is left on one.
//!
//! SQLite's WAL needs shared memory and locks that work between processes, and a rename
//! and a sync that mean what they say; so this is a list of what is known to do that.

use std::path::{Path, PathBuf};

use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::say;

/// File systems that can hold a ledger: magic number and name.
const LOCAL: &[(u32, &str)] = &[
    (0x0000_ef53, "ext2/3/4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0xf2f5_2010, "f2fs"),
    (0x2fc1_2fc1, "zfs"),
    (0xca45_1a4e, "bcachefs"),
    (0x3153_464a, "jfs"),
    (0x2405_1905, "ubifs"),
    (0x794c_7630, "overlayfs"),
    (0x0102_1994, "tmpfs"),
];

/// Others that people meet, so that the refusal names them.
const OTHERS: &[(u32, &str)] = &[
    (0x0000_6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb"),
    (0x0000_517b, "smb"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "ceph"),
    (0x0000_4d44, "vfat"),
    (0x2011_bab0, "exfat"),
    (0x0000_9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x5346_414f, "afs"),
];

fn name(magic: u32) -> String {
    let found = OTHERS.iter().chain(LOCAL).find(|(number, _)| *number == magic);
    found.map_or_else(|| format!("a file system {magic:#010x}"), |(_, name)| (*name).to_owned())
}

fn is_local(magic: u32) -> bool {
    LOCAL.iter().any(|(number, _)| *number == magic)
}

/// Refuses a directory, existing or to be made, on a file system that is not known to work.
pub(crate) fn check_local(data_dir: &Path) -> Result<(), LedgerError> {
    let path = nearest_existing(data_dir);
    let found =
        rustix::fs::statfs(&path).map_err(|error| LedgerError::file(&path, error.into()))?;
    // The kernel's numbers are 32 bits wide; the field's type differs between machines.
    let magic = u32::try_from(found.f_type & 0xffff_ffff).unwrap_or(0);
    match is_local(magic) {
        true => Ok(()),
        false => Err(LedgerError::FileSystem { path, found: name(magic) }),
    }
}

fn nearest_existing(path: &Path) -> PathBuf {
    let mut candidates = path.ancestors().filter(|path| !path.as_os_str().is_empty());
    let found = candidates.find(|path| path.exists());
    found.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A ledger at work has its log, the log's index, a lock, notes and a backup under way: where there
/// are fewer inodes than that, and as many again, one of them would fail half-way.
const INODES: u64 = 16;

/// Refuses a directory, existing or to be made, in which nothing can be written: a disk that
/// is mounted read-only, or has no place for further names.
pub(crate) fn check_writable(data_dir: &Path) -> Result<(), LedgerError> {
    let path = nearest_existing(data_dir);
    let found =
        rustix::fs::statvfs(&path).map_err(|error| LedgerError::file(&path, error.into()))?;
    let read_only = found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
    let path = data_dir.to_path_buf();
    match (read_only, inodes_left(&found)) {
        (true, _) => Err(LedgerError::ReadOnly(path)),
        (_, Some(left)) if left < INODES => Err(LedgerError::NoInodes { path, left }),
        _ => Ok(()),
    }
}

/// How many further names a disk takes; nothing where it makes inodes as it goes.
fn inodes_left(found: &rustix::fs::StatVfs) -> Option<u64> {
    (found.f_files > 0).then_some(found.f_favail)
}

/// Why a file in this directory found no room.
pub(crate) fn no_room(dir: &Path) -> Say {
    let dir_name = dir.display();
    match has_no_inodes(dir) {
        true => say!(
            "the disk of {dir_name} has no inodes left: no further file can be made",
            "{dir_name} 所在的磁盘没有空闲的 inode，无法再建文件"
        ),
        false => say!("the disk of {dir_name} is full", "{dir_name} 所在的磁盘已满"),
    }
}

/// Whether no further file can be made in this directory.
pub(crate) fn has_no_inodes(dir: &Path) -> bool {
    let found = rustix::fs::statvfs(nearest_existing(dir).as_path()).ok();
    found.as_ref().and_then(inodes_left) == Some(0)
}

/// Bytes that are free for this process.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, LedgerError> {
    let found = rustix::fs::statvfs(path).map_err(|error| LedgerError::file(path, error.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Refuses to begin a unit where the units under way could no longer be recorded.
pub(crate) fn check_room(path: &Path, reserve_bytes: u64) -> Result<(), LedgerError> {
    const MIB: u64 = 1 << 20;
    match free_bytes(path)? {
        free if free >= reserve_bytes => Ok(()),
        free => Err(LedgerError::DiskFull { free: free / MIB, reserve: reserve_bytes / MIB }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn what_is_not_on_the_list_is_refused_before_anything_is_made() {
        let error = check_local(Path::new("/proc/x/y")).unwrap_err();
        assert_eq!(error.code(), Code::LedgerFileSystem);
        assert!(error.to_string().starts_with("/proc lies on proc;"), "{error}");
    }

    #[test]
    fn a_directory_that_is_still_to_be_made_lies_where_its_parent_lies() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check_local(&dir.path().join("a/b/c")).is_ok());
        assert_eq!(nearest_existing(&dir.path().join("a/b")), dir.path());
        assert_eq!(nearest_existing(Path::new("no-such-thing")), Path::new("."));
    }

    #[test]
    fn network_file_systems_are_known_by_name() {
        assert!(!is_local(0x6969) && !is_local(0x6573_5546));
        assert_eq!(name(0x6969), "nfs");
        assert_eq!(name(0x1234), "a file system 0x00001234");
    }

    #[test]
    fn too_little_room_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check_room(dir.path(), 0).is_ok());
        let error = check_room(dir.path(), u64::MAX).unwrap_err();
        assert_eq!(error.code(), Code::LedgerDiskFull);
    }
}
