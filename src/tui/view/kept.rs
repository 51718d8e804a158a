//! The units that must be kept: which, since when, where, on which device, by whom; and what to
//! do with them.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::story::UncertainUnit;
use crate::domain::text::plain;
use crate::text::Word;

use super::super::model::Model;
use super::super::theme::Role;
use super::history::when;
use super::look::{Look, pad};
use super::wrap::wrap;

/// Columns of a row's parts, but for the device behind them: on 80 columns an id of eight bytes
/// is shown whole.
const COLUMNS: [usize; 4] = [22, 8, 14, 12];

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let (units, count) = model.kept();
    // Nobody has looked yet: to say that there is none would be a guess.
    if count == 0 && model.overview.is_none() {
        let looking = look.span(Role::Dim, format!(" {}", look.text(Word::Looking)));
        return frame.render_widget(Line::from(looking), area);
    }
    if count == 0 {
        let none = Line::from(look.span(Role::Green, format!(" ● {}", look.text(Word::KeptNone))));
        return frame.render_widget(none, area);
    }
    // On a small screen the units themselves come first.
    let todo = match area.height {
        0..12 => paragraph(Role::Strong, Word::DoHold, look, area.width).collect(),
        _ => todo(look, area.width),
    };
    let height = u16::try_from(todo.len()).unwrap_or(0);
    let [head, titles, rows, keys] = Layout::vertical([
        Constraint::Length(height),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(todo), head);
    frame.render_widget(Line::from(look.span(Role::Dim, titles_of(look))), titles);
    frame.render_widget(Paragraph::new(list(&units, count, rows.height, model, look)), rows);
    let text = format!(" {}", look.text(Word::KeptKeys));
    frame.render_widget(Line::from(look.span(Role::Dim, text)), keys);
}

/// The lines above the titles.
fn todo(look: Look, columns: u16) -> Vec<Line<'static>> {
    let lines = paragraph(Role::Strong, Word::KeptTodo, look, columns);
    let lost = paragraph(Role::Text, Word::KeptLost, look, columns);
    lines.chain(lost).chain([Line::from("")]).collect()
}

fn paragraph(
    role: Role,
    word: Word,
    look: Look,
    columns: u16,
) -> impl Iterator<Item = Line<'static>> {
    let style = look.style(role);
    let lines = wrap(look.text(word), usize::from(columns).saturating_sub(2)).into_iter();
    lines.map(move |text| Line::from(Span::styled(format!(" {text}"), style)))
}

fn titles_of(look: Look) -> String {
    let when = look.fill(Word::When, &[&look.offset()]);
    let [serial, slot, person] = [Word::Serial, Word::Slot, Word::Person].map(|w| look.text(w));
    let cells = [serial, slot, &when, person].into_iter().zip(COLUMNS);
    let cells: String = cells.map(|(text, columns)| format!(" {}", pad(text, columns))).collect();
    format!("{cells} {}", look.text(Word::Hardware))
}

/// The row that is shown first, so that the one that is chosen is shown.
fn first_row(chosen: usize, rows: u16) -> usize {
    (chosen + 1).saturating_sub(rows.max(1).into())
}

fn list<'a>(
    units: &[&UncertainUnit],
    count: u64,
    rows: u16,
    model: &Model,
    look: Look,
) -> Vec<Line<'a>> {
    let chosen = model.kept.selected.min(units.len().saturating_sub(1));
    let shown = units.iter().enumerate().skip(first_row(chosen, rows)).take(rows.into());
    let mut lines: Vec<_> = shown.map(|(index, unit)| row(unit, index == chosen, look)).collect();
    let more = count.saturating_sub(units.len() as u64);
    if more > 0 {
        lines.push(Line::from(format!(" {}", look.fill(Word::KeptMore, &[&more.to_string()]))));
    }
    lines
}

fn row<'a>(unit: &UncertainUnit, chosen: bool, look: Look) -> Line<'a> {
    let at = when(unit.since, look);
    let who = unit.operator.as_ref().map_or("", |operator| operator.as_str());
    let device = unit.hardware.as_ref().map(ToString::to_string).unwrap_or_default();
    let cells = [unit.serial.as_str(), unit.slot.as_str(), &at, who].into_iter().zip(COLUMNS);
    let cells: String =
        cells.map(|(text, columns)| format!(" {}", pad(&plain(text), columns))).collect();
    let role = if chosen { Role::Focus } else { Role::Text };
    Line::from(look.span(role, format!("{cells} {device}")))
}
