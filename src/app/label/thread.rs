//! The thread that prints beside a running line, and what it tells.
//!
//! What is to be printed stands in the ledger: a unit that passed wants its label in the same
//! transaction. So the thread is only told to look, and after a crash it looks as it starts.
//! What was about to be sent then is asked about and never sent again by itself.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::PrintVerify;
use crate::domain::cause::cause;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{
    Command, CommandSink, Event, EventSink, LabelOutcome, LabelReport, Scan, ScanSource,
};
use crate::domain::ids::Serial;
use crate::domain::label::LabelRule;
use crate::domain::labelling::{Delivery, LabelRow, LabelState};
use crate::domain::person::Person;
use crate::domain::scan::ScanRules;
use crate::engine::SignedIn;
use crate::say;

use super::desk::{Desk, ReadBack};

/// How often a printer that was off is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// What reads a label that was just printed, in a demo: a scanner and the hand that holds it.
pub type Eye = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the thread works with.
pub struct Surroundings {
    /// Makes, sends and reads labels.
    pub desk: Desk,
    /// Who works at the line.
    pub signed_in: Arc<SignedIn>,
    /// Whom it tells.
    pub events: EventSink,
    /// What scans by itself.
    pub eye: Option<Eye>,
}

enum Job {
    /// A unit ended: perhaps it wants a label.
    Look,
    /// This was scanned, and a label of that unit waits to be.
    Scanned {
        serial: Serial,
        text: String,
        /// The line had asked for a scan, and is still to get one.
        was_wanted: bool,
    },
    /// The line has ended: try once more, then say so.
    Land(SyncSender<()>),
}

/// Labels that wait to be scanned back.
type Awaited = Arc<Mutex<BTreeSet<Serial>>>;

/// A line's labels, while it runs.
pub struct LabelLine {
    jobs: Sender<Job>,
    awaited: Awaited,
    rules: ScanRules,
    rule: LabelRule,
    thread: Option<JoinHandle<()>>,
}

impl LabelLine {
    /// Starts the thread.
    pub fn start(surroundings: Surroundings) -> Result<LabelLine, Fault> {
        let (jobs, waiting) = mpsc::channel();
        let awaited = Awaited::default();
        let (rules, rule) = (surroundings.desk.rules.clone(), surroundings.desk.rule.clone());
        let work = Work {
            surroundings,
            awaited: Arc::clone(&awaited),
            given_up: BTreeSet::new(),
            is_off: None,
            said_open: 0,
        };
        let thread = std::thread::Builder::new().name("label-printer".to_owned());
        let thread = thread.spawn(move || work.run(&waiting)).map_err(|error| {
            Fault::said(Code::Shortage, say!("no thread", "得不到线程").then(&cause(&error)))
        })?;
        Ok(LabelLine { jobs, awaited, rules, rule, thread: Some(thread) })
    }

    /// A sink that passes everything on, and has labels printed for what it hears.
    pub fn hearing(&self, events: EventSink) -> EventSink {
        let jobs = Mutex::new(self.jobs.clone());
        Box::new(move |event| {
            let jobs = || jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match event {
                Event::Unit(report) => {
                    events(Event::Unit(report));
                    // A thread that is gone was told by the panic that ended it.
                    let _ = jobs().send(Job::Look);
                }
                Event::Ended => {
                    land(&jobs());
                    events(Event::Ended);
                }
                other => events(other),
            }
        })
    }

    /// Commands on their way to the line; a scan of a label that waits for one goes no
    /// further.
    pub fn watching(&self, commands: CommandSink) -> CommandSink {
        let (jobs, awaited) = (self.jobs.clone(), Arc::clone(&self.awaited));
        let (rules, rule) = (self.rules.clone(), self.rule.clone());
        Box::new(move |command| {
            let (scan, was_wanted) = match &command {
                Command::Scan(scan) => (scan, true),
                Command::ScanBack(scan) => (scan, false),
                _ => return commands(command),
            };
            match awaits(&awaited, &rules, &rule, scan) {
                Some(serial) => {
                    let text = scan.text.clone();
                    jobs.send(Job::Scanned { serial, text, was_wanted }).is_ok()
                }
                None => commands(command),
            }
        })
    }
}

/// Waits until what can be printed is.
fn land(jobs: &Sender<Job>) {
    let (done, landed) = mpsc::sync_channel(1);
    if jobs.send(Job::Land(done)).is_ok() {
        let _ = landed.recv();
    }
}

fn awaits(awaited: &Awaited, rules: &ScanRules, rule: &LabelRule, scan: &Scan) -> Option<Serial> {
    let awaited = awaited.lock().unwrap_or_else(PoisonError::into_inner);
    if scan.from != ScanSource::Scanner || awaited.is_empty() {
        return None;
    }
    let reading = rules.read(&scan.text, rule).outcome.ok()?;
    awaited.contains(&reading.serial).then_some(reading.serial)
}

impl Drop for LabelLine {
    fn drop(&mut self) {
        land(&self.jobs);
        if let Some(thread) = self.thread.take() {
            // A panic in it was told by the hook, and harmed no unit.
            let _ = thread.join();
        }
    }
}

struct Work {
    surroundings: Surroundings,
    awaited: Awaited,
    /// Units whose label can't be made; told once.
    given_up: BTreeSet<Serial>,
    /// Why the printer takes nothing; told once.
    is_off: Option<Fault>,
    /// How many labels were said to be open.
    said_open: u32,
}

impl Work {
    fn run(mut self, jobs: &Receiver<Job>) {
        self.look_at_what_was_left();
        self.print_all();
        loop {
            let job = match self.is_off {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(_) => jobs.recv_timeout(AGAIN),
            };
            match job {
                Ok(Job::Look) | Err(RecvTimeoutError::Timeout) => self.print_all(),
                Ok(Job::Scanned { serial, text, was_wanted }) => {
                    self.scanned(&serial, &text);
                    if was_wanted {
                        self.say(Event::Wanted(1));
                    }
                }
                Ok(Job::Land(done)) => {
                    self.print_all();
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn say(&self, event: Event) {
        (self.surroundings.events)(event);
    }

    fn by(&self) -> Person {
        let operator = self.surroundings.signed_in.operator();
        Person { operator, uid: rustix::process::getuid().as_raw() }
    }

    fn open(&self) -> Vec<LabelRow> {
        let open = self.surroundings.desk.reader.open_labels();
        open.unwrap_or_else(|error| {
            self.say(Event::Warning(error.into()));
            Vec::new()
        })
    }

    /// After a crash: what was about to be sent is asked about, what was sent may be scanned.
    fn look_at_what_was_left(&mut self) {
        let left = self.open();
        for label in &left {
            match label.state {
                LabelState::Asked | LabelState::Unclear => {
                    let what = say!(
                        "nobody knows whether label {} of {} came out; it is not sent again by \
                         itself",
                        "第 {} 张标签（{}）是否打出无人知道；不会自动再发",
                        label.copy,
                        label.serial
                    );
                    self.say(Event::Warning(Fault::said(Code::LabelUnclear, what)));
                }
                LabelState::Wrong => {
                    let what = say!(
                        "the label of {} was wrong when it was scanned",
                        "{} 的标签扫描时不对",
                        label.serial
                    );
                    self.say(Event::Warning(Fault::said(Code::LabelWrong, what)));
                }
                LabelState::Wanted | LabelState::Sent | LabelState::Right => {}
            }
            if label.state != LabelState::Wanted {
                self.await_scan(&label.serial);
            }
        }
        if let Some(label) = left.last() {
            self.tell_open(&label.serial);
        }
    }

    fn await_scan(&self, serial: &Serial) {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).insert(serial.clone());
    }

    /// Prints in the order in which units passed, until the printer takes nothing.
    fn print_all(&mut self) {
        for label in self.open() {
            if label.state != LabelState::Wanted || self.given_up.contains(&label.serial) {
                continue;
            }
            if !self.print(&label.serial) {
                return;
            }
        }
    }

    /// Prints one; false where the printer takes nothing.
    fn print(&mut self, serial: &Serial) -> bool {
        let desk = &self.surroundings.desk;
        let told = desk.prepare(serial).and_then(|job| desk.send(&job, None, self.by()));
        let told = match told {
            Ok(told) => told,
            Err(fault) if fault.code == Code::LabelPrinter => {
                self.printer_is_off(serial, fault);
                return false;
            }
            Err(fault) => {
                self.given_up.insert(serial.clone());
                self.tell(serial, LabelOutcome::Open, Some(fault));
                return true;
            }
        };
        match (told.delivery, told.trouble) {
            (Delivery::NotSent, trouble) => {
                self.printer_is_off(
                    serial,
                    trouble.unwrap_or_else(|| {
                        Fault::said(
                            Code::LabelPrinter,
                            say!("the printer took nothing", "打印机什么也没收下"),
                        )
                    }),
                );
                return false;
            }
            (Delivery::Unclear, trouble) => {
                self.await_scan(serial);
                self.tell(serial, LabelOutcome::Open, trouble);
            }
            (Delivery::Sent, _) => self.is_sent(serial, told.copy),
        }
        self.is_off = None;
        if told.has_older {
            let what = say!(
                "take the older label of {serial} back: the unit was burned anew",
                "收回 {serial} 的旧标签：该单元已重新烧录"
            );
            self.say(Event::Warning(Fault::said(Code::LabelStale, what)));
        }
        true
    }

    fn is_sent(&mut self, serial: &Serial, copy: u32) {
        let verify = self.surroundings.desk.settings.verify == PrintVerify::Scan;
        if verify {
            self.await_scan(serial);
        }
        self.tell(serial, LabelOutcome::Sent, None);
        let eye = self.surroundings.eye.as_ref();
        if let Some(text) = eye.and_then(|eye| eye(&format!("{serial}-{copy}"))) {
            self.scanned(serial, &text);
        }
    }

    fn printer_is_off(&mut self, serial: &Serial, fault: Fault) {
        if self.is_off.as_ref() != Some(&fault) {
            self.say(Event::Warning(fault.clone()));
        }
        self.is_off = Some(fault);
        self.tell_open(serial);
    }

    /// Says how many labels are open, where that is not known: this one is among them.
    fn tell_open(&mut self, serial: &Serial) {
        let open = self.surroundings.desk.reader.open_label_count().unwrap_or_default();
        if open != self.said_open {
            self.tell(serial, LabelOutcome::Open, None);
        }
    }

    fn scanned(&mut self, serial: &Serial, text: &str) {
        match self.surroundings.desk.read_back(text, Some(serial), self.by()) {
            Ok(ReadBack { serial, wrong: None }) => {
                self.awaited.lock().unwrap_or_else(PoisonError::into_inner).remove(&serial);
                self.tell(&serial, LabelOutcome::Right, None);
            }
            Ok(ReadBack { serial, wrong }) => self.tell(&serial, LabelOutcome::Wrong, wrong),
            Err(fault) => self.say(Event::Warning(fault)),
        }
    }

    fn tell(&mut self, serial: &Serial, outcome: LabelOutcome, fault: Option<Fault>) {
        let open = self.surroundings.desk.reader.open_label_count().unwrap_or_default();
        self.said_open = open;
        let report = LabelReport { serial: serial.to_string(), outcome, fault, open };
        self.say(Event::Label(Box::new(report)));
    }
}
