//! How the screen stood before keys that may turn out to be a label's.
//!
//! What a person presses is to be seen at once, and that it was a person is known only when
//! silence followed. So what keys change at once is kept as it was, and put back where they
//! were a scanner's. Nothing of it leaves the screen: commands wait for the silence.

use tui_input::Input;

use super::dialog::DialogKind;
use super::pages::HistoryView;
use super::{Model, View};
use crate::domain::pages::{HistoryKey, HistoryQuery, Period};
use crate::text::Language;
use crate::tui::theme::ThemeName;

/// The page, its place, and what stood in fields.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Before {
    view: View,
    scroll: usize,
    focus: usize,
    language: Language,
    theme: ThemeName,
    field: Input,
    dialog: Option<DialogKind>,
    history: HistoryPlace,
    kept: usize,
    period: Period,
}

#[derive(Debug, Clone)]
struct HistoryPlace {
    query: HistoryQuery,
    before: Vec<Option<HistoryKey>>,
    selected: usize,
}

impl HistoryPlace {
    fn of(view: &HistoryView) -> Self {
        let (query, before) = (view.query.clone(), view.before.clone());
        Self { query, before, selected: view.selected }
    }
}

impl Before {
    pub(in crate::tui) fn of(model: &Model) -> Self {
        Self {
            view: model.view,
            scroll: model.scroll,
            focus: model.focus,
            language: model.language,
            theme: model.theme,
            field: model.scan.clone(),
            dialog: model.dialog.as_ref().map(|dialog| dialog.kind.clone()),
            history: HistoryPlace::of(&model.pages.history),
            kept: model.kept.selected,
            period: model.pages.statistics.period,
        }
    }

    /// Whether nothing stood in the field.
    pub(in crate::tui) fn is_empty(&self) -> bool {
        self.field.value().is_empty()
    }

    /// Puts everything back; whether what the page shows must be asked for anew.
    pub(in crate::tui) fn put_back(&self, model: &mut Model) -> bool {
        let history = &mut model.pages.history;
        let asked = self.view != model.view
            || self.history.query != history.query
            || self.period != model.pages.statistics.period;
        (model.view, model.scroll, model.focus) = (self.view, self.scroll, self.focus);
        (model.language, model.theme) = (self.language, self.theme);
        history.query.clone_from(&self.history.query);
        history.before.clone_from(&self.history.before);
        history.selected = self.history.selected;
        model.kept.selected = self.kept;
        model.pages.statistics.period = self.period;
        self.put_back_fields(model);
        asked
    }

    /// Puts back what stood in fields.
    pub(in crate::tui) fn put_back_fields(&self, model: &mut Model) {
        model.scan = self.field.clone();
        let open = model.dialog.as_mut().map(|dialog| &mut dialog.kind);
        match (open, &self.dialog) {
            (Some(DialogKind::Form(form)), Some(DialogKind::Form(before)))
                if form.purpose == before.purpose && form.sent == before.sent =>
            {
                form.fields.clone_from(&before.fields);
                form.at = before.at;
            }
            (Some(DialogKind::Menu(menu)), Some(DialogKind::Menu(before)))
                if menu.items == before.items =>
            {
                menu.at = before.at;
            }
            _ => {}
        }
    }
}
