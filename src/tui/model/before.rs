//! How the screen stood before keys that may turn out to be a label's.
//!
//! What a person presses is to be seen at once, and that it was a person is known only when
//! silence followed. So what keys change at once is kept as it was, and put back where they
//! were a scanner's. Nothing of it leaves the screen: commands wait for the silence.

use tui_input::Input;

use super::dialog::DialogKind;
use super::pages::HistoryView;
use super::view::View;
use crate::domain::pages::{HistoryKey, HistoryQuery, Period};
use crate::text::Language;
use crate::theme::ThemeName;

/// The page, its place, and what stood in fields.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(super) view: View,
    pub(super) scroll: usize,
    pub(super) focus: usize,
    pub(super) language: Language,
    pub(super) theme: ThemeName,
    pub(super) field: Input,
    pub(super) dialog: Option<DialogKind>,
    pub(super) history: HistoryPlace,
    pub(super) kept: usize,
    pub(super) period: Period,
    pub(super) lead: usize,
}

#[derive(Debug, Clone)]
pub(super) struct HistoryPlace {
    pub(super) query: HistoryQuery,
    pub(super) before: Vec<Option<HistoryKey>>,
    pub(super) selected: usize,
}

impl HistoryPlace {
    pub(super) fn of(view: &HistoryView) -> Self {
        let (query, before) = (view.query.clone(), view.before.clone());
        Self { query, before, selected: view.selected }
    }
}

impl Before {
    /// Whether nothing stood in the field.
    pub(crate) fn is_empty(&self) -> bool {
        self.field.value().is_empty()
    }
}
