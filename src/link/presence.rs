//! How a slot sees its devices come and go.
//!
//! The slot's thread owns the loop and calls [`Watch::poll`] while there is no device,
//! [`Watch::still_here`] while one waits for its scan, and [`Watch::let_go`] when a unit
//! is done. None of them takes much longer than a tenth of a second.
//!
//! A port is released after each unit, since fixtures and simulators change devices
//! then. Where the port itself never goes, because the adapter belongs to the fixture,
//! the device that was done is told from the next one by its hardware id, or by a pause
//! in which nobody answers. One that passed and remains must go on saying what it said
//! when it did; where it does not, that is told, and nothing here judges it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::discovery;
use super::driver::{self, Driver};
use super::error::LinkError;
use super::permission;
use super::port::{self, InputLine, Port};
use super::settings::{PresenceBy, SlotLink};
use super::stop::Stop;
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
    /// It has not gone, and says something else than before, or nothing that makes sense. Each
    /// such word is told once, and whether it denies the pass is judged elsewhere.
    Denies(Result<Seen, LinkError>),
    /// Nobody has been asked yet, and the port is there. Told once.
    Port,
    /// A device, or a port behind which one may be.
    Here(Box<dyn Driver>, Option<Answered>),
}

/// What a device answered when it was seen to come, so that it need not be asked again.
pub struct Answered {
    /// What it said.
    pub seen: Seen,
    /// How long it was asked for.
    pub took: Duration,
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
    /// What the device that passed and was let go of said last; none for any other device.
    passed: Option<Seen>,
    /// The port as it was when it was let go of.
    appeared: Option<Appearance>,
    releases: u32,
    silent: u32,
    /// How long to wait before a port that is missing is looked for again.
    patience: Duration,
    asked: Instant,
    /// So that one that goes may come again, whatever went with it.
    port_was_there: bool,
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
            passed: None,
            appeared: None,
            releases: 0,
            silent: 0,
            patience: LOOK,
            asked: Instant::now(),
            port_was_there: false,
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
    /// is a new one. A device that `passed` said so much last.
    pub fn let_go(
        &mut self,
        driver: Box<dyn Driver>,
        done: Option<HardwareId>,
        passed: Option<Seen>,
    ) {
        self.appeared = appearance(&self.slot.port.path);
        drop(driver);
        self.releases = RELEASES;
        self.silent = 0;
        self.awaited = done.map_or(Awaited::AnAnswer, Awaited::AnotherThan);
        self.passed = passed;
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
                let is_first = !std::mem::replace(&mut self.port_was_there, true);
                let driver = driver::over(port, &self.slot)?;
                if is_first && self.slot.presence != PresenceBy::Port {
                    // To ask takes seconds on a slow line, and it is known by now that there is one.
                    self.door = Door::Open { driver, ask_at: Instant::now() };
                    return Ok(Presence::Port);
                }
                self.look(driver)
            }
            Err(LinkError::PortMissing { .. }) => {
                self.nobody();
                // Where the port comes with its device, nobody would ever see a wrong place.
                if self.slot.presence == PresenceBy::Port && !self.port_was_there {
                    discovery::can_come(&self.slot.port.path)?;
                }
                Ok(Presence::Absent)
            }
            // A node appears as root's alone, before udev has given it to its group.
            Err(LinkError::PortOpen { source, .. })
                if source.kind() == ErrorKind::PermissionDenied
                    && permission::is_new(&self.slot.port.path) =>
            {
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
        let asked = Instant::now();
        match driver.probe() {
            Ok(Some(seen)) if self.is_done(&seen.hardware) => {
                self.silent = 0;
                let waits = self.ask_again_later(driver);
                Ok(if self.is_new(&seen) { Presence::Denies(Ok(seen)) } else { waits })
            }
            Ok(Some(seen)) if driver.probe_identifies() => {
                Ok(self.here_and_says(driver, Some(Answered { seen, took: asked.elapsed() })))
            }
            Ok(Some(_)) => Ok(self.here(driver)),
            Ok(None) => {
                self.count_silence();
                Ok(match self.silent == SILENT_ASKS {
                    true => self.ask_afresh(driver),
                    false => self.ask_again_later(driver),
                })
            }
            Err(LinkError::Unplugged { .. }) => {
                self.nobody();
                Ok(Presence::Absent)
            }
            Err(LinkError::Stopped) => Err(LinkError::Stopped),
            // What it says makes no sense, and says who it is all the same.
            Err(error) if driver.answered_by().is_some_and(|id| self.is_done(&id)) => {
                self.silent = 0;
                let waits = self.ask_again_later(driver);
                Ok(if self.passed.take().is_some() { Presence::Denies(Err(error)) } else { waits })
            }
            // It has been told what is wrong with it, and must change before it is told again.
            Err(_) if matches!(self.awaited, Awaited::AnAnswer) => {
                self.silent = 0;
                Ok(self.ask_again_later(driver))
            }
            // Somebody is there; identifying it properly will say what is wrong.
            Err(_) => Ok(self.here(driver)),
        }
    }

    fn takes_anybody(&self) -> bool {
        matches!(self.awaited, Awaited::Anybody)
    }

    fn is_done(&self, hardware: &HardwareId) -> bool {
        matches!(&self.awaited, Awaited::AnotherThan(done) if done == hardware)
    }

    /// Whether the device that passed says something else now than it said last.
    fn is_new(&mut self, now: &Seen) -> bool {
        match &mut self.passed {
            Some(then) if then != now => {
                then.clone_from(now);
                true
            }
            _ => false,
        }
    }

    /// Silence counts only at a port that stays open: opening one may reset the device.
    fn count_silence(&mut self) {
        if self.releases == 0 || !matches!(self.awaited, Awaited::AnotherThan(_)) {
            self.silent = self.silent.saturating_add(1);
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

    /// What a driver learnt of a device that is gone goes with it, once: the next one may be of
    /// another family, or of another maker.
    fn ask_afresh(&mut self, driver: Box<dyn Driver>) -> Presence {
        drop(driver);
        self.door = Door::Closed { pause: LOOK };
        self.nothing_new()
    }

    fn nothing_new(&self) -> Presence {
        match self.awaited {
            Awaited::AnotherThan(_) => Presence::Same,
            Awaited::Anybody | Awaited::AnAnswer => Presence::Absent,
        }
    }

    fn here(&mut self, driver: Box<dyn Driver>) -> Presence {
        self.here_and_says(driver, None)
    }

    fn here_and_says(&mut self, driver: Box<dyn Driver>, says: Option<Answered>) -> Presence {
        self.awaited = Awaited::Anybody;
        self.silent = 0;
        self.asked = Instant::now();
        Presence::Here(driver, says)
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
mod tests;
