//! Keeps how the screen stands, and puts it back.

use super::Model;
use super::before::{Before, HistoryPlace};
use super::dialog::DialogKind;

impl Before {
    pub(crate) fn of(model: &Model) -> Self {
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
            lead: model.pages.statistics.selected,
        }
    }

    /// Puts everything back; whether what the page shows must be asked for anew.
    pub(crate) fn put_back(&self, model: &mut Model) -> bool {
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
        model.pages.statistics.selected = self.lead;
        self.put_back_fields(model);
        asked
    }

    /// Puts back what stood in fields.
    pub(crate) fn put_back_fields(&self, model: &mut Model) {
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
