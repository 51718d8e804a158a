//! Dialogs, over the page that they are about.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::text::Word;

use super::super::model::{Dialog, DialogKind, Model, Phase};
use super::super::theme::Role;
use super::boxed::frame_of;
use super::form;
use super::look::Look;

/// Columns of a dialog, with its border.
const COLUMNS: u16 = 56;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, dialog: &Dialog, look: Look) {
    let (title, lines) = match &dialog.kind {
        DialogKind::Form(form) => return form::draw_form(frame, area, form, look),
        DialogKind::Menu(menu) => return form::draw_menu(frame, area, menu, look),
        DialogKind::Quit => (Word::QuitTitle, quit(model, look)),
        DialogKind::Stopped => (Word::StoppedTitle, stopped(model, look)),
    };
    frame_of(frame, area, COLUMNS, look.text(title), &lines, look);
}

fn quit<'a>(model: &Model, look: Look) -> Vec<Line<'a>> {
    let running = model.running();
    let (state, then, yes) = match (running, &model.phase) {
        (0, _) => (Word::QuitIdle, Word::QuitWaiting, Word::QuitYesIdle),
        (_, Phase::Running) => (Word::QuitRunning, Word::QuitWaiting, Word::QuitYes),
        _ => (Word::QuitLanding, Word::QuitCut, Word::QuitYesNow),
    };
    let mut lines = vec![
        Line::from(""),
        Line::from(look.span(Role::Strong, look.fill(state, &[&running.to_string()]))),
        Line::from(look.text(then)),
    ];
    let (_, kept) = model.kept();
    if kept > 0 {
        lines.push(Line::from(""));
        let text = look.fill(Word::QuitKept, &[&kept.to_string()]);
        lines.push(Line::from(look.span(Role::Keep, format!(" {text} "))));
    }
    lines.extend([
        Line::from(""),
        Line::from(look.span(Role::Key, look.text(yes))),
        Line::from(look.span(Role::Key, look.text(Word::QuitNo))),
    ]);
    lines
}

fn stopped<'a>(model: &Model, look: Look) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    if let Some(fault) = &model.stopped {
        lines.push(Line::from(look.span(Role::Red, fault.code.as_str())));
        lines.push(Line::from(look.what(fault)));
        lines.push(Line::from(look.span(Role::Strong, look.remedy(fault.code))));
    }
    lines.push(Line::from(look.span(Role::Key, look.text(Word::StoppedLeave))));
    lines
}
