//! What a mouse points at, as the key that would do the same.

use ratatui::layout::{Position, Rect};

use super::super::keymap::Intent;
use super::super::layout::{self, Grid};
use super::super::model::{Model, View};
use super::super::mouse::{Mouse, MouseKind};
use super::super::view;

/// The intent at this place; none where nothing is to be done.
pub(super) fn at(model: &Model, mouse: Mouse) -> Option<Intent> {
    match mouse.kind {
        MouseKind::WheelUp => return Some(Intent::Up),
        MouseKind::WheelDown => return Some(Intent::Down),
        MouseKind::Press => {}
    }
    let (place, parts) = (Position::new(mouse.column, mouse.row), view::parts(model));
    if parts.footer.contains(place) {
        return view::key_at(model, parts.footer, place);
    }
    match model.view {
        _ if model.dialog.is_some() || !parts.body.contains(place) => None,
        View::Line => slot(model, parts.body, place),
        View::History => row(model, parts.body, place),
        _ => None,
    }
}

fn slot(model: &Model, body: Rect, place: Position) -> Option<Intent> {
    let grid = Grid::of(body, model.tiles.len());
    let first = model.focus / grid.per_page().max(1) * grid.per_page();
    let shown = 0..grid.per_page().min(model.tiles.len() - first);
    let found = shown.into_iter().find(|index| grid.place(*index).contains(place))?;
    Some(Intent::Point(first + found))
}

fn row(model: &Model, body: Rect, place: Position) -> Option<Intent> {
    let found = model.pages.history.asking.found.as_ref()?;
    let row = usize::from(place.y.checked_sub(body.y + layout::HISTORY_HEAD)?);
    (row < found.lines.len()).then_some(Intent::Point(row))
}
