//! A batch killed at random instants, and the same batch again, until all is done.

use std::collections::BTreeMap;
use std::time::Duration;

use provisioning_station::sim::{self, Options, SimulatedSlot, Timings, held_identity};

use super::support::{Factory, Finished, LONG, Ledger, Plan, label, labels};

const SLOTS: [&str; 4] = ["A", "B", "C", "D"];
/// A few more devices than labels, so that no port is ever gone for good.
const UNITS_A_SLOT: u32 = 7;
const UNITS: usize = 24;

/// Rounds that are cut off before the batch may run to its end.
const ROUNDS: usize = 12;

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Devices slow enough that a cut falls into every step of a unit now and then.
fn plug_in(factory: &Factory) -> Vec<SimulatedSlot> {
    let plug = |slot: &&str| {
        let options = factory.options(slot, UNITS_A_SLOT);
        sim::start(Options { baud: 115_200, timings: Timings::default(), ..options }).unwrap()
    };
    SLOTS.iter().map(plug).collect()
}

/// Starts the batch and kills it: some time after its first unit has ended, or after it
/// was started, whichever the chance says. What it said, if it ended before.
fn cut_off(factory: &Factory, round: usize, chance: &mut Chance) -> Option<Finished> {
    let mut batch = factory.start_batch(&labels(UNITS));
    // In the first round surely while units are under way.
    let (after_a_unit, wait) = match round {
        0 => (true, 100),
        _ => (chance.below(2) == 0, chance.below(600)),
    };
    if after_a_unit {
        let _ = batch.line(LONG);
    }
    let ended = batch.ends_within(Duration::from_millis(wait));
    let finished = if ended { batch.finish(LONG) } else { batch.kill() };
    let others = finished.units().into_iter().filter(|unit| {
        let proven = unit["code"] == "E-UNIT-PROVEN";
        unit["outcome"] != "pass" && !proven
    });
    assert_eq!(others.count(), 0, "{}", finished.story());
    ended.then_some(finished)
}

#[test]
fn a_batch_killed_again_and_again_provisions_every_unit_once() {
    let factory = Factory::with_slots(SLOTS.len());
    let slots = plug_in(&factory);
    let mut chance = Chance(20_260_724);
    let mut last = None;
    for round in 0..ROUNDS {
        last = cut_off(&factory, round, &mut chance);
        if Ledger::file(&factory.data_dir()).exists() {
            factory.verify();
        }
        assert_no_torn_device(&factory, round);
        if last.is_some() {
            break;
        }
    }
    let last = last.unwrap_or_else(|| factory.batch(&labels(UNITS))).expect(0);
    let summary = last.summary();
    let done = summary["passed"].as_u64().unwrap() + summary["already_proven"].as_u64().unwrap();
    assert_eq!(done, UNITS as u64, "{}", last.story());
    assert_all_done(&factory, &slots);
}

/// At any instant a device holds nothing, or a certificate that the ledger knows and that
/// is not void.
#[track_caller]
fn assert_no_torn_device(factory: &Factory, round: usize) {
    if !factory.devices_dir().exists() || !Ledger::file(&factory.data_dir()).exists() {
        return;
    }
    let rows = factory.ledger().certificates();
    for (file, held) in super::support::keys::held_under(&factory.devices_dir()) {
        let row = rows.iter().find(|row| row.der == held.certificate);
        let row = row.unwrap_or_else(|| panic!("round {round}: {file:?} holds an unknown one"));
        assert_eq!(row.image, held.digest, "round {round}: {file:?}");
        assert!(["uncertain", "proven"].contains(&row.state.as_str()), "round {round}: {row:?}");
    }
}

#[track_caller]
fn assert_all_done(factory: &Factory, slots: &[SimulatedSlot]) {
    let ledger = factory.ledger();
    let mut proven = BTreeMap::new();
    for row in ledger.in_state("proven") {
        let before = proven.insert(row.serial.clone(), row);
        assert!(before.is_none(), "{before:?} is proven twice");
    }
    let serials: Vec<_> = (1..=UNITS).map(label).collect();
    assert_eq!(proven.keys().cloned().collect::<Vec<_>>(), serials);
    for row in ledger.certificates() {
        assert!(["proven", "void"].contains(&row.state.as_str()), "{row:?}");
    }
    let mut held = Vec::new();
    for slot in slots {
        for unit in 1..=UNITS_A_SLOT {
            let file = slot.flash_file(unit).unwrap();
            held.extend(file.exists().then(|| held_identity(&file).unwrap()).flatten());
        }
    }
    let mut on_devices: Vec<_> =
        held.into_iter().map(|held| (held.certificate, held.digest.to_vec())).collect();
    let mut in_ledger: Vec<_> = proven.into_values().map(|row| (row.der, row.image)).collect();
    on_devices.sort();
    in_ledger.sort();
    assert!(on_devices == in_ledger, "devices hold other identities than the ledger says");
    assert_eq!(ledger.count("SELECT count(*) FROM attempts WHERE outcome = 'running'"), 0);
    assert_eq!(ledger.count("SELECT count(*) FROM attempts WHERE ended_us IS NULL"), 0);
    assert_eq!(ledger.count("SELECT count(*) FROM units WHERE open_position IS NOT NULL"), 0);
    let cut = ledger.count("SELECT count(*) FROM attempts WHERE outcome = 'interrupted'");
    assert!(cut > 0, "no attempt was ever cut off: the kills came at the wrong times");
    factory.verify();
}

#[test]
fn a_lock_of_a_line_that_was_killed_is_free_again() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 2);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    batch.say(&(label(1) + "\n"));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    batch.kill();
    assert_eq!(factory.batch(&(label(2) + "\n")).expect(0).summary()["passed"], 1);
}

#[test]
fn a_unit_cut_off_before_its_commit_is_void_and_passes_the_next_time() {
    use super::support::{Count, Tell};
    use firmware_interface::ids::RequestType;
    let factory = Factory::with(&Plan { baud: 9_600, ..Plan::default() });
    let count = Count::default();
    let recorder = Some(Box::new(Tell(count.clone())) as Box<_>);
    let options = Options { baud: 9_600, recorder, ..factory.options("A", 1) };
    let _device = sim::start(options).unwrap();
    let batch = factory.start_batch(&labels(1));
    count.wait_for(RequestType::Chunk, 2, LONG);
    batch.kill();
    assert_eq!(factory.show(&label(1))["state"], "issued");
    let finished = factory.batch(&labels(1)).expect(0);
    let unit = finished.unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &2.into()));
    let states: Vec<_> = factory.ledger().certificates().into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["void", "proven"]);
}

#[test]
fn a_unit_cut_off_after_its_commit_is_uncertain_and_resumed_without_its_scan() {
    use super::support::{Count, Tell};
    use firmware_interface::ids::RequestType;
    let factory = Factory::usual();
    let count = Count::default();
    let recorder = Some(Box::new(Tell(count.clone())) as Box<_>);
    let timings = Timings { commit: Duration::from_millis(400), ..Timings::INSTANT };
    let _device = sim::start(Options { timings, recorder, ..factory.options("A", 1) }).unwrap();
    let batch = factory.start_batch(&labels(1));
    count.wait_for(RequestType::Commit, 1, LONG);
    batch.kill();
    assert_eq!(factory.show(&label(1))["state"], "uncertain");
    // No scan at all: the device brings its unit.
    let finished = factory.batch("").expect(0);
    let unit = finished.unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["resumed"]), (&"pass".into(), &true.into()), "{unit}");
    assert_eq!(factory.show(&label(1))["state"], "proven");
    assert_eq!(factory.ledger().certificates().len(), 1);
}
