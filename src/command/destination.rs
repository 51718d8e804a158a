//! Where a table or a page goes: a file, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::domain::code::Code;
use crate::ledger::LedgerError;
use crate::say;
use crate::shell::{Failure, Output};

/// Bytes that are gathered before they are written.
const AT_ONCE: usize = 64 * 1024;

/// Why writing ended before its end.
pub(super) enum Stop {
    /// Whoever read it went away, which is no failure.
    ReaderGone,
    /// Something is wrong.
    Failed(Failure),
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Failed(
                Failure::said(Code::Output, say!("it can't be written", "无法写入"))
                    .caused_by(&error),
            ),
        }
    }
}

/// Has `write` write into the file at `out`, or to standard output. A file stands in its place
/// once it is whole, for its owner alone, and replaces what was there.
pub(super) fn write_to(
    out: Option<&Path>,
    context: &mut Context,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Stop>,
) -> Result<(), Failure> {
    let written = match out {
        None => {
            let mut sink = BufWriter::with_capacity(AT_ONCE, Standard(&mut context.out));
            write(&mut sink).and_then(|()| Ok(sink.flush()?))
        }
        Some(path) => write_file(path, write),
    };
    match written {
        Ok(()) | Err(Stop::ReaderGone) => Ok(()),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let wrong = |error: io::Error| {
        let what = say!("{} can't be written", "{} 无法写入", path.display());
        Failure::said(Code::Output, what).caused_by(&error)
    };
    let partial = partial(path);
    let mut sink = BufWriter::with_capacity(AT_ONCE, create(&partial).map_err(wrong)?);
    let written = write(&mut sink).and_then(|()| {
        let file = sink.into_inner().map_err(|error| wrong(error.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(&partial, path)).map_err(wrong)?;
        Ok(())
    });
    if written.is_err() {
        // What is left of it is no table; the failure itself is told.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Lets others read what was written.
pub(super) fn readable_by_all(path: &Path) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).map_err(|error| {
        let what = say!("others can't be let read {}", "无法让其他人读取 {}", path.display());
        Failure::said(Code::Output, what).caused_by(&error)
    })
}

/// Never through a link, and never what somebody else left there.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Standard output, which says when its reader went away.
struct Standard<'a>(&'a mut Output);

impl Write for Standard<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.raw(bytes).map_err(|failure| io::Error::other(failure.to_string()))?;
        match self.0.is_gone() {
            true => Err(ErrorKind::BrokenPipe.into()),
            false => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
