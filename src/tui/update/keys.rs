//! What commands do: those of dialogs, those of pages, and those that hold everywhere.

use std::time::Duration;

use tui_input::InputRequest;

use crate::domain::event::{Binding, Command, Scan};

use super::super::keymap::Intent;
use super::super::layout::Grid;
use super::super::model::{
    Alone, AutoScan, Dialog, DialogKind, FormNote, Mark, Model, Notice, Phase, Tile, UnitView, View,
};
use super::super::msg::{Action, HandKey};
use super::super::view;
use super::{forms, pages, scan};

/// No Enter so soon after another key answers a question: a scanner may have sent it.
const CONSIDERED: Duration = Duration::from_millis(300);

/// A key was pressed alone.
pub(super) fn command(model: &mut Model, alone: Alone, actions: &mut Vec<Action>) {
    if alone.intent == Intent::Redraw {
        actions.push(Action::Redraw);
        return;
    }
    match model.dialog.clone() {
        Some(dialog) if dialog.takes_keys(alone.at) => answer(model, &dialog, alone, actions),
        Some(_) => {}
        None => anywhere(model, alone.intent, actions),
    }
}

/// A key that changes only what is shown was pressed, at this time.
pub(super) fn show_at_once(
    model: &mut Model,
    intent: Intent,
    at: Duration,
    actions: &mut Vec<Action>,
) {
    command(model, Alone { intent, at, after: None }, actions);
}

fn answer(model: &mut Model, dialog: &Dialog, alone: Alone, actions: &mut Vec<Action>) {
    let soon = alone.after.is_some_and(|after| after < CONSIDERED);
    // From one field to the next is no answer.
    let goes_on = matches!(&dialog.kind, DialogKind::Form(form) if !form.is_last());
    match (&dialog.kind, alone.intent) {
        (_, Intent::Enter) if soon && !goes_on => forms::note(model, FormNote::Hurried),
        (DialogKind::Quit, Intent::Enter) => leave(model, actions),
        (DialogKind::Quit, Intent::Escape) => model.dialog = None,
        (DialogKind::Stopped, Intent::Enter | Intent::Escape | Intent::Quit) => {
            model.dialog = None;
            model.leaving = true;
        }
        (DialogKind::Form(_), intent) => forms::form_key(model, intent, actions),
        (DialogKind::Menu(_), intent) => forms::menu_key(model, intent, actions),
        _ => {}
    }
}

/// A person wants to leave, and said so twice. What is under way is finished first; whoever
/// says it once more while that lasts does not wait for it.
fn leave(model: &mut Model, actions: &mut Vec<Action>) {
    model.dialog = None;
    model.leaving = true;
    match model.phase {
        Phase::Starting | Phase::Ended => {}
        Phase::Running if model.running() > 0 => {
            model.phase = Phase::Landing;
            for command in [Command::Withdraw, Command::NoMoreScans] {
                actions.push(Action::Command(command));
            }
        }
        Phase::Running | Phase::Landing => actions.push(Action::Command(Command::Stop)),
    }
}

fn anywhere(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) {
    let view = model.view;
    on_page(model, intent, actions);
    if model.view != view {
        pages::opened(model, actions);
    }
}

fn on_page(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) {
    match intent {
        Intent::Help => show(model, View::Help),
        Intent::Line => show(model, View::Line),
        Intent::History => show(model, View::History),
        Intent::Statistics => show(model, View::Statistics),
        Intent::Sync => show(model, View::Sync),
        Intent::Checks => show(model, View::Checks),
        Intent::Log => show(model, View::Log),
        Intent::Settings => show(model, View::Settings),
        Intent::Unit => {
            let serial = model.focused().and_then(Tile::serial).and_then(|text| text.parse().ok());
            model.pages.unit = UnitView { serial, ..UnitView::default() };
            show(model, View::Unit);
        }
        Intent::Slot => show(model, View::Slot),
        Intent::Kept => show(model, View::Kept),
        Intent::Menu => forms::menu(model),
        Intent::SignIn => forms::sign_in(model),
        Intent::Language => model.language = model.language.next(),
        Intent::Theme => model.theme = model.theme.next(),
        Intent::Bell => model.bell = !model.bell,
        Intent::AutoScan => {
            if let Some(scanner) = &mut model.setup.auto_scan {
                AutoScan::switch(scanner);
            }
        }
        Intent::TakeOut => hand(model, HandKey::TakeOut, actions),
        Intent::PutIn => hand(model, HandKey::PutIn, actions),
        // Leaving is asked always: a label must not end the screen.
        Intent::Quit => model.dialog = Some(Dialog::new(DialogKind::Quit)),
        Intent::Withdraw => actions.push(Action::Command(Command::Withdraw)),
        Intent::Enter => entered(model, actions),
        Intent::Escape => escape(model, actions),
        Intent::Backspace => edit(model, InputRequest::DeletePrevChar),
        Intent::Delete => edit(model, InputRequest::DeleteNextChar),
        Intent::NextNeed => next_need(model),
        Intent::PreviousSlot => step(model, -1),
        Intent::Redraw => {}
        Intent::Point(index) => point(model, index),
        Intent::Up
        | Intent::Down
        | Intent::Left
        | Intent::Right
        | Intent::PageUp
        | Intent::PageDown
        | Intent::Home
        | Intent::End => {
            if !pages::moved(model, intent, actions) {
                movement(model, intent);
            }
        }
    }
}

/// A demo's devices are moved by keys; no others are.
fn hand(model: &Model, key: HandKey, actions: &mut Vec<Action>) {
    if let Some(tile) = model.focused().filter(|_| model.setup.auto_scan.is_some()) {
        actions.push(Action::Hand(key, tile.name.clone()));
    }
}

pub(super) fn show(model: &mut Model, view: View) {
    model.view = view;
    model.scroll = 0;
}

fn edit(model: &mut Model, request: InputRequest) {
    if let Some(field) = forms::field(model) {
        field.handle(request);
    }
}

/// A person pressed Enter: what was typed is a scan. With nothing typed it chooses the slot
/// where scans are bound to slots.
pub(super) fn entered(model: &mut Model, actions: &mut Vec<Action>) {
    let typed = model.scan.value().trim().to_owned();
    model.scan.reset();
    model.unended = false;
    if pages::entered(model, &typed, actions) {
        return;
    }
    if !typed.is_empty() {
        return scan::scan(model, &typed, actions);
    }
    let by_slot = model.setup.binding == Binding::Slot && model.view == View::Line;
    let Some(tile) = model.focused().filter(|_| by_slot && model.wanted > 0) else { return };
    let scan = Scan::scanned(format!("slot:{}", tile.name));
    model.wanted -= 1;
    actions.push(Action::Command(Command::Scan(scan)));
}

/// One thing at a time is seen, put away or left: a message first, then what the slot shows.
fn escape(model: &mut Model, actions: &mut Vec<Action>) {
    if let Some(notice) = model.notices.seen() {
        return see(model, &notice);
    }
    if model.view == View::Line && model.scan.value().is_empty() && see_slot(model) {
        return;
    }
    match model.scan.value().is_empty() {
        false => model.scan.reset(),
        true if pages::escaped(model, actions) => {}
        true => show(model, View::Line),
    }
}

/// A message about a unit was seen, and so was the unit's verdict.
fn see(model: &mut Model, notice: &Notice) {
    let (Some(slot), Some(serial)) = (&notice.slot, &notice.serial) else { return };
    if let Some(tile) = model.tile_mut(slot) {
        tile.see(serial);
    }
}

/// The verdict of the slot that the keys are about was seen. Whether that was news.
fn see_slot(model: &mut Model) -> bool {
    let Some(tile) = model.tiles.get_mut(model.focus) else { return false };
    let open = tile.verdict.as_ref().filter(|verdict| verdict.mark() != Mark::Pass);
    let Some(serial) = open.map(|verdict| verdict.report.serial.clone()) else { return false };
    tile.see(&serial)
}

/// What a mouse points at is what the keys are about.
fn point(model: &mut Model, index: usize) {
    match model.view {
        View::History => model.pages.history.selected = index,
        View::Kept => model.kept.selected = index,
        _ => model.focus = index,
    }
}

fn next_need(model: &mut Model) {
    let count = model.tiles.len();
    let following = (1..=count).map(|step| (model.focus + step) % count.max(1));
    let found = following
        .clone()
        .find(|index| model.tiles.get(*index).is_some_and(|tile| model.need(tile).is_some()));
    match found {
        Some(index) => model.focus = index,
        None => step(model, 1),
    }
    model.view = View::Line;
}

/// Moves the focus, around the ends.
fn step(model: &mut Model, by: isize) {
    let count = model.tiles.len().max(1);
    model.focus = model.focus.saturating_add_signed(by.rem_euclid(count.cast_signed())) % count;
}

fn movement(model: &mut Model, intent: Intent) {
    match model.view {
        View::Line => move_focus(model, intent),
        _ => scroll(model, intent),
    }
}

fn move_focus(model: &mut Model, intent: Intent) {
    let count = model.tiles.len();
    let grid = Grid::of(view::parts(model).body, count);
    let last = count.saturating_sub(1);
    let focus = model.focus;
    model.focus = match intent {
        Intent::Left => focus.saturating_sub(1),
        Intent::Right => (focus + 1).min(last),
        Intent::Up => focus.checked_sub(grid.columns).unwrap_or(focus),
        Intent::Down => Some(focus + grid.columns).filter(|to| *to <= last).unwrap_or(focus),
        Intent::PageUp => focus.saturating_sub(grid.per_page()),
        Intent::PageDown => (focus + grid.per_page()).min(last),
        Intent::Home => 0,
        Intent::End => last,
        _ => focus,
    };
}

fn scroll(model: &mut Model, intent: Intent) {
    let page = usize::from(view::parts(model).body.height).saturating_sub(2);
    model.scroll = match intent {
        Intent::Up => model.scroll.saturating_sub(1),
        Intent::Down => model.scroll + 1,
        Intent::PageUp => model.scroll.saturating_sub(page),
        Intent::PageDown => model.scroll + page,
        Intent::Home => 0,
        _ => model.scroll,
    };
}
