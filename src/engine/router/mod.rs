//! Which scan goes to which slot. Pure: it is told what happened and says what to do.
//!
//! A scan for a unit whose device is known to be in a slot goes there; every other scan
//! goes to a free slot whose device has no open attempt, or waits for one. A device that
//! another unit is proven on is the last to be tried, and only to say so. Nothing here
//! asks the ledger or a device: the line thread looks up a unit's standing and passes it in.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::Binding;
use crate::domain::ids::{ClientId, HardwareId, Serial, SlotName};
use crate::domain::record::{LabelRead, Open, Rework, Standing};
use crate::flow::Why;
use crate::say;

mod binding;
mod standstill;

/// How long all slots may be out of service at once before the line gives up: a port that
/// has just been plugged in again can take a moment until it may be opened.
const OUT_OF_SERVICE: Duration = Duration::from_secs(2);

/// The same where another program has one of the ports: a modem manager looks at a new port
/// for half a minute at most, and then lets go of it.
const HELD: Duration = Duration::from_secs(30);

/// How far ahead labels that name a busy slot are read.
const NAMED_AHEAD: usize = 64;

/// A unit to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    /// Its serial.
    pub(super) serial: Serial,
    /// Its client id.
    pub(super) client_id: ClientId,
    /// It came with its device, which has an open attempt, and not with a scan.
    pub(super) resumed: bool,
    /// Its scan named the slot.
    pub(super) named: bool,
    /// The device that its label names.
    pub(super) hardware: Option<HardwareId>,
    /// What it was scanned from, where that said more than the serial.
    pub(super) label: Option<LabelRead>,
}

impl Job {
    /// A unit that is known by its serial alone.
    pub(super) const fn new(serial: Serial, client_id: ClientId) -> Self {
        Self { serial, client_id, resumed: false, named: false, hardware: None, label: None }
    }
}

/// What the line does because of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Give this job to this slot.
    Run(usize, Job),
    /// Refuse this scan.
    Refuse(String, Option<SlotName>, Fault),
    /// Stop the unit in this slot where it may be stopped.
    Halt(usize, Fault),
    /// Ask for this many further labels.
    Want(usize),
}

/// What a slot is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It has not said yet what is there.
    Opening,
    /// Nothing is there.
    Empty,
    /// A device waits for a scan.
    Ready(HardwareId),
    /// Something is there and does not say who it is: a scan will tell why.
    Silent,
    /// A unit is being worked on, on this device where it is known.
    Busy(Serial, Option<HardwareId>),
    /// The unit that ended is still there.
    Done(Option<HardwareId>),
    /// Its device answers in another slot too.
    Twin(HardwareId),
    /// Another program has its port, and may let go of it.
    Held,
    /// Not to be used any more.
    Out,
}

impl Place {
    fn hardware(&self) -> Option<&HardwareId> {
        match self {
            Place::Ready(hardware) | Place::Twin(hardware) => Some(hardware),
            Place::Busy(_, hardware) | Place::Done(hardware) => hardware.as_ref(),
            Place::Opening | Place::Empty | Place::Silent | Place::Held | Place::Out => None,
        }
    }
}

/// A scan that waits for a slot.
#[derive(Debug, Clone)]
struct Waiting {
    job: Job,
    slot: Option<usize>,
    /// When it was scanned.
    since: Duration,
    /// Its unit's own device, which another label has met, and why it is refused without.
    own: Option<(HardwareId, Fault)>,
}

impl Waiting {
    /// Whether whatever device comes may be meant.
    fn is_for_any(&self) -> bool {
        self.slot.is_none() && self.own.is_none()
    }
}

/// The state of all slots and of the scans that wait for them.
#[derive(Debug, Clone)]
pub(super) struct Router {
    names: Vec<SlotName>,
    places: Vec<Place>,
    /// What each slot was given and has not answered.
    given: Vec<Option<Job>>,
    /// Since when no slot could be used.
    out_since: Option<Duration>,
    /// How long ports that another program has are waited for; for ever without it.
    held_patience: Option<Duration>,
    waiting: VecDeque<Waiting>,
    /// Labels asked for and not yet come.
    wanted: usize,
    /// Until every slot has said what is there and what it held open is resolved.
    opening: bool,
    /// Completed without a scan; their first scan is answered already.
    resumed: BTreeSet<Serial>,
    no_more_scans: bool,
    stopping: bool,
    /// A slot once showed something, were it an open port alone.
    seen_anything: bool,
    /// When the line last changed; a scan waits for a device only so long after that.
    active_at: Duration,
    device_wait: Duration,
    binding: Binding,
    /// The slot that the next label is for, and since when.
    chosen: Option<(usize, Duration)>,
    /// When the device that is in each slot came.
    arrived: Vec<Option<Duration>>,
    /// Whether a unit is proven on the device that is in each slot.
    owned: Vec<bool>,
    /// It was said whose devices are to be taken out.
    told_to_pull: bool,
}

impl Router {
    pub(super) fn new(names: Vec<SlotName>, device_wait: Duration, binding: Binding) -> Self {
        let slots = names.len();
        let places = vec![Place::Opening; slots];
        Self {
            names,
            places,
            given: vec![None; slots],
            out_since: None,
            held_patience: Some(HELD),
            waiting: VecDeque::new(),
            wanted: 0,
            opening: true,
            resumed: BTreeSet::new(),
            no_more_scans: false,
            stopping: false,
            seen_anything: false,
            active_at: Duration::ZERO,
            device_wait,
            binding,
            chosen: None,
            arrived: vec![None; slots],
            owned: vec![false; slots],
            told_to_pull: false,
        }
    }

    /// A slot's name.
    pub(super) fn name(&self, slot: usize) -> &SlotName {
        &self.names[slot]
    }

    /// The slot of that name.
    pub(super) fn slot(&self, name: &SlotName) -> Option<usize> {
        self.names.iter().position(|slot| slot == name)
    }

    /// Whether the unit is in a slot or waits for one.
    pub(super) fn has(&self, serial: &Serial) -> bool {
        self.is_running(serial) || self.waiting.iter().any(|waiting| waiting.job.serial == *serial)
    }

    /// Whether a scan of this unit waits for its device, and for which slot.
    pub(super) fn waits(&self, serial: &Serial) -> Option<Option<SlotName>> {
        let waiting = self.waiting.iter().find(|waiting| waiting.job.serial == *serial)?;
        Some(waiting.slot.map(|slot| self.names[slot].clone()))
    }

    fn is_running(&self, serial: &Serial) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Busy(busy, _) if busy == serial))
    }

    /// Whether nothing is under way and nothing will be.
    pub(super) fn has_ended(&self, now: Duration) -> bool {
        let running = self.places.iter().any(|place| matches!(place, Place::Busy(..)));
        let fed = self.no_more_scans && self.waiting.is_empty() && !self.opening;
        !running && (self.stopping || fed || self.is_out_of_service(now))
    }

    /// Whether no slot can be used any more.
    pub(super) fn is_out_of_service(&self, now: Duration) -> bool {
        let patience = match self.places.contains(&Place::Held) {
            true => self.held_patience,
            false => Some(OUT_OF_SERVICE),
        };
        let over = self.out_since.zip(patience);
        over.is_some_and(|(since, patience)| now >= since + patience)
    }

    /// A person is there who sees that a port is held: the line waits for as long as that.
    pub(super) fn wait_for_held_ports(&mut self) {
        self.held_patience = None;
    }

    pub(super) fn no_more_scans(&mut self) {
        self.no_more_scans = true;
    }

    /// A slot's port opened.
    pub(super) fn port_is_there(&mut self) {
        self.seen_anything = true;
    }

    /// Whether a scan waits and no slot ever showed anything.
    pub(super) fn waits_in_vain(&self) -> bool {
        !self.seen_anything && !self.stopping && !self.waiting.is_empty()
    }

    /// Takes no further scan; what waits is refused.
    pub(super) fn stop(&mut self, reason: &Fault) -> Vec<Decision> {
        self.stopping = true;
        self.refuse_waiting(reason)
    }

    /// Forgets every scan that waits for a device; says which.
    pub(super) fn withdraw(&mut self, now: Duration) -> (Vec<Serial>, Vec<Decision>) {
        let withdrawn = self.waiting.drain(..).map(|waiting| waiting.job.serial).collect();
        self.chosen = None;
        (withdrawn, self.settle(now))
    }

    fn refuse_waiting(&mut self, reason: &Fault) -> Vec<Decision> {
        let names = &self.names;
        let refused = |waiting: Waiting| {
            let name = waiting.slot.map(|slot| names[slot].clone());
            refuse(&waiting.job.serial, name, reason)
        };
        self.waiting.drain(..).map(refused).collect()
    }

    /// The units that are worked on or whose scans wait for a device.
    pub(super) fn units(&self) -> Vec<Serial> {
        let busy = self.places.iter().filter_map(|place| match place {
            Place::Busy(serial, _) => Some(serial.clone()),
            _ => None,
        });
        busy.chain(self.waiting_units()).collect()
    }

    /// The units whose scans wait for a device.
    pub(super) fn waiting_units(&self) -> Vec<Serial> {
        self.waiting.iter().map(|waiting| waiting.job.serial.clone()).collect()
    }

    /// Refuses scans that wait in vain, each for its reason.
    pub(super) fn refuse(&mut self, known: &[(Serial, Fault)], now: Duration) -> Vec<Decision> {
        let mut decisions = Vec::new();
        let names = &self.names;
        self.waiting.retain(|waiting| {
            let fault = known.iter().find(|(serial, _)| *serial == waiting.job.serial);
            let Some((serial, fault)) = fault else { return true };
            let name = waiting.slot.map(|slot| names[slot].clone());
            decisions.push(refuse(serial, name, fault));
            false
        });
        if !decisions.is_empty() {
            decisions.extend(self.settle(now));
        }
        decisions
    }

    /// A slot's thread is gone. A scan that it was given and did not answer is refused.
    pub(super) fn gone(&mut self, slot: usize, reason: &Fault, now: Duration) -> Vec<Decision> {
        let mut decisions = Vec::new();
        if let Some(job) = self.given[slot].take().filter(|job| !job.resumed) {
            decisions.push(refuse(&job.serial, Some(self.names[slot].clone()), reason));
        }
        decisions.extend(self.place(slot, Place::Out, now));
        decisions
    }

    /// The device that a slot is about to say is there has a unit proven on it, or has not.
    pub(super) fn note_owner(&mut self, slot: usize, owned: bool) {
        self.owned[slot] = owned;
    }

    /// A slot says what is there.
    pub(super) fn place(&mut self, slot: usize, place: Place, now: Duration) -> Vec<Decision> {
        self.active_at = now;
        self.seen_anything |= !matches!(place, Place::Opening | Place::Empty | Place::Out);
        self.note_arrival(slot, &place, now);
        self.note_movement();
        let mut decisions = Vec::new();
        let place = match place {
            Place::Ready(hardware) => self.admit(slot, hardware, &mut decisions),
            place => {
                self.owned[slot] = false;
                place
            }
        };
        self.places[slot] = place;
        self.out_since =
            match self.places.iter().all(|place| matches!(place, Place::Out | Place::Held)) {
                true => self.out_since.or(Some(now)),
                false => None,
            };
        decisions.extend(self.settle(now));
        decisions
    }

    /// A device answers in a slot. One that answers in another slot too stops both.
    fn admit(&mut self, slot: usize, hardware: HardwareId, out: &mut Vec<Decision>) -> Place {
        let twin = (0..self.places.len())
            .find(|other| *other != slot && self.places[*other].hardware() == Some(&hardware));
        let Some(twin) = twin else {
            return Place::Ready(hardware);
        };
        match &self.places[twin] {
            Place::Busy(..) => out.push(Decision::Halt(twin, self.twin_fault(twin, slot))),
            _ => self.places[twin] = Place::Twin(hardware.clone()),
        }
        let fault = self.twin_fault(twin, slot);
        let (meant, others) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| [Some(twin), Some(slot)].contains(&waiting.slot));
        self.waiting = others;
        let meant: VecDeque<Waiting> = meant;
        out.extend(meant.into_iter().map(|waiting| {
            let name = waiting.slot.map(|slot| self.names[slot].clone());
            refuse(&waiting.job.serial, name, &fault)
        }));
        Place::Twin(hardware)
    }

    /// Whether several devices wait, so that a label without a slot may meet any of them.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.places.iter().filter(|place| matches!(place, Place::Ready(_))).count() > 1
    }

    /// Why a device that answers in two slots stops both.
    pub(super) fn twin_fault(&self, one: usize, other: usize) -> Fault {
        let (one, other) = (&self.names[one], &self.names[other]);
        Fault::said(
            Code::DevTwice,
            say!(
                "one hardware id answers in slot {one} and in slot {other}",
                "同一个硬件编号在工位 {one} 和工位 {other} 应答"
            ),
        )
    }

    /// The other slot in which a slot's device answers too.
    pub(super) fn twin_of(&self, slot: usize) -> Option<usize> {
        let Place::Twin(hardware) = &self.places[slot] else { return None };
        (0..self.places.len())
            .find(|other| *other != slot && self.places[*other].hardware() == Some(hardware))
    }

    /// A device with an open attempt came: it is resolved at once, without a scan.
    pub(super) fn place_and_resume(
        &mut self,
        slot: usize,
        place: Place,
        job: Job,
        now: Duration,
    ) -> Vec<Decision> {
        self.active_at = now;
        self.seen_anything = true;
        // It came for its own unit, and not for a label that waits.
        self.arrived[slot] = None;
        let mut decisions = Vec::new();
        if let Place::Ready(hardware) = place {
            self.places[slot] = self.admit(slot, hardware, &mut decisions);
            self.out_since = None;
        }
        let ready = matches!(self.places[slot], Place::Ready(_));
        if ready && !self.stopping && !self.has(&job.serial) {
            decisions.push(self.run(slot, job));
        }
        decisions.extend(self.settle(now));
        decisions
    }

    /// A slot's device left before it could be given this job, which waits again.
    pub(super) fn returned(&mut self, slot: usize, job: Job, now: Duration) -> Vec<Decision> {
        self.active_at = now;
        self.places[slot] = Place::Opening;
        self.arrived[slot] = None;
        self.given[slot] = None;
        if !job.resumed {
            let named = job.named.then_some(slot);
            self.waiting.push_front(Waiting { job, slot: named, since: now, own: None });
        }
        match self.stopping {
            true => self.refuse_waiting(&stopping()),
            false => Vec::new(),
        }
    }

    /// A unit in a slot ended. `completed` where its device brought it and it passed.
    pub(super) fn ended(&mut self, slot: usize, completed: bool, now: Duration) -> Vec<Decision> {
        self.active_at = now;
        self.given[slot] = None;
        if let Place::Busy(serial, hardware) = self.places[slot].clone() {
            self.places[slot] = Place::Done(hardware);
            if completed {
                self.resumed.insert(serial);
            }
        }
        self.settle(now)
    }

    /// A label that does not count among those asked for, since it was refused or needs no slot.
    pub(super) fn spent(&mut self, now: Duration) -> Vec<Decision> {
        self.wanted = self.wanted.saturating_sub(1);
        self.settle(now)
    }

    /// An accepted scan, with what the ledger knows of its unit.
    pub(super) fn scan(
        &mut self,
        job: Job,
        slot: Option<usize>,
        standing: &Standing,
        now: Duration,
    ) -> Vec<Decision> {
        self.active_at = now;
        self.wanted = self.wanted.saturating_sub(1);
        let mut decisions: Vec<_> = self.decide(job, slot, standing, now).into_iter().collect();
        decisions.extend(self.settle(now));
        decisions
    }

    fn decide(
        &mut self,
        job: Job,
        slot: Option<usize>,
        standing: &Standing,
        now: Duration,
    ) -> Option<Decision> {
        let name = slot.map(|slot| self.names[slot].clone());
        let refused = |fault: &Fault| Some(refuse(&job.serial, name.clone(), fault));
        let serial = &job.serial;
        if self.stopping {
            return refused(&stopping());
        }
        if self.has(serial) {
            return refused(&Why::UnderWay.fault(serial));
        }
        // Its device was resolved without a scan and reported then.
        if self.resumed.remove(serial) {
            return None;
        }
        if standing.scrapped {
            return refused(&Why::Scrapped.fault(serial));
        }
        if let Some(twin) = slot.and_then(|slot| Some((slot, self.twin_of(slot)?))) {
            return refused(&self.twin_fault(twin.0, twin.1));
        }
        let Some((hardware, fault)) = own_device(serial, standing) else {
            // Whatever binds labels to slots, this one names its device.
            let named = job.hardware.as_ref().filter(|_| slot.is_none());
            if let Some(at) = named.and_then(|hardware| self.place_of(hardware)) {
                return Some(self.run(at, job));
            }
            if let Some(fault) = self.is_ahead(slot) {
                return refused(&fault);
            }
            self.waiting.push_back(Waiting { job, slot, since: now, own: None });
            return None;
        };
        // A run that is started again with the same labels meets the next devices in its
        // slots: a label whose unit is proven is refused for that, whatever stands there.
        match self.place_of(&hardware) {
            Some(at) if slot.is_none_or(|slot| slot == at) => Some(self.run(at, job)),
            None if slot.is_none() && self.is_met_by_another(&hardware) => {
                let own = Some((hardware, fault));
                self.waiting.push_back(Waiting { job, slot, since: now, own });
                None
            }
            _ => refused(&fault),
        }
    }

    /// Whether a label that is not its own is being tried on this device.
    fn is_met_by_another(&self, hardware: &HardwareId) -> bool {
        let met = |place: &Place| matches!(place, Place::Busy(_, Some(here)) if here == hardware);
        self.places.iter().any(met)
    }

    /// Labels whose own device was met by another one: they are next, or refused.
    fn follow(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        let mut index = 0;
        while let Some(waiting) = self.waiting.get(index) {
            let own = waiting.own.as_ref();
            let Some((hardware, fault)) = own.filter(|own| !self.is_met_by_another(&own.0)) else {
                index += 1;
                continue;
            };
            let (at, fault) = (self.place_of(hardware), fault.clone());
            let Some(Waiting { job, .. }) = self.waiting.remove(index) else { break };
            decisions.push(match at {
                Some(at) => self.run(at, job),
                None => refuse(&job.serial, None, &fault),
            });
        }
        decisions
    }

    /// Where a device is that could be worked on now.
    fn place_of(&self, hardware: &HardwareId) -> Option<usize> {
        self.places.iter().position(|place| match place {
            Place::Ready(here) | Place::Done(Some(here)) => here == hardware,
            _ => false,
        })
    }

    fn run(&mut self, slot: usize, job: Job) -> Decision {
        self.note_movement();
        let hardware = self.places[slot].hardware().cloned();
        self.places[slot] = Place::Busy(job.serial.clone(), hardware);
        self.given[slot] = Some(job.clone());
        Decision::Run(slot, job)
    }

    /// Gives waiting scans to free slots and asks for labels.
    fn settle(&mut self, now: Duration) -> Vec<Decision> {
        let unsettled = |place: &Place| matches!(place, Place::Opening | Place::Busy(..));
        if self.opening && self.places.iter().any(unsettled) {
            return Vec::new();
        }
        self.opening = false;
        let mut decisions = Vec::new();
        while !self.stopping {
            decisions.extend(self.follow());
            decisions.extend(self.refuse_several());
            let Some((index, slot)) = self.next_match(now) else { break };
            if let Some(waiting) = self.waiting.remove(index) {
                decisions.push(self.run(slot, waiting.job));
            }
        }
        decisions.extend(self.want());
        decisions
    }

    /// The first waiting scan for which a slot is free, and that slot. A slot whose device
    /// has said who it is comes before one that has not. One whose device is another unit's
    /// comes last, where nothing else is to be waited for.
    fn next_match(&self, now: Duration) -> Option<(usize, usize)> {
        let by_insertion = self.binding == Binding::Insert;
        let mut waiting = self.waiting.iter().enumerate();
        let found = waiting.find_map(|(index, waiting)| {
            if waiting.own.is_some() || by_insertion && waiting.is_for_any() {
                return None;
            }
            let suits = |slot: &usize| waiting.slot.is_none_or(|named| named == *slot);
            let free = |wanted: fn(&Place) -> bool, owned: bool| {
                let free = |slot: &usize| self.owned[*slot] == owned && wanted(&self.places[*slot]);
                (0..self.places.len()).filter(suits).find(free)
            };
            let ready = |place: &Place| matches!(place, Place::Ready(_));
            let slot = free(ready, false).or_else(|| free(|place| *place == Place::Silent, false));
            let in_vain = waiting.slot.is_some() || !self.is_any_busy();
            let slot = slot.or_else(|| free(ready, true).filter(|_| in_vain))?;
            Some((index, slot))
        });
        found.or_else(|| self.inserted(now))
    }

    /// Whether a slot is at work, or looks who is there.
    fn is_any_busy(&self) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Opening | Place::Busy(..)))
    }

    /// One label for each free slot and one ahead.
    fn want(&mut self) -> Option<Decision> {
        if self.no_more_scans || self.stopping || self.out_since.is_some() {
            return None;
        }
        let free = self
            .places
            .iter()
            .filter(|place| matches!(place, Place::Ready(_) | Place::Silent))
            .count();
        let named = self.waiting.iter().filter(|waiting| waiting.slot.is_some()).count();
        let ahead = self.waiting.len() - named.min(NAMED_AHEAD);
        let more = (free + 1).saturating_sub(self.wanted + ahead);
        self.wanted += more;
        (more > 0).then_some(Decision::Want(more))
    }

    /// Refuses what has waited too long for a device since the line last changed.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<Decision> {
        let busy = self.places.iter().any(|place| matches!(place, Place::Busy(..)));
        if busy || self.waiting.is_empty() || now < self.active_at + self.device_wait {
            return Vec::new();
        }
        let seconds = self.device_wait.as_secs();
        let fault = Fault::said(
            Code::ScanNoDevice,
            say!("no device came within {seconds} s", "{seconds} 秒内没有设备插入"),
        );
        let mut decisions = self.refuse_waiting(&fault);
        self.active_at = now;
        decisions.extend(self.settle(now));
        decisions
    }
}

fn stopping() -> Fault {
    Fault::said(Code::Stopped, say!("the line is stopping", "产线正在停止"))
}

fn refuse(serial: &Serial, slot: Option<SlotName>, fault: &Fault) -> Decision {
    Decision::Refuse(serial.to_string(), slot, fault.clone())
}

/// The one device that a scan of this unit can mean, and why it is refused without it.
fn own_device(serial: &Serial, standing: &Standing) -> Option<(HardwareId, Fault)> {
    match &standing.open {
        Open::Asked { hardware, .. } => {
            let detail = say!(
                "{serial} may be on device {hardware}, which is in no slot",
                "{serial} 可能在设备 {hardware} 上，而它不在任何工位"
            );
            Some((hardware.clone(), Fault::said(Code::UnitElsewhere, detail)))
        }
        Open::None | Open::Begun { .. } | Open::Issued { .. } | Open::Proven { .. } => {
            let proven = standing.proven.as_ref().filter(|_| standing.rework == Rework::No)?;
            let hardware = proven.hardware.clone();
            // A device may have finished and left while the station died before it could
            // record that: nothing else would ever end such a unit's run, so it is known
            // as proven, and said to be unfinished.
            let detail = match proven.finished {
                true => say!(
                    "{serial} is proven on device {hardware}",
                    "{serial} 已在设备 {hardware} 上合格"
                ),
                false => say!(
                    "{serial} is proven on device {hardware}; it was not seen to finish",
                    "{serial} 已在设备 {hardware} 上证明，但没有看到它结束"
                ),
            };
            Some((hardware, Fault::said(Code::UnitProven, detail)))
        }
    }
}

#[cfg(test)]
mod binding_tests;
#[cfg(test)]
mod tests;
