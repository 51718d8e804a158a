//! Dialogs with fields, for what a person decides, and menus that lead to them.

use zeroize::Zeroizing;

use crate::domain::device::Fault;
use crate::domain::ids::{Serial, WorkOrderId};
use crate::text::Word;

/// What a form is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignIn,
    Rework { serial: Serial, new_device: bool },
    Void(Serial),
    Scrap(Serial),
    AcceptClock,
    AcceptProfile(WorkOrderId),
    CloseOrder(WorkOrderId),
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    /// An id or a name.
    Who,
    /// A PIN, shown as dots.
    Pin,
    Reason,
}

/// The text of a field: wiped when dropped, and shown by the views alone.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldText(Zeroizing<String>);

impl std::fmt::Debug for FieldText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FieldText(…)")
    }
}

impl FieldText {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn set(&mut self, text: &str) {
        self.0 = Zeroizing::new(text.to_owned());
    }
}

/// The most characters of a field: a reason is a sentence.
const LONGEST: usize = 200;

/// A dialog with fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) purpose: Purpose,
    pub(crate) fields: Vec<(Field, FieldText)>,
    /// The field that is typed into.
    pub(crate) at: usize,
    /// The number under which it was sent.
    pub(crate) sent: Option<u64>,
    /// Why it was refused, or a field that is empty.
    pub(crate) fault: Option<Fault>,
    /// What to know of the keys that came last.
    pub(crate) note: Option<FormNote>,
}

/// What is to be known of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormNote {
    /// An Enter came too soon after another key to be meant.
    Hurried,
    /// What went into a secret field came as fast as a scan: it may have been a label.
    Fast,
}

impl Form {
    pub(crate) fn new(purpose: Purpose) -> Self {
        let fields: &[Field] = match purpose {
            Purpose::SignIn => &[Field::Who],
            Purpose::CloseOrder(_) => &[Field::Who, Field::Pin],
            _ => &[Field::Reason, Field::Who, Field::Pin],
        };
        let fields = fields.iter().map(|field| (*field, FieldText::default())).collect();
        Self { purpose, fields, at: 0, sent: None, fault: None, note: None }
    }

    fn focused(&mut self) -> Option<&mut FieldText> {
        self.fields.get_mut(self.at).map(|(_, text)| text)
    }

    /// Whether what is typed now is kept from everybody.
    pub(crate) fn is_at_a_secret(&self) -> bool {
        self.fields.get(self.at).is_some_and(|(field, _)| *field == Field::Pin)
    }

    /// Takes one character.
    pub(crate) fn push(&mut self, c: char) {
        self.note = None;
        if let Some(text) = self.focused().filter(|text| text.0.chars().count() < LONGEST) {
            // Room beforehand: a text that grows leaves copies behind.
            text.0.reserve(LONGEST * 4);
            text.0.push(c);
        }
    }

    pub(crate) fn backspace(&mut self) {
        if let Some(text) = self.focused() {
            text.0.pop();
        }
    }

    /// Empties the field.
    pub(crate) fn clear(&mut self) {
        if let Some(text) = self.focused() {
            *text = FieldText::default();
        }
    }

    pub(crate) fn step(&mut self, by: isize) {
        let count = self.fields.len().max(1);
        self.at = self.at.saturating_add_signed(by.rem_euclid(count.cast_signed())) % count;
    }

    pub(crate) fn is_last(&self) -> bool {
        self.at + 1 >= self.fields.len()
    }

    pub(crate) fn text(&self, field: Field) -> &str {
        let found = self.fields.iter().find(|(known, _)| *known == field);
        found.map_or("", |(_, text)| text.as_str().trim())
    }

    /// A badge was read: whose it is stands in its field, and the next one is typed into.
    pub(crate) fn badge(&mut self, id: &str) {
        let found = self.fields.iter().position(|(field, _)| *field == Field::Who);
        let Some(index) = found else { return };
        if let Some((_, text)) = self.fields.get_mut(index) {
            text.set(id);
        }
        self.at = (index + 1).min(self.fields.len() - 1);
    }

    /// Wipes the PIN: a refused form begins there anew.
    pub(crate) fn forget_pin(&mut self) {
        let found = self.fields.iter().position(|(field, _)| *field == Field::Pin);
        let Some(index) = found else { return };
        if let Some((_, text)) = self.fields.get_mut(index) {
            text.set("");
        }
        self.at = index;
    }
}

/// Where an item of a menu leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    Form(Purpose),
    SignOut,
    StartSync,
    StopSync,
    Orders,
    /// This work order is to be made.
    Make(WorkOrderId),
}

/// A list to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Menu {
    pub(crate) items: Vec<(Word, String, Choice)>,
    pub(crate) at: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_fills_in_who_approves_and_goes_on_to_the_pin() {
        let mut form = Form::new(Purpose::AcceptClock);
        form.badge("s04");
        assert_eq!(form.text(Field::Who), "s04");
        assert_eq!(form.fields[form.at].0, Field::Pin);
        assert!(form.is_last());
        form.push('1');
        form.forget_pin();
        assert_eq!(form.text(Field::Pin), "");
        assert!(!format!("{form:?}").contains("s04"));
    }
}
