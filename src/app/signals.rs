//! SIGINT, SIGTERM and SIGHUP: the first lands what is under way, the second ends the process.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use crate::engine::Stopper;

/// How long units may take to land after the first signal.
const LANDING: Duration = Duration::from_secs(10);

/// A stop that may be asked for before there is a line to stop.
#[derive(Default)]
pub(super) struct Stopping {
    asked: bool,
    line: Option<Stopper>,
}

impl Stopping {
    /// Stops the line, now or as soon as there is one.
    pub(super) fn ask(this: &Mutex<Self>) {
        let mut this = this.lock().unwrap_or_else(PoisonError::into_inner);
        this.asked = true;
        this.stop_if_due();
    }

    /// There is a line.
    pub(super) fn hand_over(this: &Mutex<Self>, line: Stopper) {
        let mut this = this.lock().unwrap_or_else(PoisonError::into_inner);
        this.line = Some(line);
        this.stop_if_due();
    }

    fn stop_if_due(&self) {
        if let (true, Some(line)) = (self.asked, &self.line) {
            line.stop();
        }
    }
}

/// Watches for signals until it is dropped.
pub(super) struct Watch {
    handle: Handle,
    asked: Arc<AtomicBool>,
}

impl Watch {
    /// Calls `stop` at the first signal; ends the process at the second, or when landing
    /// takes too long. Whatever is durable by then is what the next start goes on from.
    pub(super) fn start(stop: impl Fn() + Send + 'static) -> io::Result<Watch> {
        // A run without a screen may outlive its terminal, as `nohup` has it.
        Self::over(&[SIGINT, SIGTERM], stop, || {})
    }

    /// The same for a screen, which ends with its terminal. `last` is called before the
    /// process ends.
    pub(super) fn start_for_screen(
        stop: impl Fn() + Send + 'static,
        last: impl Fn() + Send + 'static,
    ) -> io::Result<Watch> {
        Self::over(&[SIGINT, SIGTERM, SIGHUP], stop, last)
    }

    fn over(
        wanted: &[i32],
        stop: impl Fn() + Send + 'static,
        last: impl Fn() + Send + 'static,
    ) -> io::Result<Watch> {
        let mut signals = Signals::new(wanted)?;
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
                Ok(_) | Err(RecvTimeoutError::Timeout) => {
                    last();
                    std::process::exit(130)
                }
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

/// Watches for changes of the terminal's size until it is dropped.
pub(super) struct Sizes(Handle);

impl Sizes {
    /// Calls `changed` after each change.
    pub(super) fn watch(changed: impl Fn() + Send + 'static) -> io::Result<Sizes> {
        let mut signals = Signals::new([SIGWINCH])?;
        let handle = signals.handle();
        thread::Builder::new().name("sizes".to_owned()).spawn(move || {
            for _ in signals.forever() {
                changed();
            }
        })?;
        Ok(Sizes(handle))
    }
}

impl Drop for Sizes {
    fn drop(&mut self) {
        self.0.close();
    }
}
