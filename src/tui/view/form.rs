//! Forms and menus: what a person decides.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::text::{plain, printable};
use crate::text::Word;

use super::super::model::{Field, Form, FormNote, Menu, Purpose};
use super::super::theme::Role;
use super::boxed::frame_of;
use super::look::{Look, fit, pad, width};

/// Columns of a form, with its border.
const COLUMNS: u16 = 66;

/// Columns for the names of fields.
const NAMES: usize = 12;

pub(super) fn draw_form(frame: &mut Frame<'_>, area: Rect, form: &Form, look: Look) {
    let (title, about) = title(&form.purpose, look);
    let mut lines = vec![Line::from("")];
    if !about.is_empty() {
        lines.push(Line::from(look.span(Role::Strong, about)));
        lines.push(Line::from(""));
    }
    for (index, (field, text)) in form.fields.iter().enumerate() {
        lines.push(field_line(form, *field, text.as_str(), index == form.at, look));
    }
    lines.push(Line::from(""));
    match &form.fault {
        Some(fault) if form.note.is_none() => {
            lines.push(Line::from(look.span(Role::Red, look.what(fault))));
            lines.push(Line::from(look.remedy(fault.code)));
        }
        _ => lines.push(Line::from(look.text(hint(form)))),
    }
    lines.push(Line::from(look.span(Role::Key, look.text(Word::FormKeys))));
    frame_of(frame, area, COLUMNS, title, &lines, look);
}

const fn hint(form: &Form) -> Word {
    match (form.sent, form.note, &form.purpose) {
        (Some(_), _, _) => Word::FormSent,
        (None, Some(FormNote::Hurried), _) => Word::FormHurried,
        (None, Some(FormNote::Fast), _) => Word::FormFast,
        (None, None, Purpose::SignIn) => Word::FormPeople,
        (None, None, _) => Word::FormSupervisor,
    }
}

fn title(purpose: &Purpose, look: Look) -> (&'static str, String) {
    let (word, about) = match purpose {
        Purpose::SignIn => (Word::DoSignIn, String::new()),
        Purpose::Rework { serial, new_device: false } => (Word::DoRework, serial.to_string()),
        Purpose::Rework { serial, .. } => (Word::DoReworkElsewhere, serial.to_string()),
        Purpose::Void(serial) => (Word::DoVoid, serial.to_string()),
        Purpose::Scrap(serial) => (Word::DoScrap, serial.to_string()),
        Purpose::AcceptClock => (Word::DoAcceptClock, String::new()),
        Purpose::AcceptProfile(id) => (Word::DoAcceptProfile, id.to_string()),
        Purpose::CloseOrder(id) => (Word::DoCloseOrder, id.to_string()),
    };
    (look.text(word), plain(&about).into_owned())
}

fn field_line<'a>(form: &Form, field: Field, text: &str, focused: bool, look: Look) -> Line<'a> {
    let name = look.text(match (field, &form.purpose) {
        (Field::Who, Purpose::SignIn) => Word::FieldWho,
        (Field::Who, _) => Word::FieldSupervisor,
        (Field::Pin, _) => Word::FieldPin,
        (Field::Reason, _) => Word::FieldReason,
    });
    let room = usize::from(COLUMNS).saturating_sub(NAMES + 8);
    let shown = match field {
        Field::Pin => "•".repeat(text.chars().count()),
        Field::Who | Field::Reason => printable(text).into_owned(),
    };
    // The end of a long text is what is being typed.
    let skipped = shown.chars().count().saturating_sub(room);
    let shown: String = shown.chars().skip(skipped).collect();
    let (marker, role) = if focused { ("▸ ", Role::Focus) } else { ("  ", Role::Dim) };
    let end = if focused { "▏" } else { "" };
    Line::from(vec![
        look.span(role, format!("{marker}{}", pad(name, NAMES))),
        Span::raw(" "),
        look.span(Role::Field, shown),
        Span::raw(end),
    ])
}

pub(super) fn draw_menu(frame: &mut Frame<'_>, area: Rect, menu: &Menu, look: Look) {
    let room = usize::from(area.height).saturating_sub(6).max(1);
    let first = (menu.at + 1).saturating_sub(room);
    let mut lines = vec![Line::from("")];
    for (index, (word, about, _)) in menu.items.iter().enumerate().skip(first).take(room) {
        let chosen = index == menu.at;
        let (marker, role) = if chosen { ("▸ ", Role::Focus) } else { ("  ", Role::Text) };
        let columns = usize::from(COLUMNS).saturating_sub(8 + width(about));
        let text = format!("{marker}{} {about}", pad(&fit(look.text(*word), columns), columns));
        lines.push(Line::from(look.span(role, text)));
    }
    if menu.items.is_empty() {
        lines.push(Line::from(look.text(Word::MenuEmpty)));
    }
    lines.push(Line::from(""));
    lines.push(Line::from(look.span(Role::Key, look.text(Word::MenuKeys))));
    frame_of(frame, area, COLUMNS, look.text(Word::MenuTitle), &lines, look);
}
