//! One slot's thread: waits for a device, says what is there, runs the units it is given.
//!
//! The port is held from the moment a device is there until its unit has ended, and then
//! let go: fixtures swap devices while nobody holds the port. After that the device must
//! leave before the slot is free again.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::domain::code::Code;
use crate::domain::device::{Fault, Seen};
use crate::domain::event::{ProgressCell, SlotStatus};
use crate::domain::ids::HardwareId;
use crate::link::{Driver, LinkError, Presence, Watch};

use super::halt::Halt;
use super::line::{SlotSettings, ToLine};
use super::router::{Job, Place};
use super::shop::Shop;
use super::unit::{self, Ending};

/// How often a slot looks whether its device is still there while it waits for a scan.
/// Half of the 100 ms within which a vanished port is to be noticed.
const LOOK: Duration = Duration::from_millis(50);

/// From the line to a slot. A closed channel ends the slot's thread.
pub(super) enum ToSlot {
    /// Work on this unit.
    Run(Job),
}

/// What a slot's thread owns.
pub(super) struct SlotThread {
    pub(super) index: usize,
    pub(super) settings: SlotSettings,
    pub(super) shop: Arc<Shop>,
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

/// What became of a device that was there.
enum Left {
    /// It went away without a unit.
    Gone,
    /// A unit ended on it.
    Worked(Option<HardwareId>),
    /// The line has ended.
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
                if let Err(fault) = super::guarded(move || self.serve(&orders)) {
                    // The line has ended: nobody is left to tell.
                    let _ = to_line.send(ToLine::Lost(index, fault));
                }
            })
            .map_err(|error| Fault::new(Code::Bug, format!("no thread: {error}")))?;
        Ok((jobs, thread))
    }

    fn say(&self, place: Place, status: SlotStatus) {
        // The line has ended: the closed order channel ends this thread too.
        let _ = self.to_line.send(ToLine::Place(self.index, place, status));
    }

    fn wait(&self, orders: &Receiver<ToSlot>, time: Duration) -> Waited {
        if self.halt.reason().is_some_and(|reason| reason.code == Code::Stopped) {
            return Waited::Over;
        }
        match orders.recv_timeout(time) {
            Ok(ToSlot::Run(job)) => Waited::Job(job),
            Err(RecvTimeoutError::Timeout) => Waited::Look,
            Err(RecvTimeoutError::Disconnected) => Waited::Over,
        }
    }

    fn serve(self, orders: &Receiver<ToSlot>) {
        let mut watch = Watch::new(self.settings.link.clone());
        loop {
            let Some(mut driver) = self.await_device(&mut watch, orders) else { return };
            match self.attend(&mut watch, driver.as_mut(), orders) {
                Left::Over => return,
                Left::Gone => watch.forget(),
                Left::Worked(hardware) => {
                    // Let go of the port: only now may the fixture swap devices.
                    drop(driver);
                    watch.worked(hardware);
                }
            }
        }
    }

    /// Waits until something new is there; none when the line has ended.
    fn await_device(
        &self,
        watch: &mut Watch,
        orders: &Receiver<ToSlot>,
    ) -> Option<Box<dyn Driver>> {
        let mut said = None;
        loop {
            let (state, status) = match watch.poll(&self.halt.arm()) {
                Ok(Presence::Here(driver)) => return Some(driver),
                Ok(Presence::Absent) => (Some(Place::Empty), SlotStatus::Empty),
                Ok(Presence::Remains) => (None, SlotStatus::Done),
                Err(LinkError::Stopped) => return None,
                Err(error) => {
                    let fault = Fault::from(error);
                    (Some(Place::Out), SlotStatus::OutOfService(fault))
                }
            };
            if said.as_ref() != Some(&status) {
                if let Some(place) = state {
                    self.say(place, status.clone());
                }
                said = Some(status);
            }
            match self.wait(orders, watch.interval()) {
                Waited::Over => return None,
                Waited::Look => {}
                Waited::Job(job) => match watch.reopen(&self.halt.arm()) {
                    Ok(driver) => return Some(self.work_again(driver, watch, job)),
                    Err(_) => self.give_back(job),
                },
            }
        }
    }

    fn give_back(&self, job: Job) {
        // As in `say`.
        let _ = self.to_line.send(ToLine::Returned(self.index, job));
    }
}
