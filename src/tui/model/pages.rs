//! What the pages besides the line know: what was asked for each, and what came.

use crate::domain::device::Fault;
use crate::domain::ids::Serial;
use crate::domain::pages::{
    CheckLine, HistoryKey, HistoryPage, HistoryQuery, Period, Registrations, WorkOrderChoice,
};
use crate::domain::story::{Outcomes, Stats, UnitStory};

/// A question that was asked, and the newest answer to it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Asking<T> {
    /// The number of the question that is not answered yet.
    pub(in crate::tui) number: Option<u64>,
    pub(in crate::tui) found: Option<T>,
    pub(in crate::tui) fault: Option<Fault>,
}

impl<T> Default for Asking<T> {
    fn default() -> Self {
        Self { number: None, found: None, fault: None }
    }
}

impl<T> Asking<T> {
    /// Takes the answer, where it is the one that is waited for.
    pub(in crate::tui) fn take(&mut self, number: u64, answer: Result<T, Fault>) {
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
pub(in crate::tui) struct HistoryView {
    /// What was typed.
    pub(in crate::tui) text: String,
    pub(in crate::tui) query: HistoryQuery,
    /// A word of it that can't be meant.
    pub(in crate::tui) wrong: Option<String>,
    /// Where the pages before this one began.
    pub(in crate::tui) before: Vec<Option<HistoryKey>>,
    pub(in crate::tui) selected: usize,
    pub(in crate::tui) asking: Asking<HistoryPage>,
}

/// One unit's story.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::tui) struct UnitView {
    pub(in crate::tui) serial: Option<Serial>,
    pub(in crate::tui) asking: Asking<Option<Box<UnitStory>>>,
}

/// Counts and yield.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct StatisticsView {
    pub(in crate::tui) period: Period,
    /// The row that the keys are about, of the codes and then of the slots.
    pub(in crate::tui) selected: usize,
    pub(in crate::tui) asking: Asking<Box<Stats>>,
}

/// What a row of the statistics leads to the attempts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Lead<'s> {
    /// Those with this code.
    Code(&'s str),
    /// Those of this slot.
    Slot(&'s str),
}

impl StatisticsView {
    /// The codes, the most frequent first, each with its number.
    pub(in crate::tui) fn codes(&self) -> Vec<(&str, u64)> {
        let found = self.asking.found.iter().flat_map(|stats| &stats.by_code);
        let mut codes: Vec<_> = found.map(|(code, count)| (code.as_str(), *count)).collect();
        codes.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        codes
    }

    /// The slots, the one with the largest share of failures first.
    pub(in crate::tui) fn slots(&self) -> Vec<(&str, Outcomes)> {
        let found = self.asking.found.iter().flat_map(|stats| &stats.by_slot);
        let mut slots: Vec<_> = found.map(|(slot, counts)| (slot.as_str(), *counts)).collect();
        slots.sort_by(|one, other| {
            let by_share = other.1.failed_share().total_cmp(&one.1.failed_share());
            by_share.then(one.0.cmp(other.0))
        });
        slots
    }

    /// What the rows lead to: the codes, then the slots.
    pub(in crate::tui) fn leads(&self) -> Vec<Lead<'_>> {
        let codes = self.codes().into_iter().map(|(code, _)| Lead::Code(code));
        codes.chain(self.slots().into_iter().map(|(slot, _)| Lead::Slot(slot))).collect()
    }
}

/// What all pages know.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Pages {
    pub(in crate::tui) history: HistoryView,
    pub(in crate::tui) unit: UnitView,
    pub(in crate::tui) statistics: StatisticsView,
    pub(in crate::tui) registrations: Asking<Box<Registrations>>,
    pub(in crate::tui) checks: Asking<Vec<CheckLine>>,
    pub(in crate::tui) orders: Asking<Vec<WorkOrderChoice>>,
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
