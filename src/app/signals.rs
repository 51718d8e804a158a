//! SIGINT, SIGTERM and SIGHUP: the first lands what is under way, a second SIGINT or SIGTERM
//! ends the process. Where nothing is under way the first one does.
//!
//! A hangup never ends it: where a terminal is closed the kernel and the shell send one each,
//! and systemd sends one beside its SIGTERM. One who started the program under `nohup` does
//! not want to hear of hangups at all.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals};

use crate::domain::code::Code;
use crate::engine::Stopper;
use crate::say;
use crate::shell::{Exit, Failure};

/// How long units may take to land after the first signal.
const LANDING: Duration = Duration::from_secs(10);

/// The exit status of a process that a signal stopped.
const STOPPED: i32 = Exit::Stopped as i32;

/// Has SIGINT and SIGTERM end the process where nobody watches for them: behind a [`Watch`] as
/// well, since what was once handled by signal_hook is never given back to the system. What
/// whoever started the process has it ignore stays ignored.
pub fn end_where_nobody_watches() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        if !ignores(signal) {
            flag::register_conditional_shutdown(signal, STOPPED, Arc::clone(unwatched()))?;
        }
    }
    Ok(())
}

/// True while nobody watches.
fn unwatched() -> &'static Arc<AtomicBool> {
    static UNWATCHED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    UNWATCHED.get_or_init(|| Arc::new(AtomicBool::new(true)))
}

/// Signals are somebody's while one of these is there.
struct Watched;

impl Watched {
    fn new() -> Self {
        Self::count(|watchers| watchers + 1);
        Self
    }

    fn count(change: impl Fn(usize) -> usize) {
        static WATCHERS: Mutex<usize> = Mutex::new(0);
        let mut watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
        *watchers = change(*watchers);
        unwatched().store(*watchers == 0, Ordering::Release);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        Self::count(|watchers| watchers - 1);
    }
}

/// SIGINT and SIGTERM, for what runs until one of them comes.
pub struct Until {
    signals: Signals,
    _watched: Watched,
}

impl Until {
    /// From now on they are waited for.
    pub fn told_to_stop() -> Result<Self, Failure> {
        let signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| {
            Failure::said(Code::Bug, say!("no signal handler", "无法处理信号")).caused_by(&error)
        })?;
        Ok(Self { signals, _watched: Watched::new() })
    }

    /// Comes back when one came, also one that came before; the next one ends the process.
    pub fn wait(mut self) {
        self.signals.forever().next();
    }
}

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
pub struct Watch {
    handle: Handle,
    asked: Arc<AtomicBool>,
    _watched: Watched,
}

impl Watch {
    /// Calls `stop` at the first signal; ends the process at the second, or when landing
    /// takes too long. Whatever is durable by then is what the next start goes on from.
    pub fn start(stop: impl Fn() + Send + 'static) -> Result<Watch, Failure> {
        Self::start_for_screen(stop, || {})
    }

    /// The same for a screen. `last` is called before the process ends.
    pub(super) fn start_for_screen(
        stop: impl Fn() + Send + 'static,
        last: impl Fn() + Send + 'static,
    ) -> Result<Watch, Failure> {
        Self::begin(stop, last).map_err(|error| no_handler(&error))
    }

    fn begin(
        stop: impl Fn() + Send + 'static,
        last: impl Fn() + Send + 'static,
    ) -> io::Result<Watch> {
        let hangup = (!ignores(SIGHUP)).then_some(SIGHUP);
        let mut signals = Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup))?;
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
            let Ok(first) = receiver.recv() else { return };
            flag.store(true, Ordering::Release);
            stop();
            if lands(first, &receiver, Instant::now() + LANDING) == Landing::CutShort {
                last();
                std::process::exit(STOPPED)
            }
        })?;
        Ok(Watch { handle, asked, _watched: Watched::new() })
    }

    /// Whether a signal came.
    pub fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

/// Why there is no watch.
pub(super) fn no_handler(error: &io::Error) -> Failure {
    Failure::said(Code::Shortage, say!("no signal handler", "无法处理信号")).caused_by(error)
}

/// How the time behind the first signal ends.
#[derive(Debug, PartialEq, Eq)]
enum Landing {
    /// Everything has landed; nobody watches any more.
    Done,
    /// Somebody does not want to wait for it, or it takes too long.
    CutShort,
}

/// Waits for the landing, which the second signal that is no hangup cuts short: the first
/// such one may belong to a hangup that came before it.
fn lands(first: i32, signals: &Receiver<i32>, until: Instant) -> Landing {
    let mut was_told = first != SIGHUP;
    loop {
        match signals.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(SIGHUP) => {}
            Ok(_) if !was_told => was_told = true,
            Ok(_) | Err(RecvTimeoutError::Timeout) => return Landing::CutShort,
            Err(RecvTimeoutError::Disconnected) => return Landing::Done,
        }
    }
}

/// Whether whoever started the process had it ignore this signal, as `nohup` does with hangups
/// and a shell with SIGINT for what runs in the background.
fn ignores(signal: i32) -> bool {
    // The mask of ignored signals in hexadecimal, SIGHUP's bit the lowest (proc(5)).
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sent: &[i32], until: Instant) -> Landing {
        let (sender, receiver) = mpsc::channel();
        sent.iter().for_each(|signal| sender.send(*signal).unwrap());
        drop(sender);
        let first = receiver.recv().unwrap();
        lands(first, &receiver, until)
    }

    #[test]
    fn a_hangup_cuts_no_landing_short_before_or_behind_what_comes_with_it() {
        let until = Instant::now() + LANDING;
        for sent in [&[SIGHUP, SIGHUP][..], &[SIGHUP, SIGTERM], &[SIGTERM, SIGHUP, SIGHUP]] {
            assert_eq!(after(sent, until), Landing::Done, "{sent:?}");
        }
        for sent in [&[SIGINT, SIGINT][..], &[SIGHUP, SIGTERM, SIGINT], &[SIGTERM, SIGHUP, SIGINT]]
        {
            assert_eq!(after(sent, until), Landing::CutShort, "{sent:?}");
        }
    }

    #[test]
    fn a_landing_has_an_end() {
        let (_sender, receiver) = mpsc::channel();
        assert_eq!(lands(SIGTERM, &receiver, Instant::now()), Landing::CutShort);
    }
}
