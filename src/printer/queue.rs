//! A queue of CUPS, by its program `lp`: the label goes to its standard input.

use std::io::{self, ErrorKind, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::domain::print::Language;
use crate::domain::text::plain;

use super::error::PrinterError;
use super::label::{Outgoing, Sent};
use super::writing::{Patience, without_blocking, write_within};

/// How long `lp` may take: the queue is on this machine.
const WHOLE: Duration = Duration::from_secs(10);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// So much of what it says is shown.
const MOST_SAID: u64 = 300;

/// A queue by its name.
#[derive(Debug)]
pub(super) struct Queue(String);

impl Queue {
    /// Whether there is such a queue is for `lp` to say, when it is given a label.
    pub(super) fn open(name: &str) -> Result<Self, PrinterError> {
        Ok(Self(name.to_owned()))
    }

    pub(super) fn send(self, label: Outgoing<'_>) -> Sent {
        let mut child = match self.command(label).spawn() {
            Ok(child) => child,
            Err(error) => return Sent::none(PrinterError::Queue(missing(&error))),
        };
        let until = Instant::now() + WHOLE;
        if let Some(input) = child.stdin.take() {
            match give(&input, label.bytes) {
                // While its input is open: what it has is not all, and it must not end well.
                Err(error) if error.kind() == ErrorKind::TimedOut => return given_up(child),
                // What else it did not take it says by its exit status.
                Ok(()) | Err(_) => {}
            }
        }
        match ended(&mut child, until) {
            Some(true) => Sent::all(),
            Some(false) => Sent::none(PrinterError::Queue(said(&mut child))),
            None => given_up(child),
        }
    }

    /// What a printer reads itself goes to it as it is; a picture is for CUPS to draw.
    fn command(&self, label: Outgoing<'_>) -> Command {
        let mut command = Command::new("lp");
        command.arg("-d").arg(&self.0).arg("-t").arg(label.name);
        if matches!(label.language, Language::Zpl | Language::Tspl | Language::Epl) {
            command.args(["-o", "raw"]);
        }
        command.arg("--").arg("-");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

/// It is ours and hangs: nobody knows what the queue has of the label.
fn given_up(mut child: Child) -> Sent {
    let _ = child.kill();
    let _ = child.wait();
    Sent::unclear(PrinterError::QueueLate(WHOLE))
}

/// `lp` reads nothing before its daemon has answered, and a pipe holds less than a picture.
fn give(input: &ChildStdin, bytes: &[u8]) -> io::Result<()> {
    without_blocking(input)?;
    let patience = Patience { stall: WHOLE, whole: WHOLE };
    write_within(input, bytes, patience).map_err(|(_, error)| error)
}

/// Whether it ended well; none where it does not end in time.
fn ended(child: &mut Child, until: Instant) -> Option<bool> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < until => std::thread::park_timeout(LOOK),
            Ok(None) => return None,
            Err(_) => return None,
        }
    }
}

fn missing(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "CUPS is not installed here".to_owned(),
        _ => error.to_string(),
    }
}

fn said(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(output) = child.stderr.take() {
        // What can't be read is not shown; the exit status has told enough.
        let _ = output.take(MOST_SAID).read_to_string(&mut text);
    }
    plain(text.trim().trim_end_matches('.')).into_owned()
}
