//! One slot and the devices that are plugged into it, one after another.
//!
//! A device makes place for the next one when it has received `finish`, or never will
//! answer, or was pulled out, and the station has let go of the port ([`super::Stay`] may
//! keep it longer). A slot from which a hand took the device stays empty until a hand fills
//! it. Start with [`start`]; [`run_all`] is the same for a process that does nothing else.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::control::Control;
use super::error::SimError;
use super::hands::{Asked, Deed, HandError, Hands, SlotHandle};
use super::making;
use super::options::Options;
use super::progress::{Home, ProgressFile};
use super::pty::{Plug, Port, Pulled};
use super::relay::{Ended, Relay, Surroundings};
use super::schedule::{BaudRate, Moment};
use super::stop::{StopFlag, Watch, Woken, be_punctual, wait};
use super::unit::Unit;

/// Where a slot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotState {
    /// The unit whose turn it is, counted from 1; one more than there are at the end.
    pub unit: u32,
    /// Whether it is plugged in. A unit that is done stays until the station lets go,
    /// though its link is gone.
    pub plugged: bool,
    /// How many units are done: finished, unable to answer, or pulled out.
    pub done: u32,
    /// How many of them have received `finish`, since this simulator was started.
    pub finished: u32,
    /// Whether the simulation has ended: all units are done, or it was stopped.
    pub ended: bool,
}

/// A slot's state, and a bell for those who wait for it to change.
struct Board {
    state: Mutex<SlotState>,
    changed: Condvar,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut SlotState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// A running simulation of one slot; dropping it stops it and removes the link.
pub struct SimulatedSlot {
    link: PathBuf,
    state_dir: Option<PathBuf>,
    seed: u64,
    name: String,
    stop: StopFlag,
    board: Arc<Board>,
    handle: SlotHandle,
    thread: Option<JoinHandle<Result<(), SimError>>>,
    /// Held until the slot has ended.
    _control: Option<Control>,
}

/// Plugs the first device in and keeps the slot running on a thread of its own.
pub fn start(options: Options) -> Result<SimulatedSlot, SimError> {
    start_with(options, StopFlag::new()?)
}

/// Plugs the first device of each slot in, says so, and returns when the flag is set.
pub fn run_all(
    all: Vec<Options>,
    stop: &StopFlag,
    mut ready: impl FnMut(&Path),
) -> Result<(), SimError> {
    let started = all.into_iter().map(|options| start_with(options, stop.clone()));
    let slots: Vec<SimulatedSlot> = started.collect::<Result<_, _>>()?;
    slots.iter().for_each(|slot| ready(slot.link()));
    slots.into_iter().map(|slot| slot.join().map(drop)).fold(Ok(()), Result::and)
}

fn start_with(options: Options, stop: StopFlag) -> Result<SimulatedSlot, SimError> {
    let file = ProgressFile::of(options.state_dir.as_deref(), &options.link)?;
    let home = Arc::new(Home::open(file, || name_of(&options))?);
    let unit = home.turn();
    let first = SlotState {
        unit,
        plugged: false,
        done: unit.saturating_sub(1).min(options.units),
        finished: 0,
        ended: false,
    };
    let board = Arc::new(Board { state: Mutex::new(first), changed: Condvar::new() });
    let bench = options.bench.clone().unwrap_or_default();
    let (handle, hands) = Hands::new(&options.link, bench.clone())?;
    for number in home.aside() {
        bench.lay(making::take(&options, &home, number)?);
    }
    let control = match options.control {
        true => Some(Control::of_slot(&options.link, handle.clone(), bench, stop.clone())?),
        false => None,
    };
    let (link, state_dir, seed) = (options.link.clone(), options.state_dir.clone(), options.seed);
    let name = home.name();
    let mut slot = Slot {
        options,
        home,
        hands,
        stop: stop.clone(),
        watch: Watch::start(),
        board: board.clone(),
    };
    // Here, so that what is wrong with the options or the link is the caller's error.
    let turn = slot.next_turn()?;
    let thread = std::thread::Builder::new()
        .name("sim".to_owned())
        .spawn(move || slot.keep(turn))
        .map_err(|error| SimError::Thread(Some(error)))?;
    let thread = Some(thread);
    Ok(SimulatedSlot {
        link,
        state_dir,
        seed,
        name,
        stop,
        board,
        handle,
        thread,
        _control: control,
    })
}

fn name_of(options: &Options) -> String {
    let path = || std::path::absolute(&options.link).unwrap_or_else(|_| options.link.clone());
    options.name.clone().unwrap_or_else(|| path().display().to_string())
}

impl SimulatedSlot {
    /// Where the station finds the port.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// What ends the simulation when it is set.
    pub fn stop_flag(&self) -> StopFlag {
        self.stop.clone()
    }

    /// The way to move its devices by hand.
    pub fn handle(&self) -> SlotHandle {
        self.handle.clone()
    }

    /// Where the slot stands.
    pub fn state(&self) -> SlotState {
        *self.board.lock()
    }

    /// Waits until the slot's state is as wanted; none if it is not within that time.
    pub fn wait_until(
        &self,
        within: Duration,
        wanted: impl Fn(&SlotState) -> bool,
    ) -> Option<SlotState> {
        let deadline = Instant::now() + within;
        let mut state = self.board.lock();
        while !wanted(&state) {
            let left = deadline.checked_duration_since(Instant::now())?;
            let changed = &self.board.changed;
            state = changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(*state)
    }

    /// Where the flash contents of a unit are kept, if anywhere.
    pub fn flash_file(&self, unit: u32) -> Option<PathBuf> {
        let folder = self.state_dir.as_deref()?;
        Some(making::flash_file(folder, self.seed, &self.name, unit))
    }

    /// Waits for the end, which comes when the stop flag is set.
    pub fn join(mut self) -> Result<SlotState, SimError> {
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| SimError::Thread(None))??;
        }
        Ok(self.state())
    }

    /// Stops the simulation and waits for its end.
    pub fn stop(self) -> Result<SlotState, SimError> {
        self.stop.set();
        self.join()
    }
}

impl Drop for SimulatedSlot {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.stop.set();
            // Its error, if there is one, has nobody left to go to.
            let _ = thread.join();
        }
    }
}

/// A device in the slot.
struct Seat {
    unit: Unit,
    port: Port,
    plug: Plug,
}

/// What the slot does next.
enum Turn {
    /// Serves the device in it.
    Seated(Box<Seat>),
    /// Waits for a hand, and from that moment on takes the next device by itself.
    Empty(Option<Moment>),
    /// Ends.
    Stop,
}

/// What the slot's thread works with.
struct Slot {
    options: Options,
    home: Arc<Home>,
    hands: Hands,
    stop: StopFlag,
    watch: Watch,
    board: Arc<Board>,
}

impl Slot {
    /// Keeps the slot until the stop flag is set.
    fn keep(mut self, first: Turn) -> Result<(), SimError> {
        be_punctual();
        let outcome = self.serve_all(first);
        if outcome.is_err() {
            // Those that were started with it end too: what they were for can't be had.
            self.stop.set();
        }
        self.board.change(|state| (state.plugged, state.ended) = (false, true));
        outcome
    }

    fn serve_all(&mut self, mut turn: Turn) -> Result<(), SimError> {
        loop {
            turn = match turn {
                Turn::Seated(seat) => self.serve(*seat)?,
                Turn::Empty(until) => self.wait_empty(until)?,
                Turn::Stop => return Ok(()),
            };
        }
    }

    /// Plugs in the unit whose turn it is; where all are done, the slot stays empty.
    fn next_turn(&mut self) -> Result<Turn, SimError> {
        match self.next_unit()? {
            Some(unit) => self.plug_in(unit),
            None => {
                let unit = self.home.turn();
                self.board.change(|state| (state.unit, state.ended) = (unit, true));
                Ok(Turn::Empty(None))
            }
        }
    }

    fn next_unit(&self) -> Result<Option<Unit>, SimError> {
        let number = self.home.turn();
        let is_left = number <= self.options.units;
        is_left.then(|| making::take(&self.options, &self.home, number)).transpose()
    }

    fn plug_in(&mut self, unit: Unit) -> Result<Turn, SimError> {
        let port = Port::open()?;
        let plug = Plug::insert(&self.options.link, &port)?;
        let is_ours = Arc::ptr_eq(&unit.home, &self.home);
        self.board.change(|state| {
            state.plugged = true;
            state.unit = if is_ours { unit.number } else { state.unit };
        });
        Ok(Turn::Seated(Box::new(Seat { unit, port, plug })))
    }

    /// Serves one unit until the slot is empty, or another one is in it.
    fn serve(&mut self, seat: Seat) -> Result<Turn, SimError> {
        let mut seat = seat;
        loop {
            let (ended, unit, port) = self.serve_on_port(seat)?;
            let pulled = port.pull();
            let back_at = match ended {
                Ended::Stopped => return Ok(Turn::Stop),
                Ended::Restarting { back_at } => back_at,
                Ended::Done => return self.make_place(pulled),
                Ended::Pulled { comes_back: false } => {
                    self.count(unit.home.done(unit.number)?, false);
                    return self.make_place(pulled);
                }
                Ended::Pulled { comes_back: true } => match self.wait_for_release(pulled)? {
                    Woken::Stop => return Ok(Turn::Stop),
                    Woken::Look => self.watch.now() + self.options.timings.boot,
                },
                Ended::ByHand(asked) => return self.by_hand(unit, asked, pulled),
            };
            if self.wait(Some(back_at))? == Woken::Stop {
                return Ok(Turn::Stop);
            }
            seat = match self.plug_in(unit)? {
                Turn::Seated(seat) => *seat,
                other => return Ok(other),
            };
        }
    }

    fn serve_on_port(&mut self, seat: Seat) -> Result<(Ended, Unit, Port), SimError> {
        let Seat { mut unit, mut port, plug } = seat;
        let (home, number) = (Arc::clone(&unit.home), unit.number);
        let (rate, stay) = (BaudRate(self.options.baud), self.options.stay);
        let relay = Relay::new(&mut unit, &mut port, plug, rate, stay);
        let heard = !relay.is_unreachable();
        let mut recorder = self.options.recorder.take();
        let ended = relay.serve(&mut Surroundings {
            stop: &self.stop,
            watch: self.watch,
            recorder: recorder.as_mut(),
            hands: &self.hands,
            // Durably, before anyone can know it.
            finished: &mut || home.done(number).map(|was_its_turn| self.count(was_its_turn, heard)),
        });
        self.options.recorder = recorder;
        self.board.change(|state| state.plugged = false);
        Ok((ended?, unit, port))
    }

    /// Counts a unit that is done, unless it was counted when it was taken out.
    fn count(&self, was_its_turn: bool, heard_finish: bool) {
        self.board.change(|state| {
            state.done += u32::from(was_its_turn);
            state.finished += u32::from(was_its_turn && heard_finish);
        });
    }

    /// The device is gone; the next one comes when the station knows it.
    fn make_place(&self, pulled: Pulled) -> Result<Turn, SimError> {
        Ok(match self.wait_for_release(pulled)? {
            Woken::Stop => Turn::Stop,
            Woken::Look => Turn::Empty(Some(self.watch.now() + self.options.swap_time)),
        })
    }

    /// A hand takes the device out, and may put in another one.
    fn by_hand(&mut self, unit: Unit, asked: Asked, pulled: Pulled) -> Result<Turn, SimError> {
        let (deed, answer) = asked.take();
        let id = unit.id();
        let comes_back = !matches!(deed, Deed::TakeOut { comes_back: false });
        self.lay_aside(unit, comes_back)?;
        match deed {
            Deed::PutIn(other) => {
                let other_id = other.id();
                if self.wait_for_release(pulled)? == Woken::Stop {
                    return Ok(Turn::Stop);
                }
                let turn = self.plug_in(*other)?;
                answer(Ok(other_id));
                Ok(turn)
            }
            Deed::TakeOut { .. } | Deed::Next => {
                answer(Ok(id));
                Ok(match self.wait_for_release(pulled)? {
                    Woken::Stop => Turn::Stop,
                    Woken::Look => Turn::Empty(None),
                })
            }
        }
    }

    fn lay_aside(&self, mut unit: Unit, comes_back: bool) -> Result<(), SimError> {
        unit.pulled_out();
        let was_its_turn = match comes_back {
            true => unit.home.lay_aside(unit.number)?,
            false => unit.home.done(unit.number)?,
        };
        self.count(was_its_turn, false);
        if comes_back {
            self.hands.bench.lay(unit);
        }
        Ok(())
    }

    /// Waits while the slot is empty.
    fn wait_empty(&mut self, until: Option<Moment>) -> Result<Turn, SimError> {
        loop {
            if let Some(asked) = self.hands.next(false) {
                return self.fill_by_hand(asked);
            }
            if until.is_some_and(|until| self.watch.now() >= until) {
                return self.next_turn();
            }
            let bell = self.hands.bell.heard();
            if wait(&self.stop, &[bell], self.watch, until)? == Woken::Stop {
                return Ok(Turn::Stop);
            }
        }
    }

    fn fill_by_hand(&mut self, asked: Asked) -> Result<Turn, SimError> {
        let (deed, answer) = asked.take();
        let unit = match deed {
            Deed::PutIn(unit) => Some(*unit),
            Deed::Next => self.next_unit()?.or_else(|| self.hands.bench.pick_blank()),
            Deed::TakeOut { .. } => None,
        };
        let Some(unit) = unit else {
            answer(Err(HandError::NoneLeft));
            return Ok(Turn::Empty(None));
        };
        let id = unit.id();
        let turn = self.plug_in(unit)?;
        answer(Ok(id));
        Ok(turn)
    }

    /// Waits until the station has let go of a port that is gone.
    fn wait_for_release(&self, mut pulled: Pulled) -> Result<Woken, SimError> {
        while pulled.is_held()? {
            let woken = wait(&self.stop, &[pulled.openings()], self.watch, None)?;
            if woken == Woken::Stop {
                return Ok(woken);
            }
        }
        Ok(Woken::Look)
    }

    /// Waits for that moment, or for the stop flag alone.
    fn wait(&self, until: Option<Moment>) -> Result<Woken, SimError> {
        // Woken early by a signal, it waits for the rest.
        loop {
            let woken = wait(&self.stop, &[], self.watch, until)?;
            if woken == Woken::Stop || until.is_some_and(|until| self.watch.now() >= until) {
                return Ok(woken);
            }
        }
    }
}
