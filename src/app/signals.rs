//! SIGINT and SIGTERM: the first lands what is under way, the second ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// How long units may take to land after the first signal.
const LANDING: Duration = Duration::from_secs(10);

/// Watches for signals until it is dropped.
pub(super) struct Watch {
    handle: Handle,
    asked: Arc<AtomicBool>,
}

impl Watch {
    /// Calls `stop` at the first signal; ends the process at the second, or when landing
    /// takes too long. Whatever is durable by then is what the next start goes on from.
    pub(super) fn start(stop: impl Fn() + Send + 'static) -> io::Result<Watch> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let (handle, asked) = (signals.handle(), Arc::new(AtomicBool::new(false)));
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if sender.send(signal).is_err() {
                    return;
                }
            }
        })?;
        let flag = Arc::clone(&asked);
        thread::Builder::new().name("stopping".to_owned()).spawn(move || {
            if receiver.recv().is_err() {
                return;
            }
            flag.store(true, Ordering::Release);
            stop();
            match receiver.recv_timeout(LANDING) {
                Ok(_) | Err(RecvTimeoutError::Timeout) => std::process::exit(130),
                Err(RecvTimeoutError::Disconnected) => {}
            }
        })?;
        Ok(Watch { handle, asked })
    }

    /// Whether a signal came.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
    }
}
