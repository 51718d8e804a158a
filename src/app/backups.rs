//! The thread that backs the ledger up beside a running line, by a connection of its own.
//!
//! A backup that fails is a warning, told once for each reason, and stops nothing. A ledger
//! that is found not to hold stops the line.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::cause::cause;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::ledger::{Backups, Reader};
use crate::pki::Verifier;
use crate::say;

/// How often it is looked whether a backup is due, at most.
const LOOK: Duration = Duration::from_secs(5);

/// Whom the thread tells.
pub struct Told {
    /// Of a backup that failed.
    pub warn: Box<dyn Fn(Fault) + Send>,
    /// Of a ledger that does not hold.
    pub stop: Box<dyn Fn(Fault) + Send>,
}

/// Backs up until it is dropped; a backup under way is finished first.
pub struct BackupThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl BackupThread {
    /// Starts it over a reader of its own.
    pub fn start(
        backups: Backups,
        reader: Reader,
        clock: Arc<dyn Clock>,
        told: Told,
    ) -> Result<BackupThread, Fault> {
        let (stop, stopped) = mpsc::channel();
        let look = (backups.rule().every / 4).min(LOOK);
        let work = move || {
            let mut last = None;
            loop {
                last = look_after(&backups, &reader, clock.as_ref(), &told, last);
                match stopped.recv_timeout(look) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("backups".to_owned()).spawn(work);
        let thread = thread.map_err(|error| {
            Fault::said(Code::Shortage, say!("no thread", "得不到线程").then(&cause(&error)))
        })?;
        Ok(BackupThread { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for BackupThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it was told by the hook, and harmed no unit.
            let _ = thread.join();
        }
    }
}

/// Gives the fault that was told last, so that each is told once.
fn look_after(
    backups: &Backups,
    reader: &Reader,
    clock: &dyn Clock,
    told: &Told,
    last: Option<Fault>,
) -> Option<Fault> {
    let error = match backups.keep_up(reader, &Verifier, clock.now().wall) {
        Ok(None) => return last,
        Ok(Some(made)) => {
            tracing::info!(path = %made.path.display(), entries = made.seq, "ledger backed up");
            return None;
        }
        Err(error) => error,
    };
    let stops = error.is_about_its_contents();
    let fault = Fault::from(error);
    if last.as_ref() != Some(&fault) {
        match stops {
            true => (told.stop)(fault.clone()),
            false => (told.warn)(as_warning(&fault)),
        }
    }
    Some(fault)
}

fn as_warning(fault: &Fault) -> Fault {
    let what = say!("the ledger was not backed up", "账本没有备份");
    Fault::said(Code::LedgerBackup, what.then(&fault.sentence()))
}
