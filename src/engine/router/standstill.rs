//! A line that stands still until somebody takes a device out: which slots those are, told once.

use super::*;

/// So long the line may stand like that before it is told: who swaps devices needs a moment.
const PATIENCE: Duration = Duration::from_secs(3);

impl Router {
    /// The slots whose devices are in the way of every label that waits, when nothing has
    /// changed for a moment; told once, until a slot has another unit or another device.
    pub(crate) fn in_the_way(&mut self, now: Duration) -> Option<Vec<SlotName>> {
        if self.told_to_pull || self.stopping || now < self.active_at + PATIENCE {
            return None;
        }
        let blocked = self.blocked();
        self.told_to_pull = !blocked.is_empty();
        let names = || blocked.into_iter().map(|slot| self.names[slot].clone()).collect();
        self.told_to_pull.then(names)
    }

    /// Something came, left or began: whatever stands from here on is told anew.
    pub(super) fn note_movement(&mut self) {
        self.told_to_pull = false;
    }

    /// A label can go on where one of its slots is not in the way; a slot that is out of service
    /// is neither.
    fn blocked(&self) -> BTreeSet<usize> {
        let stands = |slot: &usize| matches!(self.places[*slot], Place::Done(_) | Place::Twin(_));
        let is_out = |slot: &usize| matches!(self.places[*slot], Place::Out | Place::Held);
        let mut blocked = BTreeSet::new();
        for waiting in &self.waiting {
            let suits = |slot: &usize| waiting.slot.is_none_or(|named| named == *slot);
            let slots = (0..self.places.len()).filter(suits).filter(|slot| !is_out(slot));
            if slots.clone().all(|slot| stands(&slot)) {
                blocked.extend(slots);
            }
        }
        blocked
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hardware, job, names};
    use super::*;

    const NOW: Duration = Duration::from_secs(100);
    const LATER: Duration = Duration::from_secs(103);

    /// Two slots whose units have ended and whose devices still stand there.
    fn standing() -> Router {
        let mut router = Router::new(names(2), Duration::from_secs(60), Binding::Any);
        for (slot, id, serial) in [(0, 1, "U1"), (1, 2, "U2")] {
            router.place(slot, Place::Ready(hardware(id)), NOW);
            router.scan(job(serial), Some(slot), &Standing::default(), NOW);
        }
        router.ended(0, false, NOW);
        router.ended(1, false, NOW);
        router
    }

    fn scan(router: &mut Router, serial: &str, slot: Option<usize>) {
        router.scan(job(serial), slot, &Standing::default(), NOW);
    }

    #[test]
    fn where_devices_are_in_the_way_of_a_label_their_slots_are_told_once() {
        let mut router = standing();
        assert_eq!(router.in_the_way(LATER), None, "no label waits");
        scan(&mut router, "U3", None);
        assert_eq!(router.in_the_way(LATER - Duration::from_millis(1)), None);
        assert_eq!(router.in_the_way(LATER), Some(names(2)));
        assert_eq!(router.in_the_way(LATER * 2), None);
    }

    #[test]
    fn a_label_that_has_a_slot_to_go_to_waits_for_no_one_s_hand() {
        let mut router = standing();
        router.place(1, Place::Empty, NOW);
        scan(&mut router, "U3", None);
        assert_eq!(router.in_the_way(LATER), None);
        scan(&mut router, "U4", Some(0));
        assert_eq!(router.in_the_way(LATER), Some(names(1)), "its label names the other one");
    }

    #[test]
    fn a_slot_that_is_out_of_service_is_not_waited_for() {
        let mut router = standing();
        router.place(1, Place::Out, NOW);
        scan(&mut router, "U3", None);
        assert_eq!(router.in_the_way(LATER), Some(names(1)));
    }

    #[test]
    fn it_is_told_again_when_another_unit_has_ended_there() {
        let mut router = standing();
        scan(&mut router, "U3", None);
        assert!(router.in_the_way(LATER).is_some());
        router.place(0, Place::Empty, NOW);
        router.place(0, Place::Ready(hardware(9)), NOW);
        router.ended(0, false, NOW);
        scan(&mut router, "U4", None);
        assert_eq!(router.in_the_way(LATER), Some(names(2)));
    }
}
