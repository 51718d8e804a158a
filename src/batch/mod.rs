//! The front end without a screen: labels in, one line for each unit out.
//!
//! It knows only `domain`: it sends commands and prints events. Labels are pulled: a
//! source is read only when the line asked for a label, except for a scanner, whose
//! labels may be ahead by one a slot and are refused beyond that.

use station_domain::{self as domain, say};
use station_text as text;

mod labels;
mod print;
mod summary;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::Receiver;

use rustix::io::Errno;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Command, CommandSink, Event, LabelReport, Scan, UnitReport};

pub use labels::{Label, LabelSource, LinesSource};
pub use print::{Style, unit_json};
pub use summary::{Labels, Summary};

/// What the batch hears: the line's events and, from a scanner, labels.
#[derive(Debug)]
pub enum Heard {
    /// From the line.
    Line(Event),
    /// From a source that was asked, or from a scanner.
    Label(Label),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    /// The counts.
    pub summary: Summary,
    /// Why the line stopped, where it did.
    pub stopped: Option<Fault>,
    /// The output could not be written.
    pub output: Option<io::ErrorKind>,
    /// It was a terminal that was closed: the SIGHUP of that may come when all has ended.
    pub hung_up: bool,
}

/// Where labels come from.
pub enum Source {
    /// Asked for one label at a time, which comes as [`Heard::Label`]: reading may block,
    /// and units that end meanwhile are printed all the same.
    Pulled(Box<dyn Fn() + Send>),
    /// A scanner sends them by itself as [`Heard::Label`]; at most this many are held.
    Pushed {
        /// How many labels may wait: one a slot.
        ahead: usize,
    },
}

/// A run without a screen.
pub struct Batch<'a> {
    source: Source,
    commands: CommandSink,
    style: Style,
    out: &'a mut dyn Write,
    notes: &'a mut dyn Write,
    held: VecDeque<Scan>,
    wanted: usize,
    /// Labels asked of the source and not yet come.
    asked: usize,
    /// The source has no more.
    ended: bool,
    /// Nothing further is asked for or handed on.
    exhausted: bool,
    ending: Ending,
}

impl<'a> Batch<'a> {
    /// A run whose unit lines go to `out`, and whose warnings go to `notes`.
    pub fn new(
        source: Source,
        commands: CommandSink,
        style: Style,
        out: &'a mut dyn Write,
        notes: &'a mut dyn Write,
    ) -> Self {
        Self {
            source,
            commands,
            style,
            out,
            notes,
            held: VecDeque::new(),
            wanted: 0,
            asked: 0,
            ended: false,
            exhausted: false,
            ending: Ending::default(),
        }
    }

    /// Runs until the line has ended.
    pub fn run(mut self, heard: &Receiver<Heard>) -> Ending {
        while let Ok(heard) = heard.recv() {
            match heard {
                Heard::Line(Event::Ended) => break,
                Heard::Line(event) => self.event(event),
                Heard::Label(label) => self.label(label),
            }
        }
        self.refuse_held();
        self.ending
    }

    /// Labels that came and that nobody will take any more: each is answered all the same.
    fn refuse_held(&mut self) {
        for scan in std::mem::take(&mut self.held) {
            self.unit(&UnitReport::refused(scan.shown(), scan.slot.clone(), stopped()));
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Wanted(more) => {
                self.wanted += more;
                self.feed();
            }
            Event::Unit(unit) => self.unit(&unit),
            Event::Denied(unit) => self.denied(&unit),
            Event::Label(label) => self.label_of_unit(&label),
            Event::Warning(fault) => self.note(&fault),
            Event::Stopping(fault) => {
                self.exhausted = true;
                self.ending.stopped = self.ending.stopped.take().or(fault);
            }
            Event::Slot { slot, status } => {
                if let Some(text) = self.style.slot_note(&slot, &status) {
                    self.say_aside(&text);
                }
            }
            Event::ToBePulled(slots) => {
                let text = self.style.to_be_pulled(&slots);
                self.say_aside(&text);
            }
            Event::Waiting { .. }
            | Event::Withdrawn(_)
            | Event::Chosen(_)
            | Event::Fleet(_)
            | Event::Ended => {}
        }
    }

    fn feed(&mut self) {
        while self.wanted > 0 && !self.exhausted {
            let Some(scan) = self.held.pop_front() else { break };
            self.wanted -= 1;
            if !(self.commands)(Command::Scan(scan.clone())) {
                self.held.push_front(scan);
                return;
            }
        }
        if self.ended && self.held.is_empty() && !self.exhausted {
            self.exhausted = true;
            (self.commands)(Command::NoMoreScans);
        }
        let Source::Pulled(ask) = &self.source else { return };
        while self.asked < self.wanted && !self.exhausted && !self.ended {
            self.asked += 1;
            ask();
        }
    }

    fn label(&mut self, label: Label) {
        match label {
            Label::Scan(scan) => self.push(scan),
            Label::End => self.no_more(),
            Label::Failed(fault) => {
                self.ending.stopped.get_or_insert(fault);
                self.no_more();
            }
        }
    }

    fn push(&mut self, scan: Scan) {
        self.asked = self.asked.saturating_sub(1);
        let ahead = match self.source {
            Source::Pushed { ahead } => ahead,
            Source::Pulled(_) => usize::MAX,
        };
        if self.held.len() >= ahead {
            return self.out_of_turn(scan);
        }
        self.held.push_back(scan);
        self.feed();
    }

    /// More wait than slots can take. What is wrong with this one is the line's to say, and it
    /// may be one that is scanned back.
    fn out_of_turn(&mut self, scan: Scan) {
        if !(self.commands)(Command::ScanBack(scan.clone())) {
            self.unit(&UnitReport::refused(scan.shown(), scan.slot.clone(), stopped()));
        }
    }

    fn no_more(&mut self) {
        self.ended = true;
        self.feed();
    }

    fn unit(&mut self, unit: &UnitReport) {
        self.ending.summary.count(unit);
        self.print(&self.style.unit(unit));
    }

    fn denied(&mut self, unit: &UnitReport) {
        self.ending.summary.deny(unit);
        self.print(&self.style.denied(unit));
    }

    fn label_of_unit(&mut self, label: &LabelReport) {
        self.ending.summary.label(label);
        if let Style::Json = self.style {
            self.print(&print::label_json(label));
        }
        if let Some(fault) = &label.fault {
            self.note(fault);
        }
    }

    /// A note that nobody can read is no reason to stop a line.
    fn say_aside(&mut self, text: &str) {
        let _ = writeln!(self.notes, "{text}");
    }

    fn print(&mut self, line: &str) {
        if let Err(error) = writeln!(self.out, "{line}").and_then(|()| self.out.flush()) {
            self.output_failed(&error);
        }
    }

    /// Nobody reads the units any more: none is started that nobody would hear of.
    fn output_failed(&mut self, error: &io::Error) {
        if self.ending.output.is_none() {
            self.ending.output = Some(error.kind());
            self.ending.hung_up = error.raw_os_error() == Some(Errno::IO.raw_os_error());
            self.exhausted = true;
            (self.commands)(Command::Stop);
        }
    }

    fn note(&mut self, fault: &Fault) {
        let text = self.style.warning(fault);
        // As above.
        let _ = writeln!(self.notes, "{text}");
    }
}

fn stopped() -> Fault {
    let what = say!("the line stopped before this label's turn", "还没轮到这张标签，产线就停了");
    Fault::said(Code::Stopped, what)
}

#[cfg(test)]
mod tests;
