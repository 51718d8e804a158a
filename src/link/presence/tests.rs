//! Who counts as there, and as the one that came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::code::Code;
use crate::domain::device::Held;
use crate::domain::ids::{Fingerprint, ImageDigest};
use crate::driver::framed::test_device::{Bench, Fate, facts, senseless};
use crate::settings::PortSettings;
use crate::test_line::{Pty, WATCHDOG};

fn watch(path: &str, presence: PresenceBy) -> Watch {
    let port = PortSettings::new(path, 921_600);
    let slot = SlotLink { presence, arrival: Duration::ZERO, ..SlotLink::new(port) };
    Watch::new(slot, Stop::new(), Stop::new())
}

/// Polls until there is a device; what was seen on the way, in short.
fn wait_for_one(watch: &mut Watch) -> (Box<dyn Driver>, bool) {
    let until = Instant::now() + WATCHDOG;
    let mut same = false;
    while Instant::now() < until {
        match watch.poll().unwrap() {
            Presence::Here(driver, _) => return (driver, same),
            Presence::Same => same = true,
            Presence::Absent | Presence::Port | Presence::Denies(_) => {}
        }
    }
    panic!("no device came");
}

fn absent(watch: &mut Watch) -> bool {
    matches!(behind_the_port(watch), Ok(Presence::Absent))
}

/// What comes where somebody may have been asked: that the port is there is told before.
fn behind_the_port(watch: &mut Watch) -> Result<Presence, LinkError> {
    match watch.poll() {
        Ok(Presence::Port) => watch.poll(),
        told => told,
    }
}

fn id(number: u8) -> HardwareId {
    HardwareId::from_bytes(&[0xd0, 0, 0, number]).unwrap()
}

/// A bench whose devices change as `ids` say, one a request that is seen.
fn changing(ids: &[u8]) -> Bench {
    let left: Arc<Mutex<VecDeque<u8>>> = Arc::new(Mutex::new(ids.iter().copied().collect()));
    Bench::scripted(move |crossing| match crossing.is_request() {
        true => match left.lock().unwrap().pop_front() {
            Some(0) => Fate::Lose,
            Some(number) => Fate::Swap([0xd0, 0, 0, number]),
            None => Fate::Pass,
        },
        false => Fate::Pass,
    })
}

#[test]
fn with_port_an_openable_port_is_a_device_and_a_missing_one_is_none() {
    let mut nobody = watch("/dev/no-such-port", PresenceBy::Port);
    assert!(absent(&mut nobody));
    let bench = Bench::honest();
    let (driver, _) = wait_for_one(&mut watch(bench.path(), PresenceBy::Port));
    drop(driver);
    assert!(bench.crossings().is_empty(), "nothing was asked");
}

#[test]
fn a_port_that_another_has_is_an_error_and_tried_again() {
    let bench = Bench::honest();
    let mut first = watch(bench.path(), PresenceBy::Port);
    let mut second = watch(bench.path(), PresenceBy::Port);
    let (driver, _) = wait_for_one(&mut first);
    assert!(matches!(second.poll(), Err(LinkError::PortBusy { .. })));
    first.let_go(driver, None, None);
    wait_for_one(&mut second);
}

#[test]
fn the_device_that_is_done_is_not_taken_twice_and_the_next_one_is() {
    let bench = changing(&[1, 1, 1, 2]);
    let mut watch = watch(bench.path(), PresenceBy::Port);
    let (mut driver, _) = wait_for_one(&mut watch);
    assert_eq!(driver.identify().unwrap().hardware, id(1));
    watch.let_go(driver, Some(id(1)), None);
    assert_eq!(watch.done(), Some(id(1)));
    let (mut driver, same) = wait_for_one(&mut watch);
    assert!(same);
    assert_eq!(watch.done(), None);
    assert_eq!(driver.identify().unwrap().hardware, id(2));
}

#[test]
fn the_same_device_counts_again_after_a_long_silence() {
    // Each release asks once; then three unanswered in a row, and an answer.
    let mut ids = vec![1; 1 + RELEASES as usize];
    ids.extend([0, 0, 0, 1]);
    let bench = changing(&ids);
    let mut watch = watch(bench.path(), PresenceBy::Port);
    let (mut driver, _) = wait_for_one(&mut watch);
    assert_eq!(driver.identify().unwrap().hardware, id(1));
    watch.let_go(driver, Some(id(1)), None);
    let (_driver, same) = wait_for_one(&mut watch);
    assert!(same);
    assert!(bench.crossings().iter().filter(|c| c.is_request()).count() >= ids.len());
}

#[test]
fn silence_right_after_a_release_does_not_count() {
    let bench = changing(&[1, 0, 0, 0, 0, 0, 0, 1, 2]);
    let mut watch = watch(bench.path(), PresenceBy::Port);
    let (mut driver, _) = wait_for_one(&mut watch);
    driver.identify().unwrap();
    watch.let_go(driver, Some(id(1)), None);
    wait_for_one(&mut watch);
    // Opening may have reset it: that the same one answers then is nothing new.
    assert_eq!(bench.crossings().iter().filter(|c| c.is_request()).count(), 9);
}

#[test]
fn the_same_device_counts_at_once_where_a_unit_is_to_be_tried_again() {
    let bench = changing(&[1]);
    let mut watch = watch(bench.path(), PresenceBy::Port);
    let (mut driver, _) = wait_for_one(&mut watch);
    driver.identify().unwrap();
    watch.let_go(driver, Some(id(1)), None);
    watch.welcome_again();
    let (_driver, same) = wait_for_one(&mut watch);
    assert!(!same);
}

#[test]
fn with_poll_only_an_answer_is_a_device() {
    let bench = changing(&[0, 0, 1]);
    let mut watch = watch(bench.path(), PresenceBy::Poll);
    assert!(absent(&mut watch));
    wait_for_one(&mut watch);
    assert_eq!(bench.crossings().iter().filter(|c| c.is_request()).count(), 3);
}

#[test]
fn with_poll_a_waiting_device_goes_by_silence_and_changes_by_its_id() {
    let bench = changing(&[1, 2, 0, 0, 0]);
    let mut watch = watch(bench.path(), PresenceBy::Poll);
    let (mut driver, _) = wait_for_one(&mut watch);
    let until = Instant::now() + WATCHDOG;
    let mut seen = Vec::new();
    while seen.last() != Some(&Still::Gone) && Instant::now() < until {
        let still = watch.still_here(driver.as_mut(), Some(&id(1))).unwrap();
        if still != Still::Here {
            seen.push(still);
        }
    }
    let Still::Another(other) = &seen[0] else { panic!("{seen:?}") };
    assert_eq!(other.hardware, id(2));
}

#[test]
fn a_device_that_was_seen_by_asking_need_not_be_asked_again() {
    let bench = Bench::honest();
    let mut watch = watch(bench.path(), PresenceBy::Poll);
    let until = Instant::now() + WATCHDOG;
    let (mut driver, answered) = loop {
        assert!(Instant::now() < until, "no device came");
        if let Presence::Here(driver, answered) = watch.poll().unwrap() {
            break (driver, answered.expect("it was asked"));
        }
    };
    assert_eq!(answered.seen, driver.identify().unwrap());
}

#[test]
fn a_port_that_is_there_is_told_before_anybody_is_asked() {
    let pty = Pty::open();
    for presence in [PresenceBy::Poll, PresenceBy::Cts] {
        let mut watch = watch(&pty.path(), presence);
        assert!(matches!(watch.poll(), Ok(Presence::Port)), "{presence:?}");
        drop(watch);
    }
    let mut watch = watch(&pty.path(), PresenceBy::Poll);
    assert!(matches!(watch.poll(), Ok(Presence::Port)));
    assert!(pty.receive(Duration::ZERO).is_empty());
    assert!(absent(&mut watch), "told once");
    assert!(!pty.receive(Duration::ZERO).is_empty(), "and then somebody is asked");
}

#[test]
fn a_port_that_comes_with_its_device_says_nothing_of_it() {
    let bench = Bench::honest();
    let mut watch = watch(bench.path(), PresenceBy::Port);
    assert!(matches!(watch.poll().unwrap(), Presence::Here(_, None)));
}

#[test]
fn a_port_that_goes_while_a_device_waits_is_gone() {
    let bench = Bench::honest();
    let mut watch = watch(bench.path(), PresenceBy::Port);
    let (mut driver, _) = wait_for_one(&mut watch);
    assert_eq!(watch.still_here(driver.as_mut(), None).unwrap(), Still::Here);
    drop(bench);
    // The kernel takes a moment to tell.
    while watch.still_here(driver.as_mut(), None).unwrap() == Still::Here {}
    watch.let_go(driver, None, None);
    assert!(absent(&mut watch));
}

#[test]
fn a_port_without_modem_lines_can_show_nobody_by_them() {
    let bench = Bench::new(facts(), Default::default(), |_| Fate::Pass);
    let mut watch = watch(bench.path(), PresenceBy::Cts);
    assert!(matches!(behind_the_port(&mut watch), Err(LinkError::PortOpen { .. })));
}

#[test]
fn a_stop_ends_the_watch() {
    let stop = Stop::new();
    let slot = SlotLink::new(PortSettings::new("/dev/no-such-port", 9600));
    let mut watch = Watch::new(slot, stop.clone(), Stop::new());
    stop.set();
    assert!(matches!(watch.poll(), Err(LinkError::Stopped)));
}

#[test]
fn a_device_that_passed_and_denies_it_while_it_remains_is_told_once() {
    let bench = Bench::honest();
    let mut watch = watch(bench.path(), PresenceBy::Port);
    let (mut driver, _) = wait_for_one(&mut watch);
    let blank = driver.identify().unwrap();
    let held = Held { certificate: Fingerprint::new([1; 32]), image: ImageDigest::new([2; 32]) };
    let passed = Seen { holds: Some(held), ..blank };
    watch.let_go(driver, Some(passed.hardware.clone()), Some(passed));
    let (mut told, mut same) = (0, 0);
    while told + same < RELEASES + 2 {
        match watch.poll().unwrap() {
            Presence::Denies(says) => {
                assert_eq!(says.unwrap().holds, None);
                told += 1;
            }
            Presence::Same => same += 1,
            _ => panic!("it stands there"),
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn a_device_that_passed_and_answers_without_sense_is_the_same_and_no_next_one() {
    let mut asked = 0;
    let bench = Bench::scripted(move |crossing| {
        asked += u32::from(crossing.is_request());
        match crossing.is_request() && asked > 1 {
            true => senseless(),
            false => Fate::Pass,
        }
    });
    let mut watch = watch(bench.path(), PresenceBy::Poll);
    let (mut driver, says) = match behind_the_port(&mut watch).unwrap() {
        Presence::Here(driver, says) => (driver, says),
        _ => panic!("it answers"),
    };
    let passed = says.unwrap().seen;
    assert_eq!(driver.probe().unwrap_err().code(), Code::DevMalformed);
    watch.let_go(driver, Some(passed.hardware.clone()), Some(passed));
    let (mut told, mut same) = (0, 0);
    while told + same < RELEASES + 2 {
        match watch.poll().unwrap() {
            Presence::Denies(says) => {
                assert_eq!(says.unwrap_err().code(), Code::DevMalformed);
                told += 1;
            }
            Presence::Same => same += 1,
            _ => panic!("it stands there"),
        }
    }
    assert_eq!(told, 1);
}
