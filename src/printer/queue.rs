//! A queue of CUPS, by its program `lp`: the label goes to its standard input.

use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::domain::print::Language;
use crate::domain::text::plain;

use super::error::PrinterError;
use super::label::{Outgoing, Sent};

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
        if let Some(mut input) = child.stdin.take() {
            // What `lp` did not take it says by its exit status.
            let _ = input.write_all(label.bytes);
        }
        match ended(&mut child) {
            Some(true) => Sent::all(),
            Some(false) => Sent::none(PrinterError::Queue(said(&mut child))),
            None => {
                // It is ours and may hang: nobody knows what the queue has of it.
                let _ = child.kill();
                let _ = child.wait();
                Sent::unclear(PrinterError::Queue(format!("no end in {} s", WHOLE.as_secs())))
            }
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

/// Whether it ended well; none where it does not end.
fn ended(child: &mut Child) -> Option<bool> {
    let until = Instant::now() + WHOLE;
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
