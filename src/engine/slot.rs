//! One slot's thread: waits for a device, says what is there, runs the units it is given.
//!
//! The port is held from the moment a device is there until its unit has ended, and then
//! let go: fixtures swap devices while nobody holds the port. After that the device must
//! leave before the slot is free again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::domain::cause::cause;
use crate::domain::code::Code;
use crate::domain::device::{Fault, Seen};
use crate::domain::event::{ProgressCell, SlotStatus};
use crate::domain::ids::{HardwareId, SlotName};
use crate::link::LinkError;
use crate::link::driver::Driver;
use crate::link::presence::{Answered, Presence, Still, Watch};
use crate::link::settings::SlotLink;
use crate::say;

use super::halt::Halt;
use super::router::{Job, Place};
use super::shared::Shared;
use super::to_line::ToLine;
use super::unit::{self, Ending, Met, Workplace};

/// How often a slot looks whether its device is still there while it waits for a scan.
/// Half of the 100 ms within which a vanished port is to be noticed.
const LOOK: Duration = Duration::from_millis(50);

/// For so long what a device said of itself holds without asking again. No hand and no robot
/// changes a device faster.
const FRESH: Duration = Duration::from_millis(250);

/// One fixture position.
#[derive(Debug, Clone)]
pub struct SlotSettings {
    /// Its name.
    pub name: SlotName,
    /// Its port and what is at it.
    pub link: SlotLink,
}

/// From the line to a slot. A closed channel ends the slot's thread.
pub(super) enum ToSlot {
    /// Work on this unit.
    Run(Job),
}

/// What a slot's thread owns.
pub(super) struct SlotThread {
    pub(super) index: usize,
    pub(super) settings: SlotSettings,
    pub(super) shared: Arc<Shared>,
    pub(super) halt: Halt,
    pub(super) progress: Arc<ProgressCell>,
    pub(super) to_line: Sender<ToLine>,
}

/// Why waiting ended.
enum Waited {
    /// A unit is to be worked on.
    Job(Job),
    /// Time to look again.
    Look,
    /// The line has ended, or was told to stop.
    Over,
}

/// What ends the wait for a device.
enum Arrival {
    /// Something new is there.
    Device(Box<dyn Driver>, Option<Answered>),
    /// The unit that remains here is to be looked at again.
    Job(Job),
    /// The line has ended.
    Over,
}

/// What became of a device that was there.
enum Left {
    /// It went away, or was worked on and let go of.
    Gone,
    /// The line has ended, or the slot may not be used any more.
    Over,
}

impl SlotThread {
    /// Starts the thread; jobs go in at the sender.
    pub(super) fn start(self) -> Result<(Sender<ToSlot>, JoinHandle<()>), Fault> {
        let (jobs, orders) = mpsc::channel();
        let (index, to_line) = (self.index, self.to_line.clone());
        let thread = thread::Builder::new()
            .name(format!("slot {}", self.settings.name))
            .spawn(move || {
                let fault = guarded(move || self.serve(&orders)).err();
                // The line has ended: nobody is left to tell.
                let _ = to_line.send(ToLine::Gone(index, fault));
            })
            .map_err(|error| {
                Fault::said(Code::Shortage, say!("no thread", "得不到线程").then(&cause(&error)))
            })?;
        Ok((jobs, thread))
    }

    fn say(&self, place: Place, status: SlotStatus) {
        // The line has ended: the closed order channel ends this thread too.
        let _ = self.to_line.send(ToLine::Place(self.index, place, status));
    }

    fn wait(&self, orders: &Receiver<ToSlot>, time: Duration) -> Waited {
        if self.halt.is_final() {
            return Waited::Over;
        }
        match orders.recv_timeout(time) {
            Ok(ToSlot::Run(job)) => Waited::Job(job),
            Err(RecvTimeoutError::Timeout) => Waited::Look,
            Err(RecvTimeoutError::Disconnected) => Waited::Over,
        }
    }

    fn serve(self, orders: &Receiver<ToSlot>) {
        let link = self.settings.link.clone();
        let mut watch = Watch::new(link, self.halt.waiting(), self.halt.working());
        loop {
            let left = match self.await_arrival(&mut watch, orders) {
                Arrival::Over => Left::Over,
                Arrival::Device(driver, says) => self.attend(&mut watch, driver, says, orders),
                Arrival::Job(job) => self.work_again(&mut watch, job),
            };
            if let Left::Over = left {
                return;
            }
        }
    }

    /// Waits until something new is there, or a unit that remains is to be looked at again.
    fn await_arrival(&self, watch: &mut Watch, orders: &Receiver<ToSlot>) -> Arrival {
        let mut said = None;
        loop {
            // A port that could not be used for a moment has its finished device again.
            let was_out = matches!(said, Some(SlotStatus::OutOfService(_)));
            let (place, status) = match watch.poll() {
                Ok(Presence::Here(driver, says)) => return Arrival::Device(driver, says),
                Ok(Presence::Absent) => (Some(Place::Empty), SlotStatus::Empty),
                Ok(Presence::Port) => {
                    // As in `say`.
                    let _ = self.to_line.send(ToLine::PortIsThere(self.index));
                    continue;
                }
                Ok(Presence::Denies(says)) => {
                    // As in `say`.
                    let _ = self.to_line.send(ToLine::Denied(self.index, Box::new(says)));
                    continue;
                }
                Ok(Presence::Same) => {
                    (was_out.then(|| Place::Done(watch.done())), SlotStatus::Done)
                }
                Err(LinkError::Stopped) if self.halt.is_final() => return Arrival::Over,
                Err(LinkError::Stopped) => {
                    self.halt.unit_landed();
                    continue;
                }
                Err(error @ LinkError::PortBusy { .. }) => {
                    (Some(Place::Held), SlotStatus::OutOfService(error.into()))
                }
                Err(error) => (Some(Place::Out), SlotStatus::OutOfService(error.into())),
            };
            if said.as_ref() != Some(&status) {
                if let Some(place) = place {
                    self.say(place, status.clone());
                }
                said = Some(status);
            }
            // The watch itself waits a slice in each look.
            match self.wait(orders, Duration::ZERO) {
                Waited::Over => return Arrival::Over,
                Waited::Job(job) => return Arrival::Job(job),
                Waited::Look => {}
            }
        }
    }

    /// A device is there: who is it, and what is to be done with it?
    fn attend(
        &self,
        watch: &mut Watch,
        mut driver: Box<dyn Driver>,
        says: Option<Answered>,
        orders: &Receiver<ToSlot>,
    ) -> Left {
        self.say(Place::Opening, SlotStatus::Identifying);
        let now = self.shared.clock.now().monotonic;
        // Who has just said who it is is not asked again.
        let since = now.saturating_sub(says.as_ref().map_or(Duration::ZERO, |says| says.took));
        let identified = says.map_or_else(|| driver.identify(), |says| Ok(says.seen));
        let (mut known, mut met) = match identified {
            Ok(seen) => {
                let met = Met { seen: seen.clone(), since };
                (Some(self.ready(seen)), Some(met))
            }
            Err(LinkError::Unplugged { .. }) => return Left::Gone,
            Err(LinkError::Stopped) => return self.stopped(),
            Err(error) => {
                self.say(Place::Silent, SlotStatus::Silent(error.into()));
                (None, None)
            }
        };
        loop {
            match self.wait(orders, LOOK) {
                Waited::Over => return Left::Over,
                Waited::Job(job) => return self.work(watch, driver, &job, met),
                Waited::Look => match watch.still_here(driver.as_mut(), known.as_ref()) {
                    Ok(Still::Here) => {}
                    Ok(Still::Another(other)) => {
                        met = None;
                        known = Some(self.ready(other));
                    }
                    Ok(Still::Gone) | Err(_) => return Left::Gone,
                },
            }
            // Later another one may stand there, which the unit's own look tells.
            let now = self.shared.clock.now().monotonic;
            met = met.filter(|met| now.saturating_sub(met.since) < FRESH);
        }
    }

    /// The wait for a device was cut short: by a stop, or by a halt that was meant for a
    /// unit which had ended before it came.
    fn stopped(&self) -> Left {
        if self.halt.is_final() {
            return Left::Over;
        }
        self.halt.unit_landed();
        Left::Gone
    }

    /// Says who is there; gives what the device calls itself.
    fn ready(&self, seen: Seen) -> HardwareId {
        // A ledger that can't say it now says so where a unit begins.
        let known = self.shared.known_as(&seen).unwrap_or_else(|_| seen.hardware.clone());
        self.say(Place::Ready(known.clone()), SlotStatus::Ready(known));
        seen.hardware
    }

    /// A unit that is known and remains here; its port was let go before.
    fn work_again(&self, watch: &mut Watch, job: Job) -> Left {
        watch.welcome_again();
        match watch.poll() {
            Ok(Presence::Here(driver, _)) => self.work(watch, driver, &job, None),
            Ok(Presence::Absent | Presence::Port | Presence::Same | Presence::Denies(_))
            | Err(_) => {
                // As in `say`.
                let _ = self.to_line.send(ToLine::Returned(self.index, job));
                Left::Gone
            }
        }
    }

    /// Runs one unit and lets go of the port; then says how it ended.
    fn work(
        &self,
        watch: &mut Watch,
        mut driver: Box<dyn Driver>,
        job: &Job,
        met: Option<Met>,
    ) -> Left {
        driver.set_deadline(Instant::now().checked_add(self.shared.unit_deadline));
        let place = Workplace {
            slot: &self.settings.name,
            driver: driver.as_mut(),
            halt: &self.halt,
            progress: &self.progress,
        };
        let run = AssertUnwindSafe(|| unit::run_unit(&self.shared, job, place, met));
        let ended = catch_unwind(run);
        let did_panic = ended.is_err();
        let ending = ended.unwrap_or_else(|_| Ending {
            report: unit::end_after_panic(&self.shared, &self.settings.name, job),
            met: None,
            ledger_failed: None,
        });
        // Only now may the fixture swap devices.
        let done = ending.met.as_ref().map(|seen| seen.hardware.clone());
        let passed = ending.met.clone().filter(|_| ending.report.is_good());
        watch.let_go(driver, done, passed);
        self.halt.unit_landed();
        // As in `say`.
        let _ = self.to_line.send(ToLine::Ended(self.index, Box::new(ending)));
        if did_panic {
            self.say(Place::Out, SlotStatus::OutOfService(panicked()));
            return Left::Over;
        }
        Left::Gone
    }
}

/// Runs a thread's body; a panic becomes a fault.
fn guarded(body: impl FnOnce()) -> Result<(), Fault> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|_| panicked())
}

fn panicked() -> Fault {
    Fault::said(Code::Bug, say!("the slot's thread panicked", "工位的线程崩溃了"))
}
