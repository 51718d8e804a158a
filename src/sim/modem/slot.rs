//! One slot and the modems that are plugged into it, one after another.
//!
//! A modem is done when it restarted with a key and a certificate in their places, and the
//! station has let go of the port. One that never comes so far stays until a hand takes it out:
//! `station sim pull`, `put` and `next`. Start with [`run_modem`].

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use super::brand::{Brand, Then};
use super::chip::{Chip, with_check_digit};
use super::esp_at::EspAt;
use super::fault::Fault;
use super::front::Front;
use super::key;
use super::nrf91::Nrf91;
use super::options::ModemOptions;
use super::quectel::Quectel;
use super::simcom::Simcom;
use crate::control::{Control, Order};
use crate::dice::{Chance, Dice};
use crate::domain::modem::Modem;
use crate::error::SimError;
use crate::hands::{HandError, Handled};
use crate::lane::Lane;
use crate::progress::{Home, ProgressFile};
use crate::pty::{Plug, Port, Pulled};
use crate::schedule::{BaudRate, Moment};
use crate::stop::{Bell, StopFlag, Watch, Woken, be_punctual, wait};
use crate::unit::UnitId;

/// What a bad contact says before a start.
const RUBBISH: &[u8] = b"\x00\xff\x1c~\xa5OK\xfe\r\n\x80AT\x00ERR\r\n";

/// Plugs the first modem in, says so, and returns when the flag is set.
pub fn run_modem(
    options: &ModemOptions,
    stop: &StopFlag,
    ready: impl FnOnce(&Path),
) -> Result<(), SimError> {
    be_punctual();
    let file = ProgressFile::of(options.state_dir.as_deref(), &options.link)?;
    let name = options.link.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let home = Home::open(file, || name)?;
    let ((sender, wishes), bell) = (mpsc::channel(), Bell::new()?);
    let ringer = bell.clone();
    let carry_out = move |order: Order| {
        let (answer, answered) = mpsc::sync_channel(1);
        sender.send(Wish { order, answer }).map_err(|_| HandError::Ended)?;
        ringer.ring();
        answered.recv().unwrap_or(Err(HandError::Ended))
    };
    let _control = Control::open(&options.link, stop.clone(), Box::new(carry_out))?;
    let watch = Watch::start();
    let mut slot = Slot { options, stop, home, bell, wishes, watch, state: State::Empty };
    slot.plug_next()?;
    ready(&options.link);
    slot.keep()
}

/// An order, and where its outcome goes.
struct Wish {
    order: Order,
    answer: SyncSender<Handled>,
}

/// A modem in the slot.
struct Seat {
    number: u32,
    front: Front,
    port: Port,
    plug: Plug,
    to_modem: Lane,
    from_modem: Lane,
    /// Bytes that have crossed and wait for the modem to be free.
    inbox: VecDeque<u8>,
    /// What it says when it has worked.
    outbox: VecDeque<(Moment, Vec<u8>)>,
    busy_until: Moment,
    /// While it starts, what comes is lost.
    starts_until: Option<Moment>,
    /// Whether it restarted since it was plugged in.
    restarted: bool,
}

enum State {
    Seated(Box<Seat>),
    /// Pulled out or without power; back at that moment, once the station has let go.
    Away(Box<Away>),
    Empty,
}

struct Away {
    number: u32,
    front: Front,
    pulled: Pulled,
    back_at: Moment,
}

struct Slot<'o> {
    options: &'o ModemOptions,
    stop: &'o StopFlag,
    home: Home,
    bell: Bell,
    wishes: Receiver<Wish>,
    watch: Watch,
    state: State,
}

impl Slot<'_> {
    fn keep(&mut self) -> Result<(), SimError> {
        loop {
            self.bell.hush();
            while let Ok(Wish { order, answer }) = self.wishes.try_recv() {
                // Whoever asked may have gone.
                let _ = answer.send(self.carry_out(&order)?);
            }
            self.advance()?;
            if self.pause()? == Woken::Stop {
                return Ok(());
            }
        }
    }

    fn advance(&mut self) -> Result<(), SimError> {
        let now = self.watch.now();
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Empty => Ok(()),
            State::Away(mut away) => {
                if away.pulled.is_held()? || now < away.back_at {
                    self.state = State::Away(away);
                    return Ok(());
                }
                let Away { number, front, .. } = *away;
                self.seat(number, front, true)
            }
            State::Seated(mut seat) => match seat.advance(now, self.options)? {
                Doing::Stays => {
                    self.state = State::Seated(seat);
                    Ok(())
                }
                Doing::LosesPower => {
                    // The link goes first: the next port may have the same path.
                    let Seat { number, front, port, plug, .. } = *seat;
                    drop(plug);
                    let (pulled, back_at) = (port.pull(), now + self.options.boot);
                    self.state = State::Away(Box::new(Away { number, front, pulled, back_at }));
                    Ok(())
                }
                Doing::IsDone => {
                    let Seat { number, port, plug, .. } = *seat;
                    self.home.done(number)?;
                    drop((plug, port.pull()));
                    self.plug_next()
                }
            },
        }
    }

    fn carry_out(&mut self, order: &Order) -> Result<Handled, SimError> {
        let is_empty = matches!(self.state, State::Empty);
        let id = |number| UnitId { home: self.home.name(), number };
        Ok(match order {
            Order::Pull if is_empty => Err(HandError::Empty),
            Order::Pull => {
                let number = match std::mem::replace(&mut self.state, State::Empty) {
                    State::Seated(seat) => seat.number,
                    State::Away(away) => away.number,
                    State::Empty => 0,
                };
                self.home.lay_aside(number)?;
                Ok(id(number))
            }
            Order::Put | Order::Next if !is_empty => Err(HandError::Taken),
            Order::Put => match self.home.aside().last().copied() {
                None => Err(HandError::NothingAside),
                Some(number) => {
                    let id = id(number);
                    self.plug(number)?;
                    Ok(id)
                }
            },
            Order::Next => {
                let number = self.home.turn();
                let id = id(number);
                self.plug_next()?;
                if number <= self.options.units { Ok(id) } else { Err(HandError::NoneLeft) }
            }
            Order::Move(_) => Err(HandError::OtherBench),
        })
    }

    /// Plugs in the modem whose turn it is; where all are done, the slot stays empty.
    fn plug_next(&mut self) -> Result<(), SimError> {
        match self.home.turn() {
            number if number <= self.options.units => self.plug(number),
            _ => Ok(()),
        }
    }

    fn plug(&mut self, number: u32) -> Result<(), SimError> {
        let chip = self.take(number)?;
        self.seat(number, Front::new(brand_of(self.options.kind), chip), false)
    }

    fn seat(&mut self, number: u32, mut front: Front, restarted: bool) -> Result<(), SimError> {
        front.reset();
        let port = Port::open()?;
        let plug = Plug::insert(&self.options.link, &port)?;
        let rate = BaudRate(self.options.baud);
        let now = self.watch.now();
        self.state = State::Seated(Box::new(Seat {
            number,
            front,
            port,
            plug,
            to_modem: Lane::new(rate),
            from_modem: Lane::new(rate),
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            busy_until: now,
            starts_until: None,
            restarted,
        }));
        Ok(())
    }

    /// Takes a modem from its box, or back from where it was left.
    fn take(&self, number: u32) -> Result<Chip, SimError> {
        let name = self.home.name();
        let chance = Chance::new(self.options.seed, &name);
        let faults = self.options.faults.of_unit(number, &chance);
        let own = imei(self.options.seed, &name, number);
        let shown = match faults.contains(&Fault::Twin) {
            true => imei(self.options.seed, &name, 1),
            false => own.clone(),
        };
        let file = self.options.state_dir.as_ref().map(|dir| dir.join(format!("{own}.modem")));
        let is_new = file.as_ref().is_none_or(|file| !file.exists());
        let holds_unknown = faults.contains(&Fault::HoldsUnknown);
        let mut chip = Chip::open(shown, file, faults)?;
        if is_new && holds_unknown {
            let certificate = key::foreign_certificate(self.options.seed);
            brand_of(self.options.kind).preload(&mut chip, &certificate)?;
        }
        Ok(chip)
    }

    fn pause(&self) -> Result<Woken, SimError> {
        let mut readable: Vec<BorrowedFd<'_>> = vec![self.bell.heard()];
        let until = match &self.state {
            State::Seated(seat) => {
                readable.extend([seat.port.openings(), seat.port.master()]);
                seat.next_at()
            }
            State::Away(away) => {
                readable.push(away.pulled.openings());
                // Before that moment nothing brings it back.
                Some(away.back_at.max(self.watch.now() + Duration::from_millis(20)))
            }
            State::Empty => None,
        };
        wait(self.stop, &readable, self.watch, until)
    }
}

fn brand_of(kind: Modem) -> Box<dyn Brand> {
    match kind {
        Modem::Nrf91 => Box::new(Nrf91::new()),
        Modem::Quectel => Box::new(Quectel::new()),
        Modem::Simcom => Box::new(Simcom::new()),
        Modem::EspAt => Box::new(EspAt::new()),
    }
}

/// The IMEI of a modem: it follows from the seed, its slot and its number.
fn imei(seed: u64, slot: &str, number: u32) -> String {
    let roll = Dice::new(seed, &format!("IMEI of modem {number} of {slot}")).roll();
    with_check_digit(&format!("35{:012}", roll % 1_000_000_000_000))
}

/// What a modem in the slot does.
enum Doing {
    Stays,
    LosesPower,
    IsDone,
}

impl Seat {
    fn next_at(&self) -> Option<Moment> {
        let said = self.outbox.front().map(|(at, _)| *at);
        let work = (!self.inbox.is_empty()).then_some(self.busy_until);
        let moments = [self.to_modem.next_at(), self.from_modem.next_at(), said, work];
        moments.into_iter().chain([self.starts_until]).flatten().min()
    }

    fn advance(&mut self, now: Moment, options: &ModemOptions) -> Result<Doing, SimError> {
        let mut bytes = [0; 1024];
        loop {
            let count = self.port.read(&mut bytes)?;
            if count == 0 {
                break;
            }
            self.to_modem.send(now, &bytes[..count]);
        }
        let openings = self.port.look()?;
        while let Some(due) = self.to_modem.due(now) {
            self.inbox.extend(due);
        }
        if self.starts_until.is_some() {
            self.inbox.clear();
            self.start(now);
        }
        while now >= self.busy_until && self.starts_until.is_none() {
            let Some(byte) = self.inbox.pop_front() else { break };
            if self.work(byte, now, options)? == Then::LosePower {
                return Ok(Doing::LosesPower);
            }
        }
        self.speak(now)?;
        // It may have been opened again since: whoever did finds nobody there.
        let is_done = openings.let_go && self.restarted;
        let is_done = is_done && !options.stay && self.front.brand.is_whole(&self.front.chip);
        Ok(if is_done { Doing::IsDone } else { Doing::Stays })
    }

    fn work(&mut self, byte: u8, now: Moment, options: &ModemOptions) -> Result<Then, SimError> {
        let changes = self.front.chip.changes();
        let reaction = self.front.take(byte)?;
        let changed = self.front.chip.changes() - changes;
        let mut ready = now + options.write * changed;
        if reaction.worked {
            ready = ready + self.latency();
        }
        self.busy_until = ready;
        if !reaction.said.is_empty() {
            self.outbox.push_back((ready, reaction.said));
        }
        if reaction.then == Then::Restart {
            self.front.chip.restart()?;
            self.starts_until = Some(ready + options.boot);
        }
        Ok(reaction.then)
    }

    fn latency(&self) -> Duration {
        let faults = self.front.chip.faults().iter();
        let late = faults.filter_map(|fault| match fault {
            Fault::Latency(late) => Some(*late),
            _ => None,
        });
        late.sum()
    }

    /// It has started, where that time has come.
    fn start(&mut self, now: Moment) {
        if self.starts_until.is_none_or(|until| now < until) {
            return;
        }
        self.starts_until = None;
        self.restarted = true;
        self.front.reset();
        let mut banner = Vec::new();
        if self.front.chip.has(&Fault::BootNoise) {
            banner.extend(RUBBISH);
        }
        for line in self.front.brand.manner().banner {
            banner.extend(format!("\r\n{line}\r\n").bytes());
        }
        self.outbox.push_back((now, banner));
    }

    fn speak(&mut self, now: Moment) -> Result<(), SimError> {
        while self.outbox.front().is_some_and(|(at, _)| *at <= now) {
            let said = self.outbox.pop_front().map(|(_, said)| said).unwrap_or_default();
            self.from_modem.send(now, &said);
        }
        while let Some(due) = self.from_modem.due(now) {
            if self.port.is_open() {
                self.port.write(&due)?;
            }
        }
        Ok(())
    }
}
