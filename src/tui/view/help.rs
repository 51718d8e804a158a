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
use super::wrap::wrap_line;

/// Columns for the names of keys.
const NAMES: usize = 12;

/// From so many columns on, the keys stand in two columns where one is too long.
const TWO: u16 = 120;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let one = in_columns(area.width, look);
    let two_columns = usize::from(area.height) < one.len() && area.width >= TWO;
    let mut lines = if two_columns { in_columns(area.width / 2, look) } else { one };
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
        frame.render_widget(Paragraph::new(right).scroll((scroll, 0)), place);
    }
    Extent { last_scroll: hidden }
}

/// Each key with what it does, wrapped into so many columns.
fn in_columns(columns: u16, look: Look) -> Vec<Line<'static>> {
    let room = usize::from(columns).saturating_sub(1);
    let keys = KEYS.iter().filter_map(|row| {
        let name = look.span(Role::Key, format!(" {} ", pad(row.name, NAMES)));
        let help = Line::from(vec![name, Span::raw(look.text(row.help?))]);
        Some(wrap_line(&help, room, NAMES + 2))
    });
    let scanner = Line::from(format!(" {}", look.text(Word::HelpScanner)));
    keys.flatten().chain(wrap_line(&scanner, room, 1)).collect()
}
