//! The machine: room on the disk, memory that can be locked.

use std::path::Path;

use super::finding::Finding;
use crate::domain::cause::cause;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::say;
use crate::vault::{self, Vault};

const MIB: u64 = 1 << 20;

/// Checks that the disk of `data_dir` has more than `reserve` bytes free.
pub fn disk(data_dir: &Path, reserve: u64) -> Finding {
    const NAME: &str = "disk";
    // A data directory that is still to be made will be on its parent's disk.
    let existing = data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let found = match rustix::fs::statvfs(existing) {
        Ok(found) => found,
        Err(error) => {
            let detail = say!("{} can't be looked at", "{} 无法查看", existing.display())
                .then(&cause(&std::io::Error::from(error)));
            return Finding::fail(NAME, Fault::said(Code::LedgerOpen, detail));
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let (room, place, least) = (free / MIB, data_dir.display(), reserve / MIB);
    let detail = say!(
        "{room} MiB are free for {place}, no new unit starts below {least} MiB",
        "{place} 剩余 {room} MiB，低于 {least} MiB 时不再开始新单元"
    );
    let fault = || Fault::said(Code::LedgerDiskFull, detail.clone());
    match free {
        free if free < reserve => Finding::fail(NAME, fault()),
        free if free < reserve.saturating_mul(2) => Finding::warn(NAME, fault()),
        _ => Finding::ok(NAME, detail),
    }
}

/// Checks that memory for the keys of so many slots can be locked.
pub fn memory(slots: usize) -> Finding {
    const NAME: &str = "memory";
    match vault::harden_process().and_then(|()| Vault::new(slots)) {
        Ok(_) => Finding::ok(
            NAME,
            say!(
                "memory for the keys of {slots} slots can be locked",
                "可锁定 {slots} 个工位的密钥内存"
            ),
        ),
        Err(error) => Finding::fail(NAME, error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    #[test]
    fn a_disk_with_less_than_the_reserve_is_red() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("not/yet/made");
        assert_eq!(disk(&below, 1).status, Status::Ok);
        let full = disk(&below, u64::MAX);
        assert_eq!((full.status, full.code), (Status::Fail, Some(Code::LedgerDiskFull)));
    }

    #[test]
    fn a_disk_with_less_than_twice_the_reserve_is_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let found = rustix::fs::statvfs(dir.path()).unwrap();
        let free = found.f_bavail * found.f_frsize;
        assert_eq!(disk(dir.path(), free / 3 * 2).status, Status::Warn);
    }
}
