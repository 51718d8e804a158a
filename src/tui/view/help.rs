//! The help, made from the keymap.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::text::Word;

use super::super::keymap::KEYS;
use super::super::model::Model;
use super::super::msg::Extent;
use super::super::theme::Role;
use super::look::{Look, pad};

/// Columns for the names of keys.
const NAMES: usize = 12;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for row in KEYS {
        let Some(help) = row.help else { continue };
        lines.push(Line::from(vec![
            look.span(Role::Key, format!(" {} ", pad(row.name, NAMES))),
            Span::raw(look.text(help)),
        ]));
    }
    lines.push(Line::from(format!(" {}", look.text(Word::HelpScanner))));
    let two_columns = usize::from(area.height) < lines.len() && area.width >= 120;
    let half = if two_columns { lines.len().div_ceil(2) } else { lines.len() };
    let right = lines.split_off(half);
    let hidden = half.saturating_sub(usize::from(area.height));
    let scroll = u16::try_from(model.scroll.min(hidden)).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines).scroll((scroll, 0)), area);
    if usize::from(scroll) < hidden {
        let more = Line::from(look.span(Role::Key, "↓ ")).right_aligned();
        frame.render_widget(more, Rect { y: area.bottom() - 1, height: 1, ..area });
    }
    if two_columns {
        let shift = area.width / 2;
        let place = Rect { x: area.x + shift, width: area.width - shift, ..area };
        frame.render_widget(Paragraph::new(right), place);
    }
    Extent { last_scroll: hidden }
}
