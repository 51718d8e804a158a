//! What would have to change where a scan is no serial of the product: the scanner, the
//! keyboard, or a rule that is missing.

use crate::label::LabelRule;

use super::content::Content;
use super::rule::{Form, Rule};
use super::{gs1, json, link};

/// The most likely reason, where there is one.
pub(super) fn for_refused(
    rules: &[Rule],
    serial: &str,
    content: Content<'_>,
    label: &LabelRule,
) -> Option<String> {
    let accepts = |text: &str| label.accept(text).is_ok();
    if accepts(&swapped(serial)) {
        let hint = "with its letters in the other case it would be one: is CapsLock on? \
                    `[scanner] case` takes both";
        return Some(hint.to_owned());
    }
    if !serial.is_ascii() {
        let hint = "letters beyond ASCII come from a keyboard scanner whose layout is not the \
                    computer's";
        return Some(hint.to_owned());
    }
    let form = looks_like(content.text)?;
    let has_rule = rules.iter().any(|rule| rule.form().as_str() == form);
    (!has_rule).then(|| format!("a [[scanner.label]] with form = {form:?} reads such labels"))
}

fn swapped(text: &str) -> String {
    let swap = |c: char| match c.is_ascii_uppercase() {
        true => c.to_ascii_lowercase(),
        false => c.to_ascii_uppercase(),
    };
    text.chars().map(swap).collect()
}

/// The form of rules by which a text could be read.
fn looks_like(text: &str) -> Option<&'static str> {
    let forms = [
        (Form::Json.as_str(), json::read(text).is_ok()),
        (Form::Link.as_str(), link::read(text).is_ok()),
        (Form::Gs1.as_str(), gs1::read(text, "21").is_ok()),
        ("text", text.contains([':', ';', ',', '|', '=', '\t', ' '])),
    ];
    forms.into_iter().find(|(_, fits)| *fits).map(|(form, _)| form)
}
