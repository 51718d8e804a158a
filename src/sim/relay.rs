//! Stands between a pseudo-terminal and a device: paces both directions, does what the
//! faults of the line ask for, and sees when the station has let go.
//!
//! One round of [`Relay::serve`] looks at the port, gives the device what has arrived by
//! now, hands the station what has crossed by now, and waits for the next moment at
//! which something is due. All moments follow from when the station wrote, never from
//! when this thread woke up. It knows frames by their delimiters alone.

use std::collections::VecDeque;

use firmware_interface::codec::{self, Header, MAX_FRAME};
use firmware_interface::ids::RequestType;
use firmware_interface::message::{ChunkReply, Message, Reply};

use super::conversation::message_type;
use super::device::{Then, Work};
use super::error::SimError;
use super::hands::{Asked, Hands};
use super::line::{Arrival, Inbound, Outbound, corrupt};
use super::mishap::{Direction, Mishap};
use super::options::Stay;
use super::pty::{Plug, Port};
use super::schedule::{BaudRate, Moment};
use super::stop::{StopFlag, Watch, Woken, wait};
use super::transcript::{LineFrame, Recorder};
use super::unit::{Chatter, Unit};

/// How fast a device chatters on a line without pacing.
const CHATTER_BAUD: BaudRate = BaudRate(115_200);

/// Bytes of noise made at a time.
const NOISE_LENGTH: usize = 96;

/// What a boot loader prints, and the rubbish that a line sees while pins change.
const BANNER: &[u8] =
    b"\r\nSIM-1 boot loader 2.1\r\nreset cause: pin\r\n\xff\xfe\x80\0\x01jump to 0x08004000\r\n";

/// Why a relay ends.
pub(crate) enum Ended {
    /// It was told to stop.
    Stopped,
    /// The unit is done and the station has let go.
    Done,
    /// The device is pulled out.
    Pulled {
        /// Whether it comes back.
        comes_back: bool,
    },
    /// The device's port is gone until then.
    Restarting {
        /// When it is back.
        back_at: Moment,
    },
    /// A hand moves it.
    ByHand(Asked),
}

/// What a relay works with, the same for all units of a slot.
pub(crate) struct Surroundings<'s> {
    pub(crate) stop: &'s StopFlag,
    pub(crate) watch: Watch,
    pub(crate) recorder: Option<&'s mut Box<dyn Recorder>>,
    /// What is to be done by hand.
    pub(crate) hands: &'s Hands,
    /// Called as soon as the unit is done, before its last reply leaves.
    pub(crate) finished: &'s mut dyn FnMut() -> Result<(), SimError>,
}

/// One unit on its line.
pub(crate) struct Relay<'u> {
    unit: &'u mut Unit,
    port: &'u mut Port,
    plug: Option<Plug>,
    inbound: Inbound,
    outbound: Outbound,
    waiting: VecDeque<Arrival>,
    /// Until when the device works on something.
    busy_until: Moment,
    /// Until when it is in reset and hears nothing.
    deaf_until: Moment,
    pulled: Option<Pulled>,
    /// How often the request came at which the device is pulled out.
    pull_count: u32,
    done: bool,
    stay: Stay,
    /// When a device that has heard `finish` goes.
    goes_at: Option<Moment>,
}

/// How a device leaves by itself.
#[derive(Debug, Clone, Copy)]
enum Pulled {
    Out { comes_back: bool },
    Restarting { back_at: Moment },
}

impl<'u> Relay<'u> {
    /// A unit on an idle line, under the name that the plug gives it.
    pub(crate) fn new(
        unit: &'u mut Unit,
        port: &'u mut Port,
        plug: Plug,
        rate: BaudRate,
        stay: Stay,
    ) -> Self {
        let chatters = unit.manners.chatter.is_some() && rate.0 == 0;
        let outbound = Outbound::new(if chatters { CHATTER_BAUD } else { rate });
        Self {
            unit,
            port,
            plug: Some(plug),
            inbound: Inbound::new(rate),
            outbound,
            waiting: VecDeque::new(),
            busy_until: Moment(0),
            deaf_until: Moment(0),
            pulled: None,
            pull_count: 0,
            done: false,
            stay,
            goes_at: None,
        }
    }

    /// Whether no station can get as far as `finish` with its device.
    pub(crate) const fn is_unreachable(&self) -> bool {
        self.unit.manners.unreachable
    }

    /// Keeps the line until the device leaves it.
    pub(crate) fn serve(mut self, around: &mut Surroundings<'_>) -> Result<Ended, SimError> {
        loop {
            let now = around.watch.now();
            self.read(now, around)?;
            // After reading: whoever wrote what was read is known to have opened the port.
            if self.port.look()?.opened {
                self.opened(now);
            }
            self.work(now, around)?;
            self.hand_over(now)?;
            self.chatter(now, around);
            if let Some(ended) = self.ended(now) {
                return Ok(ended);
            }
            if let Some(asked) = around.hands.next(true) {
                return Ok(Ended::ByHand(asked));
            }
            if self.pause(now, around)? == Woken::Stop {
                return Ok(Ended::Stopped);
            }
        }
    }

    fn ended(&self, now: Moment) -> Option<Ended> {
        match self.pulled {
            Some(Pulled::Restarting { .. }) if !self.outbound.is_empty() => None,
            Some(Pulled::Restarting { back_at }) => {
                Some(Ended::Restarting { back_at: back_at.max(now) })
            }
            Some(Pulled::Out { comes_back }) => Some(Ended::Pulled { comes_back }),
            None if self.done && self.goes(now) => Some(Ended::Done),
            None => None,
        }
    }

    /// Whether a device that is done leaves now.
    fn goes(&self, now: Moment) -> bool {
        match (self.stay, self.goes_at) {
            (Stay::UntilTaken, _) => false,
            (Stay::For(_), Some(at)) => now >= at,
            (Stay::For(_), None) | (Stay::UntilLetGo, _) => !self.port.is_open(),
        }
    }

    fn pause(&self, now: Moment, around: &Surroundings<'_>) -> Result<Woken, SimError> {
        let full_until = self.inbound.full_until(now);
        let next_work = self.waiting.front().filter(|_| self.pulled.is_none());
        let next_work = next_work.map(|arrival| arrival.at.max(self.busy_until));
        let moments = [full_until, next_work, self.outbound.next_at(), self.goes_at];
        let until = moments.into_iter().flatten().min();
        let all = [around.hands.bell.heard(), self.port.openings(), self.port.master()];
        let readable = if full_until.is_some() { &all[..2] } else { &all[..] };
        wait(around.stop, readable, around.watch, until)
    }

    fn opened(&mut self, now: Moment) {
        if self.unit.manners.reset_on_open {
            self.restart(now);
        } else if self.unit.manners.banner {
            self.outbound.send(now, BANNER.to_vec(), false);
        }
    }

    fn read(&mut self, now: Moment, around: &mut Surroundings<'_>) -> Result<(), SimError> {
        let mut bytes = [0; 1_024];
        while self.inbound.full_until(now).is_none() {
            let count = self.port.read(&mut bytes)?;
            if count == 0 {
                return Ok(());
            }
            for arrival in self.inbound.take(now, &bytes[..count]) {
                self.arrive(arrival, around);
            }
        }
        Ok(())
    }

    /// Lets the line do to a frame from the station what it will.
    fn arrive(&mut self, mut arrival: Arrival, around: &mut Surroundings<'_>) {
        if !arrival.is_frame {
            self.waiting.push_back(arrival);
            return;
        }
        let (number, mishap) = self.unit.mishaps.next(Direction::ToDevice);
        self.record(Direction::ToDevice, number, arrival.at, mishap, &arrival.bytes, around);
        match mishap {
            Some(Mishap::Drop) => return,
            Some(Mishap::Corrupt) => corrupt(&mut arrival.bytes),
            Some(Mishap::Double) => {
                let Arrival { at, bytes, is_frame } = &arrival;
                let copy = Arrival { at: *at, bytes: bytes.clone(), is_frame: *is_frame };
                self.waiting.push_back(copy);
            }
            Some(Mishap::Delay(wait)) => arrival.at = arrival.at + wait,
            None => {}
        }
        // The line keeps the order: nothing overtakes a frame that is late.
        let before = self.waiting.back().map_or(Moment(0), |before| before.at);
        arrival.at = arrival.at.max(before);
        self.waiting.push_back(arrival);
    }

    /// Gives the device what has arrived, one after the other.
    fn work(&mut self, now: Moment, around: &mut Surroundings<'_>) -> Result<(), SimError> {
        while let Some(arrival) = self.next_arrival(now) {
            let start = arrival.at.max(self.busy_until);
            if arrival.at >= self.deaf_until {
                self.handle(start, &arrival.bytes, around)?;
            }
        }
        Ok(())
    }

    /// What has arrived by now, if the device is there and has time for it.
    fn next_arrival(&mut self, now: Moment) -> Option<Arrival> {
        let next = self.waiting.front()?;
        let ready = next.at.max(self.busy_until) <= now && self.pulled.is_none();
        if ready { self.waiting.pop_front() } else { None }
    }

    fn handle(
        &mut self,
        start: Moment,
        bytes: &[u8],
        around: &mut Surroundings<'_>,
    ) -> Result<(), SimError> {
        if self.unit.manners.unreachable {
            self.finish(around)?;
        }
        if self.unit.manners.echo {
            self.outbound.send(start, bytes.to_vec(), false);
        }
        if self.unit.manners.never_answers {
            return Ok(());
        }
        let comes_back = self.pull_at(bytes);
        if comes_back == Some(false) {
            self.pulled = Some(Pulled::Out { comes_back: false });
            return Ok(());
        }
        let work = self.unit.device.receive(bytes);
        self.busy_until = start + work.busy;
        if comes_back == Some(true) {
            self.unit.device.restart();
            self.pulled = Some(Pulled::Out { comes_back: true });
            return Ok(());
        }
        if work.then == Then::Finished {
            self.finish(around)?;
        }
        self.answer(work, around);
        Ok(())
    }

    /// Whether the device is pulled out at this frame, and if so whether it comes back.
    fn pull_at(&mut self, bytes: &[u8]) -> Option<bool> {
        let pull = self.unit.manners.pull?;
        if message_type(bytes) != Some(pull.at.to_wire()) {
            return None;
        }
        self.pull_count += 1;
        let now = self.pull_count == pull.count;
        if now {
            self.unit.manners.pull = None;
        }
        now.then_some(pull.comes_back)
    }

    fn finish(&mut self, around: &mut Surroundings<'_>) -> Result<(), SimError> {
        if self.done || self.unit.manners.stays {
            return Ok(());
        }
        self.done = true;
        (around.finished)()
    }

    /// Sends what the device answered, and does what follows.
    fn answer(&mut self, work: Work, around: &mut Surroundings<'_>) {
        let withheld = work.request.is_some_and(|kind| self.withholds(kind));
        let ready = self.busy_until + self.unit.manners.latency;
        if let Some(reply) = work.reply.filter(|_| !withheld) {
            self.gush(ready);
            let farewell = work.then == Then::Finished && !self.unit.manners.stays;
            self.send(ready, reply, farewell, around);
        }
        match work.then {
            Then::Listen | Then::Finished => {}
            // It resets once its reply has left.
            Then::Restart => self.restart(self.busy_until.max(self.outbound.free_at())),
            Then::LostPower => {
                self.outbound.cut();
                self.restart(self.busy_until);
            }
        }
    }

    fn gush(&mut self, ready: Moment) {
        if self.unit.manners.gush == 0 {
            return;
        }
        let mut noise = vec![0; self.unit.manners.gush];
        self.unit.dice.fill(&mut noise);
        self.outbound.send(ready, noise, false);
    }

    fn withholds(&self, kind: RequestType) -> bool {
        let manners = &self.unit.manners;
        manners.withheld.contains(&kind) || manners.withheld_here.contains(&kind)
    }

    /// Lets the line do to a frame from the device what it will.
    fn send(
        &mut self,
        ready: Moment,
        mut frame: Vec<u8>,
        farewell: bool,
        around: &mut Surroundings<'_>,
    ) {
        let (number, mishap) = self.unit.mishaps.next(Direction::FromDevice);
        let original = frame.clone();
        let mut arrives = ready;
        match mishap {
            Some(Mishap::Drop) => {}
            Some(Mishap::Corrupt) => {
                corrupt(&mut frame);
                arrives = self.outbound.send(ready, frame, false);
            }
            Some(Mishap::Double) => {
                self.outbound.send(ready, frame.clone(), false);
                arrives = self.outbound.send(ready, frame, farewell);
            }
            Some(Mishap::Delay(wait)) => {
                arrives = self.outbound.send(ready + wait, frame, farewell);
            }
            None => arrives = self.outbound.send(ready, frame, farewell),
        }
        self.record(Direction::FromDevice, number, arrives, mishap, &original, around);
    }

    fn record(
        &self,
        direction: Direction,
        number: u32,
        arrives: Moment,
        mishap: Option<Mishap>,
        bytes: &[u8],
        around: &mut Surroundings<'_>,
    ) {
        let Some(recorder) = &mut around.recorder else { return };
        let arrives = arrives.since(Moment(0));
        let unit = self.unit.number;
        recorder.frame(&LineFrame { unit, direction, number, arrives, mishap, bytes });
    }

    /// Resets the device at that moment.
    fn restart(&mut self, at: Moment) {
        self.unit.device.restart();
        self.deaf_until = at + self.unit.manners.boot;
        self.busy_until = self.deaf_until;
        if self.unit.manners.usb_restart {
            self.pulled = Some(Pulled::Restarting { back_at: self.deaf_until });
        } else if self.unit.manners.banner {
            self.outbound.send(at, BANNER.to_vec(), false);
        }
    }

    /// Says something that nobody asked for, where the device does.
    fn chatter(&mut self, now: Moment, around: &mut Surroundings<'_>) {
        let Some(chatter) = self.unit.manners.chatter else { return };
        if !self.port.is_open() || !self.outbound.is_empty() {
            return;
        }
        match chatter {
            Chatter::Noise => {
                let mut noise = vec![0; NOISE_LENGTH];
                self.unit.dice.fill(&mut noise);
                self.outbound.send(now, noise, false);
            }
            Chatter::Frames => {
                let frame = unasked(self.unit.dice.roll());
                self.send(now, frame, false, around);
            }
        }
    }

    /// The device has heard that it is done.
    fn say_farewell(&mut self, now: Moment) {
        match self.stay {
            // Before the last byte, so that a station which opens the port anew because of
            // it finds none.
            Stay::UntilLetGo => self.plug = None,
            Stay::For(time) => self.goes_at = Some(now + time),
            Stay::UntilTaken => {}
        }
    }

    /// Gives the station what has crossed the line by now.
    fn hand_over(&mut self, now: Moment) -> Result<(), SimError> {
        while let Some(due) = self.outbound.due(now) {
            if due.farewell {
                self.say_farewell(now);
            }
            if self.port.is_open() {
                self.port.write(&due.bytes)?;
            }
        }
        Ok(())
    }
}

/// A reply that is sound and answers nothing.
fn unasked(roll: u64) -> Vec<u8> {
    let reply = Reply::Chunk(ChunkReply { next: 0, crc: 0 });
    let header = Header {
        version: 1,
        message_type: reply.message_type(),
        seq: roll as u16,
        session: (roll >> 32) as u32,
    };
    let mut room = [0; MAX_FRAME];
    // A reply of eight bytes always fits.
    let length = codec::encode(header, &reply, &mut room).unwrap_or(0);
    room[..length].to_vec()
}
