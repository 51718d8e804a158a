//! How a slot sees its devices come and go.
//!
//! The slot's thread owns the loop and calls [`Watch::poll`] while there is no device,
//! [`Watch::still_here`] while one waits for its scan, and [`Watch::let_go`] when a unit
//! is done. None of them takes much longer than a tenth of a second.
//!
//! A port is released after each unit, since fixtures and simulators change devices
//! then. Where the port itself never goes, because the adapter belongs to the fixture,
//! the device that was done is told from the next one by its hardware id, or by a pause
//! in which nobody answers. Nothing here judges a device.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::driver::{self, Driver};
use super::port::{self, InputLine, Port};
use super::settings::{PresenceBy, SlotLink};
use super::{LinkError, Stop, discovery};
use crate::domain::device::Seen;
use crate::domain::ids::HardwareId;

/// How long one look at an absent or waiting device takes.
const LOOK: Duration = Duration::from_millis(50);

/// How long one look at a waiting device takes: a scan must not wait for it.
const GLANCE: Duration = Duration::from_millis(2);

/// How often a device that gives no sign of its own is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// So many unanswered questions in a row mean that the device is gone.
const SILENT_ASKS: u32 = 3;

/// The port stays closed so long after a unit, twice as long each time the same device
/// still answers, so that whoever changes devices on a closed port gets to see one.
const FIRST_RELEASE: Duration = Duration::from_millis(5);

/// How often the port is released so.
const RELEASES: u32 = 6;

/// What is in the slot.
pub enum Presence {
    /// Nothing.
    Absent,
    /// The device that was let go of has not gone yet.
    Same,
    /// A device, or a port behind which one may be.
    Here(Box<dyn Driver>),
}

/// Whether the device that waits is still the one that came.
#[derive(Debug, PartialEq, Eq)]
pub enum Still {
    /// As far as can be told.
    Here,
    /// It is gone; drop its driver.
    Gone,
    /// Another one answers in its place, at the same driver.
    Another(Seen),
}

/// What tells one appearance of a port from the next: device, inode and change time of
/// the path itself, and the device that it leads to.
type Appearance = (u64, u64, i64, i64, u64);

fn appearance(port: &str) -> Option<Appearance> {
    let path = discovery::resolve(port).ok()?;
    let own = fs::symlink_metadata(&path).ok()?;
    let target = fs::metadata(&path).ok()?;
    Some((own.dev(), own.ino(), own.ctime(), own.ctime_nsec(), target.rdev()))
}

/// The port between two devices.
enum Door {
    Closed { pause: Duration },
    Open { driver: Box<dyn Driver>, ask_at: Instant },
}

/// Who counts as a device that comes.
enum Awaited {
    /// Whoever is there, as its port or line shows it.
    Anybody,
    /// Whoever answers: the fixture's own port shows nothing.
    AnAnswer,
    /// Whoever is not the device that was let go of.
    AnotherThan(HardwareId),
}

/// Watches one slot.
pub struct Watch {
    slot: SlotLink,
    waiting: Stop,
    working: Stop,
    door: Door,
    awaited: Awaited,
    /// The port as it was when it was let go of.
    appeared: Option<Appearance>,
    releases: u32,
    silent: u32,
    /// How long to wait before a port that is missing is looked for again.
    patience: Duration,
    asked: Instant,
}

impl Watch {
    /// A watch over one slot. `waiting` ends the watch itself; `working` ends what the
    /// drivers do that it hands out.
    pub fn new(slot: SlotLink, waiting: Stop, working: Stop) -> Self {
        Self {
            slot,
            waiting,
            working,
            door: Door::Closed { pause: Duration::ZERO },
            awaited: Awaited::Anybody,
            appeared: None,
            releases: 0,
            silent: 0,
            patience: LOOK,
            asked: Instant::now(),
        }
    }

    /// Looks once whether a device has come.
    ///
    /// An error of the port is told each time; the next call tries again.
    pub fn poll(&mut self) -> Result<Presence, LinkError> {
        let closed = Door::Closed { pause: LOOK };
        match std::mem::replace(&mut self.door, closed) {
            Door::Closed { pause } => {
                port::pause(pause, &self.waiting, None)?;
                self.open()
            }
            Door::Open { driver, ask_at } => self.wait_at_open(driver, ask_at),
        }
    }

    /// Looks once whether the device that waits at `driver` is still there.
    pub fn still_here(
        &mut self,
        driver: &mut dyn Driver,
        known: Option<&HardwareId>,
    ) -> Result<Still, LinkError> {
        let looked = match self.line() {
            Some(line) => {
                driver.level(line).map(|held| if held { Still::Here } else { Still::Gone })
            }
            None if self.slot.presence == PresenceBy::Poll => self.ask_waiting(driver, known),
            None => Ok(Still::Here),
        };
        let waited = driver.idle(GLANCE);
        match looked.and_then(|still| waited.map(|()| still)) {
            Err(LinkError::Unplugged { .. }) => Ok(Still::Gone),
            outcome => outcome,
        }
    }

    /// Releases the port. The device that is `done` must go before it counts as one that
    /// comes; one that never said who it is counts again when it answers, or when its port
    /// is a new one.
    pub fn let_go(&mut self, driver: Box<dyn Driver>, done: Option<HardwareId>) {
        self.appeared = appearance(&self.slot.port.path);
        drop(driver);
        self.releases = RELEASES;
        self.silent = 0;
        self.awaited = done.map_or(Awaited::AnAnswer, Awaited::AnotherThan);
        self.patience = FIRST_RELEASE;
        self.door = Door::Closed { pause: FIRST_RELEASE };
    }

    /// Has the device that was let go of count again, for a unit to be tried once more.
    pub fn welcome_again(&mut self) {
        self.awaited = Awaited::Anybody;
    }

    /// The device that was worked on and must leave before another one is taken.
    pub fn done(&self) -> Option<HardwareId> {
        match &self.awaited {
            Awaited::AnotherThan(done) => Some(done.clone()),
            Awaited::Anybody | Awaited::AnAnswer => None,
        }
    }

    fn line(&self) -> Option<InputLine> {
        match self.slot.presence {
            PresenceBy::Cts => Some(InputLine::Cts),
            PresenceBy::Dsr => Some(InputLine::Dsr),
            PresenceBy::Dcd => Some(InputLine::Dcd),
            PresenceBy::Port | PresenceBy::Poll => None,
        }
    }

    fn open(&mut self) -> Result<Presence, LinkError> {
        if !self.takes_anybody() && appearance(&self.slot.port.path) != self.appeared {
            self.awaited = Awaited::Anybody;
        }
        match Port::open(self.slot.port.clone(), self.working.clone()) {
            Ok(port) => {
                let driver = driver::over(port, &self.slot)?;
                self.look(driver)
            }
            Err(LinkError::PortMissing { .. }) => {
                self.nobody();
                Ok(Presence::Absent)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits a slice at an open port, or asks where that is due.
    fn wait_at_open(
        &mut self,
        mut driver: Box<dyn Driver>,
        ask_at: Instant,
    ) -> Result<Presence, LinkError> {
        port::pause(Duration::ZERO, &self.waiting, None)?;
        let left = ask_at.saturating_duration_since(Instant::now());
        match driver.idle(left.min(LOOK)) {
            Err(LinkError::Unplugged { .. }) => {
                self.nobody();
                Ok(Presence::Absent)
            }
            Err(error) => Err(error),
            Ok(()) if left > LOOK => {
                self.door = Door::Open { driver, ask_at };
                Ok(self.nothing_new())
            }
            Ok(()) => self.look(driver),
        }
    }

    fn look(&mut self, driver: Box<dyn Driver>) -> Result<Presence, LinkError> {
        match self.line() {
            Some(line) => self.look_at_line(driver, line),
            None if self.slot.presence == PresenceBy::Port && self.takes_anybody() => {
                Ok(self.here(driver))
            }
            None => self.ask_who_is_there(driver),
        }
    }

    fn look_at_line(
        &mut self,
        mut driver: Box<dyn Driver>,
        line: InputLine,
    ) -> Result<Presence, LinkError> {
        match driver.level(line) {
            Ok(true) if self.takes_anybody() => return Ok(self.here(driver)),
            Ok(true) => {}
            Ok(false) => self.awaited = Awaited::Anybody,
            Err(LinkError::Unplugged { .. }) => {
                self.nobody();
                return Ok(Presence::Absent);
            }
            Err(error) => return Err(error),
        }
        self.door = Door::Open { driver, ask_at: Instant::now() + LOOK };
        Ok(self.nothing_new())
    }

    fn ask_who_is_there(&mut self, mut driver: Box<dyn Driver>) -> Result<Presence, LinkError> {
        match driver.probe() {
            Ok(Some(seen)) if self.is_done(&seen) => {
                self.silent = 0;
                Ok(self.ask_again_later(driver))
            }
            Ok(Some(_)) => Ok(self.here(driver)),
            Ok(None) => {
                self.count_silence();
                Ok(self.ask_again_later(driver))
            }
            Err(LinkError::Unplugged { .. }) => {
                self.nobody();
                Ok(Presence::Absent)
            }
            Err(LinkError::Stopped) => Err(LinkError::Stopped),
            // It has been told what is wrong with it, and must change before it is told again.
            Err(_) if matches!(self.awaited, Awaited::AnAnswer) => Ok(self.ask_again_later(driver)),
            // Somebody is there; identifying it properly will say what is wrong.
            Err(_) => Ok(self.here(driver)),
        }
    }

    fn takes_anybody(&self) -> bool {
        matches!(self.awaited, Awaited::Anybody)
    }

    fn is_done(&self, seen: &Seen) -> bool {
        matches!(&self.awaited, Awaited::AnotherThan(done) if *done == seen.hardware)
    }

    /// Silence counts only at a port that stays open: opening one may reset the device.
    fn count_silence(&mut self) {
        if self.releases == 0 {
            self.silent += 1;
        }
        if self.silent >= SILENT_ASKS {
            self.awaited = Awaited::AnAnswer;
        }
    }

    fn ask_again_later(&mut self, driver: Box<dyn Driver>) -> Presence {
        if self.releases > 0 && matches!(self.awaited, Awaited::AnotherThan(_)) {
            drop(driver);
            let pause = FIRST_RELEASE * 2_u32.pow(RELEASES - self.releases);
            self.releases -= 1;
            self.door = Door::Closed { pause };
        } else {
            self.door = Door::Open { driver, ask_at: Instant::now() + ASK_EVERY };
        }
        self.nothing_new()
    }

    fn nothing_new(&self) -> Presence {
        match self.awaited {
            Awaited::AnotherThan(_) => Presence::Same,
            Awaited::Anybody | Awaited::AnAnswer => Presence::Absent,
        }
    }

    fn here(&mut self, driver: Box<dyn Driver>) -> Presence {
        self.awaited = Awaited::Anybody;
        self.silent = 0;
        self.asked = Instant::now();
        Presence::Here(driver)
    }

    /// The port itself is gone: whoever comes next is new. Right after a unit the next
    /// one may come soon; later there is time.
    fn nobody(&mut self) {
        self.awaited = Awaited::Anybody;
        self.silent = 0;
        self.door = Door::Closed { pause: self.patience };
        self.patience = LOOK.min(self.patience * 2);
    }

    fn ask_waiting(
        &mut self,
        driver: &mut dyn Driver,
        known: Option<&HardwareId>,
    ) -> Result<Still, LinkError> {
        if self.asked.elapsed() < ASK_EVERY {
            return Ok(Still::Here);
        }
        self.asked = Instant::now();
        let seen = driver.probe()?;
        self.silent = if seen.is_some() { 0 } else { self.silent + 1 };
        match seen {
            Some(seen) if known.is_some_and(|known| *known != seen.hardware) => {
                Ok(Still::Another(seen))
            }
            None if self.silent >= SILENT_ASKS => Ok(Still::Gone),
            _ => Ok(Still::Here),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::super::driver::framed::test_device::{Bench, Fate, facts};
    use super::super::settings::PortSettings;
    use super::super::test_line::WATCHDOG;
    use super::*;

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
                Presence::Here(driver) => return (driver, same),
                Presence::Same => same = true,
                Presence::Absent => {}
            }
        }
        panic!("no device came");
    }

    fn absent(watch: &mut Watch) -> bool {
        matches!(watch.poll(), Ok(Presence::Absent))
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
        first.let_go(driver, None);
        wait_for_one(&mut second);
    }

    #[test]
    fn the_device_that_is_done_is_not_taken_twice_and_the_next_one_is() {
        let bench = changing(&[1, 1, 1, 2]);
        let mut watch = watch(bench.path(), PresenceBy::Port);
        let (mut driver, _) = wait_for_one(&mut watch);
        assert_eq!(driver.identify().unwrap().hardware, id(1));
        watch.let_go(driver, Some(id(1)));
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
        watch.let_go(driver, Some(id(1)));
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
        watch.let_go(driver, Some(id(1)));
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
        watch.let_go(driver, Some(id(1)));
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
    fn a_port_that_goes_while_a_device_waits_is_gone() {
        let bench = Bench::honest();
        let mut watch = watch(bench.path(), PresenceBy::Port);
        let (mut driver, _) = wait_for_one(&mut watch);
        assert_eq!(watch.still_here(driver.as_mut(), None).unwrap(), Still::Here);
        drop(bench);
        // The kernel takes a moment to tell.
        while watch.still_here(driver.as_mut(), None).unwrap() == Still::Here {}
        watch.let_go(driver, None);
        assert!(absent(&mut watch));
    }

    #[test]
    fn a_port_without_modem_lines_can_show_nobody_by_them() {
        let bench = Bench::new(facts(), Default::default(), |_| Fate::Pass);
        let mut watch = watch(bench.path(), PresenceBy::Cts);
        assert!(matches!(watch.poll(), Err(LinkError::PortOpen { .. })));
    }

    #[test]
    fn a_stop_ends_the_watch() {
        let stop = Stop::new();
        let slot = SlotLink::new(PortSettings::new("/dev/no-such-port", 9600));
        let mut watch = Watch::new(slot, stop.clone(), Stop::new());
        stop.set();
        assert!(matches!(watch.poll(), Err(LinkError::Stopped)));
    }
}
