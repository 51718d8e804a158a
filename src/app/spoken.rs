//! What others write to standard error while the screen stands: a PKCS#11 module, a library.
//! It would stay on the operator's screen, so it goes to the log.
//!
//! File descriptor 2 leads into a pipe meanwhile, and back to the terminal afterwards. Where
//! standard error goes elsewhere already, nothing is done.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::domain::text::printable;

/// The log's name for it.
const LOG: &str = "station::stderr";

/// The longest line that is one; of more the rest is another.
const LONGEST: u64 = 1024;

/// The terminal, while descriptor 2 leads elsewhere.
static TERMINAL: Mutex<Option<OwnedFd>> = Mutex::new(None);

/// Gives the terminal back when it is dropped.
pub(super) struct Aside(());

impl Drop for Aside {
    fn drop(&mut self) {
        give_back();
    }
}

/// Leads standard error to the log until what is given back is dropped.
pub(super) fn aside() -> io::Result<Aside> {
    if io::stderr().is_terminal() {
        let terminal = io::stderr().as_fd().try_clone_to_owned()?;
        let (heard, pipe) = io::pipe()?;
        thread::Builder::new().name("spoken".to_owned()).spawn(move || listen(heard))?;
        *TERMINAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(terminal);
        rustix::stdio::dup2_stderr(&pipe)?;
    }
    Ok(Aside(()))
}

/// Leads standard error to the terminal again. More than once does no harm.
pub(super) fn give_back() {
    if let Some(terminal) = TERMINAL.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone takes nothing in any case.
        let _ = rustix::stdio::dup2_stderr(&terminal);
    }
}

/// Ends when nobody has the pipe's other end any more: a process that was started under the
/// screen may have it for longer, so nobody waits for this.
fn listen(heard: PipeReader) {
    let mut heard = BufReader::new(File::from(OwnedFd::from(heard)));
    let mut line = Vec::new();
    loop {
        line.clear();
        match io::Read::take(&mut heard, LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => tell(&line),
        }
    }
}

fn tell(line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    if !text.is_empty() {
        tracing::warn!(target: LOG, "{}", printable(text));
    }
}
