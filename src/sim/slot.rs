//! One slot and the devices that are plugged into it, one after another.
//!
//! A device makes place for the next one when it has received `finish`, or never will
//! answer, or was pulled out, and the station has let go of the port. Start with
//! [`start`]; [`run`] is the same for a process that does nothing else.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::SimError;
use super::options::Options;
use super::progress::{Progress, ProgressFile};
use super::pty::{Plug, Port, Pulled};
use super::relay::{Ended, Relay, Surroundings};
use super::schedule::{BaudRate, Moment};
use super::stop::{StopFlag, Watch, Woken, be_punctual, wait};
use super::unit::{self, Unit};

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
    thread: Option<JoinHandle<Result<(), SimError>>>,
}

/// Plugs the first device in and keeps the slot running on a thread of its own.
pub fn start(options: Options) -> Result<SimulatedSlot, SimError> {
    start_with(options, StopFlag::new()?)
}

/// Plugs the first device in, says so, and returns when the flag is set.
pub fn run(
    options: Options,
    stop: &StopFlag,
    ready: impl FnOnce(&Path),
) -> Result<SlotState, SimError> {
    let slot = start_with(options, stop.clone())?;
    ready(slot.link());
    slot.join()
}

fn start_with(options: Options, stop: StopFlag) -> Result<SimulatedSlot, SimError> {
    let file = ProgressFile::of(options.state_dir.as_deref(), &options.link)?;
    let progress = file.load(|| name_of(&options))?;
    let (name, unit) = (progress.name.clone(), progress.unit);
    let first = SlotState {
        unit,
        plugged: false,
        done: unit.saturating_sub(1).min(options.units),
        finished: 0,
        ended: false,
    };
    let board = Arc::new(Board { state: Mutex::new(first), changed: Condvar::new() });
    let (link, state_dir, seed) = (options.link.clone(), options.state_dir.clone(), options.seed);
    let mut slot = Slot {
        options,
        file,
        progress,
        stop: stop.clone(),
        watch: Watch::start(),
        board: Arc::clone(&board),
    };
    // Here, so that what is wrong with the options or the link is the caller's error.
    let seat = slot.next_seat()?;
    let thread = std::thread::Builder::new()
        .name("sim".to_owned())
        .spawn(move || slot.keep(seat))
        .map_err(|error| SimError::Thread(Some(error)))?;
    Ok(SimulatedSlot { link, state_dir, seed, name, stop, board, thread: Some(thread) })
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
        Some(unit::flash_file(folder, self.seed, &self.name, unit))
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

/// What the slot's thread works with.
struct Slot {
    options: Options,
    file: ProgressFile,
    progress: Progress,
    stop: StopFlag,
    watch: Watch,
    board: Arc<Board>,
}

impl Slot {
    /// Keeps the slot until the stop flag is set.
    fn keep(mut self, seat: Option<Seat>) -> Result<(), SimError> {
        be_punctual();
        let outcome = self.serve_all(seat);
        self.board.change(|state| (state.plugged, state.ended) = (false, true));
        outcome
    }

    fn serve_all(&mut self, mut next: Option<Seat>) -> Result<(), SimError> {
        while let Some(seat) = next {
            next = match self.serve(seat)? {
                Woken::Stop => return Ok(()),
                Woken::Look => self.next_seat()?,
            };
        }
        let unit = self.progress.unit;
        self.board.change(|state| (state.unit, state.ended) = (unit, true));
        self.wait(None).map(|_| ())
    }

    /// Plugs in the unit whose turn it is, if there is one.
    fn next_seat(&mut self) -> Result<Option<Seat>, SimError> {
        if self.progress.unit > self.options.units {
            return Ok(None);
        }
        let unit = Unit::take(&self.options, &self.progress.name, self.progress.unit)?;
        self.plug_in(unit).map(Some)
    }

    fn plug_in(&mut self, unit: Unit) -> Result<Seat, SimError> {
        let port = Port::open()?;
        let plug = Plug::insert(&self.options.link, &port)?;
        self.board.change(|state| (state.unit, state.plugged) = (unit.number, true));
        Ok(Seat { unit, port, plug })
    }

    /// Serves one unit until another one may be plugged in.
    fn serve(&mut self, seat: Seat) -> Result<Woken, SimError> {
        let mut seat = seat;
        loop {
            let (ended, unit, port) = self.serve_on_port(seat)?;
            let pulled = port.pull();
            let back_at = match ended {
                Ended::Stopped => return Ok(Woken::Stop),
                Ended::Restarting { back_at } => back_at,
                Ended::Done => return self.wait_for_swap(),
                Ended::Pulled { comes_back: false } => {
                    self.finish_unit(unit.number, false)?;
                    return match self.wait_for_release(pulled)? {
                        Woken::Stop => Ok(Woken::Stop),
                        Woken::Look => self.wait_for_swap(),
                    };
                }
                Ended::Pulled { comes_back: true } => match self.wait_for_release(pulled)? {
                    Woken::Stop => return Ok(Woken::Stop),
                    Woken::Look => self.watch.now() + self.options.timings.boot,
                },
            };
            if self.wait(Some(back_at))? == Woken::Stop {
                return Ok(Woken::Stop);
            }
            seat = self.plug_in(unit)?;
        }
    }

    fn serve_on_port(&mut self, seat: Seat) -> Result<(Ended, Unit, Port), SimError> {
        let Seat { mut unit, mut port, plug } = seat;
        let relay = Relay::new(&mut unit, &mut port, plug, BaudRate(self.options.baud));
        let (number, heard) = (relay.unit_number(), !relay.is_unreachable());
        let (stop, watch) = (self.stop.clone(), self.watch);
        let mut recorder = self.options.recorder.take();
        let ended = relay.serve(&mut Surroundings {
            stop: &stop,
            watch,
            recorder: recorder.as_mut(),
            finished: &mut || self.finish_unit(number, heard),
        });
        self.options.recorder = recorder;
        self.board.change(|state| state.plugged = false);
        Ok((ended?, unit, port))
    }

    /// Counts the unit as done, durably, before anyone can know it.
    fn finish_unit(&mut self, number: u32, heard_finish: bool) -> Result<(), SimError> {
        if self.progress.unit != number {
            // Done already, and pulled out since.
            return Ok(());
        }
        self.progress.unit += 1;
        self.file.save(&self.progress)?;
        self.board.change(|state| {
            state.done += 1;
            state.finished += u32::from(heard_finish);
        });
        Ok(())
    }

    /// Waits while the slot is empty.
    fn wait_for_swap(&self) -> Result<Woken, SimError> {
        match self.options.swap_time {
            Duration::ZERO => Ok(Woken::Look),
            time => self.wait(Some(self.watch.now() + time)),
        }
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
