//! A template's text, cut at its places: `{serial}`, `{fingerprint:8}`, `{qr:datamatrix}`.

use crate::bounds;

use super::error::TemplateError;
use super::symbol::Symbol;
use crate::say;
use crate::say::{Phrase, Say};

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Serial,
    ClientId,
    Fingerprint,
    WorkOrder,
    Date,
    /// What the label's code says.
    Qr,
    /// What a card that is no unit's says in large letters.
    Title,
    /// What it says below.
    Note,
}

impl Field {
    const NAMES: &'static [(&'static str, Field)] = &[
        ("serial", Field::Serial),
        ("client_id", Field::ClientId),
        ("fingerprint", Field::Fingerprint),
        ("work_order", Field::WorkOrder),
        ("date", Field::Date),
        ("qr", Field::Qr),
    ];

    const OF_CARDS: &'static [(&'static str, Field)] =
        &[("title", Field::Title), ("note", Field::Note), ("qr", Field::Qr)];
}

/// How much of it, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Whole,
    /// The first so many characters.
    First(usize),
    /// Drawn as a symbol.
    Drawn(Symbol),
}

/// A place in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    pub(super) field: Field,
    pub(super) form: Form,
    /// Its line, counted from one.
    pub(super) line: usize,
}

impl Spot {
    pub(super) const fn refuse(&self, what: Say) -> TemplateError {
        TemplateError::new(self.line, what)
    }
}

const OPEN: Phrase = Phrase {
    english: "a { without its }: {{ stands for a brace",
    chinese: "{ 没有对应的 }：花括号写作 {{",
};
const CLOSED: Phrase = Phrase {
    english: "a } without its {: }} stands for a brace",
    chinese: "} 没有对应的 {：花括号写作 }}",
};

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Spot(Spot),
}

/// Whose template it is, and so which places it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A unit's label.
    Units,
    /// What the code on a unit's label says: no code within itself.
    Codes,
    /// A card of the station's own.
    Cards,
}

/// Cuts a template. `{{` and `}}` stand for braces.
pub(super) fn cut(text: &str, whose: Whose) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let (mut rest, mut line, mut places) = (text, 1, 0);
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        let doubled = matches!(c, '{' | '}') && behind.starts_with(c);
        rest = match c {
            '{' | '}' if doubled => {
                literal.push(c);
                &behind[1..]
            }
            '{' => {
                let (name, behind) =
                    behind.split_once('}').ok_or_else(|| TemplateError::new(line, OPEN.into()))?;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                places += 1;
                if places > bounds::PLACES {
                    let what =
                        say!("it has more than {} places", "它的占位超过 {} 处", bounds::PLACES);
                    return Err(TemplateError::new(line, what));
                }
                pieces.push(Piece::Spot(spot(name, line, whose)?));
                behind
            }
            '}' => {
                return Err(TemplateError::new(line, CLOSED.into()));
            }
            c => {
                line += usize::from(c == '\n');
                literal.push(c);
                behind
            }
        };
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn spot(text: &str, line: usize, whose: Whose) -> Result<Spot, TemplateError> {
    let (name, form) = match text.split_once(':') {
        Some((name, form)) => (name, Some(form)),
        None => (text, None),
    };
    let names = match whose {
        Whose::Cards => Field::OF_CARDS,
        Whose::Units | Whose::Codes => Field::NAMES,
    };
    let known = names.iter().filter(|(_, field)| whose != Whose::Codes || *field != Field::Qr);
    let field = known.clone().find(|(known, _)| *known == name).map(|(_, field)| *field);
    let field = field.ok_or_else(|| {
        let names: Vec<String> = known.map(|(name, _)| format!("{{{name}}}")).collect();
        let names = names.join(" ");
        let what = say!(
            "{{{text}}} is none of {names}; {{{{ stands for a brace",
            "{{{text}}} 不是 {names} 之一；花括号写作 {{{{"
        );
        TemplateError::new(line, what)
    })?;
    Ok(Spot { field, form: form.map_or(Ok(Form::Whole), |form| self::form(form, line))?, line })
}

fn form(text: &str, line: usize) -> Result<Form, TemplateError> {
    if let Some(symbol) = Symbol::ALL.iter().find(|symbol| symbol.as_str() == text) {
        return Ok(Form::Drawn(*symbol));
    }
    match text.parse() {
        Ok(count @ 1..=64) => Ok(Form::First(count)),
        _ => {
            let what = say!(
                "{text:?} is no number of characters from 1 to 64, and none of qr, datamatrix, code128",
                "{text:?} 不是 1 到 64 的字符数，也不是 qr、datamatrix、code128"
            );
            Err(TemplateError::new(line, what))
        }
    }
}
