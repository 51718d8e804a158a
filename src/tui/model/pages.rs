//! What the pages besides the line know: what was asked for each, and what came.

use crate::domain::device::Fault;
use crate::domain::ids::Serial;
use crate::domain::pages::{
    CheckLine, HistoryKey, HistoryPage, HistoryQuery, Period, Registrations, WorkOrderChoice,
};
use crate::domain::story::{Stats, UnitStory};

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
    pub(in crate::tui) asking: Asking<Box<Stats>>,
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
        let statistics = StatisticsView { period: Period::All, asking: Asking::default() };
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
