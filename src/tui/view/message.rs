//! The lines above the footer: what was refused until it is seen, else what the focused slot
//! says; and the scan line.

use ratatui::Frame;
use ratatui::layout::{Layout, Rect};
use ratatui::text::{Line, Span};

use crate::domain::event::Binding;
use crate::domain::text::plain;
use crate::text::Word;

use super::super::model::{Model, Notice, NoticeKind, Phase, Tile, View};
use super::super::theme::Role;
use super::look::{Look, both_ends, fit, width};
use super::tile;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    match (model.notices.shown(), model.focused()) {
        (Some(notice), _) => draw_notice(frame, area, model, notice, look),
        (None, Some(tile)) => draw_slot(frame, area, model, tile, look),
        (None, None) => {}
    }
}

fn draw_notice(frame: &mut Frame<'_>, area: Rect, model: &Model, notice: &Notice, look: Look) {
    frame.buffer_mut().set_style(area, look.style(Role::Notice));
    let [first, second] = Layout::vertical([1, 1]).areas(area);
    let word = look.text(match notice.kind {
        NoticeKind::Refused => Word::Refused,
        NoticeKind::Fail => Word::Fail,
        NoticeKind::Hold => Word::Hold,
        NoticeKind::Warning => Word::Warning,
    });
    let todo = match notice.kind {
        NoticeKind::Hold => look.text(Word::DoHold).to_owned(),
        _ => look.remedy(notice.fault.code),
    };
    let mut head = format!(" {word} ");
    if let Some(slot) = &notice.slot {
        head.push_str(&format!("{slot} "));
    }
    if let Some(serial) = &notice.serial {
        head.push_str(&format!("{} ", fit(&plain(serial), 32)));
    }
    let more = match model.notices.len() - 1 {
        0 => String::new(),
        more => look.fill(Word::More, &[&more.to_string()]) + "  ",
    };
    let code = format!("{} ", notice.fault.code);
    frame
        .render_widget(both_ends(vec![Span::raw(head)], vec![Span::raw(code)], first.width), first);
    let right = format!("{more}{} ", look.text(Word::SeenKey));
    let room = usize::from(second.width).saturating_sub(width(&right) + 2);
    let text = sentence(&look.what(&notice.fault), &todo);
    let left = vec![Span::raw(format!(" {}", fit(&text, room)))];
    frame.render_widget(both_ends(left, vec![Span::raw(right)], second.width), second);
}

/// What happened and what to do now, as long as there is room for it.
fn sentence(what: &str, todo: &str) -> String {
    format!("{what} {todo}")
}

fn draw_slot(frame: &mut Frame<'_>, area: Rect, model: &Model, tile: &Tile, look: Look) {
    let [first, second] = Layout::vertical([1, 1]).areas(area);
    let (word, role) = tile::state(model, tile, look);
    let mut left = vec![look.span(Role::Focus, format!(" {} ", tile.name)), Span::raw(" ")];
    left.push(look.span(role, format!("{word}  ")));
    if let Some(serial) = tile::serial(tile) {
        left.push(look.span(Role::Strong, plain(serial).into_owned()));
    }
    let code = tile.code().map(|code| look.span(Role::Dim, format!("{code} ")));
    frame.render_widget(both_ends(left, code.into_iter().collect(), first.width), first);
    let text = match (tile.fault(), tile.running.is_some()) {
        (Some(fault), false) => {
            let todo = tile::todo(model, tile, look).unwrap_or_default();
            sentence(&look.what(fault), &todo)
        }
        _ => tile::todo(model, tile, look).unwrap_or_default(),
    };
    let line = fit(&text, usize::from(second.width).saturating_sub(2));
    frame.render_widget(Line::from(format!(" {line}")), second);
}

/// What is being typed, or what to scan now.
pub(super) fn draw_scan(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let head = format!(" {} ▸ ", look.text(Word::ScanHere));
    let room = usize::from(area.width).saturating_sub(width(&head) + 1);
    let typed = plain(model.scan.value()).into_owned();
    let mut spans = vec![look.span(Role::Key, head.clone())];
    if typed.is_empty() {
        spans.push(look.span(Role::Strong, fit(&hint(model, look), room)));
    } else {
        // The end of a long text is what is being typed.
        let skipped = typed.chars().count().saturating_sub(room);
        spans.push(look.span(Role::Field, typed.chars().skip(skipped).collect::<String>()));
        spans.push(Span::raw("▏"));
    }
    frame.render_widget(Line::from(spans), area);
}

fn hint(model: &Model, look: Look) -> String {
    if model.phase != Phase::Running {
        return String::new();
    }
    if let Some(serial) = waiting(model) {
        return look.fill(Word::ScanWaits, &[&plain(serial)]);
    }
    if model.is_locked() {
        return look.text(Word::ScanBadge).to_owned();
    }
    if model.wanted == 0 {
        return look.text(Word::ScanNotYet).to_owned();
    }
    if model.view == View::History && model.chosen.is_none() {
        return look.text(Word::HistoryHint).to_owned();
    }
    match (&model.chosen, model.setup.binding) {
        (Some(slot), _) => look.fill(Word::ScanForSlot, &[slot.as_str()]),
        (None, Binding::Slot) => look.text(Word::ScanSlotFirst).to_owned(),
        (None, Binding::Insert) => look.text(Word::ScanInsert).to_owned(),
        (None, Binding::Any) => look.text(Word::ScanAny).to_owned(),
    }
}

fn waiting(model: &Model) -> Option<&str> {
    model.waiting.first().map(String::as_str)
}
