//! What the pages besides the line know: what was asked for each, and what came.

use crate::domain::device::Fault;
use crate::domain::ids::Serial;
use crate::domain::pages::{
    CheckLine, HistoryKey, HistoryPage, HistoryQuery, Period, Registrations, WorkOrderChoice,
};
use crate::domain::story::{Outcomes, Stats, UnitStory};

/// A question that was asked, and the newest answer to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asking<T> {
    /// The number of the question that is not answered yet.
    pub(crate) number: Option<u64>,
    pub(crate) found: Option<T>,
    pub(crate) fault: Option<Fault>,
}

impl<T> Default for Asking<T> {
    fn default() -> Self {
        Self { number: None, found: None, fault: None }
    }
}

impl<T> Asking<T> {
    /// Takes the answer, where it is the one that is waited for.
    pub(crate) fn take(&mut self, number: u64, answer: Result<T, Fault>) {
        if self.number != Some(number) {
            return;
        }
        self.number = None;
        match answer {
            Ok(found) => (self.found, self.fault) = (Some(found), None),
            Err(fault) => self.fault = Some(fault),
        }
    }
}

/// Attempts, searched and filtered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HistoryView {
    /// What was typed.
    pub(crate) text: String,
    pub(crate) query: HistoryQuery,
    /// A word of it that can't be meant.
    pub(crate) wrong: Option<String>,
    /// Where the pages before this one began.
    pub(crate) before: Vec<Option<HistoryKey>>,
    pub(crate) selected: usize,
    pub(crate) asking: Asking<HistoryPage>,
}

/// One unit's story.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UnitView {
    pub(crate) serial: Option<Serial>,
    pub(crate) asking: Asking<Option<Box<UnitStory>>>,
}

/// Counts and yield.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatisticsView {
    pub(crate) period: Period,
    /// The row that the keys are about, of the codes and then of the slots.
    pub(crate) selected: usize,
    pub(crate) asking: Asking<Box<Stats>>,
}

/// What a row of the statistics leads to the attempts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead<'s> {
    /// Those with this code.
    Code(&'s str),
    /// Those of this slot.
    Slot(&'s str),
}

impl StatisticsView {
    /// The codes, the most frequent first, each with its number.
    pub(crate) fn codes(&self) -> Vec<(&str, u64)> {
        let found = self.asking.found.iter().flat_map(|stats| &stats.by_code);
        let mut codes: Vec<_> = found.map(|(code, count)| (code.as_str(), *count)).collect();
        codes.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        codes
    }

    /// The slots, the one with the largest share of failures first.
    pub(crate) fn slots(&self) -> Vec<(&str, Outcomes)> {
        let found = self.asking.found.iter().flat_map(|stats| &stats.by_slot);
        let mut slots: Vec<_> = found.map(|(slot, counts)| (slot.as_str(), *counts)).collect();
        slots.sort_by(|one, other| {
            let by_share = other.1.failed_share().total_cmp(&one.1.failed_share());
            by_share.then(one.0.cmp(other.0))
        });
        slots
    }

    /// What the rows lead to: the codes, then the slots.
    pub(crate) fn leads(&self) -> Vec<Lead<'_>> {
        let codes = self.codes().into_iter().map(|(code, _)| Lead::Code(code));
        codes.chain(self.slots().into_iter().map(|(slot, _)| Lead::Slot(slot))).collect()
    }
}

/// What all pages know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pages {
    pub(crate) history: HistoryView,
    pub(crate) unit: UnitView,
    pub(crate) statistics: StatisticsView,
    pub(crate) registrations: Asking<Box<Registrations>>,
    pub(crate) checks: Asking<Vec<CheckLine>>,
    pub(crate) orders: Asking<Vec<WorkOrderChoice>>,
}

impl Default for Pages {
    fn default() -> Self {
        let statistics =
            StatisticsView { period: Period::All, selected: 0, asking: Asking::default() };
        Self {
            history: HistoryView::default(),
            unit: UnitView::default(),
            statistics,
            registrations: Asking::default(),
            checks: Asking::default(),
            orders: Asking::default(),
        }
    }
}
