//! Which of a sequence a fault falls on, and how a list of faults is written.
//!
//! The same for devices, where the sequence is one of units, and for the cloud, where it is
//! one of requests.

use super::error::FaultError;
use crate::dice::Dice;

/// Which units or requests have a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Selection {
    Every,
    Nth(u32),
    Percent(f64),
}

impl Selection {
    /// Whether the one of this number, counted from 1, has it; the dice are thrown only
    /// where chance decides.
    pub(crate) fn takes(self, number: u32, dice: impl FnOnce() -> Dice) -> bool {
        match self {
            Selection::Every => true,
            Selection::Nth(nth) => nth == number,
            Selection::Percent(percent) => dice().happens(percent),
        }
    }
}

/// A list `name[=value][@N | @P%],…`, each entry read by `fault`.
pub(crate) fn parse_list<F>(
    text: &str,
    fault: impl Fn(&str, Option<&str>) -> Result<F, FaultError>,
) -> Result<Vec<(F, Selection)>, FaultError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| parse_one(part, &fault)).collect()
}

fn parse_one<F>(
    text: &str,
    fault: &impl Fn(&str, Option<&str>) -> Result<F, FaultError>,
) -> Result<(F, Selection), FaultError> {
    let (named, selection) = match text.rsplit_once('@') {
        Some((named, selection)) => (named, parse_selection(selection)?),
        None => (text, Selection::Every),
    };
    let (name, value) = match named.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (named, None),
    };
    Ok((fault(name, value)?, selection))
}

fn parse_selection(text: &str) -> Result<Selection, FaultError> {
    let selection = match text.strip_suffix('%') {
        Some(percent) => percent
            .parse()
            .ok()
            .filter(|percent: &f64| (0.0..=100.0).contains(percent))
            .map(Selection::Percent),
        None => text.parse().ok().filter(|number| *number > 0).map(Selection::Nth),
    };
    selection.ok_or_else(|| FaultError::Selection { text: text.to_owned() })
}
