//! The lines above the footer: what was refused until it is seen, else what the focused slot
//! says; and the scan line. They take as many lines as what they say needs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::event::Binding;
use crate::domain::text::plain;
use crate::text::Word;

use super::super::layout::{self, Grid};
use super::super::model::{Model, Notice, Phase, Tile, View};
use super::super::theme::Role;
use super::look::{Look, both_ends, fit, width};
use super::messages::{kind_word, todo};
use super::tile;
use super::wrap::{wrap, wrap_line};

/// A message: its first line, what it says and what to do.
struct Message<'a> {
    head: Vec<Span<'a>>,
    /// At the right end of the first line.
    code: Vec<Span<'a>>,
    text: Line<'a>,
    /// What shows all of it where there is no room.
    elsewhere: Word,
    is_notice: bool,
}

/// The least lines of a message; pages do not jump with each.
const fn least(height: u16) -> u16 {
    if height < 30 { 2 } else { 3 }
}

/// The lines that the message wants, as far as it may have them.
pub(super) fn height(size: (u16, u16), model: &Model, look: Look) -> u16 {
    let lines = message(model, look).map_or(0, |message| text_of(&message, size.0).len());
    let wanted = u16::try_from(lines + 1).unwrap_or(u16::MAX);
    let least = least(size.1);
    let wanted = wanted.clamp(least, layout::most_of_message(size.1).max(least));
    // A message takes no slot from the page.
    let shown = |lines: u16| {
        let body = layout::frame(size, lines, scan_height(size.0, model, look)).body;
        Grid::of(body, model.tiles.len()).per_page().min(model.tiles.len())
    };
    let all = shown(least);
    let fits = |lines: &u16| model.view != View::Line || shown(*lines) >= all;
    (least..=wanted).rev().find(fits).unwrap_or(least)
}

/// The lines below the first one.
fn text_of(message: &Message<'_>, columns: u16) -> Vec<Line<'static>> {
    match message.text.width() {
        0 => Vec::new(),
        _ => wrap_line(&message.text, usize::from(columns).saturating_sub(2), 0),
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let Some(message) = message(model, look) else { return };
    let [first, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    if message.is_notice {
        // The bar alone: what there is to read stands on the ground of all other text.
        frame.buffer_mut().set_style(first, look.style(Role::Notice));
    }
    let mut lines = text_of(&message, area.width);
    if lines.len() > usize::from(rest.height) {
        lines.truncate(rest.height.into());
        if let Some(last) = lines.last_mut() {
            *last = cut(last, look.text(message.elsewhere), area.width);
        }
    }
    frame.render_widget(both_ends(message.head, message.code, first.width), first);
    let inner = Rect { x: rest.x + 1, width: rest.width.saturating_sub(2), ..rest };
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The last line for which there is room, with the key that shows all of it.
fn cut(line: &Line<'_>, key: &str, columns: u16) -> Line<'static> {
    let room = usize::from(columns).saturating_sub(width(key) + 4);
    let text = fit(&format!("{line} …"), room);
    both_ends(
        vec![Span::styled(text, Modifier::BOLD)],
        vec![Span::raw(key.to_owned())],
        columns.saturating_sub(2),
    )
}

fn message<'a>(model: &'a Model, look: Look) -> Option<Message<'a>> {
    match (model.notices.shown(), model.focused()) {
        (Some(notice), _) => Some(of_notice(model, notice, look)),
        (None, Some(tile)) => Some(of_slot(model, tile, look)),
        (None, None) => None,
    }
}

fn of_notice<'a>(model: &Model, notice: &Notice, look: Look) -> Message<'a> {
    let (word, _) = kind_word(notice.kind, look);
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
    let code = format!("{more}{}  {} ", notice.fault.code, look.text(Word::SeenKey));
    let text = told(&look.what(&notice.fault), &todo(notice, look));
    let (head, code) = (vec![Span::raw(head)], vec![Span::raw(code)]);
    Message { head, code, text, elsewhere: Word::AllInLog, is_notice: true }
}

/// What happened, and in bold what to do now.
fn told<'a>(what: &str, todo: &str) -> Line<'a> {
    let todo = Span::styled(todo.to_owned(), Modifier::BOLD);
    match what {
        "" => Line::from(todo),
        what => Line::from(vec![Span::raw(format!("{what} ")), todo]),
    }
}

fn of_slot<'a>(model: &Model, tile: &'a Tile, look: Look) -> Message<'a> {
    let (word, role) = tile::state(model, tile, look);
    let mut head = vec![look.span(Role::Focus, format!(" {} ", tile.name)), Span::raw(" ")];
    head.push(look.span(role, format!("{word}  ")));
    if let Some(serial) = tile::serial(tile) {
        head.push(look.span(Role::Strong, plain(serial).into_owned()));
    }
    let code = tile.code().map(|code| look.span(Role::Dim, format!("{code} ")));
    let fault = tile.fault().filter(|_| tile.running.is_none());
    let what = fault.map(|fault| look.what(fault)).unwrap_or_default();
    let text = told(&what, &tile::todo(model, tile, look).unwrap_or_default());
    let code = code.into_iter().collect();
    Message { head, code, text, elsewhere: Word::AllInSlot, is_notice: false }
}

/// The most lines of what to scan now.
const SCAN_LINES: usize = 3;

fn scan_head(look: Look) -> String {
    format!(" {} ▸ ", look.text(Word::ScanHere))
}

/// What to scan now, in lines of the room behind its head.
fn hint_lines(columns: u16, model: &Model, look: Look) -> Vec<String> {
    let room = usize::from(columns).saturating_sub(width(&scan_head(look)) + 1);
    let mut lines = wrap(&hint(model, look), room);
    lines.truncate(SCAN_LINES);
    lines
}

/// The lines that it takes to say what to scan now.
pub(super) fn scan_height(columns: u16, model: &Model, look: Look) -> u16 {
    match model.scan.value() {
        "" => u16::try_from(hint_lines(columns, model, look).len()).unwrap_or(1),
        _ => 1,
    }
}

/// What is being typed, or what to scan now.
pub(super) fn draw_scan(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let head = scan_head(look);
    let room = usize::from(area.width).saturating_sub(width(&head) + 1);
    let typed = plain(model.scan.value()).into_owned();
    if typed.is_empty() {
        let lines = hint_lines(area.width, model, look).into_iter().enumerate();
        let margin = " ".repeat(width(&head));
        let lines = lines.map(|(index, text)| {
            let head = if index == 0 { head.clone() } else { margin.clone() };
            Line::from(vec![look.span(Role::Key, head), look.span(Role::Strong, text)])
        });
        return frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
    }
    // The end of a long text is what is being typed.
    let skipped = typed.chars().count().saturating_sub(room);
    let shown: String = typed.chars().skip(skipped).collect();
    let line = vec![look.span(Role::Key, head), look.span(Role::Field, shown), Span::raw("▏")];
    frame.render_widget(Line::from(line), area);
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
    if model.overview.as_ref().is_some_and(|overview| overview.must_choose) {
        return look.text(Word::ScanChoose).to_owned();
    }
    if model.complete_order().is_some() {
        return look.text(Word::ScanComplete).to_owned();
    }
    if model.wanted == 0 {
        let word = if model.is_full() { Word::ScanBusy } else { Word::ScanNotYet };
        return look.text(word).to_owned();
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
