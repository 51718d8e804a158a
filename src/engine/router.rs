//! Which scan goes to which slot. Pure: it is told what happened and says what to do.
//!
//! A scan for a unit whose device is known to be in a slot goes there; every other scan
//! goes to a free slot whose device has no open attempt, or waits for one. Nothing here
//! asks the ledger or a device: the line thread looks up a unit's standing and passes it in.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{ClientId, HardwareId, Serial, SlotName};
use crate::domain::record::{Open, Rework, Standing};

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
    /// Not to be used any more.
    Out,
}

impl Place {
    fn hardware(&self) -> Option<&HardwareId> {
        match self {
            Place::Ready(hardware) | Place::Twin(hardware) => Some(hardware),
            Place::Busy(_, hardware) | Place::Done(hardware) => hardware.as_ref(),
            Place::Opening | Place::Empty | Place::Silent | Place::Out => None,
        }
    }
}

/// A scan that waits for a slot.
#[derive(Debug, Clone)]
struct Waiting {
    job: Job,
    slot: Option<usize>,
}

/// The state of all slots and of the scans that wait for them.
#[derive(Debug)]
pub(super) struct Router {
    names: Vec<SlotName>,
    places: Vec<Place>,
    waiting: VecDeque<Waiting>,
    /// Labels asked for and not yet come.
    wanted: usize,
    /// Until every slot has said what is there and what it held open is resolved.
    opening: bool,
    /// Completed without a scan; their first scan is answered already.
    resumed: BTreeSet<Serial>,
    no_more_scans: bool,
    stopping: bool,
    /// When the line last changed; a scan waits for a device only so long after that.
    active_at: Duration,
    device_wait: Duration,
}

impl Router {
    pub(super) fn new(names: Vec<SlotName>, device_wait: Duration) -> Self {
        let places = vec![Place::Opening; names.len()];
        Self {
            names,
            places,
            waiting: VecDeque::new(),
            wanted: 0,
            opening: true,
            resumed: BTreeSet::new(),
            no_more_scans: false,
            stopping: false,
            active_at: Duration::ZERO,
            device_wait,
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

    fn is_running(&self, serial: &Serial) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Busy(busy, _) if busy == serial))
    }

    /// Whether nothing is under way and nothing will be.
    pub(super) fn has_ended(&self) -> bool {
        let running = self.places.iter().any(|place| matches!(place, Place::Busy(..)));
        let fed = self.no_more_scans && self.waiting.is_empty() && !self.opening;
        !running && (self.stopping || fed || self.is_out_of_service())
    }

    /// Whether no slot can be used any more.
    pub(super) fn is_out_of_service(&self) -> bool {
        self.places.iter().all(|place| *place == Place::Out)
    }

    pub(super) fn no_more_scans(&mut self) {
        self.no_more_scans = true;
    }

    /// Takes no further scan; what waits is refused.
    pub(super) fn stop(&mut self, reason: &Fault) -> Vec<Decision> {
        self.stopping = true;
        self.waiting.drain(..).map(|waiting| refuse(&waiting.job.serial, None, reason)).collect()
    }

    /// A slot says what is there.
    pub(super) fn place(&mut self, slot: usize, place: Place, now: Duration) -> Vec<Decision> {
        self.active_at = now;
        let mut decisions = Vec::new();
        let place = match place {
            Place::Ready(hardware) => self.admit(slot, hardware, &mut decisions),
            place => place,
        };
        self.places[slot] = place;
        decisions.extend(self.settle());
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
        Fault::new(
            Code::DevTwice,
            format!("one hardware id answers in slot {one} and in slot {other}"),
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
        let mut decisions = Vec::new();
        if let Place::Ready(hardware) = place {
            self.places[slot] = self.admit(slot, hardware, &mut decisions);
        }
        let ready = matches!(self.places[slot], Place::Ready(_));
        if ready && !self.stopping && !self.has(&job.serial) {
            decisions.push(self.run(slot, job));
        }
        decisions.extend(self.settle());
        decisions
    }

    /// A slot's device left before it could be given this job, which waits again.
    pub(super) fn returned(&mut self, slot: usize, job: Job, now: Duration) {
        self.active_at = now;
        self.places[slot] = Place::Opening;
        if !job.resumed {
            let named = job.named.then_some(slot);
            self.waiting.push_front(Waiting { job, slot: named });
        }
    }

    /// A unit in a slot ended. `completed` where its device brought it and it passed.
    pub(super) fn ended(&mut self, slot: usize, completed: bool, now: Duration) -> Vec<Decision> {
        self.active_at = now;
        if let Place::Busy(serial, hardware) = self.places[slot].clone() {
            self.places[slot] = Place::Done(hardware);
            if completed {
                self.resumed.insert(serial);
            }
        }
        self.settle()
    }

    /// A label that does not count among those asked for, since it was refused or needs no slot.
    pub(super) fn spent(&mut self) -> Vec<Decision> {
        self.wanted = self.wanted.saturating_sub(1);
        self.settle()
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
        let mut decisions: Vec<_> = self.decide(job, slot, standing).into_iter().collect();
        decisions.extend(self.settle());
        decisions
    }

    fn decide(&mut self, job: Job, slot: Option<usize>, standing: &Standing) -> Option<Decision> {
        let name = slot.map(|slot| self.names[slot].clone());
        let refused = |code, detail: String| {
            Some(refuse(&job.serial, name.clone(), &Fault::new(code, detail)))
        };
        let serial = &job.serial;
        if self.stopping {
            return refused(Code::Stopped, "the line is stopping".to_owned());
        }
        if self.has(serial) {
            return refused(Code::ScanDuplicate, format!("{serial} is being worked on"));
        }
        // Its device was resolved without a scan and reported then.
        if self.resumed.remove(serial) {
            return None;
        }
        if standing.scrapped {
            return refused(Code::UnitScrapped, format!("{serial} was scrapped"));
        }
        if let Some(twin) = slot.and_then(|slot| Some((slot, self.twin_of(slot)?))) {
            let fault = self.twin_fault(twin.0, twin.1);
            return refused(fault.code, fault.detail);
        }
        let Some((hardware, code, detail)) = own_device(serial, standing) else {
            self.waiting.push_back(Waiting { job, slot });
            return None;
        };
        match (self.place_of(&hardware), slot) {
            (Some(at), None) => Some(self.run(at, job)),
            // Whatever stands in the slot that the label names is looked at: a label on the
            // wrong device must not pass for one that is merely known.
            (_, Some(slot)) if matches!(self.places[slot], Place::Ready(_)) => {
                Some(self.run(slot, job))
            }
            (Some(at), Some(slot)) if at == slot => Some(self.run(at, job)),
            _ => refused(code, detail),
        }
    }

    /// Where a device is that could be worked on now.
    fn place_of(&self, hardware: &HardwareId) -> Option<usize> {
        self.places.iter().position(|place| match place {
            Place::Ready(here) | Place::Done(Some(here)) => here == hardware,
            _ => false,
        })
    }

    fn run(&mut self, slot: usize, job: Job) -> Decision {
        let hardware = self.places[slot].hardware().cloned();
        self.places[slot] = Place::Busy(job.serial.clone(), hardware);
        Decision::Run(slot, job)
    }

    /// Gives waiting scans to free slots and asks for labels.
    fn settle(&mut self) -> Vec<Decision> {
        let unsettled = |place: &Place| matches!(place, Place::Opening | Place::Busy(..));
        if self.opening && self.places.iter().any(unsettled) {
            return Vec::new();
        }
        self.opening = false;
        let mut decisions = Vec::new();
        while !self.stopping {
            let Some((index, slot)) = self.next_match() else { break };
            if let Some(waiting) = self.waiting.remove(index) {
                decisions.push(self.run(slot, waiting.job));
            }
        }
        decisions.extend(self.want());
        decisions
    }

    /// The first waiting scan for which a slot is free, and that slot. A slot whose device
    /// has said who it is comes before one that has not.
    fn next_match(&self) -> Option<(usize, usize)> {
        self.waiting.iter().enumerate().find_map(|(index, waiting)| {
            let suits = |slot: &usize| waiting.slot.is_none_or(|named| named == *slot);
            let free = |wanted: fn(&Place) -> bool| {
                (0..self.places.len()).filter(suits).find(|slot| wanted(&self.places[*slot]))
            };
            let slot = free(|place| matches!(place, Place::Ready(_)))
                .or_else(|| free(|place| *place == Place::Silent))?;
            Some((index, slot))
        })
    }

    /// One label for each free slot and one ahead.
    fn want(&mut self) -> Option<Decision> {
        if self.no_more_scans || self.stopping {
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
        let fault = Fault::new(Code::ScanNoDevice, format!("no device came within {seconds} s"));
        let mut decisions: Vec<_> = self
            .waiting
            .drain(..)
            .map(|waiting| {
                let name = waiting.slot.map(|slot| self.names[slot].clone());
                refuse(&waiting.job.serial, name, &fault)
            })
            .collect();
        self.active_at = now;
        decisions.extend(self.settle());
        decisions
    }
}

fn refuse(serial: &Serial, slot: Option<SlotName>, fault: &Fault) -> Decision {
    Decision::Refuse(serial.to_string(), slot, fault.clone())
}

/// The one device that a scan of this unit can mean, and why it is refused without it.
fn own_device(serial: &Serial, standing: &Standing) -> Option<(HardwareId, Code, String)> {
    match &standing.open {
        Open::Asked { hardware, .. } => Some((
            hardware.clone(),
            Code::UnitElsewhere,
            format!("{serial} may be on device {hardware}, which is in no slot"),
        )),
        Open::None | Open::Begun { .. } | Open::Issued { .. } | Open::Proven { .. } => {
            let proven = standing.proven.as_ref().filter(|_| standing.rework == Rework::No)?;
            Some((
                proven.hardware.clone(),
                Code::UnitProven,
                format!("{serial} is proven on device {}", proven.hardware),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CertificateSn;
    use crate::domain::record::ProvenIdentity;

    const NOW: Duration = Duration::from_secs(100);

    fn router(slots: usize) -> Router {
        let names = (0..slots).map(|slot| format!("S{slot}").parse().unwrap()).collect();
        Router::new(names, Duration::from_secs(60))
    }

    fn hardware(id: u8) -> HardwareId {
        HardwareId::from_bytes(&[id; 4]).unwrap()
    }

    fn job(serial: &str) -> Job {
        let (serial, client_id) = (serial.parse().unwrap(), serial.parse().unwrap());
        Job { serial, client_id, resumed: false, named: false }
    }

    fn ready(router: &mut Router, slot: usize, id: u8) -> Vec<Decision> {
        router.place(slot, Place::Ready(hardware(id)), NOW)
    }

    fn scan(router: &mut Router, serial: &str) -> Vec<Decision> {
        router.scan(job(serial), None, &Standing::default(), NOW)
    }

    fn codes(decisions: &[Decision]) -> Vec<Code> {
        let code = |decision: &Decision| match decision {
            Decision::Refuse(_, _, fault) => Some(fault.code),
            _ => None,
        };
        decisions.iter().filter_map(code).collect()
    }

    fn asked(id: u8) -> Standing {
        let cert = CertificateSn::from_random([1; 16]);
        let open = Open::Asked { attempt: 1, hardware: hardware(id), cert };
        Standing { open, ..Standing::default() }
    }

    fn proven(id: u8) -> Standing {
        let cert = CertificateSn::from_random([1; 16]);
        let proven = ProvenIdentity { hardware: hardware(id), cert, finished: true };
        Standing { proven: Some(proven), ..Standing::default() }
    }

    #[test]
    fn no_label_is_asked_for_before_every_slot_has_said_what_is_there() {
        let mut router = router(2);
        assert_eq!(ready(&mut router, 0, 1), []);
        assert_eq!(router.place(1, Place::Empty, NOW), [Decision::Want(2)]);
    }

    #[test]
    fn what_was_open_is_resolved_before_the_first_label() {
        let mut router = router(1);
        let mut resumed = job("U1");
        resumed.resumed = true;
        let place = Place::Ready(hardware(1));
        let decisions = router.place_and_resume(0, place, resumed.clone(), NOW);
        assert_eq!(decisions, [Decision::Run(0, resumed)]);
        assert_eq!(router.ended(0, true, NOW), [Decision::Want(1)]);
        // Its scan was answered by then; the second one is not.
        assert_eq!(scan(&mut router, "U1"), [Decision::Want(1)]);
        let again = router.scan(job("U1"), None, &proven(9), NOW);
        assert_eq!(codes(&again), [Code::UnitProven]);
    }

    #[test]
    fn a_scan_goes_to_a_free_slot_and_silent_ones_come_last() {
        let mut router = router(2);
        router.place(0, Place::Silent, NOW);
        ready(&mut router, 1, 1);
        assert_eq!(scan(&mut router, "U1")[0], Decision::Run(1, job("U1")));
        assert_eq!(scan(&mut router, "U2")[0], Decision::Run(0, job("U2")));
    }

    #[test]
    fn the_same_label_while_its_unit_is_under_way_is_refused() {
        let mut router = router(1);
        ready(&mut router, 0, 1);
        scan(&mut router, "U1");
        assert_eq!(codes(&scan(&mut router, "U1")), [Code::ScanDuplicate]);
        scan(&mut router, "U2");
        assert_eq!(codes(&scan(&mut router, "U2")), [Code::ScanDuplicate]);
    }

    #[test]
    fn an_uncertain_unit_goes_to_its_own_device_or_is_refused() {
        let mut router = router(2);
        ready(&mut router, 0, 1);
        ready(&mut router, 1, 2);
        let decisions = router.scan(job("U1"), None, &asked(2), NOW);
        assert_eq!(decisions[0], Decision::Run(1, job("U1")));
        let decisions = router.scan(job("U2"), None, &asked(7), NOW);
        assert_eq!(codes(&decisions), [Code::UnitElsewhere]);
    }

    #[test]
    fn a_proven_unit_is_verified_where_its_device_is_and_refused_elsewhere() {
        let mut router = router(1);
        ready(&mut router, 0, 1);
        assert_eq!(codes(&router.scan(job("U1"), None, &proven(2), NOW)), [Code::UnitProven]);
        let decisions = router.scan(job("U1"), None, &proven(1), NOW);
        assert_eq!(decisions[0], Decision::Run(0, job("U1")));
    }

    #[test]
    fn a_proven_label_on_another_device_is_looked_at_there() {
        let mut router = router(2);
        ready(&mut router, 0, 1);
        ready(&mut router, 1, 2);
        let decisions = router.scan(job("U1"), Some(0), &proven(2), NOW);
        assert_eq!(decisions[0], Decision::Run(0, job("U1")));
    }

    #[test]
    fn a_label_that_names_a_twin_is_refused_with_the_reason() {
        let mut router = router(2);
        ready(&mut router, 0, 1);
        router.scan(job("U1"), Some(1), &Standing::default(), NOW);
        assert_eq!(codes(&ready(&mut router, 1, 1)), [Code::DevTwice]);
        let decisions = router.scan(job("U2"), Some(0), &Standing::default(), NOW);
        assert_eq!(codes(&decisions), [Code::DevTwice]);
    }

    #[test]
    fn a_slot_takes_a_new_scan_only_after_its_device_has_left() {
        let mut router = router(1);
        ready(&mut router, 0, 1);
        scan(&mut router, "U1");
        router.ended(0, true, NOW);
        assert!(!scan(&mut router, "U2").iter().any(|d| matches!(d, Decision::Run(..))));
        router.place(0, Place::Empty, NOW);
        assert_eq!(ready(&mut router, 0, 2)[0], Decision::Run(0, job("U2")));
    }

    #[test]
    fn a_named_slot_is_waited_for_while_others_go_on() {
        let mut router = router(2);
        router.place(0, Place::Empty, NOW);
        ready(&mut router, 1, 1);
        let decisions = router.scan(job("U1"), Some(0), &Standing::default(), NOW);
        assert_eq!(decisions, [Decision::Want(1)]);
        assert_eq!(scan(&mut router, "U2")[0], Decision::Run(1, job("U2")));
        assert_eq!(ready(&mut router, 0, 2)[0], Decision::Run(0, job("U1")));
    }

    #[test]
    fn one_id_in_two_slots_stops_both() {
        let mut router = router(2);
        ready(&mut router, 0, 1);
        ready(&mut router, 1, 1);
        assert_eq!(router.places, [Place::Twin(hardware(1)), Place::Twin(hardware(1))]);

        let mut router = self::router(2);
        ready(&mut router, 0, 1);
        router.place(1, Place::Empty, NOW);
        scan(&mut router, "U1");
        let decisions = ready(&mut router, 1, 1);
        assert!(matches!(&decisions[0], Decision::Halt(0, fault) if fault.code == Code::DevTwice));
        assert_eq!(router.twin_of(1), Some(0));
    }

    #[test]
    fn a_scan_waits_for_a_device_only_so_long_after_the_line_last_changed() {
        let mut router = router(1);
        router.place(0, Place::Empty, NOW);
        scan(&mut router, "U1");
        assert_eq!(router.expire(NOW + Duration::from_secs(59)), []);
        let decisions = router.expire(NOW + Duration::from_secs(60));
        assert_eq!(codes(&decisions), [Code::ScanNoDevice]);
    }

    #[test]
    fn the_line_ends_when_nothing_waits_and_nothing_runs() {
        let mut router = router(1);
        router.no_more_scans();
        assert!(!router.has_ended(), "a slot has not said yet what is there");
        ready(&mut router, 0, 1);
        assert!(router.has_ended());
    }

    #[test]
    fn a_stop_refuses_what_waits() {
        let mut router = router(1);
        router.place(0, Place::Empty, NOW);
        scan(&mut router, "U1");
        let decisions = router.stop(&Fault::new(Code::Stopped, "stopping"));
        assert_eq!(codes(&decisions), [Code::Stopped]);
        assert!(router.has_ended());
    }
}
