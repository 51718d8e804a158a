//! What is done to a slot by hand: its device is taken out, one is put in.
//!
//! A [`SlotHandle`] asks for it from any thread, and the slot's own thread does it and answers.
//! What was taken out lies on the [`Workbench`], from where it can be put into any slot of
//! the same bench. Nothing here knows ports or time.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::SimError;
use super::stop::Bell;
use super::unit::{Unit, UnitId};

/// What a hand does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Takes the device out; the slot stays empty until something is put in. One that need
    /// not come back is put away, every other lies on the bench.
    TakeOut {
        /// Whether it may come back.
        comes_back: bool,
    },
    /// Puts in this one from the bench, or whatever was laid there last. What is in the slot
    /// goes to the bench.
    PutIn(Option<UnitId>),
    /// Puts in the slot's next blank device; where there is none, a blank one from the bench.
    Next,
}

/// Why a hand can't do what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandError {
    /// There is no device to take out.
    #[error("the slot is empty")]
    Empty,
    /// There is a device already.
    #[error("a device is in the slot")]
    Taken,
    /// There is nothing to put in.
    #[error("no device lies on the bench")]
    NothingAside,
    /// There is no blank device left.
    #[error("no blank device is left")]
    NoneLeft,
    /// No slot of that name belongs to the same bench.
    #[error("that slot is not one of this simulator's")]
    OtherBench,
    /// The simulation has ended.
    #[error("the simulation has ended")]
    Ended,
}

/// What came of an act: the device that was moved.
pub type Handled = Result<UnitId, HandError>;

/// Where devices lie that were taken out of their slots; shared by the slots beside it.
#[derive(Clone, Default)]
pub struct Workbench(Arc<Mutex<Beside>>);

#[derive(Default)]
struct Beside {
    units: Vec<Unit>,
    slots: Vec<SlotHandle>,
}

impl Workbench {
    fn lock(&self) -> MutexGuard<'_, Beside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The devices that lie on it, the last one last.
    pub fn units(&self) -> Vec<UnitId> {
        self.lock().units.iter().map(Unit::id).collect()
    }

    pub(crate) fn lay(&self, unit: Unit) {
        self.lock().units.push(unit);
    }

    fn pick(&self, which: Option<&UnitId>) -> Option<Unit> {
        let mut beside = self.lock();
        match which {
            None => beside.units.pop(),
            Some(id) => {
                let place = beside.units.iter().position(|unit| unit.id() == *id)?;
                Some(beside.units.remove(place))
            }
        }
    }

    /// Takes a device that holds nothing yet, the oldest first.
    pub(crate) fn pick_blank(&self) -> Option<Unit> {
        let mut beside = self.lock();
        let place = beside.units.iter().position(|unit| !unit.device.holds_identity())?;
        Some(beside.units.remove(place))
    }

    /// The slot with that link.
    pub fn slot(&self, link: &Path) -> Result<SlotHandle, HandError> {
        let (wanted, beside) = (place(link), self.lock());
        let found = beside.slots.iter().find(|slot| place(&slot.link) == wanted);
        found.cloned().ok_or(HandError::OtherBench)
    }

    /// Moves a device from one slot to another; what is there goes to the bench.
    pub fn carry(&self, from: &Path, to: &Path) -> Handled {
        let (from, to) = (self.slot(from)?, self.slot(to)?);
        let unit = from.act(Act::TakeOut { comes_back: true })?;
        to.act(Act::PutIn(Some(unit)))
    }
}

/// Where a link lies, whatever way leads there. The link itself is not followed: it leads
/// to another port with each device.
fn place(link: &Path) -> Option<PathBuf> {
    let link = std::path::absolute(link).ok()?;
    Some(link.parent()?.canonicalize().ok()?.join(link.file_name()?))
}

/// An act, and where its outcome goes.
struct Wish {
    act: Act,
    answer: SyncSender<Handled>,
}

/// The way to a running slot; clones lead to the same one.
#[derive(Clone)]
pub struct SlotHandle {
    link: PathBuf,
    bell: Bell,
    wishes: Sender<Wish>,
}

impl SlotHandle {
    /// Does it, and waits until it is done. The station may take a moment longer to see it.
    pub fn act(&self, act: Act) -> Handled {
        let (answer, answered) = mpsc::sync_channel(1);
        self.wishes.send(Wish { act, answer }).map_err(|_| HandError::Ended)?;
        self.bell.ring();
        answered.recv().unwrap_or(Err(HandError::Ended))
    }
}

/// An act that can be done, in the hands of the slot's thread.
pub(crate) struct Asked {
    pub(crate) deed: Deed,
    answer: SyncSender<Handled>,
}

impl Asked {
    /// The deed, and how to say what came of it. Whoever asked may have gone.
    pub(crate) fn take(self) -> (Deed, impl FnOnce(Handled)) {
        let Self { deed, answer } = self;
        (deed, move |handled| drop(answer.send(handled)))
    }
}

/// What the slot's thread does.
pub(crate) enum Deed {
    /// Takes the device out.
    TakeOut { comes_back: bool },
    /// Puts this one in.
    PutIn(Box<Unit>),
    /// Puts the next blank one in.
    Next,
}

/// The slot's end: what it was asked to do.
pub(crate) struct Hands {
    pub(crate) bench: Workbench,
    pub(crate) bell: Bell,
    wishes: Receiver<Wish>,
}

impl Hands {
    /// The two ends for the slot with that link.
    pub(crate) fn new(link: &Path, bench: Workbench) -> Result<(SlotHandle, Self), SimError> {
        let (sender, wishes) = mpsc::channel();
        let bell = Bell::new()?;
        let handle = SlotHandle { link: link.to_owned(), bell: bell.clone(), wishes: sender };
        let mut beside = bench.lock();
        beside.slots.retain(|slot| slot.link != link);
        beside.slots.push(handle.clone());
        drop(beside);
        Ok((handle, Self { bench, bell, wishes }))
    }

    /// The next act that can be done, where the slot has a device or has none.
    pub(crate) fn next(&self, is_seated: bool) -> Option<Asked> {
        self.bell.hush();
        while let Ok(Wish { act, answer }) = self.wishes.try_recv() {
            match self.possible(act, is_seated) {
                Ok(deed) => return Some(Asked { deed, answer }),
                // As above.
                Err(why) => drop(answer.send(Err(why))),
            }
        }
        None
    }

    fn possible(&self, act: Act, is_seated: bool) -> Result<Deed, HandError> {
        match act {
            Act::TakeOut { .. } if !is_seated => Err(HandError::Empty),
            Act::TakeOut { comes_back } => Ok(Deed::TakeOut { comes_back }),
            Act::PutIn(which) => {
                let unit = self.bench.pick(which.as_ref()).ok_or(HandError::NothingAside)?;
                Ok(Deed::PutIn(Box::new(unit)))
            }
            Act::Next if is_seated => Err(HandError::Taken),
            Act::Next => Ok(Deed::Next),
        }
    }
}
