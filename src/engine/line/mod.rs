//! The line: its slots, the thread that gives them scans, and the handles that reach it.
//!
//! A front end that stops reading blocks the line's thread alone: slots finish their units,
//! which are durable already, and take no new scan. Start with `thread`; `scans` is what people
//! send, `places` what slots say, and `state` what both act upon.

mod door;
mod faults;
mod places;
mod scans;
mod state;
mod thread;

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::cause::cause;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Binding, Command, CommandSink, EventSink, ProgressCell};
use crate::domain::ids::WorkOrderId;
use crate::domain::label::LabelRule;
use crate::domain::record::{AttemptRef, Ended, Record};
use crate::domain::scan::ScanRules;
use crate::flow::{self, Entry};
use crate::link::settings::PresenceBy;
use crate::say;

use super::halt::Halt;
use super::router::Router;
use super::shared::Shared;
use super::slot::{SlotSettings, SlotThread};
use super::to_line::ToLine;
use door::Door;
use faults::{panicked, told_to_stop};
use state::LineThread;

/// A line's slots and rules.
pub struct LineSettings {
    /// The slots, in the order of station.toml.
    pub slots: Vec<SlotSettings>,
    /// How labels are written.
    pub scan: ScanRules,
    /// What a label must meet.
    pub rule: LabelRule,
    /// How long a scan waits for a device after the line last changed.
    pub device_wait: Duration,
    /// How long a scan may wait while no port of the line has appeared at all, where none
    /// comes with its device; without it as long as for a device, and for ports that another
    /// program has without an end.
    pub port_grace: Option<Duration>,
    /// Which slot a label without one is meant for; where none was chosen, any, and a
    /// warning says so.
    pub binding: Option<Binding>,
    /// No scan is taken until a work order was chosen.
    pub must_choose: bool,
}

/// A running line.
pub struct Line {
    to_line: Sender<ToLine>,
    door: Door,
    halts: Vec<Halt>,
    /// One cell a slot, in the order of the settings.
    pub progress: Vec<Arc<ProgressCell>>,
    thread: JoinHandle<()>,
}

/// Stops a line from any thread.
#[derive(Clone)]
pub struct Stopper {
    to_line: Sender<ToLine>,
    halts: Vec<Halt>,
}

impl Stopper {
    /// Lands every unit; nothing new starts.
    pub fn stop(&self) {
        let reason = told_to_stop();
        for halt in &self.halts {
            halt.set(reason.clone());
        }
        // A line that has ended needs no stop.
        let _ = self.to_line.send(ToLine::Command(Command::Stop));
    }

    /// Lands every unit because the line can't go on, for this reason.
    pub fn stop_because(&self, fault: Fault) {
        let _ = self.to_line.send(ToLine::Broken(fault));
    }
}

/// So long the line has to say whether it takes another work order.
const LOT_PATIENCE: Duration = Duration::from_secs(10);

/// Chooses the work order that a line makes, from any thread but those that it waits for.
#[derive(Clone)]
pub struct LotChooser(Sender<ToLine>);

impl LotChooser {
    /// From here on this work order is made, whose labels meet this rule. Refused while units
    /// are under way.
    pub fn choose(&self, work_order: WorkOrderId, rule: LabelRule) -> Result<(), Fault> {
        let (answer, answered) = mpsc::channel();
        // A line that has ended answers nothing.
        let _ = self.0.send(ToLine::Lot(work_order, Box::new(rule), answer));
        answered.recv_timeout(LOT_PATIENCE).unwrap_or_else(|_| Err(told_to_stop()))
    }
}

impl Line {
    /// Ends what no device can hold, then starts the slots' threads and the line's own.
    pub fn start(
        settings: LineSettings,
        shared: Arc<Shared>,
        events: EventSink,
    ) -> Result<Line, Fault> {
        settle_ledger(&shared)?;
        let (to_line, from_all) = mpsc::channel();
        let halts: Vec<Halt> = settings.slots.iter().map(|_| Halt::default()).collect();
        let progress: Vec<Arc<ProgressCell>> =
            settings.slots.iter().map(|_| Arc::default()).collect();
        let mut slots = Vec::new();
        for (index, slot) in settings.slots.iter().enumerate() {
            let thread = SlotThread {
                index,
                settings: slot.clone(),
                shared: Arc::clone(&shared),
                halt: halts[index].clone(),
                progress: Arc::clone(&progress[index]),
                to_line: to_line.clone(),
            };
            slots.push(thread.start()?);
        }
        let names = settings.slots.iter().map(|slot| slot.name.clone()).collect();
        let binding = settings.binding.unwrap_or_default();
        let mut router = Router::new(names, settings.device_wait, binding);
        if settings.port_grace.is_none() {
            router.wait_for_held_ports();
        }
        let comes_with_device = |slot: &SlotSettings| slot.link.presence == PresenceBy::Port;
        let ports_due = settings.port_grace.map(|grace| shared.clock.now().monotonic + grace);
        let port_grace = ports_due.filter(|_| !settings.slots.iter().any(comes_with_device));
        let expected = |slot: &SlotSettings| {
            let port = (slot.name.clone(), slot.link.port.path.clone());
            (!comes_with_device(slot)).then_some(port)
        };
        let unseen = settings.slots.iter().map(expected).collect();
        let ports = settings.slots.iter().map(|slot| slot.link.port.path.clone()).collect();
        let (scan, rule) = (settings.scan, settings.rule);
        let warned = settings.binding.is_some();
        let halted = halts.clone();
        let last_out = None;
        let mut state = LineThread {
            router,
            shared,
            scan,
            rule,
            events,
            passed: slots.iter().map(|_| None).collect(),
            slots,
            halts: halted,
            last_out,
            warned,
            token_is_silent: false,
            port_grace,
            ports_due,
            unseen,
            must_choose: settings.must_choose,
            ports,
            door: Door::default(),
        };
        let door = state.door.clone();
        let thread = std::thread::Builder::new()
            .name("line".to_owned())
            .spawn(move || state.run_to_end(&from_all))
            .map_err(|error| {
                Fault::said(Code::Shortage, say!("no thread", "得不到线程").then(&cause(&error)))
            })?;
        Ok(Line { to_line, door, halts, progress, thread })
    }

    /// How commands reach the line.
    pub fn commands(&self) -> CommandSink {
        let (to_line, door) = (self.to_line.clone(), self.door.clone());
        Box::new(move |command| door.pass(|| to_line.send(ToLine::Command(command)).is_ok()))
    }

    /// A handle that chooses what is made.
    pub fn lot_chooser(&self) -> LotChooser {
        LotChooser(self.to_line.clone())
    }

    /// A handle that stops the line from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper { to_line: self.to_line.clone(), halts: self.halts.clone() }
    }

    /// Waits until every thread of the line is gone.
    pub fn join(self) -> Result<(), Fault> {
        drop(self.to_line);
        self.thread.join().map_err(|_| panicked())
    }
}

/// At start-up, before a slot takes a scan: attempts that no device can hold are ended.
fn settle_ledger(shared: &Shared) -> Result<(), Fault> {
    let unsettled = shared.inquiries.ask(crate::ledger::Reader::unsettled)??;
    for (serial, standing) in unsettled {
        if let Some(Entry::Ended { attempt, end, void }) =
            flow::settle(&standing, shared.policy.key_origin)
        {
            let attempt = AttemptRef { serial, attempt };
            let record = Record::Ended(Ended { attempt, end, void });
            shared.writer.record(record).map_err(|refusal| refusal.fault().clone())?;
        }
    }
    Ok(())
}
