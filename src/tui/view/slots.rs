//! The line view: a tile for each slot, in pages where they do not fit.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::domain::pages::OrderProgress;
use crate::text::Word;

use super::super::layout::Grid;
use super::super::model::Model;
use super::super::theme::Role;
use super::look::Look;
use super::places::parts;
use super::tile::{self, filled};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let grid = Grid::of(area, model.tiles.len());
    let shown = page_of(&grid, model);
    let first = shown.start;
    for (index, tile) in model.tiles.iter().enumerate().skip(first).take(shown.len()) {
        let focused = index == model.focus;
        tile::draw(frame, grid.place(index - first), grid.room, model, tile, focused, look);
    }
    if let Some(order) = model.complete_order().filter(|_| model.running() == 0) {
        draw_complete(frame, area, order, look);
    }
}

/// Lines of the field that says that a lot is complete.
const COMPLETE: u16 = 3;

/// The lot is complete: a field over the whole width, read from afar.
fn draw_complete(frame: &mut Frame<'_>, area: Rect, order: &OrderProgress, look: Look) {
    let height = COMPLETE.min(area.height);
    let place = Rect { y: area.bottom() - height, height, ..area };
    let style = filled(look.style(Role::Pass));
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, style);
    let [proven, quantity] = [order.proven, order.quantity].map(|count| count.to_string());
    let text = look.fill(Word::LotComplete, &[order.id.as_str(), &proven, &quantity]);
    let middle = Rect { y: place.y + height / 2, height: 1.min(height), ..place };
    frame.render_widget(Line::from(Span::styled(text, style)).centered(), middle);
}

/// The slots that are shown: the page with the focus.
pub(super) fn page(model: &Model) -> Range<usize> {
    page_of(&Grid::of(parts(model).body, model.tiles.len()), model)
}

fn page_of(grid: &Grid, model: &Model) -> Range<usize> {
    let per_page = grid.per_page().max(1);
    let first = model.focus / per_page * per_page;
    first..(first + per_page).min(model.tiles.len())
}
