//! One process of the binary, watched: what it prints is read as it comes, it never
//! outlives its test, and whoever waits for it waits until a deadline.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use super::LONG;

/// A process that is running, or has just ended.
pub(crate) struct Process {
    what: String,
    child: Child,
    pidfd: OwnedFd,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
    errors: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// A process that has ended, and all that it said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// Its lines on standard output.
    pub(crate) lines: Vec<String>,
    pub(crate) errors: String,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let what = format!("{:?}", command.get_args().collect::<Vec<_>>());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines() {
                if line.is_ok_and(|line| sender.send(line).is_err()) {
                    return;
                }
            }
        });
        let errors = Arc::new(Mutex::new(String::new()));
        let reader = read_errors(child.stderr.take().unwrap(), Arc::clone(&errors));
        let input = child.stdin.take();
        let reader = Some(reader);
        Self { what, child, pidfd, input, lines, seen: Vec::new(), errors, reader }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// Waits until its standard error says this.
    #[track_caller]
    pub(crate) fn until_it_says(&self, text: &str) {
        let deadline = Instant::now() + LONG;
        while !self.errors().contains(text) {
            assert!(
                Instant::now() < deadline,
                "{} never says {text}: {}",
                self.what,
                self.errors()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Writes to its standard input, and leaves that open.
    pub(crate) fn say(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).unwrap();
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Its next line on standard output; none when it has ended.
    pub(crate) fn line(&mut self, within: Duration) -> Option<String> {
        match self.lines.recv_timeout(within) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => self.is_late(within),
        }
    }

    /// Its next line, as JSON.
    pub(crate) fn event(&mut self, within: Duration) -> Option<Value> {
        self.line(within).map(|line| json(&line))
    }

    /// Whether it has ended by itself within that time.
    pub(crate) fn ends_within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap();
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            match poll(&mut fds, Some(&left)) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // One that has ended already needs none.
        let _ = pidfd_send_signal(self.pidfd.as_fd(), signal);
    }

    /// Kills it and says what it had said.
    pub(crate) fn kill(self) -> Finished {
        self.signal(Signal::KILL);
        self.finish(super::LONG)
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self, within: Duration) -> Finished {
        self.close_input();
        if !self.ends_within(within) {
            self.is_late(within)
        }
        let status = self.child.wait().unwrap();
        self.seen.extend(self.lines.iter());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        Finished { status, lines: std::mem::take(&mut self.seen), errors: self.errors() }
    }

    fn is_late(&self, within: Duration) -> ! {
        let Self { what, seen, .. } = self;
        let seen = seen.join("\n");
        let errors = self.errors();
        panic!("{what} is late: {within:?} have passed\n--- out\n{seen}\n--- err\n{errors}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

fn read_errors(mut from: impl Read + Send + 'static, to: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut bytes = [0; 4_096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    })
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"))
}

impl Finished {
    /// How it exited; none where a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails, with all that was said, unless it exited so.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{}", self.story());
        self
    }

    /// Fails unless the first error on standard error has that code.
    #[track_caller]
    pub(crate) fn expect_error(self, code: i32, error: &str) -> Self {
        let found = self.errors.contains(&format!("error[{error}]: "));
        assert!(found, "error[{error}] is missing: {}", self.story());
        assert!(self.errors.contains("\nhelp: "), "no help: {}", self.story());
        self.expect(code)
    }

    /// Every line as JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.lines.iter().map(|line| json(line)).collect()
    }

    /// The one line of a command that prints one.
    #[track_caller]
    pub(crate) fn only(&self) -> Value {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{}", self.story());
        events.remove(0)
    }

    /// The lines of units, in the order in which they ended.
    pub(crate) fn units(&self) -> Vec<Value> {
        let mut units = self.events();
        units.retain(|event| event["event"] == "unit");
        units
    }

    /// The line of one unit, which must be the only one.
    #[track_caller]
    pub(crate) fn unit(&self, serial: &str) -> Value {
        let mut units = self.units();
        units.retain(|unit| unit["serial"] == serial);
        assert_eq!(units.len(), 1, "{serial}: {}", self.story());
        units.remove(0)
    }

    /// The summary, which must be the last line.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        let last = self.lines.last().map(|line| json(line)).unwrap_or_default();
        assert_eq!(last["event"], "summary", "{}", self.story());
        last
    }

    /// Everything, for whoever has to find out why.
    pub(crate) fn story(&self) -> String {
        let mut story = format!("{}\n--- out\n", self.status);
        for line in &self.lines {
            let _ = writeln!(story, "{line}");
        }
        story + "--- err\n" + &self.errors
    }
}
