//! The hands of a demo: they do at the fixture what a person would do, and what the person at
//! the screen asks for.
//!
//! What is done stays until its verdict was read, then it is taken out and the next one put
//! in. A unit on HOLD is laid aside and kept. So a demo never stands still, and whoever
//! watches it can practise "put it back".

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::domain::code::Code;
use crate::domain::event::{Event, SlotStatus, UnitReport};
use crate::domain::ids::SlotName;
use crate::say;
use crate::shell::Failure;
use crate::sim::{Act, HandError, Handled, SlotHandle};
use crate::tui::{HandKey, HandTrouble};

/// How long a verdict can be read before its device is taken out.
const READ: Duration = Duration::from_millis(2_200);

/// The same where a person should take notice of it.
const READ_HOLD: Duration = Duration::from_secs(6);

/// How long a slot is empty between two devices.
const SWAP: Duration = Duration::from_millis(1_000);

/// How long it stays empty for the person who emptied it.
const BY_HAND: Duration = Duration::from_secs(8);

/// Who hears of what can't be done.
type Ear = Box<dyn Fn(HandTrouble) + Send>;

/// What the hands hear of.
enum Heard {
    /// Who is told of what can't be done.
    Ear(Ear),
    Line(SlotName, Seen),
    Key(HandKey, SlotName),
}

/// What they see of a slot.
enum Seen {
    Busy(String),
    Ended { serial: String, uncertain: bool },
    Empty,
    Occupied,
}

/// The way to the hands; they rest when the last of these is dropped.
#[derive(Clone)]
pub struct Hands(Sender<Heard>);

impl Hands {
    /// Hands for these slots.
    pub fn start(slots: Vec<(SlotName, SlotHandle)>) -> Result<Self, Failure> {
        let (sender, heard) = mpsc::channel();
        let place = |handle: SlotHandle| Place::of(Box::new(move |act| handle.act(act)));
        let places = slots.into_iter().map(|(name, handle)| (name, place(handle)));
        let places: HashMap<_, _> = places.collect();
        thread::Builder::new()
            .name("hands".to_owned())
            .spawn(move || work(places, &heard))
            .map_err(|error| {
                Failure::said(Code::Shortage, say!("no thread", "得不到线程")).caused_by(&error)
            })?;
        Ok(Self(sender))
    }

    /// From here on this one hears of what can't be done.
    pub fn tell(&self, ear: Ear) {
        // As below.
        let _ = self.0.send(Heard::Ear(ear));
    }

    /// Sees what the line says.
    pub fn see(&self, event: &Event) {
        if let Some((slot, seen)) = seen(event) {
            // Hands that rest have nothing left to do.
            let _ = self.0.send(Heard::Line(slot, seen));
        }
    }

    /// Does what the person at the screen asks for.
    pub fn press(&self, key: HandKey, slot: SlotName) {
        // As above.
        let _ = self.0.send(Heard::Key(key, slot));
    }
}

fn seen(event: &Event) -> Option<(SlotName, Seen)> {
    match event {
        Event::Unit(report) => ended(report),
        Event::Slot { slot, status } => {
            let seen = match status {
                SlotStatus::Busy(serial) => Seen::Busy(serial.clone()),
                SlotStatus::Empty => Seen::Empty,
                SlotStatus::Identifying
                | SlotStatus::Ready(_)
                | SlotStatus::Silent(_)
                | SlotStatus::Twice(_) => Seen::Occupied,
                SlotStatus::Done | SlotStatus::OutOfService(_) => return None,
            };
            Some((slot.clone(), seen))
        }
        _ => None,
    }
}

fn ended(report: &UnitReport) -> Option<(SlotName, Seen)> {
    let (slot, serial) = (report.slot.clone()?, report.serial.clone());
    Some((slot, Seen::Ended { serial, uncertain: report.uncertain }))
}

/// What a person at the screen is told of; nothing where the demo is over.
const fn trouble(error: &HandError) -> Option<HandTrouble> {
    match error {
        HandError::Empty => Some(HandTrouble::SlotEmpty),
        HandError::Taken => Some(HandTrouble::SlotTaken),
        HandError::NothingAside | HandError::NoneLeft => Some(HandTrouble::BenchEmpty),
        HandError::OtherBench | HandError::Ended => None,
    }
}

/// How a slot is reached.
type Reach = Box<dyn Fn(Act) -> Handled + Send>;

/// One slot.
struct Place {
    reach: Reach,
    /// The serial of the unit that is being worked on.
    busy: Option<String>,
    due: Option<(Instant, Due)>,
}

/// What is to be done at a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    TakeOut { comes_back: bool },
    Fill,
}

impl Place {
    fn of(reach: Reach) -> Self {
        Self { reach, busy: None, due: None }
    }

    fn see(&mut self, seen: Seen, now: Instant) {
        match seen {
            Seen::Busy(serial) => (self.busy, self.due) = (Some(serial), None),
            // A label that was refused for its slot moves no device.
            Seen::Ended { serial, uncertain } if self.busy.as_ref() == Some(&serial) => {
                let time = if uncertain { READ_HOLD } else { READ };
                self.busy = None;
                self.due = Some((now + time, Due::TakeOut { comes_back: uncertain }));
            }
            Seen::Ended { .. } => {}
            Seen::Empty if self.due.is_none() => self.due = Some((now + SWAP, Due::Fill)),
            Seen::Empty => {}
            Seen::Occupied => {
                self.due.take_if(|(_, due)| *due == Due::Fill);
            }
        }
    }

    /// Does it; why it can't be done comes back.
    fn press(&mut self, key: HandKey, now: Instant) -> Option<HandTrouble> {
        let done = match key {
            HandKey::TakeOut => {
                self.due = Some((now + BY_HAND, Due::Fill));
                (self.reach)(Act::TakeOut { comes_back: true })
            }
            HandKey::PutIn => (self.reach)(Act::PutIn(None)).inspect(|_| self.due = None),
        };
        done.err().and_then(|error| trouble(&error))
    }

    fn act_if_due(&mut self, now: Instant) {
        match self.due.filter(|(at, _)| *at <= now) {
            Some((_, Due::TakeOut { comes_back })) => {
                // One that went by itself is out already.
                let _ = (self.reach)(Act::TakeOut { comes_back });
                self.due = Some((now + SWAP, Due::Fill));
            }
            Some((_, Due::Fill)) => {
                // There may be one already, or none left.
                let _ = (self.reach)(Act::Next);
                self.due = None;
            }
            None => {}
        }
    }
}

fn work(mut places: HashMap<SlotName, Place>, heard: &Receiver<Heard>) {
    let mut ear: Ear = Box::new(|_| {});
    loop {
        let next = places.values().filter_map(|place| place.due).map(|(at, _)| at).min();
        let left = next.map(|at| at.saturating_duration_since(Instant::now()));
        let heard = match left {
            Some(left) => heard.recv_timeout(left),
            None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let now = Instant::now();
        match heard {
            Ok(Heard::Line(slot, seen)) => {
                if let Some(place) = places.get_mut(&slot) {
                    place.see(seen, now);
                }
            }
            Ok(Heard::Ear(told)) => ear = told,
            Ok(Heard::Key(key, slot)) => {
                let place = places.get_mut(&slot);
                if let Some(trouble) = place.and_then(|place| place.press(key, now)) {
                    ear(trouble);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        places.values_mut().for_each(|place| place.act_if_due(now));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::sim::UnitId;

    /// A slot that takes note of what is done to it.
    fn place() -> (Place, Arc<Mutex<Vec<Act>>>) {
        let done = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&done);
        let reach = move |act| {
            notes.lock().unwrap().push(act);
            Err::<UnitId, _>(HandError::Ended)
        };
        (Place::of(Box::new(reach)), done)
    }

    fn ended(serial: &str, uncertain: bool) -> Seen {
        Seen::Ended { serial: serial.to_owned(), uncertain }
    }

    /// What is done by the time that so long went by since `begun`.
    fn after(place: &mut Place, begun: Instant, wait: Duration) -> Option<Due> {
        place.act_if_due(begun + wait);
        place.due.map(|(_, due)| due)
    }

    #[test]
    fn a_verdict_can_be_read_before_its_device_is_taken_out() {
        let (mut place, done) = place();
        let begun = Instant::now();
        place.see(Seen::Busy("1".to_owned()), begun);
        place.see(ended("1", false), begun);
        // Its line says nothing of a device that answers nobody.
        place.see(Seen::Empty, begun);
        after(&mut place, begun, READ - Duration::from_millis(1));
        assert_eq!(*done.lock().unwrap(), []);
        assert_eq!(after(&mut place, begun, READ), Some(Due::Fill));
        assert_eq!(after(&mut place, begun, READ + SWAP), None);
        assert_eq!(*done.lock().unwrap(), [Act::TakeOut { comes_back: false }, Act::Next]);
    }

    #[test]
    fn a_unit_on_hold_is_shown_for_longer_and_kept() {
        let (mut place, done) = place();
        let begun = Instant::now();
        place.see(Seen::Busy("1".to_owned()), begun);
        place.see(ended("1", true), begun);
        after(&mut place, begun, READ);
        assert_eq!(*done.lock().unwrap(), []);
        after(&mut place, begun, READ_HOLD);
        assert_eq!(*done.lock().unwrap(), [Act::TakeOut { comes_back: true }]);
    }

    #[test]
    fn a_refused_label_moves_no_device() {
        let (mut place, _) = place();
        let begun = Instant::now();
        place.see(Seen::Busy("1".to_owned()), begun);
        place.see(ended("2", false), begun);
        assert_eq!(place.due, None);
    }

    #[test]
    fn a_slot_that_is_empty_is_filled_unless_somebody_does_it() {
        let (mut place, done) = place();
        let begun = Instant::now();
        place.see(Seen::Empty, begun);
        place.see(Seen::Occupied, begun);
        assert_eq!(after(&mut place, begun, BY_HAND), None);
        place.press(HandKey::TakeOut, begun);
        place.see(Seen::Empty, begun);
        assert_eq!(after(&mut place, begun, SWAP), Some(Due::Fill), "a person has more time");
        assert_eq!(after(&mut place, begun, BY_HAND), None);
        assert_eq!(*done.lock().unwrap(), [Act::TakeOut { comes_back: true }, Act::Next]);
    }
}
