//! What front ends send to the line and see of it. Plain data; `app` gives the channels.
//!
//! Events are never dropped. Progress is state, not an event: one cell a slot, which the
//! newest value overwrites.

use std::sync::{Mutex, PoisonError};

use super::certificate::Proof;
use super::clock::Timestamp;
use super::code::Code;
use super::device::Fault;
use super::ids::{CertificateSn, ClientId, Fingerprint, HardwareId, SlotName};
use super::record::Step;
use super::scan::Content;

/// One scanned label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The text as it was read, untrusted.
    pub text: String,
    /// The slot that the line names, where it names one.
    pub slot: Option<SlotName>,
    /// What gave the text.
    pub from: ScanSource,
}

/// What gave the text of a scan, and so what the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScanSource {
    /// A list: the text is a serial and nothing else.
    List,
    /// A scanner, or a person who types: all that one pull of the trigger sent, to be read
    /// by the rules of `[scanner]`.
    Scanner,
}

impl Scan {
    /// What people are shown of it, which is no more trusted than the text.
    pub fn shown(&self) -> &str {
        match self.from {
            ScanSource::List => &self.text,
            ScanSource::Scanner => Content::of(&self.text).text,
        }
    }

    /// A serial of a list, and the slot that the list names.
    pub fn listed(text: impl Into<String>, slot: Option<SlotName>) -> Self {
        Self { text: text.into(), slot, from: ScanSource::List }
    }

    /// What one pull of a scanner's trigger sent.
    pub fn scanned(text: impl Into<String>) -> Self {
        Self { text: text.into(), slot: None, from: ScanSource::Scanner }
    }
}

/// From a front end to the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Work on this unit. Send no more of them than [`Event::Wanted`] asked for.
    Scan(Scan),
    /// The same where the line takes none now: good for a label that is scanned back alone. Any
    /// other is refused, for what is wrong with it first.
    ScanBack(Scan),
    /// Forget every scan that still waits for its device.
    Withdraw,
    /// No more scans will come: end when the units under way have ended.
    NoMoreScans,
    /// Land: no new unit starts, running units end or are recorded as interrupted.
    Stop,
}

/// Which slot a scan is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Binding {
    /// The slot whose own barcode was scanned before it.
    Slot,
    /// The slot whose device is put in after it.
    Insert,
    /// Any slot that is free.
    #[default]
    Any,
}

/// How the line reaches its front end: it may block, and never drops.
pub type EventSink = Box<dyn Fn(Event) + Send>;

/// How a front end reaches the line; `false` where the line has ended and took nothing.
pub type CommandSink = Box<dyn Fn(Command) -> bool + Send>;

/// From the line to a front end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A slot changed.
    Slot {
        /// Which.
        slot: SlotName,
        /// To what.
        status: SlotStatus,
    },
    /// The line takes this many further scans.
    Wanted(usize),
    /// A scan was accepted and waits for its device, in this slot where it is known.
    Waiting {
        /// The unit.
        serial: String,
        /// The slot that it is bound to.
        slot: Option<SlotName>,
    },
    /// Labels wait, and can't go on until somebody takes the devices of these slots out: their
    /// units have ended.
    ToBePulled(Vec<SlotName>),
    /// A scan that waited was taken back.
    Withdrawn(String),
    /// The next scan is for this slot; none where a slot is to be chosen first.
    Chosen(Option<SlotName>),
    /// A unit ended, or a scan was refused.
    Unit(Box<UnitReport>),
    /// A unit that had passed is denied by its own device, which still stands in its slot: the
    /// unit is to be kept. Its report as it is now.
    Denied(Box<UnitReport>),
    /// Something came of a unit's label.
    Label(Box<LabelReport>),
    /// Something that a person should know and that stops nothing.
    Warning(Fault),
    /// Something was heard of the fleet.
    Fleet(FleetHeard),
    /// The line takes no more units; what was under way has landed or will.
    Stopping(Option<Fault>),
    /// The last event: nothing is under way any more.
    Ended,
}

/// What was heard of the fleet that the station belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetHeard {
    /// When.
    pub at: Timestamp,
    /// Conflicts that nobody settled, in which this station has a part.
    pub conflicts: u64,
}

/// What came of a unit's label. Nobody can say that it was printed: printers answer nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelOutcome {
    /// Its bytes were taken.
    Sent,
    /// Somebody must see to it.
    Open,
    /// It was scanned back and says what it should.
    Right,
    /// It was scanned back and says something else: the unit is to be kept.
    Wrong,
}

impl LabelOutcome {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            LabelOutcome::Sent => "sent",
            LabelOutcome::Open => "open",
            LabelOutcome::Right => "right",
            LabelOutcome::Wrong => "wrong",
        }
    }
}

/// A unit's label as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelReport {
    /// The unit.
    pub serial: String,
    /// What came of its label.
    pub outcome: LabelOutcome,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// How many labels somebody still has to see to.
    pub open: u32,
}

/// What a slot is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotStatus {
    /// Nothing is there.
    Empty,
    /// Something is there and was asked who it is.
    Identifying,
    /// A device is there and waits for a scan.
    Ready(HardwareId),
    /// Something is there and does not say who it is.
    Silent(Fault),
    /// Its device answers in that slot too: one hardware id may exist only once.
    Twice(SlotName),
    /// A unit is being worked on.
    Busy(String),
    /// The unit that was worked on is still there.
    Done,
    /// The slot is out of service until its port can be used again.
    OutOfService(Fault),
}

/// How a unit ended, in the words of the JSON line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Proven and finished.
    Pass,
    /// Something was wrong.
    Fail,
    /// It was cut off.
    Interrupted,
    /// The scan was not accepted.
    Refused,
}

impl Outcome {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Interrupted => "interrupted",
            Outcome::Refused => "refused",
        }
    }
}

/// One unit as it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitReport {
    /// The serial, or the text of the scan where that is none.
    pub serial: String,
    /// Where it happened; none where no slot was reached.
    pub slot: Option<SlotName>,
    /// How it ended.
    pub outcome: Outcome,
    /// How far it had come, unless it passed.
    pub step: Option<Step>,
    /// What was wrong, unless it passed.
    pub fault: Option<Fault>,
    /// The client id.
    pub client_id: Option<ClientId>,
    /// The certificate's serial number.
    pub certificate_sn: Option<CertificateSn>,
    /// The certificate's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// The device.
    pub hardware: Option<HardwareId>,
    /// How it was proven.
    pub proof: Option<Proof>,
    /// From the scan's start in its slot to its end.
    pub duration_ms: u64,
    /// From the first identify to the durable proof, in microseconds; none where it was
    /// not proven in this run.
    pub cycle_us: Option<u64>,
    /// The attempt's number within the unit; none where no attempt began.
    pub attempt: Option<u32>,
    /// The device had an open attempt and was resolved without a scan.
    pub resumed: bool,
    /// It was proven before, and its device proved it again.
    pub verified: bool,
    /// A device may hold its certificate and did not say so: keep the unit.
    pub uncertain: bool,
}

impl UnitReport {
    /// A scan that was not accepted.
    pub fn refused(serial: impl Into<String>, slot: Option<SlotName>, fault: Fault) -> Self {
        Self {
            serial: serial.into(),
            slot,
            outcome: Outcome::Refused,
            step: None,
            fault: Some(fault),
            client_id: None,
            certificate_sn: None,
            fingerprint: None,
            hardware: None,
            proof: None,
            duration_ms: 0,
            cycle_us: None,
            attempt: None,
            resumed: false,
            verified: false,
            uncertain: false,
        }
    }

    /// Whether its device just proved what it holds, now or again.
    pub fn is_good(&self) -> bool {
        self.outcome == Outcome::Pass || self.verified
    }

    /// Whether it was refused because it is proven already.
    pub fn is_already_proven(&self) -> bool {
        let code = self.fault.as_ref().map(|fault| fault.code);
        self.outcome == Outcome::Refused && code == Some(Code::UnitProven)
    }
}

/// How far a slot has come with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The serial, while there is one.
    pub serial: Option<String>,
    /// The step, while there is one.
    pub step: Option<Step>,
    /// Bytes acknowledged by the device.
    pub done: u32,
    /// Bytes in all.
    pub total: u32,
}

/// One slot's progress: the newest value overwrites the one before.
#[derive(Debug, Default)]
pub struct ProgressCell(Mutex<Progress>);

impl ProgressCell {
    /// Overwrites the value.
    pub fn set(&self, progress: Progress) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// Changes the value in place.
    pub fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The newest value.
    pub fn read(&self) -> Progress {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
