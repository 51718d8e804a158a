//! The demo's scanner, which scans by itself.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::tile::Mark;
use crate::domain::event::UnitReport;

/// Between two scans, so that an onlooker can follow.
const PACE: Duration = Duration::from_millis(700);

/// A scanner that scans one label after another while it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoScan {
    labels: VecDeque<String>,
    on: bool,
    last: Option<Duration>,
    /// How each of its units ended last.
    ended: BTreeMap<String, Mark>,
}

impl AutoScan {
    /// A scanner with these labels, switched on.
    pub fn new(labels: Vec<String>) -> Self {
        Self { labels: labels.into(), on: true, last: None, ended: BTreeMap::new() }
    }

    /// Whether every label was scanned.
    pub(crate) fn is_over(&self) -> bool {
        self.labels.is_empty()
    }

    /// Takes note of how a unit ended. One that is put back may end once more.
    pub(crate) fn note(&mut self, report: &UnitReport) {
        self.ended.insert(report.serial.clone(), Mark::of(report));
    }

    /// How many units ended so.
    pub(crate) fn count(&self, mark: Mark) -> usize {
        self.ended.values().filter(|ended| **ended == mark).count()
    }

    /// Whether it scans.
    pub fn is_on(&self) -> bool {
        self.on && !self.labels.is_empty()
    }

    /// Switches it on or off.
    pub(crate) fn switch(&mut self) {
        self.on = !self.on;
    }

    /// The next label, where it is time for one.
    pub(crate) fn next(&mut self, now: Duration) -> Option<String> {
        let due = self.last.is_none_or(|last| now >= last + PACE);
        let label = if self.on && due { self.labels.pop_front() } else { None };
        if label.is_some() {
            self.last = Some(now);
        }
        label
    }
}
