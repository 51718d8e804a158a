//! How much is taken of what comes from outside, and how much is repeated of it.
//!
//! A file that a person names may be the wrong one, made to be too large, or no file at all.
//! Each kind has a bound here, with a reason; `docs/reliability.md` lists them all. Whoever
//! reads a file that a person, a setting or a directory names opens it with [`open`].

use std::borrow::Cow;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::say::Say;
use crate::say;

/// station.toml, and notes beside the ledger: a thousand times what they hold.
pub const SETTINGS: u64 = 1 << 20;

/// Certificates and keys: all roots of the web are a quarter of a mebibyte.
pub const CERTIFICATES: u64 = 4 << 20;

/// Lists of serials or hardware ids, one a line: some millions.
pub const LIST: u64 = 64 << 20;

/// A hand-off that comes back, also once it is unpacked: 100,000 certificates with their PEM.
/// It takes a few times as much memory while it is read.
pub const HAND_BACK: u64 = 128 << 20;

/// One file of a lot's bundle once it is unpacked: the journal of some 50,000 units.
pub const BUNDLE: u64 = 512 << 20;

/// Files of a lot's bundle: a certificate for each unit, and a few more.
pub const BUNDLE_FILES: usize = 200_000;

/// Bytes of all files of a lot's bundle once they are unpacked.
pub const BUNDLE_WHOLE: u64 = 4 << 30;

/// A grant, or what was given back: a range of serials, a certificate, a line for each grant.
pub const GRANT: u64 = 1 << 20;

/// Characters of a cell in a table that is read: more than any serial or fingerprint.
pub const CELL: usize = 1024;

/// Characters of the first line of a table, which names its columns: some hundreds of them.
pub const NAMES: usize = 16 << 10;

/// Characters of one line of an error message. What is wrong stands at its beginning.
pub const MESSAGE: usize = 4096;

/// Characters of a regular expression for labels.
pub const PATTERN: usize = 1024;

/// Rows of a hand-back: ten times as many certificates as such a file holds with their PEM.
pub const ROWS: usize = 1_000_000;

/// Serials that are shipped at a time: a container of the smallest products.
pub const SERIALS: usize = 1_000_000;

/// Places of a label's template: a sheet of labels has some dozens of them.
pub const PLACES: usize = 200;

/// Linux's own file system of pipes that have no name.
const PIPES: u32 = 0x5049_5045;

/// Opens a file to be read. What is no file is refused and never waited for: a pipe that nobody
/// writes to would hold the station for ever. A pipe without a name is taken: the shell made it
/// for this very command, as `<(…)` does, and its writer is there.
pub fn open(path: &Path) -> io::Result<File> {
    // Looked at before it is opened: to open a device may do something to it.
    refuse_what_is_no_file(path, fs::metadata(path)?.file_type())?;
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    // And again: another may stand there by now.
    refuse_what_is_no_file(path, file.metadata()?.file_type())?;
    rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

fn refuse_what_is_no_file(path: &Path, kind: FileType) -> io::Result<()> {
    let what = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        kind if kind.is_fifo() && has_no_name(path)? => return Ok(()),
        kind if kind.is_fifo() => say!("it is a pipe, and no file", "它是管道，不是文件"),
        kind if kind.is_socket() => say!("it is a socket, and no file", "它是套接字，不是文件"),
        _ => say!("it is a device, and no file", "它是设备，不是文件"),
    };
    Err(io::Error::new(ErrorKind::InvalidInput, what))
}

/// Whether a pipe stands in no directory. The kernel's numbers are 32 bits wide; the field's type
/// differs between machines.
fn has_no_name(pipe: &Path) -> io::Result<bool> {
    let magic = rustix::fs::statfs(pipe)?.f_type & 0xffff_ffff;
    Ok(u32::try_from(magic).is_ok_and(|magic| magic == PIPES))
}

/// Reads a whole file of at most `longest` bytes.
pub fn read_file(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    read_whole(open(path)?, longest)
}

/// The same for text in UTF-8.
pub fn read_text_file(path: &Path, longest: u64) -> io::Result<String> {
    read_text(open(path)?, longest)
}

/// Reads all there is, and no more than that many bytes: what is longer is refused and not
/// cut off.
pub fn read_whole(from: impl Read, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(longest + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= longest) {
        true => Ok(bytes),
        false => Err(io::Error::new(ErrorKind::FileTooLarge, too_long(longest))),
    }
}

/// The same for text in UTF-8.
pub fn read_text(from: impl Read, longest: u64) -> io::Result<String> {
    let text = String::from_utf8(read_whole(from, longest)?);
    text.map_err(|_| {
        io::Error::new(ErrorKind::InvalidData, say!("it is not UTF-8 text", "它不是 UTF-8 文本"))
    })
}

fn too_long(longest: u64) -> Say {
    let mib = longest >> 20;
    say!(
        "it is longer than {mib} MiB, which is the most that is read",
        "它超过 {mib} MiB，最多读取这么多"
    )
}

/// The GNU allocator learns from the blocks that are given back to it, up to this length: it keeps
/// the next ones of that length, and a process never gets smaller again.
const LEARNT_FROM: u64 = 32 << 20;

/// Whether the system would give so much memory now. A library that takes it at once, as the ways to
/// make a key of a passphrase do, ends the process where it is refused. What is tried here is larger
/// than the allocator learns from, or it would keep what the library gives back.
pub fn is_memory_at_hand(bytes: u64) -> bool {
    let bytes = bytes.saturating_add(LEARNT_FROM);
    let mut room: Vec<u8> = Vec::new();
    let reserved = usize::try_from(bytes).is_ok_and(|bytes| room.try_reserve_exact(bytes).is_ok());
    // Or the compiler would leave out what nobody uses.
    std::hint::black_box(&room);
    reserved
}

/// The beginning of a text, and how much of it is left out.
pub fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            Cow::Owned(format!("{}… ({left_out} more characters)", &text[..end]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_refused_and_not_cut_off() {
        assert_eq!(read_whole(&[7; 4][..], 4).unwrap(), [7; 4]);
        let error = read_whole(io::repeat(7), 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is longer than 1 MiB, which is the most that is read");
        assert!(read_text(&[0xff][..], 4).is_err());
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let (pipe, socket) = (directory.path().join("pipe"), directory.path().join("socket"));
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, why) in [
            (pipe.as_path(), "it is a pipe, and no file"),
            (&socket, "it is a socket, and no file"),
            (Path::new("/dev/zero"), "it is a device, and no file"),
            (directory.path(), "is a directory"),
        ] {
            assert_eq!(read_file(path, 9).unwrap_err().to_string(), why);
        }
        let error = open(&directory.path().join("nothing")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_pipe_that_the_shell_made_for_the_command_is_read_to_its_end() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let file = open(Path::new(&path)).unwrap();
        // Nothing is there yet: whoever reads waits for the writer.
        let written = std::thread::spawn(move || writer.write_all(b"S-1\n"));
        drop(reader);
        assert_eq!(read_text(file, 9).unwrap(), "S-1\n");
        written.join().unwrap().unwrap();
    }

    #[test]
    fn memory_that_no_system_has_is_not_at_hand() {
        assert!(is_memory_at_hand(1 << 20));
        assert!(!is_memory_at_hand(1 << 60));
        assert!(!is_memory_at_hand(u64::MAX));
    }

    /// A block that the allocator asked the system for by itself stands behind a header of 16 bytes
    /// at the beginning of a page; one out of memory that it keeps stands anywhere.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    fn to_look_whether_memory_is_at_hand_leaves_the_next_block_to_be_given_back() {
        const BLOCK: usize = 31 << 20;
        assert!(is_memory_at_hand(BLOCK as u64));
        let block = Vec::<u8>::with_capacity(BLOCK);
        assert_eq!(block.as_ptr().addr() % 4096, 16);
    }

    #[test]
    fn a_long_text_says_how_long_it_was() {
        assert_eq!(shortened("测试", 2), "测试");
        assert_eq!(shortened("测试ab", 2), "测试… (2 more characters)");
    }
}
