//! Storms: many units over several slots, with faults drawn for wires, devices, the ledger's
//! disk and the process, until everything is done; an audit after each round.
//!
//! Everything that is drawn follows from the seed: which device has which fault, in which
//! round the station is cut off at which point, which sync of the ledger fails, whether the
//! power goes too. A seed that fails is printed, and `tests/soak --seed N` draws the same
//! again. What is not drawn is how slots interleave; with one slot nothing does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use provisioning_station::sim::{self, FaultSpec, Options, SimulatedSlot, Timings};

use super::auditor::model::{Model, Position};
use super::auditor::{Moment, Scene, audit};
use super::harness::note_passed;
use super::power::{self, Disk};
use super::support::{Finished, Process, label};
use super::world::World;

/// What is wrong with devices and their lines, in per cent of them.
const FAULTS: &str = "lossy=1@15%,drop=rx:5@4%,drop=tx:6@4%,corrupt=tx:7@4%,corrupt=rx:9@4%,\
    double=rx:8@4%,delay=tx:6:120@3%,power=2@3%,power=4@3%,power=7@3%,power=9@3%,\
    unplug=chunk:2@3%,replug=commit@3%,unplug=commit@2%,withhold=commit@3%,unplug=finish@2%,\
    replug=prove@2%,boot-noise@5%,usb-restart@5%,torn-write=2@2%,flash-full=512@1%,\
    lie-stored@1%,lie-key@1%";

/// Points at which the station is cut off: each that a unit passes once or more.
const POINTS: &[&str] = &[
    "record/begun",
    "recorded/begun",
    "record/issued",
    "recorded/issued",
    "record/commit-asked",
    "recorded/commit-asked",
    "record/proven",
    "recorded/proven",
    "record/ended",
    "recorded/ended",
    "send/identify",
    "received/begin",
    "sent/chunk",
    "received/chunk",
    "send/commit",
    "sent/commit",
    "received/commit",
    "sent/restart",
    "received/prove",
    "send/finish",
    "received/finish",
    "received/error",
];

/// A storm ends in the calm at the latest after so many rounds.
const ROUNDS: u64 = 40;

/// So many calm rounds must be enough for what a storm leaves.
const CALM: u64 = 8;

/// How long one round may take on a machine that does other things too.
const ROUND: Duration = Duration::from_secs(900);

/// Numbers that look random and follow from their seed.
struct Draw(u64);

impl Draw {
    fn of(seed: u64, what: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ what.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// One of so many, by splitmix64.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// What befalls one round.
#[derive(Debug, Clone, Default)]
struct Round {
    cut: Option<String>,
    /// Which sync of the ledger's log fails, counted from 1.
    failing_sync: Option<u64>,
    /// Whether what was never synced goes too, and every device's power.
    power: bool,
}

impl Round {
    fn draw(seed: u64, number: u64, units: u64) -> Self {
        let mut draw = Draw::of(seed, number);
        let name = POINTS[usize::try_from(draw.below(POINTS.len() as u64)).unwrap()];
        let cut = format!("{name}#{}", 1 + draw.below(units / 4 + 1));
        let failing_sync = 1 + draw.below(units);
        match draw.below(4) {
            0 => Self { failing_sync: Some(failing_sync), ..Self::default() },
            1 => Self { cut: Some(cut), power: true, ..Self::default() },
            _ => Self { cut: Some(cut), ..Self::default() },
        }
    }
}

/// A storm and where it stands.
struct Storm {
    seed: u64,
    units: usize,
    slots: Vec<String>,
    world: World,
    devices: Vec<SimulatedSlot>,
    passed: BTreeSet<String>,
    story: String,
    kills: usize,
    power_cuts: usize,
    failed_syncs: usize,
}

impl Storm {
    fn new(seed: u64, units: usize, slots: usize) -> Self {
        let world = World::with_slots(slots);
        let slots = (0..slots).map(|slot| char::from(b'A' + slot as u8).to_string()).collect();
        Self {
            seed,
            units,
            slots,
            world,
            devices: Vec::new(),
            passed: BTreeSet::new(),
            story: String::new(),
            kills: 0,
            power_cuts: 0,
            failed_syncs: 0,
        }
    }

    /// Goes through it; panics with the seed and the whole story where a promise breaks.
    fn rage(&mut self) {
        let (mut model, mut calm, mut last) = (Model::default(), 0, String::new());
        for number in 0..ROUNDS + CALM {
            let left = self.left(&model);
            if left.is_empty() {
                break;
            }
            let stormy = number < ROUNDS && left.len() * 20 > self.units;
            let round = match stormy {
                true => Round::draw(self.seed, number, self.units as u64),
                false => Round::default(),
            };
            calm += u64::from(!stormy);
            if calm > 1 {
                self.give_up(&model);
            }
            let mut labels = self.not_passed(&model);
            if calm > 1 {
                self.name_slots(&mut labels, &left, number);
            }
            let finished = self.play(&round, &labels);
            let killed = finished.status.signal() == Some(9);
            let _ = writeln!(
                self.story,
                "round {number}: {round:?}, {} left, ended by {}",
                left.len(),
                finished.status
            );
            note_passed(&finished, &mut self.passed);
            if killed {
                self.kills += 1;
                self.cut_power(round.power);
            }
            self.failed_syncs += usize::from(finished.code() == Some(4));
            let right = killed || matches!(finished.code(), Some(0 | 1));
            let right = right || round.failing_sync.is_some() && finished.code() == Some(4);
            self.assert(right, &finished.story());
            last = finished.story();
            model = self.audit(Moment::AsLeft);
        }
        let model = self.audit(Moment::Completed);
        let left = self.left(&model);
        self.assert(left.is_empty(), &format!("{left:?} are not proven; at last: {last}"));
    }

    /// Labels whose unit is not proven, or not done.
    fn left(&self, model: &Model) -> Vec<String> {
        let done = |serial: &String| {
            let unit = model.units.get(serial);
            unit.is_some_and(|unit| unit.proven.is_some() && unit.open.is_none())
        };
        (1..=self.units).map(label).filter(|serial| !done(serial)).collect()
    }

    /// Labels to scan: a unit that is proven and has not finished still sits in its slot.
    fn not_passed(&self, model: &Model) -> Vec<String> {
        let passed = |serial: &String| model.units.get(serial).is_some_and(|unit| unit.passed);
        (1..=self.units).map(label).filter(|serial| !passed(serial)).collect()
    }

    /// In the slot of a label that is left over may sit a device that was given up and still
    /// holds another unit's certificate: a person tries the slots one after the other.
    fn name_slots(&self, labels: &mut [String], left: &[String], number: u64) {
        let slots = self.slots.iter().cycle().skip(usize::try_from(number).unwrap());
        for (label, slot) in labels.iter_mut().filter(|label| left.contains(label)).zip(slots) {
            *label = format!("{slot}\t{label}");
        }
    }

    /// Devices that are lost with their certificate, perhaps: a person says so.
    fn give_up(&self, model: &Model) {
        for (serial, unit) in &model.units {
            if unit.open.as_ref().is_some_and(|open| open.position == Position::Asked) {
                let void = ["unit", "void", serial, "--reason", "device lost", "--by", "s04"];
                self.world.run(&void, 0);
            }
        }
    }

    fn play(&mut self, round: &Round, labels: &[String]) -> Finished {
        if self.devices.is_empty() {
            self.devices = self.slots.iter().map(|slot| self.plug(slot)).collect();
        }
        let file = self.world.path("serials.txt");
        fs::write(&file, labels.join("\n") + "\n").unwrap();
        let mut command = self.world.command(&["batch", "--serials", file.to_str().unwrap()]);
        let _ = fs::remove_dir_all(self.world.shadow());
        power::watch(&mut command, &self.world, Disk::Honest);
        if let Some(cut) = &round.cut {
            command.env("STATION_CUT", cut);
        }
        if let Some(sync) = round.failing_sync {
            command.env("POWER_FAIL", sync.to_string());
        }
        Process::start(command).finish(ROUND)
    }

    fn plug(&self, slot: &str) -> SimulatedSlot {
        let number = u64::from(slot.as_bytes()[0]);
        let options = Options {
            state_dir: Some(self.world.devices()),
            name: Some(slot.to_owned()),
            units: u32::try_from(self.units * 3).unwrap(),
            baud: 0,
            seed: Draw::of(self.seed, number << 32).below(u64::MAX),
            timings: Timings::INSTANT,
            faults: FaultSpec::parse(FAULTS).unwrap(),
            ..Options::new(self.world.path(&format!("slot-{slot}")))
        };
        sim::start(options).unwrap()
    }

    /// The power goes: of the devices, and with `all` of the station's disk too. Then the
    /// station starts with nothing in its slots.
    fn cut_power(&mut self, all: bool) {
        if !all {
            return;
        }
        self.power_cuts += 1;
        self.devices.clear();
        let dark = World::without_store(&self.world);
        power::restore(&self.world, &dark);
        fs::remove_dir_all(self.world.store()).unwrap();
        super::world::copy(&dark.store(), &self.world.store());
        self.audit(Moment::AsLeft);
        self.world.run(&["batch", "--serials", "/dev/null"], 0);
        self.audit(Moment::Started);
    }

    fn audit(&self, moment: Moment) -> Model {
        let (data_dir, devices) = (self.world.data_dir(), self.world.devices());
        let scene = Scene {
            data_dir: &data_dir,
            devices: &devices,
            cloud: None,
            passed: &self.passed,
            gap: false,
            device_keys: false,
            liars: true,
        };
        let report = audit(&scene, moment);
        self.assert(report.findings.is_empty(), &report.findings.join("\n"));
        report.model
    }

    #[track_caller]
    fn assert(&self, right: bool, why: &str) {
        let Self { seed, units, slots, story, .. } = self;
        let slots = slots.len();
        assert!(right, "tests/soak --seed {seed} --units {units} --slots {slots}\n{story}{why}");
    }

    fn summary(&self) -> String {
        let model = self.audit(Moment::Completed);
        let count = |state| model.certificates.values().filter(|one| one.state == state).count();
        format!(
            "storm {}: {} units over {} slots, {} kills, {} power cuts, {} failed syncs; \
             {} certificates proven, {} void, {} attempts",
            self.seed,
            self.units,
            self.slots.len(),
            self.kills,
            self.power_cuts,
            self.failed_syncs,
            count("proven"),
            count("void"),
            model.units.values().map(|unit| unit.attempts.len()).sum::<usize>(),
        )
    }
}

/// A number that `tests/soak` gives.
fn given(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn a_storm_breaks_no_promise() {
    let (first, storms) = (given("STORM_SEED", 20_261_125), given("STORM_COUNT", 1));
    for seed in first..first + storms {
        let units = usize::try_from(given("STORM_UNITS", 160)).unwrap();
        let slots = usize::try_from(given("STORM_SLOTS", 4)).unwrap();
        let mut storm = Storm::new(seed, units, slots);
        storm.rage();
        println!("{}", storm.summary());
        if storms == 1 && units >= 100 {
            assert!(storm.kills > 2, "{}", storm.summary());
        }
    }
}
