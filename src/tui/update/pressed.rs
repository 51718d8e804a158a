//! What is pressed, key by key, until a silence says what it was: one key, a scan, or a few
//! characters that somebody typed.

use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind};
use tui_input::{Input, InputRequest};

use super::super::keymap::{self, Intent, Press};
use super::super::model::{Before, Closed, FormNote, Model, Position, View};
use super::super::mouse::Mouse;
use super::super::msg::Action;
use super::{forms, keys, pages, pointed, scan};

/// The most characters of a field; a label has at most 64.
const LONGEST_FIELD: usize = 256;

pub(super) fn key(model: &mut Model, key: KeyEvent, at: Duration, actions: &mut Vec<Action>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    begin(model);
    match keymap::read(key) {
        Press::Character(c) => {
            let back = model.burst.character(c, at).cloned();
            take_back(model, back, actions);
            typed(model, c, at);
        }
        Press::LineEnd(c) => {
            let back = model.burst.line_end(c, at).cloned();
            take_back(model, back, actions);
        }
        Press::Key(intent, name, c) => pressed(model, intent, name, c, at, actions),
    }
}

/// Where this is the first since a silence: how everything stands is kept.
fn begin(model: &mut Model) {
    if model.burst.is_over() {
        let (before, secret) = (Before::of(model), model.is_secret_in_focus());
        model.burst.begin(before, secret);
    }
}

/// A press or a turn of the mouse is the key for what it points at.
pub(super) fn mouse(model: &mut Model, mouse: Mouse, at: Duration, actions: &mut Vec<Action>) {
    begin(model);
    let intent = pointed::at(model, mouse);
    pressed(model, intent, "mouse".to_owned(), None, at, actions);
}

/// A control or function key. What only moves what is shown is seen at once.
fn pressed(
    model: &mut Model,
    intent: Option<Intent>,
    name: String,
    c: Option<char>,
    at: Duration,
    actions: &mut Vec<Action>,
) {
    let position = model.burst.key(intent, name, c, at);
    match (position, intent) {
        (Position::First | Position::Again, Some(intent)) if intent.is_shown_at_once() => {
            keys::show_at_once(model, intent, at, actions);
            model.burst.is_shown();
        }
        (Position::Among, _) => {
            let back = model.burst.taken_back().cloned();
            take_back(model, back, actions);
        }
        _ => {}
    }
}

/// What keys did that were a label's is undone.
fn take_back(model: &mut Model, before: Option<Before>, actions: &mut Vec<Action>) {
    if before.is_some_and(|before| before.put_back(model)) {
        pages::opened(model, actions);
    }
}

fn typed(model: &mut Model, c: char, at: Duration) {
    let is_for_nobody = model.burst.is_secret() && !model.is_secret_in_focus();
    let takes_keys = model.dialog.as_ref().is_none_or(|dialog| dialog.takes_keys(at));
    if is_for_nobody || !takes_keys {
        return;
    }
    match forms::form(model) {
        Some(_) if c.is_control() => {}
        Some(form) => form.push(c),
        None => insert(forms::field(model), c),
    }
}

fn insert(field: Option<&mut Input>, c: char) {
    // The separators of data are a label's own characters; no other control character is.
    let belongs = !c.is_control() || ('\u{1c}'..='\u{1f}').contains(&c);
    if let Some(field) = field.filter(|field| belongs && field.value().len() < LONGEST_FIELD) {
        field.handle(InputRequest::InsertChar(c));
    }
}

/// Pasted text is text: it goes into the field that has the focus and ends nothing.
pub(super) fn paste(model: &mut Model, text: &str, at: Duration, actions: &mut Vec<Action>) {
    begin(model);
    let back = model.burst.paste(at).cloned();
    take_back(model, back, actions);
    for c in text.chars().filter(|c| !c.is_control()) {
        typed(model, c, at);
    }
}

/// For a while nothing was pressed: what came before is one key, a scan, or typed.
pub(super) fn silence(model: &mut Model, actions: &mut Vec<Action>) {
    let (closed, before) = model.burst.close();
    match closed {
        Closed::Nothing => {}
        Closed::Alone(alone) => keys::command(model, alone, actions),
        Closed::Character('?') if model.dialog.is_none() && model.scan.value() == "?" => {
            model.scan.reset();
            keys::show(model, View::Help);
        }
        Closed::Character(_) => model.unended &= !model.scan.value().is_empty(),
        Closed::Line => line(model, actions),
        Closed::Secret => forms::note(model, FormNote::Fast),
        Closed::Unended => unended(model, before.as_deref(), actions),
        Closed::Scan(sent) => {
            // What the scanner typed is taken out of the field again.
            if let Some(before) = before {
                before.put_back_fields(model);
            }
            scan::sent(model, &sent, actions);
        }
    }
}

/// A line end close behind a character: of a person who types quickly, or of a short label.
/// It answers nothing.
fn line(model: &mut Model, actions: &mut Vec<Action>) {
    match model.dialog {
        Some(_) => forms::note(model, FormNote::Hurried),
        None if !model.scan.value().trim().is_empty() => keys::entered(model, actions),
        None => {}
    }
}

/// What was pasted by a terminal that does not mark it, or a scanner without a line end. Two
/// of the latter would stand as one text, so a second one is refused with the first.
fn unended(model: &mut Model, before: Option<&Before>, actions: &mut Vec<Action>) {
    if model.dialog.is_some() {
        return;
    }
    let again = model.unended && before.is_some_and(|before| !before.is_empty());
    model.unended = !again;
    if again {
        let text = model.scan.value().to_owned();
        model.scan.reset();
        scan::without_end(model, &text, actions);
    }
}
