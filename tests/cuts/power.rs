//! The data directory as a power cut leaves it, put together from what `power.c` remembered.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::world::World;

/// The library, built once for this process.
pub(crate) fn library() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("power.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cuts/power.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]);
        assert!(cc.arg(&library).arg(source).status().unwrap().success(), "cc failed");
        (folder, library)
    });
    &built.1
}

/// Which syncs reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// All.
    Honest,
    /// None of the ledger's log, as without `synchronous=FULL`.
    DeafToCommits,
}

/// Has a process's syncs remembered.
pub(crate) fn watch(command: &mut Command, world: &World, disk: Disk) {
    watch_at(command, &world.store(), &world.shadow());
    if disk == Disk::DeafToCommits {
        command.env("POWER_DEAF", "ledger.db-wal");
    }
}

/// The same of one directory, remembered in another.
pub(crate) fn watch_at(command: &mut Command, store: &Path, shadow: &Path) {
    fs::create_dir_all(shadow).unwrap();
    command.env("LD_PRELOAD", library());
    command.env("POWER_ROOT", store).env("POWER_SHADOW", shadow);
}

/// What was durable of `from`'s store when its station was cut off, as `to`'s store.
pub(crate) fn restore(from: &World, to: &World) {
    restore_at(&from.store(), &from.shadow(), &to.store());
}

/// The same of one directory.
pub(crate) fn restore_at(store: &Path, shadow: &Path, to: &Path) {
    let store = fs::metadata(store).unwrap();
    // The root itself was there before the station was.
    let prefix = format!("{:x}-", store.ino());
    let kept: BTreeMap<String, PathBuf> = fs::read_dir(shadow)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !name.starts_with('.'))
        .collect();
    let root = kept.keys().find(|name| name.starts_with(&prefix)).expect("the root is kept");
    fs::create_dir_all(to).unwrap();
    rebuild(&kept, root, to);
}

fn rebuild(kept: &BTreeMap<String, PathBuf>, directory: &str, into: &Path) {
    let Some(listing) = kept.get(directory) else { return };
    for line in fs::read_to_string(listing).unwrap().lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap();
        let mode = u32::from_str_radix(word(), 8).unwrap();
        let (identity, name) = (word(), word());
        let place = into.join(name);
        if mode & 0o170_000 == 0o040_000 {
            fs::create_dir(&place).unwrap();
            rebuild(kept, identity, &place);
        } else {
            // A name that was synced and bytes that never were: an empty file.
            let bytes = kept.get(identity).map(|file| fs::read(file).unwrap());
            fs::write(&place, bytes.unwrap_or_default()).unwrap();
        }
        fs::set_permissions(&place, fs::Permissions::from_mode(mode & 0o7_777)).unwrap();
    }
}
