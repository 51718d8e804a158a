//! What can be wrong with a simulated device, and how it is asked for.
//!
//! A specification is a comma-separated list of `name[=value][@N | @P%]`: on every unit,
//! on the Nth, or on each with that probability. Which faults a unit has follows from
//! the seed and the slot's short name alone. The names and their meaning stand in [`FAULTS`]; this module parses
//! them and decides nothing about how they are done. Start with [`FaultSpec::parse`].

use std::str::FromStr;

use super::dice::Chance;

pub(super) mod error;
pub(super) mod kind;
pub(super) mod names;
pub(super) mod selection;

use error::FaultError;
use kind::Fault;
use selection::{Selection, parse_list};

/// The faults of a sequence of units.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultSpec(Vec<(Fault, Selection)>);

impl FaultSpec {
    /// Nothing is wrong with any unit.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a specification; an empty text means no fault.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        parse_list(text, names::fault).map(Self)
    }

    /// What is wrong with this unit.
    pub(crate) fn of_unit(&self, unit: u32, chance: &Chance) -> Vec<Fault> {
        // Each entry and unit has dice of its own, so that a resumed run agrees.
        let dice = |place| move || chance.dice(&format!("fault {place} of unit {unit}"));
        let chosen = self
            .0
            .iter()
            .enumerate()
            .filter(|(place, (_, selection))| selection.takes(unit, dice(*place)));
        chosen.map(|(_, (fault, _))| fault.clone()).collect()
    }
}

impl FromStr for FaultSpec {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use firmware_interface::ids::{ObjectKind, RequestType};

    use super::names::FAULTS;
    use super::*;
    use crate::mishap::{Direction, FrameNumber, Mishap};

    fn slot_a(seed: u64) -> Chance {
        Chance::new(seed, "A")
    }

    fn only(text: &str) -> Fault {
        let mut faults = FaultSpec::parse(text).unwrap().of_unit(1, &slot_a(0));
        assert_eq!(faults.len(), 1, "{text}");
        faults.remove(0)
    }

    #[test]
    fn a_list_is_parsed_in_order() {
        let spec = FaultSpec::parse("mute, latency=16 ,drop=rx:5").unwrap();
        let fifth = FrameNumber { direction: Direction::ToDevice, number: 5 };
        assert_eq!(
            spec.of_unit(3, &slot_a(9)),
            [
                Fault::Mute,
                Fault::Latency(Duration::from_millis(16)),
                Fault::Mishap(fifth, Mishap::Drop)
            ]
        );
        assert_eq!(FaultSpec::parse("").unwrap(), FaultSpec::none());
    }

    #[test]
    fn a_fault_of_the_nth_unit_spares_the_others() {
        let spec = FaultSpec::parse("mute@2").unwrap();
        assert_eq!(spec.of_unit(1, &slot_a(0)), []);
        assert_eq!(spec.of_unit(2, &slot_a(0)), [Fault::Mute]);
        assert_eq!(spec.of_unit(3, &slot_a(0)), []);
    }

    #[test]
    fn a_probability_follows_from_the_seed() {
        let spec = FaultSpec::parse("mute@30%").unwrap();
        let hit =
            |seed| (1..=1_000).filter(|u| !spec.of_unit(*u, &slot_a(seed)).is_empty()).count();
        assert!((230..370).contains(&hit(1)), "{}", hit(1));
        assert_eq!(hit(1), hit(1));
        let units = |seed| -> Vec<bool> {
            (1..=50).map(|unit| spec.of_unit(unit, &slot_a(seed)).is_empty()).collect()
        };
        assert_ne!(units(1), units(2));
    }

    #[test]
    fn each_slot_draws_its_own_faults() {
        let spec = FaultSpec::parse("mute@30%").unwrap();
        let units = |slot| -> Vec<bool> {
            let chance = Chance::new(1, slot);
            (1..=50).map(|unit| spec.of_unit(unit, &chance).is_empty()).collect()
        };
        assert_eq!(units("A"), units("A"));
        assert_ne!(units("A"), units("B"));
    }

    #[test]
    fn values_and_their_defaults_are_understood() {
        let tx = FrameNumber { direction: Direction::FromDevice, number: 7 };
        assert_eq!(
            only("delay=tx:7"),
            Fault::Mishap(tx, Mishap::Delay(Duration::from_millis(120)))
        );
        assert_eq!(
            only("delay=tx:7:900"),
            Fault::Mishap(tx, Mishap::Delay(Duration::from_millis(900)))
        );
        let unplug = |at, count, comes_back| Fault::Unplug { at, count, comes_back };
        assert_eq!(only("unplug"), unplug(RequestType::Chunk, 2, false));
        assert_eq!(only("unplug=chunk:3"), unplug(RequestType::Chunk, 3, false));
        assert_eq!(only("replug=commit"), unplug(RequestType::Commit, 1, true));
        assert_eq!(only("twin"), Fault::Twin(None));
        assert_eq!(only("twin=x"), Fault::Twin(Some("x".to_owned())));
        assert_eq!(only("lie-root"), Fault::LieTorn(ObjectKind::ServerRoots));
        assert_eq!(only("lossy=2.5"), Fault::Lossy(2.5));
    }

    #[test]
    fn an_unknown_name_is_named() {
        let error = FaultSpec::parse("mute,explode=1").unwrap_err();
        assert_eq!(error, FaultError::Unknown { name: "explode".to_owned() });
    }

    #[test]
    fn a_wrong_value_says_what_is_expected() {
        for text in ["drop", "drop=5", "drop=up:5", "drop=rx:0", "drop=rx:5:6", "delay=rx:1:x"] {
            assert!(matches!(FaultSpec::parse(text), Err(FaultError::Value { .. })), "{text}");
        }
        for text in ["mute=1", "unplug=lunch", "latency", "lossy=101", "model=", "power=0"] {
            assert!(matches!(FaultSpec::parse(text), Err(FaultError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn a_wrong_selection_is_named() {
        for text in ["mute@0", "mute@", "mute@101%", "mute@x%", "mute@-1"] {
            assert!(matches!(FaultSpec::parse(text), Err(FaultError::Selection { .. })), "{text}");
        }
    }

    #[test]
    fn every_listed_example_is_understood() {
        for fault in FAULTS {
            FaultSpec::parse(fault.example).unwrap();
            assert!(fault.example.starts_with(fault.name), "{}", fault.name);
        }
    }
}
