//! The line thread: takes commands, routes scans to slots, turns what slots say into events.
//!
//! A front end that stops reading blocks this thread alone: slots finish their units,
//! which are durable already, and take no new scan.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::{Fault, Seen};
use crate::domain::event::{
    Binding, Command, CommandSink, Event, EventSink, Outcome, ProgressCell, Scan, ScanSource,
    SlotStatus, UnitReport,
};
use crate::domain::ids::{HardwareId, Serial, WorkOrderId};
use crate::domain::label::LabelRule;
use crate::domain::record::{AttemptRef, Denied, Ended, LabelRead, Open, Record, Rework, Step};
use crate::domain::say::Say;
use crate::domain::scan::ScanRules;
use crate::domain::text::escaped;
use crate::flow::{self, Entry};
use crate::ledger::{LedgerError, Reader};
use crate::link::settings::PresenceBy;
use crate::say;

use super::halt::Halt;
use super::router::{Decision, Job, Place, Router};
use super::shared::Shared;
use super::slot::{SlotSettings, SlotThread, ToSlot};
use super::to_line::ToLine;
use super::unit::Ending;

/// How often scans that wait for a device are looked at.
const TICK: Duration = Duration::from_millis(250);

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

/// Shut when the line has ended. A command is let in while it is open, and answered then, or its
/// sender is told that nobody is there.
#[derive(Clone, Default)]
struct Door {
    is_shut: Arc<Mutex<bool>>,
}

impl Door {
    /// Does this unless the door is shut; whether it did.
    fn pass(&self, enter: impl FnOnce() -> bool) -> bool {
        let is_shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        !*is_shut && enter()
    }

    fn shut(&self) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
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
        let port_grace = settings
            .port_grace
            .filter(|_| !settings.slots.iter().any(comes_with_device))
            .map(|grace| shared.clock.now().monotonic + grace);
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
            port_grace,
            must_choose: settings.must_choose,
            ports,
            door: Door::default(),
        };
        let door = state.door.clone();
        let thread = thread::Builder::new()
            .name("line".to_owned())
            .spawn(move || state.run_to_end(&from_all))
            .map_err(|error| Fault::new(Code::Shortage, format!("no thread: {error}")))?;
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
        self.thread.join().map_err(|_| Fault::new(Code::Bug, "the line's thread panicked"))
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

/// The line thread's own state.
struct LineThread {
    router: Router,
    shared: Arc<Shared>,
    scan: ScanRules,
    rule: LabelRule,
    events: EventSink,
    slots: Vec<(Sender<ToSlot>, JoinHandle<()>)>,
    halts: Vec<Halt>,
    /// What passed last in each slot and may still stand there.
    passed: Vec<Option<UnitReport>>,
    /// Why a slot was last put out of service.
    last_out: Option<Fault>,
    /// It was said that labels without a slot go to any device.
    warned: bool,
    /// Several work orders are open, and none was chosen yet.
    must_choose: bool,
    /// The slots' ports, for who looks for them.
    ports: Vec<String>,
    /// When a scan has waited long enough for any port at all.
    port_grace: Option<Duration>,
    door: Door,
}

impl LineThread {
    /// Whatever happens, the front end hears that the line has ended.
    fn run_to_end(&mut self, from_all: &Receiver<ToLine>) {
        let body = AssertUnwindSafe(|| self.run(from_all));
        if catch_unwind(body).is_err() {
            let fault = Fault::new(Code::Bug, "the line's thread panicked");
            self.say(Event::Stopping(Some(fault)));
        }
        self.dismiss();
        self.door.shut();
        for message in from_all.try_iter() {
            self.answer_late(message);
        }
        self.say(Event::Ended);
    }

    fn run(&mut self, from_all: &Receiver<ToLine>) {
        while !self.router.has_ended(self.now()) {
            match from_all.recv_timeout(self.patience()) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {
                    self.look_for_any_port();
                    self.look_at_what_waits();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.router.is_out_of_service(self.now()) {
            let fault = no_slot(self.last_out.take());
            let decisions = self.router.stop(&fault);
            self.carry_out(decisions);
            self.say(Event::Stopping(Some(fault)));
        }
    }

    /// Ends the slots' threads: whatever one still waits for, nobody will ask it anything.
    fn dismiss(&mut self) {
        let reason = told_to_stop();
        for halt in &self.halts {
            halt.set(reason.clone());
        }
        for (slot, thread) in self.slots.drain(..) {
            drop(slot);
            // A slot that panicked outside a unit has said so already.
            let _ = thread.join();
        }
    }

    /// What came when the line had ended is answered all the same.
    fn answer_late(&self, message: ToLine) {
        match message {
            ToLine::Command(Command::Scan(scan) | Command::ScanBack(scan)) => {
                self.refuse_scan(&scan, told_to_stop());
            }
            ToLine::Ended(_, ending) => self.say(Event::Unit(Box::new(ending.report))),
            _ => {}
        }
    }

    /// A line that was given its labels and none of whose ports is there can't be meant.
    fn look_for_any_port(&mut self) {
        let over = self.port_grace.is_some_and(|until| self.now() >= until);
        if over && self.router.waits_in_vain() {
            let ports = self.ports.join(", ");
            let what =
                say!("none of the slots' ports is there: {ports}", "各工位的端口都不在：{ports}");
            let fault = Fault::said(Code::PortMissing, what);
            self.stop(&fault.clone(), Some(fault));
        }
    }

    /// How long to wait for a message: no longer than until a device that came may be used.
    fn patience(&self) -> Duration {
        let closes = self.router.window_closes(self.now());
        closes.map_or(TICK, |at| at.saturating_sub(self.now()).min(TICK))
    }

    fn look_at_what_waits(&mut self) {
        let now = self.now();
        let mut decisions = self.router.look(now);
        decisions.extend(self.router.expire(now));
        self.carry_out(decisions);
        self.refuse_what_waits_in_vain();
        if self.router.forget_choice(now) {
            self.say(Event::Chosen(None));
        }
    }

    /// A work order that was closed or filled meanwhile takes none of the labels that wait.
    fn refuse_what_waits_in_vain(&mut self) {
        let units = self.router.waiting_units();
        let Some(order) = self.shared.lot.work_order().filter(|_| !units.is_empty()) else {
            return;
        };
        let now = self.shared.clock.now().wall;
        let asked = self.shared.inquiries.ask(move |reader| {
            let refusal = |serial: &Serial| reader.refusal_of_label(serial, &order, now);
            let mut refused = Vec::new();
            for serial in units {
                refused.extend(refusal(&serial)?.map(|fault| (serial, fault)));
            }
            Ok::<_, LedgerError>(refused)
        });
        // A ledger that can't say it now says so where a unit begins.
        let Ok(Ok(refused)) = asked else { return };
        let decisions = self.router.refuse(&refused, self.now());
        self.carry_out(decisions);
    }

    fn now(&self) -> Duration {
        self.shared.clock.now().monotonic
    }

    fn say(&self, event: Event) {
        (self.events)(event);
    }

    fn take(&mut self, message: ToLine) {
        match message {
            ToLine::Command(Command::Scan(scan)) => self.scan(scan),
            ToLine::Command(Command::ScanBack(scan)) => self.refuse_scan(&scan, takes_none()),
            ToLine::Command(Command::Withdraw) => self.withdraw(),
            ToLine::Command(Command::NoMoreScans) => self.router.no_more_scans(),
            ToLine::Command(Command::Stop) => {
                self.stop(&told_to_stop(), None);
            }
            ToLine::Place(slot, place, status) => self.place(slot, place, status),
            ToLine::Lot(work_order, rule, answer) => {
                // Who asked may have gone.
                let _ = answer.send(self.choose_lot(work_order, *rule));
            }
            ToLine::Broken(fault) => self.stop(&fault.clone(), Some(fault)),
            ToLine::Ended(slot, ending) => self.ended(slot, *ending),
            ToLine::Denied(slot, seen) => self.denied(slot, &seen),
            ToLine::Returned(slot, job) => {
                let decisions = self.router.returned(slot, job, self.now());
                self.carry_out(decisions);
            }
            ToLine::Gone(slot, fault) => self.gone(slot, fault),
        }
    }

    /// A unit is made for the work order under which it was scanned.
    fn choose_lot(&mut self, work_order: WorkOrderId, rule: LabelRule) -> Result<(), Fault> {
        let under_way = self.router.units();
        if let Some(serial) = under_way.first() {
            let all = under_way.len();
            let detail = say!(
                "{serial} is under way, and {all} units in all",
                "{serial} 正在处理，共有 {all} 个单元"
            );
            return Err(Fault::said(Code::WorkOrderBusy, detail));
        }
        self.shared.lot.change(work_order);
        self.rule = rule;
        self.must_choose = false;
        Ok(())
    }

    fn withdraw(&mut self) {
        let (withdrawn, decisions) = self.router.withdraw(self.now());
        for serial in withdrawn {
            self.say(Event::Withdrawn(serial.to_string()));
        }
        self.say(Event::Chosen(None));
        self.carry_out(decisions);
    }

    fn gone(&mut self, slot: usize, fault: Option<Fault>) {
        let reason = fault.clone().unwrap_or_else(told_to_stop);
        let decisions = self.router.gone(slot, &reason, self.now());
        self.carry_out(decisions);
        if let Some(fault) = fault {
            let slot = self.router.name(slot).clone();
            self.say(Event::Slot { slot, status: SlotStatus::OutOfService(fault) });
        }
    }

    fn stop(&mut self, reason: &Fault, cause: Option<Fault>) {
        for halt in &self.halts {
            halt.set(reason.clone());
        }
        let decisions = self.router.stop(reason);
        self.carry_out(decisions);
        self.say(Event::Stopping(cause));
    }

    fn scan(&mut self, scan: Scan) {
        if let Err(fault) = self.accept(&scan) {
            let broken = (fault.code == Code::LedgerCorrupt).then(|| fault.clone());
            self.refuse_scan(&scan, fault);
            let decisions = self.router.spent(self.now());
            self.carry_out(decisions);
            if let Some(fault) = broken {
                self.stop(&fault.clone(), Some(fault));
            }
        }
    }

    fn refuse_scan(&self, scan: &Scan, fault: Fault) {
        let report = UnitReport::refused(scan.shown(), scan.slot.clone(), fault);
        self.say(Event::Unit(Box::new(report)));
    }

    fn accept(&mut self, scan: &Scan) -> Result<(), Fault> {
        if let Some(slot) = self.router.barcode(scan.shown()) {
            self.choose(slot);
            return Ok(());
        }
        if self.must_choose {
            let detail = say!(
                "several work orders are open, and none was chosen yet",
                "有多个未关闭的工单，还没有选择"
            );
            return Err(Fault::said(Code::WorkOrderAmbiguous, detail));
        }
        let job = self.read(scan)?;
        let slot = match &scan.slot {
            None => self.take_choice()?,
            Some(name) => Some(self.router.slot(name).ok_or_else(|| {
                Fault::said(Code::ScanSlot, say!("there is no slot {name}", "没有工位 {name}"))
            })?),
        };
        if slot.is_none() && !self.warned && self.router.is_ambiguous() {
            self.warned = true;
            self.say(Event::Warning(binding_warning()));
        }
        let wanted = job.serial.clone();
        let order = self.shared.lot.work_order();
        // Who scans hears at once that the lot is full. Labels of a list wait for places that
        // units under way may give back.
        let ahead = (scan.from == ScanSource::Scanner).then(|| {
            let mut ahead = self.router.units();
            ahead.retain(|other| *other != wanted);
            ahead
        });
        let now = self.shared.clock.now().wall;
        let (standing, refusal) = self.shared.inquiries.ask(move |reader| {
            let refusal = order.map(|order| match &ahead {
                Some(ahead) => reader.refusal_behind(&wanted, &order, ahead, now),
                None => reader.refusal_of_label(&wanted, &order, now),
            });
            Ok::<_, LedgerError>((reader.standing(&wanted)?, refusal.transpose()?.flatten()))
        })??;
        // A unit with a device of its own is told what became of that.
        let has_device = standing.proven.is_some() || standing.open != Open::None;
        if let Some(fault) = refusal.filter(|_| !has_device && !standing.scrapped) {
            return Err(fault);
        }
        let scanned = job.serial.clone();
        let job = Job { named: slot.is_some(), ..job };
        let decisions = self.router.scan(job, slot, &standing, self.now());
        self.carry_out(decisions);
        if let Some(slot) = self.router.waits(&scanned) {
            self.say(Event::Waiting { serial: scanned.to_string(), slot });
        }
        Ok(())
    }

    /// The unit that a scan means. What a scanner sent is read by the rules of station.toml; a
    /// list has serials.
    fn read(&self, scan: &Scan) -> Result<Job, Fault> {
        if scan.from == ScanSource::List {
            let (serial, client_id) = self.rule.accept(&scan.text)?;
            return Ok(Job::new(serial, client_id));
        }
        let verdict = self.scan.read(&scan.text, &self.rule);
        let rule = verdict.rule.and_then(|rule| u32::try_from(rule).ok());
        let says_more = rule.is_some() || verdict.aim.is_some();
        let reading = verdict.outcome?;
        let label = says_more.then(|| LabelRead { text: escaped(&scan.text), rule });
        let hardware = reading.hardware;
        Ok(Job { hardware, label, ..Job::new(reading.serial, reading.client_id) })
    }

    /// A slot's own barcode was scanned: the next label is for it.
    fn choose(&mut self, slot: usize) {
        self.router.choose(slot, self.now());
        self.say(Event::Chosen(Some(self.router.name(slot).clone())));
        let decisions = self.router.spent(self.now());
        self.carry_out(decisions);
    }

    fn take_choice(&mut self) -> Result<Option<usize>, Fault> {
        let chosen = self.router.chosen()?;
        if chosen.is_some() {
            self.say(Event::Chosen(None));
        }
        Ok(chosen)
    }

    fn place(&mut self, slot: usize, place: Place, status: SlotStatus) {
        let hardware = match &place {
            Place::Ready(hardware) => Some(hardware.clone()),
            _ => None,
        };
        if let SlotStatus::OutOfService(fault) = &status {
            self.last_out = Some(fault.clone());
        }
        self.say(Event::Slot { slot: self.router.name(slot).clone(), status });
        // What a device has open is resolved before a scan could take its slot.
        if let Some(hardware) = hardware.clone() {
            let owned = self.is_taken(hardware);
            self.router.note_owner(slot, owned);
        }
        let resume = hardware.and_then(|hardware| self.open_attempt(hardware));
        let decisions = match resume {
            Some(job) => self.router.place_and_resume(slot, place, job, self.now()),
            None => self.router.place(slot, place, self.now()),
        };
        self.carry_out(decisions);
        if let Some(twin) = self.router.twin_of(slot) {
            self.say(Event::Warning(self.router.twin_fault(twin, slot)));
            for (one, other) in [(slot, twin), (twin, slot)] {
                let status = SlotStatus::Twice(self.router.name(other).clone());
                self.say(Event::Slot { slot: self.router.name(one).clone(), status });
            }
        }
    }

    /// Whether a unit is proven on this device and is not to be burned again.
    fn is_taken(&self, hardware: HardwareId) -> bool {
        let owner = self.look_up(move |reader| {
            let Some(serial) = reader.proven_on(&hardware)? else { return Ok(None) };
            let again = reader.standing(&serial)?.rework != Rework::No;
            Ok(Some(serial).filter(|_| !again))
        });
        owner.is_some()
    }

    /// A unit that the ledger knows; where it can't be asked, a warning says so.
    fn look_up(
        &self,
        question: impl FnOnce(&Reader) -> Result<Option<Serial>, LedgerError> + Send + 'static,
    ) -> Option<Serial> {
        let found = self.shared.inquiries.ask(question);
        found.and_then(|found| found.map_err(Fault::from)).unwrap_or_else(|fault| {
            self.say(Event::Warning(fault));
            None
        })
    }

    /// The unit whose commit was asked on this device.
    fn open_attempt(&self, hardware: HardwareId) -> Option<Job> {
        let serial = self.look_up(move |reader| reader.open_attempt_on(&hardware))?;
        let client_id = self.rule.client_id.make(&serial).ok()?;
        Some(Job { resumed: true, ..Job::new(serial, client_id) })
    }

    fn ended(&mut self, slot: usize, ending: Ending) {
        let Ending { report, ledger_failed, .. } = ending;
        let completed = report.resumed && report.outcome == Outcome::Pass;
        self.passed[slot] = Some(&report).filter(|report| report.is_good()).cloned();
        self.say(Event::Unit(Box::new(report)));
        let decisions = self.router.ended(slot, completed, self.now());
        self.carry_out(decisions);
        if let Some(fault) = ledger_failed {
            self.stop(&fault.clone(), Some(fault));
        }
    }

    /// A device contradicts the proof that it has just given. Its unit is not finished any more,
    /// and a person is told to keep it.
    fn denied(&mut self, slot: usize, seen: &Seen) {
        let Some(mut report) = self.passed[slot].take() else { return };
        let fault = denial(seen);
        report.outcome = Outcome::Fail;
        (report.step, report.uncertain, report.verified) = (Some(Step::Finish), true, false);
        let recorded = self.record_denial(slot, &report, &fault);
        report.fault = Some(fault);
        self.say(Event::Denied(Box::new(report)));
        if let Err(fault) = recorded {
            self.stop(&fault.clone(), Some(fault));
        }
    }

    fn record_denial(&self, slot: usize, report: &UnitReport, fault: &Fault) -> Result<(), Fault> {
        let missing = || Fault::new(Code::Bug, "a unit that passed has no certificate");
        let serial = report.serial.parse().map_err(|_| missing())?;
        let denied = Denied {
            serial,
            certificate_sn: report.certificate_sn.ok_or_else(missing)?,
            slot: self.router.name(slot).clone(),
            message: fault.detail.clone(),
            by: self.shared.person(),
        };
        let recorded = self.shared.writer.record(Record::Denied(denied));
        recorded.map(drop).map_err(|refusal| refusal.fault().clone())
    }

    fn carry_out(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            match decision {
                Decision::Run(slot, job) => self.give(slot, job),
                Decision::Refuse(serial, slot, fault) => {
                    self.say(Event::Unit(Box::new(UnitReport::refused(serial, slot, fault))));
                }
                Decision::Halt(slot, fault) => self.halts[slot].set(fault),
                Decision::Want(more) => self.say(Event::Wanted(more)),
            }
        }
    }

    fn give(&self, slot: usize, job: Job) {
        let status = SlotStatus::Busy(job.serial.to_string());
        self.say(Event::Slot { slot: self.router.name(slot).clone(), status });
        // A halt that came too late for the unit before is not meant for this one.
        self.halts[slot].unit_landed();
        // A slot that is gone says so by itself, and the router answers for its unit.
        let _ = self.slots[slot].0.send(ToSlot::Run(job));
    }
}

fn denial(seen: &Seen) -> Fault {
    let now = match (&seen.holds, seen.locked) {
        (None, _) => say!("holds nothing", "什么都没有"),
        (Some(held), true) => {
            say!("is locked and holds certificate {}", "已锁定，并持有证书 {}", held.certificate)
        }
        (Some(held), false) => {
            say!("holds certificate {}", "持有证书 {}", held.certificate)
        }
    };
    let Say { english, chinese } = now;
    let what = Say {
        english: format!("the device passed, still stands there, and says now that it {english}"),
        chinese: format!("设备已合格，仍在原处，现在却说它{chinese}"),
    };
    Fault::said(Code::DevContradiction, what)
}

/// No slot can be used, and the last one for this reason.
fn no_slot(last: Option<Fault>) -> Fault {
    match last {
        Some(fault) => {
            let code = match fault.code {
                code @ (Code::PortMissing | Code::PortBusy | Code::PortSettings) => code,
                _ => Code::PortOpen,
            };
            let Fault { detail, chinese, .. } = fault;
            let own = chinese.unwrap_or_else(|| detail.clone());
            let english = format!("no slot can be used: {detail}");
            Fault::said(code, Say { english, chinese: format!("没有可用的工位：{own}") })
        }
        None => Fault::said(Code::PortOpen, say!("no slot can be used", "没有可用的工位")),
    }
}

/// It is no label that is waited for, and no slot is free for a unit.
fn takes_none() -> Fault {
    let detail = say!(
        "the line takes no scan at this moment; scan it again when a slot is free",
        "产线此刻不接受扫码；有工位空闲时再扫"
    );
    Fault::said(Code::ScanAhead, detail)
}

fn told_to_stop() -> Fault {
    Fault::said(Code::Stopped, say!("the station was told to stop", "本站被要求停止"))
}

fn binding_warning() -> Fault {
    Fault::said(
        Code::ScanSlot,
        say!(
            "several devices wait and labels name no slot, so the binding is \"any\": put a label on \
             after PASS, or bind it by SLOT<tab>SERIAL",
            "有多个设备在等，而标签没有指定工位，因此标签归任意设备：合格后再贴标签，\
             或用“工位<tab>序列号”指定"
        ),
    )
}
