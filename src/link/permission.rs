//! Why a port that is there may not be opened: whom it is for, and who asks.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::discovery;

/// Members of the group may read and write.
const FOR_GROUP: u32 = 0o060;

/// Longer than udev takes to carry out its rules for a port.
const SETTLING: Duration = Duration::from_secs(3);

/// The system's refusal, with what a person needs to mend it.
pub(super) fn denied(path: &Path) -> io::Error {
    let kind = io::ErrorKind::PermissionDenied;
    let Ok(found) = fs::metadata(path) else { return kind.into() };
    let name = |book: &str, id: u32| {
        let text = fs::read_to_string(book).unwrap_or_default();
        name_in(&text, id).unwrap_or_else(|| id.to_string())
    };
    let user = name("/etc/passwd", rustix::process::geteuid().as_raw());
    let group = (found.mode() & FOR_GROUP == FOR_GROUP).then(|| name("/etc/group", found.gid()));
    let owner = name("/etc/passwd", found.uid());
    io::Error::new(kind, why(&user, &owner, group.as_deref()))
}

/// Whether a port appeared, or was given to somebody, so short a time ago that udev may have more
/// to do with it.
pub(super) fn is_new(port: &str) -> bool {
    let Ok(path) = discovery::resolve(port) else { return false };
    let Ok(found) = fs::metadata(path) else { return false };
    let since =
        Duration::new(found.ctime().unsigned_abs(), found.ctime_nsec().unsigned_abs() as u32);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.checked_sub(since).is_some_and(|age| age < SETTLING)
}

fn why(user: &str, owner: &str, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("no permission: user {user} is not in its group, {group}"),
        None => format!("no permission: it is for {owner} alone, and this is {user}"),
    }
}

/// The name of a user or a group, in a text of lines like `name:x:20:…`.
fn name_in(book: &str, id: u32) -> Option<String> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    };
    book.lines().find_map(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_has_just_appeared_may_change_hands() {
        let fresh = tempfile::NamedTempFile::new().unwrap();
        assert!(is_new(fresh.path().to_str().unwrap()));
        assert!(!is_new("/usr/bin/env"));
        assert!(!is_new("/nowhere/at/all"));
    }

    #[test]
    fn a_name_is_found_by_its_number_alone() {
        let book = "root:x:0:\n# no entry\ntty:x:5:20\ndialout:x:20:station\n";
        assert_eq!(name_in(book, 20).as_deref(), Some("dialout"));
        assert_eq!(name_in(book, 2), None);
    }

    #[test]
    fn a_port_without_rights_for_its_group_is_its_owner_s() {
        let said = why("alice", "root", Some("dialout"));
        assert_eq!(said, "no permission: user alice is not in its group, dialout");
        let said = why("alice", "root", None);
        assert_eq!(said, "no permission: it is for root alone, and this is alice");
    }
}
