//! The counts of a run.

use crate::domain::event::{LabelOutcome, LabelReport, Outcome, UnitReport};

/// The counts of a run, in the words of the summary line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Proven and finished.
    pub passed: u64,
    /// Something was wrong.
    pub failed: u64,
    /// Cut off.
    pub interrupted: u64,
    /// Scans that were not accepted.
    pub refused: u64,
    /// Scans of units that were proven before.
    pub already_proven: u64,
    /// Among failed and interrupted: a device may hold the certificate.
    pub uncertain: u64,
    /// Of labels, where any were to be printed.
    pub labels: Option<Labels>,
}

/// The labels of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Labels {
    /// Their bytes were taken.
    pub sent: u64,
    /// Somebody still has to see to them, those of earlier runs too.
    pub open: u64,
}

impl Summary {
    pub(super) fn count(&mut self, unit: &UnitReport) {
        match unit.outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail => self.failed += 1,
            Outcome::Interrupted => self.interrupted += 1,
            Outcome::Refused if unit.is_already_proven() => self.already_proven += 1,
            Outcome::Refused => self.refused += 1,
        }
        self.uncertain += u64::from(unit.uncertain);
    }

    pub(super) fn label(&mut self, label: &LabelReport) {
        let labels = self.labels.get_or_insert_default();
        labels.sent += u64::from(label.outcome == LabelOutcome::Sent);
        labels.open = label.open.into();
    }

    /// A unit that was counted as good is denied by its device.
    pub(super) fn deny(&mut self, unit: &UnitReport) {
        let counted = match unit.proof {
            Some(_) => &mut self.passed,
            None => &mut self.already_proven,
        };
        *counted = counted.saturating_sub(1);
        self.count(unit);
    }

    /// Whether all that was asked is done.
    pub const fn is_complete(&self) -> bool {
        self.failed == 0 && self.interrupted == 0 && self.refused == 0
    }
}
