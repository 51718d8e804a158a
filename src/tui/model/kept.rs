//! The units that must be kept: what the ledger said last, and what was seen since.

use crate::domain::clock::Timestamp;
use crate::domain::ids::Serial;
use crate::domain::story::{Uncertain, UncertainUnit};

/// Units that are uncertain, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    found: Uncertain,
    /// What was seen of units, and when: newer than what the ledger said.
    seen: Vec<(Timestamp, Change)>,
    /// The row that the keys are about.
    pub(crate) selected: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Held(UncertainUnit),
    Settled(Serial),
}

impl Kept {
    /// The ledger said this at that time. What was seen later holds nevertheless.
    pub(crate) fn told(&mut self, at: Timestamp, found: Uncertain) {
        self.found = found;
        self.seen.retain(|(seen, _)| *seen >= at);
        for (_, change) in self.seen.clone() {
            self.apply(change);
        }
    }

    /// A unit ended so that it must be kept.
    pub(crate) fn hold(&mut self, unit: UncertainUnit, now: Timestamp) {
        self.see(Change::Held(unit), now);
    }

    /// A unit's device has spoken.
    pub(crate) fn settle(&mut self, serial: &Serial, now: Timestamp) {
        self.see(Change::Settled(serial.clone()), now);
    }

    fn see(&mut self, change: Change, now: Timestamp) {
        self.seen.push((now, change.clone()));
        self.apply(change);
    }

    fn apply(&mut self, change: Change) {
        let Uncertain { count, units } = &mut self.found;
        match change {
            Change::Held(unit) if units.iter().all(|known| known.serial != unit.serial) => {
                units.push(unit);
                *count += 1;
            }
            Change::Held(_) => {}
            Change::Settled(serial) => {
                let before = units.len();
                units.retain(|known| known.serial != serial);
                *count = count.saturating_sub((before - units.len()) as u64);
            }
        }
    }

    /// All that are known but for those that a slot is at work on, and how many there are
    /// besides those.
    pub(crate) fn besides(&self, at_work: &[&str]) -> (Vec<&UncertainUnit>, u64) {
        let is_idle = |unit: &&UncertainUnit| !at_work.contains(&unit.serial.as_str());
        let idle: Vec<_> = self.found.units.iter().filter(is_idle).collect();
        let busy = (self.found.units.len() - idle.len()) as u64;
        (idle, self.found.count.saturating_sub(busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(number: u32) -> UncertainUnit {
        UncertainUnit {
            serial: format!("U{number}").parse().unwrap(),
            work_order: None,
            slot: "A".parse().unwrap(),
            operator: None,
            hardware: None,
            since: Timestamp(i64::from(number)),
        }
    }

    fn found(numbers: &[u32]) -> Uncertain {
        let units: Vec<_> = numbers.iter().map(|number| unit(*number)).collect();
        Uncertain { count: units.len() as u64, units }
    }

    #[test]
    fn what_was_seen_after_the_ledger_was_asked_holds() {
        let mut kept = Kept::default();
        kept.told(Timestamp(10), found(&[1, 2]));
        kept.settle(&unit(1).serial, Timestamp(20));
        kept.hold(unit(3), Timestamp(21));
        assert_eq!(kept.besides(&[]).1, 2);
        kept.told(Timestamp(15), found(&[1, 2]));
        assert_eq!(kept.besides(&[]).1, 2, "that was asked before");
        kept.told(Timestamp(30), found(&[1]));
        let (units, count) = kept.besides(&[]);
        assert_eq!((units[0].serial.as_str(), count), ("U1", 1), "the ledger knows better");
    }

    #[test]
    fn a_unit_that_is_worked_on_is_not_counted() {
        let mut kept = Kept::default();
        kept.told(Timestamp(1), Uncertain { count: 300, ..found(&[1, 2]) });
        let (units, count) = kept.besides(&["U2"]);
        assert_eq!((units.len(), count), (1, 299));
    }
}
