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

/// What was let go of and must go before something counts as new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A device that has said who it is.
    Device(HardwareId),
    /// Something that never answered. It is new when it answers, or when the port is.
    Silent,
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

/// Watches one slot.
pub struct Watch {
    slot: SlotLink,
    waiting: Stop,
    working: Stop,
    door: Door,
    /// What was let go of and has not gone yet.
    done: Option<Done>,
    /// The port as it was then.
    appeared: Option<Appearance>,
    releases: u32,
    silent: u32,
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
            done: None,
            appeared: None,
            releases: 0,
            silent: 0,
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
        let waited = driver.idle(Duration::ZERO);
        match looked.and_then(|still| waited.map(|()| still)) {
            Err(LinkError::Unplugged { .. }) => Ok(Still::Gone),
            outcome => outcome,
        }
    }

    /// Releases the port. What is `done` must go before it counts as one that comes;
    /// without it, whatever is there next counts.
    pub fn let_go(&mut self, driver: Box<dyn Driver>, done: Option<Done>) {
        self.appeared = appearance(&self.slot.port.path);
        drop(driver);
        self.releases = RELEASES;
        self.silent = 0;
        let pause = if done.is_some() { FIRST_RELEASE } else { LOOK };
        self.done = done;
        self.door = Door::Closed { pause };
    }

    /// Has the device that was let go of count again, for a unit to be tried once more.
    pub fn welcome_again(&mut self) {
        self.done = None;
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
        if self.done.is_some() && appearance(&self.slot.port.path) != self.appeared {
            self.done = None;
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
            None if self.slot.presence == PresenceBy::Port && self.done.is_none() => {
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
            Ok(true) if self.done.is_none() => return Ok(self.here(driver)),
            Ok(true) => {}
            Ok(false) => self.done = None,
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
            // Somebody is there; identifying it properly will say what is wrong.
            Err(_) => Ok(self.here(driver)),
        }
    }

    fn is_done(&self, seen: &Seen) -> bool {
        matches!(&self.done, Some(Done::Device(hardware)) if *hardware == seen.hardware)
    }

    /// Silence counts only at a port that stays open: opening one may reset the device.
    fn count_silence(&mut self) {
        if self.releases == 0 {
            self.silent += 1;
        }
        if self.silent >= SILENT_ASKS {
            // Where the port shows the device, an empty fixture must answer first.
            let by_port = self.slot.presence == PresenceBy::Port;
            self.done = by_port.then_some(Done::Silent);
            self.silent = SILENT_ASKS;
        }
    }

    fn ask_again_later(&mut self, driver: Box<dyn Driver>) -> Presence {
        if self.releases > 0 && self.done.is_some() {
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
        if self.done.is_some() { Presence::Same } else { Presence::Absent }
    }

    fn here(&mut self, driver: Box<dyn Driver>) -> Presence {
        self.done = None;
        self.silent = 0;
        self.asked = Instant::now();
        Presence::Here(driver)
    }

    /// The port itself is gone: whoever comes next is new.
    fn nobody(&mut self) {
        self.done = None;
        self.silent = 0;
        self.door = Door::Closed { pause: LOOK };
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
