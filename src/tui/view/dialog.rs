//! Dialogs, over the page that they are about.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use crate::text::Word;

use super::super::model::{Dialog, DialogKind, Model, Phase};
use super::super::theme::Role;
use super::form;
use super::look::Look;
use super::wrap::wrap_line;

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

/// A box with a title over whatever stands in the middle of an area; as high as its lines are,
/// wrapped into so many columns with the border.
pub(super) fn frame_of(
    frame: &mut Frame<'_>,
    area: Rect,
    columns: u16,
    title: &str,
    lines: &[Line<'_>],
    look: Look,
) {
    let inner = usize::from(columns.min(area.width).saturating_sub(4));
    let lines: Vec<_> = lines.iter().flat_map(|line| wrap_line(line, inner, 0)).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let place = centred(area, columns, height);
    let block = Block::bordered()
        .border_type(BorderType::Double)
        .border_style(look.style(Role::Amber))
        .padding(Padding::horizontal(1))
        .title(format!(" {title} "));
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, look.style(Role::Text));
    frame.render_widget(Paragraph::new(lines).block(block), place);
}

/// A place of that size in the middle of an area, as far as there is room.
fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    Rect::new(x, y, width, height)
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
