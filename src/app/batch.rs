//! A run without a screen: labels, a line, lines of output, an exit status.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use serde::Serialize;

use crate::batch::{Batch, Ending, Heard, Style, Summary};
use crate::checks;
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{self, Exit, Failure, warn, warn_with_help};

use super::aside;
use super::clock::SystemClock;
use super::labels::Labels;
use super::line::{self, Session};
use super::signals::{self, Stopping};

/// Events and labels that may wait for the front end. Beyond that the line waits; slots
/// finish their units all the same.
const HEARD: usize = 256;

/// How a run talks.
pub struct Talk<'a> {
    /// How lines look.
    pub style: Style,
    /// Where units go.
    pub out: &'a mut dyn Write,
    /// Whether standard error is coloured.
    pub color: bool,
}

#[derive(Serialize)]
struct SummaryLine {
    event: &'static str,
    passed: u64,
    failed: u64,
    interrupted: u64,
    refused: u64,
    already_proven: u64,
    uncertain: u64,
    /// Of all units of the ledger, those that are uncertain now.
    uncertain_in_ledger: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_open: Option<u64>,
    duration_ms: u64,
}

/// Runs a line over what station.toml names until its labels are used up.
pub fn run(
    config: &Config,
    labels: Labels,
    session: Session,
    talk: &mut Talk<'_>,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    // Before anything is started that a signal could cut off.
    let stopping = Arc::new(Mutex::new(Stopping::default()));
    let asked = Arc::clone(&stopping);
    let watch = signals::Watch::start(move || Stopping::ask(&asked))?;
    let (heard, hears) = mpsc::sync_channel(HEARD);
    let events = heard.clone();
    let running = line::start(
        config,
        session,
        Box::new(move |event| {
            // A front end that is gone has ended the run.
            let _ = events.send(Heard::Line(event));
        }),
    )?;
    Stopping::hand_over(&stopping, running.line.stopper());
    let source = labels.start(heard, running.slots)?;
    let commands = running.commands();
    let mut notes = shell::for_warnings();
    let batch = Batch::new(source, commands, talk.style, talk.out, &mut *notes);
    let mut ending = batch.run(&hears);
    // Whoever still sends must not wait for a front end that is gone.
    drop(hears);
    if let Some(fault) = running.ledger().writer().anchor_fault() {
        warn(&fault, talk.color);
    }
    let uncertain = running.left_uncertain();
    running.join()?;
    // An output that is gone, such as a terminal that was closed, is told by the exit status.
    let said = say_summary(talk, &ending.summary, uncertain.count, started);
    ending.output = ending.output.or(said.err().map(|error| error.kind()));
    if let Some(kind) = ending.output {
        let what = say!(
            "the units can't be written any more, so the line stopped: {kind}",
            "单元的结果无法再输出，产线因此停止：{kind}"
        );
        Failure::said(Code::Output, what).print(talk.color);
    }
    if let Some(fault) = checks::uncertain_fault(&uncertain) {
        warn_with_help(&fault, talk.color);
    }
    if let Some(fault) = &ending.stopped {
        let now = SystemClock::start().now().wall;
        aside::told(&config.station.data_dir, fault.into(), now).print(talk.color);
    }
    let was_stopped = watch.was_asked() || ending.hung_up;
    if was_stopped && ending.stopped.is_none() {
        Failure::said(Code::Stopped, say!("the line was told to stop", "产线被要求停止"))
            .print(talk.color);
    }
    Ok(exit_of(&ending, was_stopped))
}

fn say_summary(
    talk: &mut Talk<'_>,
    summary: &Summary,
    uncertain_in_ledger: u64,
    started: Instant,
) -> io::Result<()> {
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let Summary { passed, failed, interrupted, refused, already_proven, uncertain, labels, .. } =
        *summary;
    let text = match talk.style {
        Style::Json => serde_json::to_string(&SummaryLine {
            event: "summary",
            passed,
            failed,
            interrupted,
            refused,
            already_proven,
            uncertain,
            uncertain_in_ledger,
            labels_sent: labels.map(|labels| labels.sent),
            labels_open: labels.map(|labels| labels.open),
            duration_ms,
        })
        .unwrap_or_default(),
        Style::People { .. } => talk.style.sum(summary, duration_ms),
    };
    match writeln!(talk.out, "{text}").and_then(|()| talk.out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

fn exit_of(ending: &Ending, asked_to_stop: bool) -> Exit {
    let mut exit = match ending.summary.is_complete() {
        true => Exit::Done,
        false => Exit::NotAll,
    };
    if let Some(fault) = &ending.stopped {
        exit = exit.and(Exit::of(fault.code));
    }
    if ending.output.is_some() {
        exit = exit.and(Exit::of(Code::Output));
    }
    if asked_to_stop {
        exit = exit.and(Exit::Stopped);
    }
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_whose_output_went_away_is_not_all_that_was_asked() {
        let output = Some(std::io::ErrorKind::BrokenPipe);
        let ending = Ending { output, ..Ending::default() };
        assert_eq!(exit_of(&ending, false), Exit::NotAll);
        assert_eq!(exit_of(&ending, true), Exit::Stopped);
        assert_eq!(exit_of(&Ending::default(), false), Exit::Done);
    }
}
