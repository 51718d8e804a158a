//! Devices that are taken out and put back by hand, in process and over the socket.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use firmware_interface::message::IdentifyReply;

use super::super::control::{Order, socket_of, tell};
use super::super::hands::{Act, HandError, Workbench};
use super::super::options::Stay;
use super::bench::Bench;
use super::host::{Host, Identity, PATIENCE, Proven, Trouble};
use crate::fault::FaultSpec;
use crate::options::Options;
use crate::slot::{SimulatedSlot, start};
use crate::timings::Timings;

const OUT: Act = Act::TakeOut { comes_back: true };

/// Two slots beside one bench, with so many devices each.
struct Pair {
    folder: tempfile::TempDir,
    slots: [SimulatedSlot; 2],
    bench: Workbench,
}

impl Pair {
    fn new(units: u32, change: impl Fn(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Workbench::default();
        let slot = |name: &str| {
            let mut options = Options::new(folder.path().join(name));
            (options.baud, options.timings, options.units) = (0, Timings::INSTANT, units);
            (options.bench, options.control) = (Some(bench.clone()), true);
            change(&mut options);
            start(options).unwrap()
        };
        let slots = [slot("a"), slot("b")];
        Self { folder, slots, bench }
    }

    fn link(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Who is in the slot.
    fn look(&self, slot: usize) -> IdentifyReply {
        self.slots[slot].wait_until(PATIENCE, |state| state.plugged).unwrap();
        let mut station = Host::open(self.slots[slot].link());
        station.new_session();
        station.identify().unwrap()
    }
}

#[test]
fn a_device_that_was_taken_out_is_back_with_what_it_holds() {
    let bench = Bench::with(|options| options.units = 2);
    let identity = Identity::number(1);
    let mut station = bench.open(1);
    let before = station.burn(&identity).unwrap();
    let hand = bench.slot().handle();
    hand.act(OUT).unwrap();
    station.identify_until(&Trouble::Unplugged);
    drop(station);
    assert!(fs::symlink_metadata(bench.link()).is_err(), "the slot stays empty");
    assert_eq!(hand.act(OUT), Err(HandError::Empty));
    hand.act(Act::PutIn(None)).unwrap();
    assert_eq!(hand.act(Act::PutIn(None)), Err(HandError::NothingAside));
    assert_eq!(hand.act(Act::Next), Err(HandError::Taken));
    let mut station = Host::open(&bench.link());
    station.new_session();
    assert_eq!(station.identify().unwrap().hardware_id, before.hardware_id);
    assert_eq!(station.verify(&identity, &before), Ok(Proven::WELL));
    station.finish().unwrap();
    drop(station);
    // It was counted when it was taken out, and not again.
    let state = bench.slot().wait_until(PATIENCE, |state| state.unit == 2 && state.plugged);
    assert_eq!(state.unwrap().done, 1);
}

#[test]
fn a_device_moves_to_another_slot_and_what_was_there_lies_on_the_bench() {
    let pair = Pair::new(1, |_| {});
    let (first, second) = (pair.look(0).hardware_id, pair.look(1).hardware_id);
    pair.bench.carry(&pair.link("a"), &pair.link("b")).unwrap();
    assert_eq!(pair.look(1).hardware_id, first);
    assert_eq!(pair.bench.units().len(), 1);
    pair.slots[0].handle().act(Act::PutIn(None)).unwrap();
    assert_eq!(pair.look(0).hardware_id, second);
    let nowhere = pair.bench.carry(&pair.link("a"), &pair.link("c"));
    assert_eq!(nowhere, Err(HandError::OtherBench));
    assert_eq!(pair.look(0).hardware_id, second, "and it was not even taken out");
}

#[test]
fn the_next_device_is_a_blank_one_from_the_box_and_then_from_the_bench() {
    let pair = Pair::new(1, |_| {});
    let hand = pair.slots[0].handle();
    let mut station = Host::open(pair.slots[0].link());
    station.burn(&Identity::number(1)).unwrap();
    hand.act(OUT).unwrap();
    drop(station);
    assert_eq!(hand.act(Act::Next), Err(HandError::NoneLeft), "one that holds an identity waits");
    let blank = pair.look(1).hardware_id;
    pair.slots[1].handle().act(OUT).unwrap();
    hand.act(Act::Next).unwrap();
    assert_eq!(pair.look(0).hardware_id, blank);
}

#[test]
fn what_withholds_its_proof_once_gives_it_after_it_was_put_back() {
    let spec = FaultSpec::parse("withhold-once=prove").unwrap();
    let bench = Bench::with(|options| options.faults = spec);
    let identity = Identity::number(1);
    let mut station = bench.open(1);
    let before = station.burn(&identity).unwrap();
    assert_eq!(station.verify(&identity, &before), Err(Trouble::Silence));
    let hand = bench.slot().handle();
    hand.act(OUT).unwrap();
    drop(station);
    hand.act(Act::PutIn(None)).unwrap();
    let mut station = Host::open(&bench.link());
    station.new_session();
    station.identify().unwrap();
    assert_eq!(station.verify(&identity, &before), Ok(Proven::WELL));
}

#[test]
fn what_lies_on_the_bench_is_there_after_the_simulator_was_restarted() {
    let mut bench = Bench::with(|_| {});
    let identity = Identity::number(1);
    let before = bench.open(1).burn(&identity).unwrap();
    bench.slot().handle().act(OUT).unwrap();
    bench.stop();
    bench.start(|_| {});
    assert_eq!(bench.slot().state().unit, 2);
    bench.slot().handle().act(Act::PutIn(None)).unwrap();
    let mut station = Host::open(&bench.link());
    station.identify().unwrap();
    assert_eq!(station.verify(&identity, &before), Ok(Proven::WELL));
    station.finish().unwrap();
    drop(station);
    bench.slot().wait_until(PATIENCE, |state| !state.plugged).unwrap();
    bench.stop();
    bench.start(|_| {});
    assert_eq!(bench.slot().handle().act(Act::PutIn(None)), Err(HandError::NothingAside));
}

#[test]
fn a_device_that_is_done_stays_until_it_is_taken_out() {
    let bench = Bench::with(|options| (options.units, options.stay) = (2, Stay::UntilTaken));
    let mut station = bench.open(1);
    station.provision(&Identity::number(1)).unwrap();
    drop(station);
    let mut station = bench.open(1);
    station.new_session();
    assert!(station.identify().unwrap().holds_identity());
    drop(station);
    let hand = bench.slot().handle();
    hand.act(Act::TakeOut { comes_back: false }).unwrap();
    hand.act(Act::Next).unwrap();
    let mut station = bench.open(2);
    assert!(!station.identify().unwrap().holds_identity());
    assert_eq!(hand.act(Act::PutIn(None)), Err(HandError::NothingAside));
}

#[test]
fn a_device_stays_for_a_time_whoever_holds_its_port() {
    let stay = Stay::For(Duration::from_millis(50));
    let bench = Bench::with(|options| (options.units, options.stay) = (2, stay));
    let mut station = bench.open(1);
    station.provision(&Identity::number(1)).unwrap();
    // The port is held, and the device answers until it is gone.
    station.identify_until(&Trouble::Unplugged);
    drop(station);
    bench.open(2);
}

#[test]
fn another_process_moves_devices_over_the_socket() {
    let pair = Pair::new(1, |_| {});
    let (a, b) = (pair.link("a"), pair.link("b"));
    let first = pair.look(0).hardware_id;
    assert_eq!(tell(&a, &Order::Move(b.clone())).unwrap().number, 1);
    assert_eq!(pair.look(1).hardware_id, first);
    let refused = tell(&a, &Order::Pull).unwrap_err().to_string();
    assert_eq!(refused, "the slot is empty");
    tell(&a, &Order::Put).unwrap();
    drop(pair);
    let gone = tell(&a, &Order::Put).unwrap_err().to_string();
    assert!(gone.contains("no simulated device listens"), "{gone}");
    assert!(fs::symlink_metadata(socket_of(&a)).is_err());
}

#[test]
fn who_says_nothing_or_too_much_on_the_socket_is_answered_or_left() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let pair = Pair::new(1, |_| {});
    let connect = || UnixStream::connect(socket_of(&pair.link("a"))).unwrap();
    let mut talker = connect();
    let _ = talker.write_all(&vec![b'x'; 100_000]);
    let mut told = String::new();
    let _ = talker.read_to_string(&mut told);
    let _silent = connect();
    // It waits for the silent one's time to be over, and is served.
    assert_eq!(tell(&pair.link("a"), &Order::Pull).unwrap().number, 1);
}
