//! The state file: one change a line, on disk before anyone is answered.
//!
//! A thread of its own writes what is waiting in one go and syncs once. Whoever answers
//! waits until everything that was decided before is on disk, reads included, so that nobody
//! is told of something that a power cut could take back. A torn last line was never
//! answered and is cut off at the next start.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use super::book::{Book, Change};

/// The state file, open for appending.
#[derive(Debug)]
pub(super) struct Store {
    lines: Option<Sender<Vec<u8>>>,
    sent: u64,
    written: watch::Receiver<u64>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Reads the file, made if missing, and opens it for appending. Without a path the state
    /// is kept in memory alone.
    pub(super) fn open(path: Option<&Path>) -> io::Result<(Self, Book)> {
        let (sender, written) = watch::channel(0);
        let Some(path) = path else {
            return Ok((Self { lines: None, sent: 0, written, writer: None }, Book::default()));
        };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        // Two clouds over one state would give one serial number away twice.
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        let book = read(&mut file)?;
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(directory)?.sync_all()?;
        }
        let (lines, waiting) = mpsc::channel();
        let write = move || write_all(&mut file, &waiting, &sender);
        let writer = thread::Builder::new().name("cloud-state".to_owned()).spawn(write)?;
        Ok((Self { lines: Some(lines), sent: 0, written, writer: Some(writer) }, book))
    }

    /// Hands a change over to be written.
    pub(super) fn append(&mut self, change: &Change) -> io::Result<()> {
        let Some(lines) = &self.lines else { return Ok(()) };
        let mut line = serde_json::to_vec(change)?;
        line.push(b'\n');
        self.sent += 1;
        // A writer that has failed is noticed by whoever waits for it.
        lines.send(line).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// What must be waited for before anyone is told of the state as it is now.
    pub(super) fn mark(&self) -> Mark {
        Mark { wanted: self.sent, written: self.written.clone() }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // It ends when its channel does; a panic in it has been printed.
            let _ = writer.join();
        }
    }
}

/// A point in the file.
pub(super) struct Mark {
    wanted: u64,
    written: watch::Receiver<u64>,
}

impl Mark {
    /// Waits until the file is on disk up to here; false where writing failed.
    pub(super) async fn reached(mut self) -> bool {
        let wanted = self.wanted;
        wanted == 0 || self.written.wait_for(|written| *written >= wanted).await.is_ok()
    }
}

fn read(file: &mut File) -> io::Result<Book> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut book = Book::default();
    for line in text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        book.apply(serde_json::from_slice(line)?);
    }
    let end = u64::try_from(whole).unwrap_or(u64::MAX);
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(book)
}

fn write_all(file: &mut File, waiting: &Receiver<Vec<u8>>, written: &watch::Sender<u64>) {
    let mut count = 0;
    while let Ok(mut block) = waiting.recv() {
        count += 1;
        for line in waiting.try_iter() {
            block.extend(line);
            count += 1;
        }
        if let Err(error) = file.write_all(&block).and_then(|()| file.sync_data()) {
            tracing::error!("the state file can't be written: {error}");
            return;
        }
        written.send_replace(count);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn code(text: &str) -> Change {
        Change::Code { code: text.to_owned() }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (mut store, _) = Store::open(Some(&path)).unwrap();
        store.append(&code("a")).unwrap();
        store.append(&code("b")).unwrap();
        drop(store);
        assert_eq!(Store::open(Some(&path)).unwrap().1.code.as_deref(), Some("b"));
    }

    #[test]
    fn a_torn_last_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let whole = "{\"change\":\"code\",\"code\":\"a\"}\n";
        fs::write(&path, format!("{whole}{{\"change\":\"co")).unwrap();
        let (mut store, book) = Store::open(Some(&path)).unwrap();
        assert_eq!(book.code.as_deref(), Some("a"));
        store.append(&code("c")).unwrap();
        drop(store);
        let second = "{\"change\":\"code\",\"code\":\"c\"}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}{second}"));
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, "nonsense\n").unwrap();
        assert!(Store::open(Some(&path)).is_err());
    }
}
