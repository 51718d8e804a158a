//! SVG: texts and attributes of XML, and symbols as pictures.

use super::error::TemplateError;
use super::parts::Part;
use super::pieces::{Field, Form, Piece, Spot};
use super::symbol::Symbol;
use super::writing::Writing;
use crate::say;

/// Where in XML a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Text,
    Tag,
    /// An attribute between these marks.
    Attribute(char),
}

/// The parts of a template in SVG.
pub(super) fn parts(pieces: Vec<Piece>) -> Result<Vec<Part>, TemplateError> {
    let mut within = Within::Text;
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => {
                within = text.chars().fold(within, Within::behind);
                parts.push(Part::Literal(text));
            }
            Piece::Spot(spot) => parts.push(Part::Value(spot, writing(&spot, within)?)),
        }
    }
    Ok(parts)
}

impl Within {
    fn behind(self, c: char) -> Within {
        match (self, c) {
            (Within::Text, '<') => Within::Tag,
            (Within::Tag, '>') => Within::Text,
            (Within::Tag, mark @ ('"' | '\'')) => Within::Attribute(mark),
            (Within::Attribute(mark), c) if c == mark => Within::Tag,
            (same, _) => same,
        }
    }
}

/// `{qr}` alone is drawn: a text in its place would say what nobody reads.
fn writing(spot: &Spot, within: Within) -> Result<Writing, TemplateError> {
    let symbol = match (spot.form, spot.field) {
        (Form::Drawn(symbol), _) => Some(symbol),
        (Form::Whole, Field::Qr) => Some(Symbol::Qr),
        _ => None,
    };
    match (symbol, within) {
        (_, Within::Tag) => Err(spot.refuse(say!(
            "a value stands in a text or in an attribute's marks",
            "值要写在文本里或属性的引号里"
        ))),
        (Some(symbol), Within::Text) => Ok(Writing::Picture(symbol)),
        (Some(_), Within::Attribute(_)) => {
            Err(spot.refuse(say!("a picture stands between elements", "图形要写在元素之间")))
        }
        (None, _) => Ok(Writing::Xml),
    }
}
