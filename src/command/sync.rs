//! `station sync`: what it does is in `sync`, what is printed of it here.

use std::io::{self, IsTerminal, Write};

use super::Context;
use super::person::person;
use crate::app::cloud;
use crate::app::sync::{self, Ended, Wanted};
use crate::cli::Sync;
use crate::config::Config;
use crate::domain::outbox::Operation;
use crate::domain::record::Person;
use crate::ledger::Reader;
use crate::report::{self, Exit, Failure, Output};
use crate::sync::{DifferenceKind, Event, Outcome, Summary};

/// Does what `station sync` says.
pub(super) fn run(args: &Sync, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let wanted = Wanted {
        full: args.full,
        dry_run: args.dry_run,
        migrate: args.migrate,
        limit: args.limit,
        deadline: args.deadline,
    };
    if let Some(fault) = cloud::international(&config) {
        report::warn(&fault, context.color);
    }
    let ended = carry_out(&config, &wanted, &person(args.by.clone()), context)?;
    conclude(ended, context)
}

/// One sync; every line of it but the summary is printed.
pub(super) fn carry_out(
    config: &Config,
    wanted: &Wanted,
    by: &Person,
    context: &Context,
) -> Result<Ended, Failure> {
    let station = &config.station;
    let open = Reader::open(&station.data_dir, Some(&station.id)).and_then(|r| r.outbox_open());
    let total = open.unwrap_or_default().iter().map(|(_, count)| count).sum();
    let mut teller = Teller::new(context, total);
    let tell = Box::new(move |event| teller.tell(&event));
    sync::run(config, &context.clock(), wanted, by, tell)
}

/// Prints the summary and what is wrong beside it.
pub(super) fn conclude(ended: Ended, context: &mut Context) -> Result<Exit, Failure> {
    let Ended { summary, faults, exit } = ended;
    match context.out.is_json() {
        true => context.out.json(&Event::Summary(summary))?,
        false => {
            summary_in_words(&summary).into_iter().try_for_each(|line| context.out.line(line))?;
        }
    }
    for fault in &faults {
        Failure::from(fault).print(context.color);
    }
    Ok(exit)
}

/// Prints events as they come.
struct Teller {
    out: Output,
    /// Every certificate, or only those that went wrong.
    every: bool,
    progress: Option<Progress>,
}

/// A line on a terminal that the next one overwrites.
struct Progress {
    total: u64,
    done: u64,
    wrong: u64,
}

impl Teller {
    fn new(context: &Context, total: u64) -> Self {
        let out = Output::stdout(context.global.json);
        let shown = io::stderr().is_terminal() && !context.global.quiet && !out.is_json();
        let progress = (shown && total > 0).then_some(Progress { total, done: 0, wrong: 0 });
        Self { out, every: context.global.verbose > 0, progress }
    }

    fn tell(&mut self, event: &Event) {
        if let Some(progress) = &mut self.progress {
            progress.clear();
            progress.count(event);
        }
        // Standard output that is gone ends nothing: the ledger has it all.
        let _ = match self.out.is_json() {
            true => self.out.json(event),
            false => match in_words(event, self.every) {
                Some(line) => self.out.line(line),
                None => Ok(()),
            },
        };
        if let Some(progress) = &self.progress {
            progress.draw();
        }
    }
}

impl Progress {
    fn count(&mut self, event: &Event) {
        let (Event::Registration { outcome, .. } | Event::Status { outcome, .. }) = event else {
            return;
        };
        self.done += 1;
        self.wrong += u64::from(is_wrong(*outcome));
    }

    fn clear(&self) {
        let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
    }

    fn draw(&self) {
        let Progress { total, done, wrong } = self;
        if done < total {
            let _ = write!(io::stderr().lock(), "{done} of {total}, {wrong} not done");
        }
    }
}

const fn is_wrong(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Registered | Outcome::AlreadyRegistered | Outcome::Done | Outcome::Nothing => {
            false
        }
        Outcome::Conflict | Outcome::Rejected | Outcome::Deferred | Outcome::Waiting => true,
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Registered => "registered",
        Outcome::AlreadyRegistered => "was registered already",
        Outcome::Conflict => "conflict",
        Outcome::Rejected => "rejected",
        Outcome::Deferred => "deferred",
        Outcome::Done => "done",
        Outcome::Nothing => "nothing to do",
        Outcome::Waiting => "waits",
    }
}

/// One line for people; none for what went well, unless every one is wanted.
fn in_words(event: &Event, every: bool) -> Option<String> {
    match event {
        Event::Registration { serial, certificate_sn, outcome, code, message, .. } => {
            let line = format!("{serial} {certificate_sn}: {}", word(*outcome));
            let trouble = code.as_ref().zip(message.as_ref());
            (every || is_wrong(*outcome)).then(|| with_trouble(line, trouble))
        }
        Event::Status { serial, certificate_sn, operation, outcome, code, message, .. } => {
            let deed = operation.as_str();
            let line = format!("{serial} {certificate_sn}: {deed}: {}", word(*outcome));
            let trouble = code.as_ref().zip(message.as_ref());
            (every || is_wrong(*outcome)).then(|| with_trouble(line, trouble))
        }
        Event::Difference(difference) => Some(format!(
            "{} {}: {}: {}",
            difference.serial.as_ref().map_or("?", |serial| serial.as_str()),
            difference.certificate_sn,
            kind(difference.kind),
            difference.detail
        )),
        Event::Planned { serial, certificate_sn, operation, deed } => {
            let wanted = match operation {
                Operation::Register => "register",
                other => other.as_str(),
            };
            Some(format!("{serial} {certificate_sn}: to {wanted}, first {deed}"))
        }
        Event::Paused { message } => Some(format!("the cloud is not ready, waiting: {message}")),
        Event::Summary(_) => None,
    }
}

fn with_trouble(line: String, trouble: Option<(&crate::domain::code::Code, &String)>) -> String {
    match trouble {
        Some((code, message)) => format!("{line} ({code}: {message})"),
        None => line,
    }
}

const fn kind(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::MissingInCloud => "missing in the cloud",
        DifferenceKind::ForeignInCloud => "foreign in the cloud",
        DifferenceKind::VoidInCloud => "void, and usable in the cloud",
        DifferenceKind::DuplicateClientId => "its client id stands there twice",
        DifferenceKind::StatusDiffers => "its status differs",
        DifferenceKind::CertificateDiffers => "the certificate differs",
    }
}

fn summary_in_words(summary: &Summary) -> Vec<String> {
    let mut lines = vec![format!(
        "{} registered, {} were there already, {} in conflict, {} rejected, {} deferred, {} pending",
        summary.registered,
        summary.already_registered,
        summary.conflict,
        summary.rejected,
        summary.deferred,
        summary.pending
    )];
    let changed = [summary.activated, summary.deactivated, summary.revoked, summary.status_failed];
    if changed.iter().any(|count| *count > 0) {
        let [activated, deactivated, revoked, failed] = changed;
        lines.push(format!(
            "{activated} activated, {deactivated} deactivated, {revoked} revoked, {failed} failed"
        ));
    }
    if summary.waiting_for_revoker > 0 {
        lines.push(format!(
            "{} wait for the revoker's credentials: give them and run it again",
            summary.waiting_for_revoker
        ));
    }
    if summary.waiting_for_device > 0 {
        let count = summary.waiting_for_device;
        lines.push(format!("{count} register themselves when their devices first connect"));
    }
    if summary.elsewhere > 0 {
        let count = summary.elsewhere;
        lines.push(format!("{count} operations are open in another instance than the current one"));
    }
    if summary.differences.is_some() {
        lines.push(format!("{} differences between the cloud and the ledger", summary.different()));
    }
    let Summary { requests, throttled, duration_ms, .. } = summary;
    lines.push(format!("{requests} requests, {throttled} throttled, {duration_ms} ms"));
    lines
}
