//! How the last units of one slot ended, the newest first: also those whose devices are long
//! gone, with what was wrong and what to do.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::text::plain;
use crate::text::Word;

use super::super::model::{Mark, Model, Tile, Verdict};
use super::super::msg::Extent;
use super::super::theme::Role;
use super::history::when;
use super::look::{Look, both_ends};
use super::pages::scrolled;
use super::tile::{after, shape};
use super::wrap::{wrap, wrap_line};

/// Columns before the text of a verdict.
const MARGIN: usize = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let Some(tile) = model.focused() else { return Extent::default() };
    let columns = usize::from(area.width).saturating_sub(2);
    let name = format!(" {} {} ", look.text(Word::Slot), tile.name);
    let left = vec![
        look.span(Role::Focus, name),
        look.span(Role::Dim, format!("  {}", look.text(Word::SessionOnly))),
    ];
    let keys = vec![look.span(Role::Dim, format!("{} ", look.text(Word::SlotKeys)))];
    let mut shown = match area.width >= 100 {
        true => vec![both_ends(left, keys, area.width)],
        false => vec![Line::from(left), Line::from([vec![Span::raw(" ")], keys].concat())],
    };
    for verdict in verdicts(tile) {
        shown.push(Line::from(""));
        shown.extend(lines_of(verdict, columns, look));
    }
    if tile.verdict.is_none() {
        shown.push(Line::from(""));
        let nothing = wrap(look.text(Word::SlotNothing), columns).into_iter();
        shown.extend(nothing.map(|text| Line::from(format!(" {text}"))));
    }
    scrolled(frame, area, shown, model.scroll, look)
}

fn verdicts(tile: &Tile) -> impl Iterator<Item = &Verdict> {
    tile.verdict.iter().chain(&tile.earlier)
}

fn lines_of(verdict: &Verdict, columns: usize, look: Look) -> Vec<Line<'static>> {
    let (word, role) = look.mark(verdict.mark());
    let fault = verdict.report.fault.as_ref().filter(|_| verdict.mark() != Mark::Pass);
    let mut head = vec![
        look.span(Role::Dim, format!(" {}  ", when(verdict.at, look))),
        look.span(role, format!("{}{word}", shape(verdict.mark()))),
        look.span(Role::Strong, format!("  {}  ", plain(&verdict.report.serial))),
    ];
    if let Some(fault) = fault {
        head.push(look.span(Role::Dim, fault.code.as_str()));
    }
    let mut lines = wrap_line(&Line::from(head), columns, MARGIN);
    let text = |role, text: &str| {
        let lines = wrap(text, columns.saturating_sub(MARGIN)).into_iter();
        let line = move |text| Line::from(look.span(role, format!("{:MARGIN$}{text}", "")));
        lines.map(line).collect::<Vec<_>>()
    };
    if let Some(fault) = fault {
        lines.extend(text(Role::Text, &look.what(fault)));
        lines.extend(text(Role::Strong, &after(verdict, look)));
    }
    lines
}
