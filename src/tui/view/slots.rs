//! The line view: a tile for each slot, in pages where they do not fit.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::layout::Grid;
use super::super::model::Model;
use super::look::Look;
use super::tile;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let grid = Grid::of(area, model.tiles.len());
    let shown = page_of(&grid, model);
    let first = shown.start;
    for (index, tile) in model.tiles.iter().enumerate().skip(first).take(shown.len()) {
        let focused = index == model.focus;
        tile::draw(frame, grid.place(index - first), grid.room, model, tile, focused, look);
    }
}

/// The slots that are shown: the page with the focus.
pub(super) fn page(model: &Model) -> Range<usize> {
    page_of(&Grid::of(super::parts(model).body, model.tiles.len()), model)
}

fn page_of(grid: &Grid, model: &Model) -> Range<usize> {
    let per_page = grid.per_page().max(1);
    let first = model.focus / per_page * per_page;
    first..(first + per_page).min(model.tiles.len())
}
