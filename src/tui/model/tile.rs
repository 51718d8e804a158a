//! One slot as the screen knows it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Outcome, Progress, SlotStatus, UnitReport};
use crate::domain::ids::SlotName;

/// The three words that are read from two metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    /// Proven.
    Pass,
    /// Not done; the reason says why.
    Fail,
    /// A device may hold a certificate: keep the unit, put it back.
    Hold,
}

impl Mark {
    /// The word for how a unit ended.
    pub(crate) fn of(report: &UnitReport) -> Self {
        match report.outcome {
            Outcome::Pass => Mark::Pass,
            Outcome::Refused if report.verified => Mark::Pass,
            _ if report.uncertain => Mark::Hold,
            Outcome::Fail | Outcome::Interrupted | Outcome::Refused => Mark::Fail,
        }
    }
}

/// How a unit ended in this slot. It belongs to the device that was there then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) report: UnitReport,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// The device that it belongs to is still there.
    pub(crate) is_here: bool,
    /// A person has said that they saw it.
    pub(crate) is_seen: bool,
    /// What is known of its label, where that is to be scanned back.
    pub(crate) label: Option<LabelBack>,
}

/// A label that is to be scanned back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelBack {
    /// It was sent: the unit is not done before it was scanned.
    Due,
    /// It says what it should.
    Right,
}

impl Verdict {
    /// Whether it still wants to be seen: a PASS while its device is there, anything else, and a
    /// PASS whose label is to be scanned, also when that has left, until somebody has seen it.
    pub(crate) fn is_open(&self) -> bool {
        let wants = self.mark() != Mark::Pass || self.label == Some(LabelBack::Due);
        self.is_here || (wants && !self.is_seen)
    }

    /// The word.
    pub(crate) fn mark(&self) -> Mark {
        Mark::of(&self.report)
    }
}

/// A unit that is being worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) serial: String,
    pub(crate) since: Duration,
    pub(crate) progress: Progress,
}

/// Why a slot needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Need {
    /// Its unit may hold a certificate.
    Hold,
    /// Its unit was not done.
    Fail,
    /// Its device answers in another slot too.
    Twice,
    /// Its port can't be used.
    OutOfService,
    /// Something is there and says nothing.
    Silent,
    /// A device came here, while the scan is bound to another slot.
    WrongSlot,
}

impl Need {
    /// Whether it is the slot that needs somebody, and not the unit that ended in it.
    pub(crate) const fn is_of_the_slot(self) -> bool {
        !matches!(self, Need::Hold | Need::Fail)
    }
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) name: SlotName,
    /// What the line said last of it.
    pub(crate) status: SlotStatus,
    /// The serial that is bound to it and waits for its device.
    pub(crate) bound: Option<String>,
    pub(crate) running: Option<Running>,
    pub(crate) verdict: Option<Verdict>,
    /// The verdicts before that one, the newest first.
    pub(crate) earlier: VecDeque<Verdict>,
}

/// Verdicts of one slot that can be looked back on, besides the last one.
const EARLIER: usize = 50;

impl Tile {
    pub(crate) fn new(name: SlotName) -> Self {
        let status = SlotStatus::Empty;
        Self { name, status, bound: None, running: None, verdict: None, earlier: VecDeque::new() }
    }

    /// Takes what the line says of the slot. A verdict is out of date as soon as its device
    /// has left, or another one answers.
    pub(crate) fn take(&mut self, status: SlotStatus, now: Duration) {
        if let SlotStatus::Busy(serial) = &status {
            let progress = Progress { serial: Some(serial.clone()), ..Progress::default() };
            self.running = Some(Running { serial: serial.clone(), since: now, progress });
            self.bound = None;
        }
        if let Some(verdict) = &mut self.verdict {
            verdict.is_here &= match &status {
                SlotStatus::Ready(here) => verdict.report.hardware.as_ref() == Some(here),
                SlotStatus::Done | SlotStatus::OutOfService(_) => true,
                // Whoever is asked who it is has just come.
                SlotStatus::Empty
                | SlotStatus::Identifying
                | SlotStatus::Silent(_)
                | SlotStatus::Twice(_)
                | SlotStatus::Busy(_) => false,
            };
        }
        self.status = status;
    }

    /// The unit that it is about: the one in it, otherwise the one that is bound to it.
    pub(crate) fn serial(&self) -> Option<&str> {
        let running = self.running.as_ref().map(|running| running.serial.as_str());
        let ended = || self.shown_verdict().map(|verdict| verdict.report.serial.as_str());
        running.or_else(ended).or(self.bound.as_deref())
    }

    /// Its unit ended.
    pub(crate) fn end(&mut self, report: UnitReport, at: Timestamp) {
        self.running = None;
        self.status = SlotStatus::Done;
        let verdict = Verdict { report, at, is_here: true, is_seen: false, label: None };
        if let Some(before) = self.verdict.replace(verdict) {
            self.earlier.push_front(before);
        }
        self.earlier.truncate(EARLIER);
    }

    /// Something is known of the label of a unit that passed here.
    pub(crate) fn label(&mut self, serial: &str, label: LabelBack) {
        let all = self.verdict.iter_mut().chain(&mut self.earlier);
        for verdict in all.filter(|one| one.report.serial == serial) {
            verdict.label = Some(label);
        }
    }

    /// Somebody has seen how this unit ended here. Whether that was news.
    pub(crate) fn see(&mut self, serial: &str) -> bool {
        let verdict = self.verdict.as_mut().filter(|verdict| verdict.report.serial == serial);
        verdict.is_some_and(|verdict| !std::mem::replace(&mut verdict.is_seen, true))
    }

    /// The verdict to show: until another unit or device is there, also when its own device
    /// has left.
    pub(crate) fn shown_verdict(&self) -> Option<&Verdict> {
        let rests = matches!(
            self.status,
            SlotStatus::Empty | SlotStatus::Done | SlotStatus::OutOfService(_)
        );
        let free = self.running.is_none() && self.bound.is_none();
        self.verdict.as_ref().filter(|verdict| free && (verdict.is_here || rests))
    }

    /// The verdict before, while another unit or device is there: it may have come at once.
    pub(crate) fn past_verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref().filter(|_| self.shown_verdict().is_none())
    }

    /// What it needs a person for.
    pub(crate) fn need(&self, bound_elsewhere: bool) -> Option<Need> {
        if self.running.is_some() {
            return None;
        }
        match &self.status {
            SlotStatus::Twice(_) => return Some(Need::Twice),
            SlotStatus::OutOfService(_) => return Some(Need::OutOfService),
            SlotStatus::Silent(_) => return Some(Need::Silent),
            SlotStatus::Ready(_) if bound_elsewhere && self.bound.is_none() => {
                return Some(Need::WrongSlot);
            }
            _ => {}
        }
        let verdict = self.verdict.as_ref().filter(|verdict| verdict.is_open())?;
        match verdict.mark() {
            Mark::Pass => None,
            Mark::Fail => Some(Need::Fail),
            Mark::Hold => Some(Need::Hold),
        }
    }

    /// What is wrong here, where something is.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match &self.status {
            SlotStatus::Silent(fault) | SlotStatus::OutOfService(fault) => Some(fault),
            _ => self.shown_verdict().and_then(|verdict| verdict.report.fault.as_ref()),
        }
    }

    /// The code of what is wrong here.
    pub(crate) fn code(&self) -> Option<Code> {
        match &self.status {
            SlotStatus::Twice(_) => Some(Code::DevTwice),
            _ => self.fault().map(|fault| fault.code),
        }
    }
}
