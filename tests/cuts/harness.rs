//! Runs a scenario once for each of its points, cut off there, and goes on afterwards.
//!
//! Each cut leaves two worlds. In one only the station was killed: its files are as they are,
//! and the device keeps its power. In the other the power went, of both: the files are as they
//! were at their last sync, the device has its flash alone. Each is audited as it was left,
//! after start-up before any device is presented, and when all is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use provisioning_station::sim::{FaultSpec, SimulatedSlot};
use rusqlite::{Connection, OpenFlags};

use super::auditor::model::{Model, Position};
use super::auditor::{Moment, Report, Scene, audit};
use super::power::{self, Disk};
use super::printer::Printer;
use super::scenario::{Act, SERIAL, Scenario};
use super::support::{Finished, LONG, Process};
use super::world::World;

/// How many cuts are under way at once in this process: more than there are processors, since
/// a station waits most of its time.
const AT_ONCE: usize = 8;

/// How often a point is tried for that a run may pass or not, such as a request sent again.
const TRIES: usize = 4;

/// How often a state that must come is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// What came of cutting one scenario at all of its points.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) points: Vec<String>,
    pub(crate) missed: Vec<String>,
    pub(crate) findings: Vec<String>,
    /// How many worlds ended how.
    pub(crate) ends: BTreeMap<&'static str, usize>,
}

impl Outcome {
    fn take(&mut self, world: After<'_>, point: &str) {
        *self.ends.entry(world.end).or_default() += 1;
        let about = |finding| format!("{point}, {}: {finding}", world.name);
        self.findings.extend(world.findings.into_iter().map(about));
    }

    pub(crate) fn story(&self, name: &str) -> String {
        let mut story = format!("{name}: {} points", self.points.len());
        for (end, count) in &self.ends {
            let _ = write!(story, ", {count} {end}");
        }
        if !self.missed.is_empty() {
            let _ = write!(story, "; not reached again: {}", self.missed.join(" "));
        }
        for finding in &self.findings {
            let _ = write!(story, "\n  {finding}");
        }
        story
    }
}

/// Everything that is done to one scenario.
pub(crate) struct Harness<'s> {
    scenario: &'s Scenario,
    disk: Disk,
    /// In which call that changes its storage the first device loses power, counted from 1.
    power: Option<u32>,
    /// The factory when the act begins.
    before: World,
    model: Model,
}

impl<'s> Harness<'s> {
    pub(crate) fn new(scenario: &'s Scenario, disk: Disk) -> Self {
        let before = World::new(scenario.product);
        (scenario.prepare)(&before);
        let report = look(&before, scenario, Moment::AsLeft, &BTreeSet::new(), scenario.gap);
        assert_eq!(report.findings, [""; 0], "{}: before the act", scenario.name);
        Self { scenario, disk, power: None, before, model: report.model }
    }

    /// The same with a device that loses power in that call that changes its storage.
    pub(crate) fn with_power_lost_in(mut self, call: u32) -> Self {
        self.power = Some(call);
        self
    }

    fn plug(&self, world: &World) -> SimulatedSlot {
        world.plug(|options| {
            (self.scenario.devices)(options);
            if let Some(call) = self.power {
                options.faults = FaultSpec::parse(&format!("power={call}@1")).unwrap();
            }
        })
    }

    /// The points that the act passes when nothing cuts it off, in their order.
    pub(crate) fn points(&self) -> Vec<String> {
        let world = World::copy_of(&self.before);
        let list = world.path("points");
        let _cloud = self.scenario.cloud.then(|| world.cloud());
        let _printer = self.scenario.printer.then(|| Printer::of(&world));
        let device = self.plug(&world);
        world.show_port();
        let mut command = self.act(&world);
        command.env("STATION_CUT", "list").env("STATION_CUT_LIST", &list);
        let finished = Process::start(command).finish(LONG);
        drop(device);
        let points = std::fs::read_to_string(list).unwrap_or_default();
        assert!(!points.is_empty(), "{}: {}", self.scenario.name, finished.story());
        points.lines().map(str::to_owned).collect()
    }

    /// Lets the act come to its end, whatever that is, and goes on from there.
    pub(crate) fn run_uncut(&self) -> Outcome {
        let _turn = Turn::take();
        let world = World::copy_of(&self.before);
        let printer = self.scenario.printer.then(|| Printer::of(&world));
        let device = self.plug(&world);
        world.show_port();
        let finished = Process::start(self.act(&world)).finish(LONG);
        world.hide_port();
        let act = Done { finished: &finished, labels: printer.map_or(0, Printer::end) };
        let mut outcome = Outcome::default();
        outcome.take(self.go_on("uncut", &world, Some(device), &act), "to its end");
        outcome
    }

    /// Cuts the act off at each of these points.
    pub(crate) fn run_at(&self, points: Vec<String>) -> Outcome {
        let outcome = Mutex::new(Outcome::default());
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let _turn = Turn::take();
                        self.try_point(point, &outcome);
                    }
                });
            }
        });
        let mut outcome = outcome.into_inner().unwrap();
        outcome.points = points;
        outcome
    }

    fn try_point(&self, point: &str, outcome: &Mutex<Outcome>) {
        let cut = || (0..TRIES).find_map(|_| self.cut(point));
        let ended = catch_unwind(AssertUnwindSafe(cut));
        let mut outcome = outcome.lock().unwrap();
        match ended {
            Ok(Some(worlds)) => worlds.into_iter().for_each(|world| outcome.take(world, point)),
            Ok(None) => outcome.missed.push(point.to_owned()),
            Err(panic) => {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why.or(panic.downcast_ref::<&str>().map(|why| (*why).to_owned()));
                outcome.findings.push(format!("{point}: {}", why.unwrap_or_default()));
            }
        }
    }

    /// One cut, and what followed in both worlds; none where the point was not passed.
    fn cut(&self, point: &str) -> Option<Vec<After<'s>>> {
        let world = World::copy_of(&self.before);
        let cloud = self.scenario.cloud.then(|| world.cloud());
        let printer = self.scenario.printer.then(|| Printer::of(&world));
        let device = self.plug(&world);
        world.show_port();
        let mut command = self.act(&world);
        command.env("STATION_CUT", point);
        power::watch(&mut command, &world, self.disk);
        let finished = Process::start(command).finish(LONG);
        // SIGKILL; whatever else ended it is not the cut.
        if finished.status.signal() != Some(9) {
            return None;
        }
        world.hide_port();
        // Both lose their power at this moment, whatever the device was doing.
        let dark = World::without_store(&world);
        power::restore(&world, &dark);
        // What it took is known to it, whatever its callers know.
        drop(cloud);
        let act = Done { finished: &finished, labels: printer.map_or(0, Printer::end) };
        let killed = self.go_on("killed", &world, Some(device), &act);
        let dark = self.go_on("power lost", &dark, None, &act);
        Some(vec![killed, dark])
    }

    fn act(&self, world: &World) -> std::process::Command {
        match self.scenario.act {
            Act::Batch => world.command(&["batch", "--serials", &world.labels(SERIAL)]),
            Act::Command(arguments) => world.command(arguments),
        }
    }

    fn go_on(
        &self,
        name: &'static str,
        world: &World,
        device: Option<SimulatedSlot>,
        act: &Done<'_>,
    ) -> After<'s> {
        let scenario = self.scenario;
        let gap = scenario.gap;
        let mut after = After { name, scenario, findings: Vec::new(), end: "old", gap };
        let _cloud = scenario.cloud.then(|| world.cloud());
        let printer = scenario.printer.then(|| Printer::of(world));
        let mut passed = BTreeSet::new();
        note_passed(act.finished, &mut passed);
        let left = after.look(world, Moment::AsLeft, &passed);
        let device = self.order_first(world, device, &mut after);
        let (mut batch, started) = self.start_up(world, &left, &passed, &mut after);
        after.end = self.end_of(&started);
        // A person's order that was cut off is given again; the line is at work meanwhile.
        self.scenario.orders.iter().for_each(|order| after.order(world, order));
        let now = after.look(world, Moment::Started, &passed).model;
        let open = now.units.get(SERIAL).is_some_and(|unit| unit.open.is_some());
        let device = self.present(world, device);
        if open && self.scenario.presented == 1 {
            // Its own device resolves it without a scan.
            assert!(batch.event(LONG).is_some(), "{name}: it ended, {}", batch.errors());
        }
        batch.say(&format!("A\t{SERIAL}\n"));
        let finished = batch.finish(LONG);
        drop(device);
        note_passed(&finished, &mut passed);
        if scenario.cloud {
            after.order(world, &["sync"]);
        }
        after.gap = false;
        let completed = after.look(world, Moment::Completed, &passed);
        if let Some(printer) = printer {
            let unit = completed.model.units.get(SERIAL);
            let is_finished = unit.is_some_and(|unit| unit.passed);
            after.count_labels(world, act.labels + printer.end(), is_finished);
        }
        if !(self.scenario.done)(&completed.model) {
            after.findings.push(format!("it is not done: {}", finished.story()));
        }
        after
    }

    /// What a person does before the station can be started, with the device in its slot.
    fn order_first(
        &self,
        world: &World,
        device: Option<SimulatedSlot>,
        after: &mut After<'_>,
    ) -> Option<SimulatedSlot> {
        if self.scenario.first.is_empty() {
            return device;
        }
        let device = self.present(world, device);
        self.scenario.first.iter().for_each(|order| after.order(world, order));
        world.hide_port();
        Some(device)
    }

    /// Starts the station with nothing in its slot, and waits until it has settled what is
    /// left from before.
    fn start_up(
        &self,
        world: &World,
        left: &Report,
        passed: &BTreeSet<String>,
        after: &mut After<'_>,
    ) -> (Process, Model) {
        let batch = Process::start(world.command(&["batch", "--serials", "-"]));
        let deadline = Instant::now() + LONG;
        while !has_started(&world.data_dir(), left.model.sessions) {
            if batch.ends_within(Duration::ZERO) {
                panic!("{}: it does not start: {}", after.name, batch.finish(LONG).story());
            }
            assert!(Instant::now() < deadline, "{}: it does not start", after.name);
            thread::park_timeout(LOOK);
        }
        let started = after.look(world, Moment::Started, passed).model;
        (batch, started)
    }

    /// Puts the device into the slot that is to come: the very one with all that it has in
    /// RAM, where that is still powered.
    fn present(&self, world: &World, device: Option<SimulatedSlot>) -> SimulatedSlot {
        let wanted = self.scenario.presented;
        let sound = !self.scenario.faulty && self.power.is_none();
        let powered = device.filter(|device| sound && device.state().unit == wanted);
        let device = powered.unwrap_or_else(|| {
            world.take(wanted);
            world.plug(self.scenario.devices_after)
        });
        world.show_port();
        device
    }

    /// Where the unit stands after start-up, against where it stood before the act.
    fn end_of(&self, now: &Model) -> &'static str {
        let unit = now.units.get(SERIAL);
        let was = self.model.units.get(SERIAL);
        let proven = unit.and_then(|unit| unit.proven.as_ref());
        let open = unit.and_then(|unit| unit.open.as_ref());
        let voided =
            |model: &Model| model.certificates.values().filter(|one| one.state == "void").count();
        if open.is_some_and(|open| open.position == Position::Asked) {
            "uncertain"
        } else if proven.is_some() && proven != was.and_then(|unit| unit.proven.as_ref()) {
            "new"
        } else if voided(now) > voided(&self.model) {
            "voided"
        } else {
            "old"
        }
    }
}

/// What the act did before it ended or was cut off.
struct Done<'f> {
    finished: &'f Finished,
    /// Labels that may have come out.
    labels: usize,
}

/// One world after a cut.
struct After<'s> {
    name: &'static str,
    scenario: &'s Scenario,
    findings: Vec<String>,
    end: &'static str,
    gap: bool,
}

impl After<'_> {
    /// One label for a finished unit, or somebody is asked to look for it; never two.
    fn count_labels(&mut self, world: &World, labels: usize, is_finished: bool) {
        let listed = Process::start(world.command(&["label", "list"])).finish(LONG);
        let is_open = listed.story().contains(SERIAL);
        match labels {
            0 if is_finished && !is_open => {
                self.findings.push("no label, and none is open".to_owned());
            }
            1 if !is_finished => self.findings.push("a label before it finished".to_owned()),
            0 | 1 => {}
            many => self.findings.push(format!("{many} labels of one unit")),
        }
    }

    /// Gives an order that may have been carried out before.
    fn order(&mut self, world: &World, order: &[&str]) {
        let finished = Process::start(world.command(order)).finish(LONG);
        if !matches!(finished.code(), Some(0 | 1 | 2 | 4)) {
            self.findings.push(format!("{order:?}: {}", finished.story()));
        }
    }

    fn look(&mut self, world: &World, moment: Moment, passed: &BTreeSet<String>) -> Report {
        let mut report = look(world, self.scenario, moment, passed, self.gap);
        let found = std::mem::take(&mut report.findings);
        self.findings.extend(found.into_iter().map(|finding| format!("{moment:?}: {finding}")));
        report
    }
}

fn look(
    world: &World,
    scenario: &Scenario,
    moment: Moment,
    passed: &BTreeSet<String>,
    gap: bool,
) -> Report {
    let (data_dir, devices) = (world.data_dir(), world.devices());
    let device_keys = scenario.product.contains("key_origin");
    let (data_dir, devices) = (&*data_dir, &*devices);
    let cloud = world.path("cloud.state");
    let cloud = scenario.cloud.then_some(&*cloud);
    audit(&Scene { data_dir, devices, cloud, passed, gap, device_keys, liars: false }, moment)
}

/// Adds what a process said passed.
pub(crate) fn note_passed(finished: &Finished, passed: &mut BTreeSet<String>) {
    // A process that was killed may have died in the middle of a line.
    let lines = finished.lines.iter().filter_map(|line| serde_json::from_str(line).ok());
    let units = lines.filter(|event: &serde_json::Value| event["outcome"] == "pass");
    passed.extend(units.filter_map(|unit| unit["serial"].as_str().map(str::to_owned)));
}

/// Whether one more line session began, and no attempt is open whose end needs no device.
fn has_started(data_dir: &Path, sessions: usize) -> bool {
    let read = || {
        let file = data_dir.join("ledger.db");
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let sql = "SELECT (SELECT count(*) FROM line_sessions) > ?1 AND NOT EXISTS
            (SELECT 1 FROM units WHERE open_position <> 'asked')";
        connection.query_row(sql, [sessions as i64], |row| row.get(0))
    };
    read().unwrap_or(false)
}

/// A turn among all tests of this process.
struct Turn;

static TURNS: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Turn {
    fn take() -> Self {
        let taken = TURNS.0.lock().unwrap();
        *TURNS.1.wait_while(taken, |taken| *taken >= AT_ONCE).unwrap() += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TURNS.0.lock().unwrap() -= 1;
        TURNS.1.notify_one();
    }
}
