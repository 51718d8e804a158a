//! A template that was read: what stays, what is filled in, and how that is written there.

use super::error::{PrintError, TemplateError};
use super::language::Language;
use super::parts::{Part, no_picture};
use super::pieces::{Field, Form, Piece, Spot, Whose, cut};
use super::writing::Writing;
use super::{quoted, svg, zpl};
use crate::say;

/// A template whose places can all be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    language: Language,
    parts: Vec<Part>,
}

impl Template {
    /// Reads the template of a unit's label.
    pub fn parse(text: &str, language: Language) -> Result<Self, TemplateError> {
        Self::read(text, language, Whose::Units)
    }

    /// Reads what the code on a label says.
    pub(super) fn of_code(text: &str) -> Result<Self, TemplateError> {
        match text.chars().all(|c| c == ' ' || c.is_ascii_graphic() || c == '\u{1d}') {
            true => Self::read(text, Language::Text, Whose::Codes),
            false => Err(TemplateError::new(
                1,
                say!("a code says printable ASCII characters", "码的内容是可打印 ASCII 字符"),
            )),
        }
    }

    pub(super) fn read(
        text: &str,
        language: Language,
        whose: Whose,
    ) -> Result<Self, TemplateError> {
        let pieces = cut(text, whose)?;
        let parts = match language {
            Language::Zpl => zpl::parts(pieces)?,
            Language::Tspl => quoted::tspl(pieces)?,
            Language::Epl => quoted::epl(pieces)?,
            Language::Svg => svg::parts(pieces)?,
            Language::Text => plain(pieces)?,
        };
        Ok(Self { language, parts })
    }

    /// What it is written in.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Whether it has a place for what the code says.
    pub(super) fn has_code(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Value(spot, _) if spot.field == Field::Qr))
    }

    /// Fills it in.
    pub(super) fn fill<'a>(&self, value: impl Fn(Field) -> &'a str) -> Result<String, PrintError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Value(spot, writing) => text.push_str(&writing.of(shown(spot, &value))?),
            }
        }
        Ok(text)
    }
}

fn shown<'a>(spot: &Spot, value: impl Fn(Field) -> &'a str) -> &'a str {
    let value = value(spot.field);
    match spot.form {
        Form::Whole | Form::Drawn(_) => value,
        Form::First(count) => {
            value.char_indices().nth(count).map_or(value, |(end, _)| &value[..end])
        }
    }
}

fn plain(pieces: Vec<Piece>) -> Result<Vec<Part>, TemplateError> {
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(text) => Ok(Part::Literal(text)),
            Piece::Spot(spot) => {
                Ok(Part::Value(no_picture(spot, &say!("a text", "文本"))?, Writing::Plain))
            }
        })
        .collect()
}
