//! The counts of a run.

use crate::domain::event::{LabelOutcome, LabelReport, Outcome, UnitReport};

/// The counts of a run, in the words of the summary line: how units' lines say that they ended.
/// A report and the ledger call a unit on HOLD neither failed nor cut off; [`Summary::settled`]
/// counts as they do.
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
    /// Those of them that were cut off.
    pub uncertain_cut_off: u64,
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
        let cut_off = unit.uncertain && unit.outcome == Outcome::Interrupted;
        self.uncertain_cut_off += u64::from(cut_off);
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

    /// Failed, and cut off, without what is uncertain: as the ledger, reports and the screen count.
    pub const fn settled(&self) -> (u64, u64) {
        let held = self.uncertain.saturating_sub(self.uncertain_cut_off);
        let failed = self.failed.saturating_sub(held);
        (failed, self.interrupted.saturating_sub(self.uncertain_cut_off))
    }

    /// Whether all that was asked is done.
    pub const fn is_complete(&self) -> bool {
        self.failed == 0 && self.interrupted == 0 && self.refused == 0
    }
}
