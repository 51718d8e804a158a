//! One slot and the chips that are put into it, one after another, behind a pseudo-terminal.
//!
//! One round of [`Seat::serve`] looks at the port, gives the chip what has arrived by now,
//! hands the station what has crossed by now, and waits for the next moment at which something
//! is due. The line is as fast as the station has set it; what arrives at another rate than
//! the chip's is noise.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use super::super::control::{Control, Order};
use super::super::dice::Chance;
use super::super::error::SimError;
use super::super::hands::{HandError, Handled};
use super::super::line::Outbound;
use super::super::progress::{Home, ProgressFile};
use super::super::pty::{Plug, Port};
use super::super::schedule::{BaudRate, Line, Moment};
use super::super::stop::{Bell, StopFlag, Watch, Woken, be_punctual, wait};
use super::super::unit::UnitId;
use super::chip::{Build, Chip, EspTimes, Reaction, Then, USUAL_RATE, mac};
use super::faults::EspFaults;
use super::kind::{KINDS, Kind};
use super::pins::Pins;

/// A slot with simulated chips, one after another.
#[derive(Debug, Clone)]
pub struct EspOptions {
    /// Where the port appears. A link that is there already is replaced.
    pub link: PathBuf,
    /// Where flash contents and the slot's progress are kept; nowhere if there is none.
    pub state_dir: Option<PathBuf>,
    /// From what, with the seed, the chips' ids follow; the link's path if there is none.
    pub name: Option<String>,
    /// How many chips there are.
    pub units: u32,
    /// What is wrong with them.
    pub faults: EspFaults,
    /// From what probabilities and ids are drawn.
    pub seed: u64,
    /// Which chip they are: a word of [`chip_words`].
    pub chip: String,
    /// Bytes of their flash, a power of two.
    pub flash_size: u32,
    /// How long they work.
    pub times: EspTimes,
    /// Whether bytes take their time on the line.
    pub paced: bool,
}

impl EspOptions {
    /// One sound ESP32-C3 with 4 MiB of flash, in memory.
    pub fn new(link: impl Into<PathBuf>) -> Self {
        Self {
            link: link.into(),
            state_dir: None,
            name: None,
            units: 1,
            faults: EspFaults::none(),
            seed: 0,
            chip: "esp32c3".to_owned(),
            flash_size: 4 * 1024 * 1024,
            times: EspTimes::default(),
            paced: true,
        }
    }
}

/// The chips that can be simulated.
pub fn chip_words() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.word)
}

/// Puts the first chip in, says so, and returns when the flag is set.
pub fn run_esp(
    options: &EspOptions,
    stop: &StopFlag,
    ready: impl FnOnce(&Path),
) -> Result<(), SimError> {
    be_punctual();
    let file = ProgressFile::of(options.state_dir.as_deref(), &options.link)?;
    let path = || std::path::absolute(&options.link).unwrap_or_else(|_| options.link.clone());
    let name = || options.name.clone().unwrap_or_else(|| path().display().to_string());
    let home = Arc::new(Home::open(file, name)?);
    let (wishes, bell) = (mpsc::channel(), Bell::new()?);
    let (sender, ringer) = (wishes.0, bell.clone());
    let carry_out = move |order: Order| {
        let (answer, answered) = mpsc::sync_channel(1);
        sender.send(Wish { order, answer }).map_err(|_| HandError::Ended)?;
        ringer.ring();
        answered.recv().unwrap_or(Err(HandError::Ended))
    };
    let _control = Control::open(&options.link, stop.clone(), Box::new(carry_out))?;
    let pins = Pins::open(&options.link)?;
    let hands = Hands { bell, wishes: wishes.1 };
    let mut slot = Slot { options, home, stop, watch: Watch::start(), hands, pins };
    let first = slot.next_seat()?;
    ready(&options.link);
    slot.keep(first)
}

/// An order, and where its outcome goes.
struct Wish {
    order: Order,
    answer: SyncSender<Handled>,
}

struct Hands {
    bell: Bell,
    wishes: Receiver<Wish>,
}

struct Slot<'o> {
    options: &'o EspOptions,
    home: Arc<Home>,
    stop: &'o StopFlag,
    watch: Watch,
    hands: Hands,
    pins: Pins,
}

/// Why a chip left its slot.
enum Left {
    Stopped,
    Done,
    ByHand(SyncSender<Handled>),
}

impl Slot<'_> {
    fn keep(&mut self, mut seat: Option<Seat>) -> Result<(), SimError> {
        loop {
            let Some(taken) = seat.take() else {
                match self.wait_for_a_hand()? {
                    Some(next) => seat = Some(next),
                    None => return Ok(()),
                }
                continue;
            };
            let number = taken.number;
            match taken.serve(self)? {
                Left::Stopped => return Ok(()),
                Left::Done => {
                    self.home.done(number)?;
                    seat = self.next_seat()?;
                }
                Left::ByHand(answer) => {
                    // Whoever asked may have gone.
                    let _ = answer.send(Ok(self.id(number)));
                }
            }
        }
    }

    fn id(&self, number: u32) -> UnitId {
        UnitId { home: self.home.name(), number }
    }

    /// An empty slot, until the chip whose turn it is is put in, or the next one.
    fn wait_for_a_hand(&mut self) -> Result<Option<Seat>, SimError> {
        loop {
            self.hands.bell.hush();
            while let Ok(Wish { order, answer }) = self.hands.wishes.try_recv() {
                let outcome = match order {
                    Order::Pull => Err(HandError::Empty),
                    Order::Move(_) => Err(HandError::OtherBench),
                    Order::Put | Order::Next => match self.seat_for(&order)? {
                        Some(seat) => {
                            let _ = answer.send(Ok(self.id(seat.number)));
                            return Ok(Some(seat));
                        }
                        None => Err(HandError::NoneLeft),
                    },
                };
                let _ = answer.send(outcome);
            }
            let bell = [self.hands.bell.heard()];
            if wait(self.stop, &bell, self.watch, None)? == Woken::Stop {
                return Ok(None);
            }
        }
    }

    fn seat_for(&mut self, order: &Order) -> Result<Option<Seat>, SimError> {
        if *order == Order::Next {
            self.home.done(self.home.turn())?;
        }
        self.next_seat()
    }

    fn next_seat(&mut self) -> Result<Option<Seat>, SimError> {
        let number = self.home.turn();
        if number > self.options.units {
            return Ok(None);
        }
        let chip = self.chip(number)?;
        let port = Port::open()?;
        let plug = Plug::insert(&self.options.link, &port)?;
        // The fixture holds the boot pin while it gives power.
        Seat::new(number, chip, port, plug, self.watch.now(), self.options.paced).map(Some)
    }

    fn chip(&self, number: u32) -> Result<Chip, SimError> {
        let options = self.options;
        let (name, seed) = (self.home.name(), options.seed);
        let short = options.link.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let chance = Chance::new(seed, &options.name.clone().unwrap_or(short));
        let faults = options.faults.of_unit(number, &chance);
        let counted = if faults.contains(&super::faults::EspFault::Twin) { 1 } else { number };
        let own = mac(seed, &format!("chip {counted} of {name}"));
        let file = options.state_dir.as_ref().map(|folder| {
            let of_unit = mac(seed, &format!("chip {number} of {name}"));
            let hex: String = of_unit.iter().map(|byte| format!("{byte:02x}")).collect();
            folder.join(hex + ".flash")
        });
        Chip::new(Build {
            kind: Kind::of(&options.chip).unwrap_or(&KINDS[0]),
            mac: own,
            other: mac(seed, &format!("no chip of {name}")),
            file: file.as_deref(),
            flash_size: options.flash_size as usize,
            times: options.times,
            faults,
            number,
            chance,
            seed,
        })
    }
}

/// A chip in its slot.
struct Seat {
    number: u32,
    chip: Chip,
    port: Port,
    plug: Option<Plug>,
    paced: bool,
    /// What the chip takes.
    rate: u32,
    inbound: Line,
    outbound: Outbound,
    waiting: VecDeque<(Moment, u8)>,
    busy_until: Moment,
    deaf_until: Moment,
    /// When it resets by itself, and runs its application.
    resets_at: Option<Moment>,
    /// At what rate it speaks once its answer has left.
    next_rate: Option<u32>,
    heard: bool,
    done: bool,
}

impl Seat {
    fn new(
        number: u32,
        chip: Chip,
        port: Port,
        plug: Plug,
        now: Moment,
        paced: bool,
    ) -> Result<Self, SimError> {
        let mut seat = Self {
            number,
            chip,
            port,
            plug: Some(plug),
            paced,
            rate: USUAL_RATE,
            inbound: Line::new(BaudRate(0)),
            outbound: Outbound::new(BaudRate(0)),
            waiting: VecDeque::new(),
            busy_until: now,
            deaf_until: now,
            resets_at: None,
            next_rate: None,
            heard: false,
            done: false,
        };
        seat.start(now, true)?;
        Ok(seat)
    }

    /// Leaves reset at that moment.
    fn start(&mut self, at: Moment, boot_pin_low: bool) -> Result<(), SimError> {
        let (prints, deaf) = self.chip.start(boot_pin_low)?;
        self.set_rate(USUAL_RATE);
        (self.resets_at, self.next_rate) = (None, None);
        self.waiting.clear();
        self.deaf_until = at + deaf;
        self.busy_until = self.deaf_until;
        if self.port.is_open() {
            self.outbound.send(at, prints.to_vec(), false);
        }
        Ok(())
    }

    fn set_rate(&mut self, rate: u32) {
        self.rate = rate;
        let rate = BaudRate(if self.paced { rate } else { 0 });
        (self.inbound, self.outbound) = (Line::new(rate), Outbound::new(rate));
    }

    /// Keeps the line until the chip leaves its slot.
    fn serve(mut self, slot: &mut Slot<'_>) -> Result<Left, SimError> {
        loop {
            let now = slot.watch.now();
            self.follow_pins(&mut slot.pins, now)?;
            self.read(now)?;
            self.port.look()?;
            self.work(now)?;
            while let Some(due) = self.outbound.due(now) {
                self.port.write(&due.bytes)?;
            }
            self.after_answers(now)?;
            let unreachable = self.chip.is_unreachable() && self.heard;
            if (self.done || unreachable) && !self.port.is_open() && self.outbound.is_empty() {
                self.leave();
                return Ok(Left::Done);
            }
            slot.hands.bell.hush();
            while let Ok(Wish { order, answer }) = slot.hands.wishes.try_recv() {
                match order {
                    Order::Pull => {
                        self.leave();
                        return Ok(Left::ByHand(answer));
                    }
                    _ => drop(answer.send(Err(HandError::Taken))),
                }
            }
            if self.pause(slot)? == Woken::Stop {
                return Ok(Left::Stopped);
            }
        }
    }

    /// Takes the link away before the terminal: its number may be another slot's at once.
    fn leave(mut self) {
        self.plug = None;
        drop(self.port.pull());
    }

    fn pause(&self, slot: &Slot<'_>) -> Result<Woken, SimError> {
        let next = self.waiting.front().map(|(at, _)| (*at).max(self.busy_until));
        let moments = [next, self.outbound.next_at(), self.resets_at, slot.pins.next_at()];
        let until = moments.into_iter().flatten().min();
        let readable =
            [slot.hands.bell.heard(), slot.pins.as_fd(), self.port.openings(), self.port.master()];
        wait(slot.stop, &readable, slot.watch, until)
    }

    fn follow_pins(&mut self, pins: &mut Pins, now: Moment) -> Result<(), SimError> {
        if let Some(boot_pin_low) = pins.left_reset(now)? {
            self.start(now, boot_pin_low)?;
        }
        if pins.is_in_reset() {
            self.waiting.clear();
            self.outbound.cut();
            self.deaf_until = now + Duration::from_millis(1);
        }
        Ok(())
    }

    fn read(&mut self, now: Moment) -> Result<(), SimError> {
        let mut bytes = [0; 1024];
        loop {
            let count = self.port.read(&mut bytes)?;
            if count == 0 {
                return Ok(());
            }
            self.heard = true;
            let speaks = self.port.rate();
            if self.chip.is_in_loader() && self.next_rate.is_none() && self.rate == USUAL_RATE {
                // The loader measures it from SYNC, whose bytes alternate.
                if speaks != self.rate && bytes[..count].windows(8).any(|part| part == [0x55; 8]) {
                    self.set_rate(speaks);
                }
            }
            if speaks != self.rate {
                continue;
            }
            let rate = self.inbound.rate();
            let start = self.inbound.carry(now, count);
            for (index, byte) in bytes[..count].iter().enumerate() {
                self.waiting.push_back((start + rate.line_time(index + 1), *byte));
            }
        }
    }

    fn work(&mut self, now: Moment) -> Result<(), SimError> {
        while let Some((arrived, byte)) = self.waiting.front().copied() {
            // What comes while nothing listens is lost; what comes while it works waits.
            let is_lost = arrived < self.deaf_until;
            let at = if is_lost { arrived } else { arrived.max(self.busy_until) };
            if at > now || self.next_rate.is_some() || self.resets_at.is_some_and(|by| by <= at) {
                return Ok(());
            }
            self.waiting.pop_front();
            if is_lost {
                continue;
            }
            if let Some(reaction) = self.chip.take(byte) {
                self.react(at, reaction)?;
            }
        }
        Ok(())
    }

    fn react(&mut self, at: Moment, reaction: Reaction) -> Result<(), SimError> {
        let Reaction { says, busy, then } = reaction;
        self.busy_until = at + busy;
        if then == Then::LostPower {
            self.outbound.cut();
            return self.start(self.busy_until, true);
        }
        for piece in says {
            self.outbound.send(self.busy_until, piece, false);
        }
        match then {
            Then::Listen | Then::LostPower => {}
            Then::Finished => self.done = true,
            Then::Rate(rate) => self.next_rate = Some(rate),
            Then::Reset(after) => {
                let from = self.busy_until.max(self.outbound.free_at());
                self.resets_at = Some(if after.is_zero() { from } else { self.busy_until + after });
            }
        }
        Ok(())
    }

    fn after_answers(&mut self, now: Moment) -> Result<(), SimError> {
        if self.outbound.is_empty()
            && let Some(rate) = self.next_rate.take()
        {
            self.set_rate(rate);
        }
        if let Some(at) = self.resets_at.filter(|at| *at <= now) {
            self.start(at, false)?;
        }
        Ok(())
    }
}
