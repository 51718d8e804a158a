//! How a value is written where it stands, so that the printer takes each of its characters
//! for itself.

use crate::say::Phrase;
use std::fmt::Write;

use super::error::PrintError;
use super::symbol::Symbol;

/// How a value is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// As it is.
    Plain,
    /// In a field of ZPL.
    Zpl(Data),
    /// Between the quotation marks of TSPL.
    Tspl,
    /// Between those of EPL.
    Epl,
    /// As text of XML.
    Xml,
    /// As a picture of SVG.
    Picture(Symbol),
}

impl Writing {
    pub(super) fn of(self, value: &str) -> Result<String, PrintError> {
        match self {
            Writing::Plain => Ok(value.to_owned()),
            Writing::Zpl(data) => Ok(data.write(value)),
            Writing::Tspl => in_tspl(value),
            Writing::Epl => Ok(in_epl(value)),
            Writing::Xml => Ok(escaped(value)),
            Writing::Picture(symbol) => picture(symbol, value),
        }
    }
}

/// The data of a field: how its characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Data {
    /// What stands in front of two hexadecimal digits.
    pub(super) indicator: char,
    /// What the field does with characters after those are undone.
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Letters on one line, or a symbol without characters of its own.
    #[default]
    Letters,
    /// A block of lines.
    Block,
    /// Code 128 in its mode N.
    Code128,
    /// A Data Matrix with this escape character.
    DataMatrix(char),
}

impl Data {
    fn write(self, value: &str) -> String {
        let mut text = String::new();
        for c in value.chars() {
            match (self.kind, c) {
                (Kind::Code128, '>') => self.push_all(">0", &mut text),
                (Kind::Block, '\\') => self.push_all("\\\\", &mut text),
                (Kind::DataMatrix(own), c) if c == own => {
                    self.push_all(&String::from_iter([c, c]), &mut text);
                }
                (_, c) => self.push(c, &mut text),
            }
        }
        text
    }

    fn push_all(self, characters: &str, text: &mut String) {
        characters.chars().for_each(|c| self.push(c, text));
    }

    fn push(self, c: char, text: &mut String) {
        let is_plain = c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '/' | ':');
        match is_plain && c != self.indicator {
            true => text.push(c),
            false => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    text.push_str(&format!("{}{byte:02X}", self.indicator));
                }
            }
        }
    }
}

/// A value between TSPL's quotation marks.
fn in_tspl(value: &str) -> Result<String, PrintError> {
    match value.contains("\\[") {
        false => Ok(value.replace('"', "\\[\"]")),
        true => Err(PrintError::Value {
            value: value.to_owned(),
            language: "TSPL",
            why: Phrase {
                english: "\\[ begins an escape there, and nothing stands for it",
                chinese: "\\[ 在那里是转义的开始，没有写法能代替它",
            },
        }),
    }
}

/// A value between EPL's.
fn in_epl(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A value as text or attribute.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            c => text.push(c),
        }
    }
    text
}

/// A symbol that fills the box around it, its quiet zone too.
fn picture(symbol: Symbol, value: &str) -> Result<String, PrintError> {
    let grid = symbol.draw(value)?;
    let (wide, high) = (grid.width + 2 * symbol.quiet(), grid.height() + 2 * symbol.quiet_above());
    let stretched = if symbol == Symbol::Code128 { " preserveAspectRatio=\"none\"" } else { "" };
    let mut text = format!(
        "<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 {wide} {high}\"{stretched} \
         shape-rendering=\"crispEdges\"><path d=\""
    );
    for (row, modules) in grid.dark.chunks(grid.width).enumerate() {
        for (from, length) in runs(modules) {
            let (x, y) = (from + symbol.quiet(), row + symbol.quiet_above());
            // Writing to a text can't fail.
            let _ = write!(text, "M{x} {y}h{length}v1h-{length}z");
        }
    }
    text.push_str("\"/></svg>");
    Ok(text)
}

/// Where dark modules begin, and how many follow.
fn runs(modules: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, dark) in modules.iter().enumerate() {
        match runs.last_mut() {
            _ if !dark => {}
            Some((from, length)) if *from + *length == at => *length += 1,
            _ => runs.push((at, 1)),
        }
    }
    runs
}
