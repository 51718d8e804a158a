//! A line over simulated devices in this process, with everything in reach.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use provisioning_station::app::clock::SystemClock;
use provisioning_station::app::demo::{self, Factory};
use provisioning_station::app::from_config;
use provisioning_station::app::line::{self, RunningLine, Session};
use provisioning_station::config::Config;
use provisioning_station::domain::event::{Command, Event, Scan, UnitReport};
use provisioning_station::domain::person::Person;
use provisioning_station::domain::record::{Restored, Step};
use provisioning_station::ledger::{self, HeldBack, Ledger, Restoring};
use provisioning_station::pki::Verifier;
use provisioning_station::sim::{self, Transcript};
use tempfile::TempDir;

/// Far more than any of this takes; only a hang reaches it.
const WATCHDOG: Duration = Duration::from_secs(60);

type Change = fn(&str, &mut sim::Options);

/// What a line is to be made of.
pub(crate) struct TestLine {
    slots: u32,
    units: u32,
    change: Change,
}

impl TestLine {
    pub(crate) fn new(slots: u32, units: u32) -> Self {
        Self { slots, units, change: |_, _| {} }
    }

    pub(crate) fn with(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    pub(crate) fn start(self) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let mut transcripts = BTreeMap::new();
        let change = &mut |name: &str, options: &mut sim::Options| {
            let transcript = Transcript::new();
            transcripts.insert(name.to_owned(), transcript.clone());
            options.recorder = Some(Box::new(transcript));
            (self.change)(name, options);
        };
        let place = dir.path().join("factory");
        let factory = Factory::lay_out_with(Some(&place), self.units, self.slots, change).unwrap();
        let config = Config::load(&factory.config(), None).unwrap();
        let (events, heard) = mpsc::channel();
        let sink = Box::new(move |event| {
            let _ = events.send(event);
        });
        let line = line::start(&config, Session::default(), sink).unwrap();
        let units = self.units;
        Running { line, heard, transcripts, factory, units, reports: Vec::new(), _dir: dir }
    }
}

/// A line that is running.
pub(crate) struct Running {
    line: RunningLine,
    heard: Receiver<Event>,
    pub(crate) transcripts: BTreeMap<String, Transcript>,
    factory: Factory,
    units: u32,
    reports: Vec<UnitReport>,
    _dir: TempDir,
}

impl Running {
    pub(crate) fn ledger(&self) -> &Ledger {
        self.line.ledger()
    }

    pub(crate) fn factory_dir(&self) -> &Path {
        &self.factory.dir
    }

    pub(crate) fn hold_back(&self) -> HeldBack {
        self.ledger().writer().hold_back()
    }

    /// Stops the line from another thread, as a signal does.
    pub(crate) fn stop_from_elsewhere(&self) -> std::thread::JoinHandle<()> {
        let stopper = self.line.line.stopper();
        std::thread::spawn(move || stopper.stop())
    }

    /// Sends every label, whether asked for or not; how many the line took.
    pub(crate) fn scan_all(&self) -> usize {
        let send = self.line.line.commands();
        let labels = demo::serials(self.units).into_iter();
        let taken = labels.filter(|text| send(Command::Scan(Scan::listed(text.clone(), None))));
        let taken = taken.count();
        send(Command::NoMoreScans);
        taken
    }

    fn hear(&mut self) -> Event {
        let event = self.heard.recv_timeout(WATCHDOG).expect("the line says nothing any more");
        if let Event::Unit(unit) = &event {
            self.reports.push((**unit).clone());
        }
        event
    }

    pub(crate) fn wait_for_event(&mut self, wanted: fn(&Event) -> bool) {
        while !wanted(&self.hear()) {}
    }

    fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let until = Instant::now() + WATCHDOG;
        while !holds(self) {
            assert!(Instant::now() < until, "never: {what}");
            std::thread::yield_now();
        }
    }

    pub(crate) fn wait_for_step(&self, step: Step) {
        self.wait_for("the step", |running| {
            running.line.line.progress.iter().any(|cell| cell.read().step == Some(step))
        });
    }

    pub(crate) fn wait_for_all_staged(&self) {
        self.wait_for("what is being written staged", |running| {
            running.line.line.progress.iter().all(|cell| {
                let progress = cell.read();
                let writing = progress.step == Some(Step::Write);
                !writing || (progress.total > 0 && progress.done == progress.total)
            })
        });
    }

    /// Restores a backup beside the running line, under a journal key of its own.
    pub(crate) fn restore(&self, backup: &Path) -> Restored {
        let place = self.factory.dir.join("restored");
        let config = Config::load(&self.factory.config(), Some(&place)).unwrap();
        ledger::make_data_dir(&place).unwrap();
        let key = from_config::journal_key(&config).unwrap();
        let settings = from_config::ledger_settings(&config);
        let by = Person { operator: None, uid: 0 };
        let clock = SystemClock::start();
        let restoring = Restoring::begin(backup, &settings, &Verifier).unwrap();
        restoring.finish(&key, &Verifier, &clock, by).unwrap()
    }

    pub(crate) fn finish(self) -> Vec<UnitReport> {
        self.finish_keeping(|_| {})
    }

    /// Runs to the end; `look` sees the line before it is gone.
    pub(crate) fn finish_keeping(mut self, look: impl FnOnce(&Self)) -> Vec<UnitReport> {
        while self.hear() != Event::Ended {}
        look(&self);
        self.line.join().unwrap();
        self.reports
    }
}
