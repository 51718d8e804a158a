//! What keys do: characters go to a field, everything else is looked up in the keymap.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::{Input, InputRequest};

use crate::domain::event::{Binding, Command, Scan};

use super::super::keymap::{self, Intent, Press};
use super::super::layout::{self, Grid};
use super::super::model::{
    AutoScan, BurstEnd, Dialog, DialogKind, Model, Phase, Tile, UnitView, View,
};
use super::super::msg::Action;
use super::{forms, pages, scan};

/// The most characters of a field; a label has at most 64.
const LONGEST_FIELD: usize = 256;

pub(super) fn key(model: &mut Model, key: KeyEvent, at: Duration, actions: &mut Vec<Action>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    if ends_a_line(key) {
        return enter(model, key.code == KeyCode::Enter, at, actions);
    }
    match keymap::read(key) {
        Press::Character(c) => character(model, c, at),
        Press::Unknown(c) => drop(model.burst.swallows(c, at)),
        Press::Intent(intent) => {
            if !model.burst.swallows(keymap::stand_in(key), at) {
                command(model, intent, at, actions);
            }
        }
    }
}

/// A scanner may end its line with a line feed, which a terminal shows as Ctrl-J.
fn ends_a_line(key: KeyEvent) -> bool {
    let line_feed = key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL;
    key.code == KeyCode::Enter || line_feed
}

/// The field that characters go to. In a dialog without one they go nowhere.
fn field(model: &mut Model) -> Option<&mut Input> {
    match &model.dialog {
        Some(_) => None,
        None => Some(&mut model.scan),
    }
}

/// Whether a key at this time may go to what has the focus.
fn takes_keys(model: &Model, at: Duration) -> bool {
    model.dialog.as_ref().is_none_or(|dialog| dialog.takes_keys(at))
}

fn character(model: &mut Model, c: char, at: Duration) {
    let before = field(model).map(|field| field.clone());
    model.burst.push(c, at, before.as_ref());
    if !takes_keys(model, at) {
        return;
    }
    let is_first = model.burst.has_just_begun();
    match forms::form(model) {
        Some(form) => form.push(c, is_first),
        None => insert(field(model), c),
    }
}

fn insert(field: Option<&mut Input>, c: char) {
    if let Some(field) = field.filter(|field| field.value().len() < LONGEST_FIELD) {
        field.handle(InputRequest::InsertChar(c));
    }
}

/// Pasted text is text: it goes into the field and ends nothing.
pub(super) fn paste(model: &mut Model, text: &str) {
    for c in text.chars().filter(|c| !c.is_control()) {
        insert(field(model), c);
    }
}

fn enter(model: &mut Model, is_enter: bool, at: Duration, actions: &mut Vec<Action>) {
    let takes_keys = takes_keys(model, at);
    let (end, before) = model.burst.enter(at);
    match end {
        BurstEnd::Scan(text) => {
            // What the scanner typed is taken out of the field again.
            if let (Some(field), Some(before)) = (field(model), before) {
                *field = before;
            }
            if let Some(form) = forms::form(model).filter(|_| takes_keys) {
                form.take_back();
            }
            scan::scan(model, &text, actions);
        }
        BurstEnd::TooShort if model.dialog.is_some() => {}
        BurstEnd::Person if !is_enter => {}
        BurstEnd::TooShort | BurstEnd::Person => command(model, Intent::Enter, at, actions),
    }
}

fn command(model: &mut Model, intent: Intent, at: Duration, actions: &mut Vec<Action>) {
    if intent == Intent::Redraw {
        actions.push(Action::Redraw);
        return;
    }
    match model.dialog.clone() {
        Some(dialog) if dialog.takes_keys(at) => answer(model, &dialog, intent, actions),
        Some(_) => {}
        None => anywhere(model, intent, actions),
    }
}

fn answer(model: &mut Model, dialog: &Dialog, intent: Intent, actions: &mut Vec<Action>) {
    match (&dialog.kind, intent) {
        (DialogKind::Quit, Intent::Enter) => {
            model.dialog = None;
            model.leaving = true;
            model.phase = Phase::Landing;
            for command in [Command::Withdraw, Command::NoMoreScans] {
                actions.push(Action::Command(command));
            }
        }
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
        Intent::Quit => quit(model, actions),
        Intent::Withdraw => actions.push(Action::Command(Command::Withdraw)),
        Intent::Enter => entered(model, actions),
        Intent::Escape => escape(model, actions),
        Intent::Backspace => edit(model, InputRequest::DeletePrevChar),
        Intent::Delete => edit(model, InputRequest::DeleteNextChar),
        Intent::NextNeed => next_need(model),
        Intent::PreviousSlot => step(model, -1),
        Intent::Redraw => {}
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

fn show(model: &mut Model, view: View) {
    model.view = view;
    model.scroll = 0;
}

fn edit(model: &mut Model, request: InputRequest) {
    if let Some(field) = field(model) {
        field.handle(request);
    }
}

fn quit(model: &mut Model, actions: &mut Vec<Action>) {
    match model.phase {
        Phase::Running if model.running() > 0 => {
            model.dialog = Some(Dialog::new(DialogKind::Quit));
        }
        Phase::Running | Phase::Landing => {
            model.leaving = true;
            actions.push(Action::Command(Command::Stop));
        }
        Phase::Starting | Phase::Ended => model.leaving = true,
    }
}

/// A person pressed Enter: what was typed is a scan. With nothing typed it chooses the slot
/// where scans are bound to slots.
fn entered(model: &mut Model, actions: &mut Vec<Action>) {
    let typed = model.scan.value().trim().to_owned();
    model.scan.reset();
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

fn escape(model: &mut Model, actions: &mut Vec<Action>) {
    if model.notices.seen() {
        return;
    }
    match model.scan.value().is_empty() {
        false => model.scan.reset(),
        true if pages::escaped(model, actions) => {}
        true => show(model, View::Line),
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
    let grid = Grid::of(layout::frame(model.size).body, count);
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
    let page = usize::from(layout::frame(model.size).body.height).saturating_sub(2);
    model.scroll = match intent {
        Intent::Up => model.scroll.saturating_sub(1),
        Intent::Down => model.scroll + 1,
        Intent::PageUp => model.scroll.saturating_sub(page),
        Intent::PageDown => model.scroll + page,
        Intent::Home => 0,
        _ => model.scroll,
    };
}
