//! What is wrong with station.toml, in the words of the file.
//!
//! Serde says where it stopped reading and the checks say which value they refuse; what was
//! wanted there stands in the schema. Together they name the key, its place and the remedy.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::kinds::{of_serde, outside};
use super::place::{Entry, KeyPath, Source, outline};
use super::refusal::Refusal;
use super::schema::{self, Wanted};
use crate::domain::cause::Told;
use crate::domain::say::Say;
use crate::say;

/// One file that was parsed and is refused.
pub(super) struct Refused<'a> {
    source: &'a Source,
    table: &'a Spanned<DeTable<'a>>,
    outline: Vec<Entry<'a>>,
    schema: serde_json::Value,
}

impl<'a> Refused<'a> {
    /// The file and what was parsed of it.
    pub(super) fn new(source: &'a Source, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { source, table, outline: outline(table.get_ref()), schema: schema::schema() }
    }

    /// Why serde could not read it.
    pub(super) fn by_serde(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or_else(|| self.table.span());
        let place = self.source.place(&span);
        // Several, because a list of tables begins where its first table does.
        let there: Vec<&Entry<'_>> =
            self.outline.iter().filter(|entry| entry.value.span() == span).collect();
        let explained = self
            .unknown_key(&span, &place)
            .or_else(|| there.iter().find_map(|entry| self.wrong_value(entry, &place)))
            .or_else(|| if there.is_empty() { self.missing_section() } else { None });
        explained.unwrap_or_else(|| ConfigError::Value {
            place,
            key: self.key_of(&span).to_string(),
            why: of_serde(error.message()),
        })
    }

    /// Why a check refused it.
    pub(super) fn by_check(&self, refusal: Refusal) -> ConfigError {
        let place = |span| self.source.place(span);
        let key = |span| self.key_of(span).to_string();
        match refusal {
            Refusal::Value { span, why } => {
                ConfigError::Value { place: place(&span), key: key(&span), why }
            }
            Refusal::Absent { section, key } => {
                self.absent(place(&section), &self.key_of(&section), key)
            }
            Refusal::Pattern { span, source } => {
                let source = source.sentence();
                ConfigError::Pattern { place: place(&span), key: key(&span), source }
            }
            Refusal::Twice { span, first, what } => ConfigError::Twice {
                place: place(&span),
                key: key(&span),
                what,
                first: key(&first),
            },
        }
    }

    fn wanted(&self, path: &KeyPath) -> Option<Wanted<'_>> {
        Wanted(&self.schema).at(path)
    }

    fn key_of(&self, span: &Range<usize>) -> KeyPath {
        let innermost = self.outline.iter().rfind(|entry| entry.value.span() == *span);
        innermost.map(|entry| entry.path.clone()).unwrap_or_default()
    }

    fn unknown_key(&self, span: &Range<usize>, place: &Place) -> Option<ConfigError> {
        let entry = self.outline.iter().find(|entry| entry.key.as_ref() == Some(span))?;
        let (table, key) = entry.path.split()?;
        let known = self.wanted(&table)?.keys();
        (!known.contains(&key)).then(|| ConfigError::Key {
            place: place.clone(),
            key: entry.path.to_string(),
            nearest: nearest(key, &known),
            known: known.join(", "),
        })
    }

    /// A value of another type, a number that is not allowed, or a table that lacks a key.
    fn wrong_value(&self, entry: &Entry<'_>, place: &Place) -> Option<ConfigError> {
        let (path, wanted) = (&entry.path, self.wanted(&entry.path)?);
        if wanted.kind().is_empty() {
            // It may be of several types, and is of one of them.
            return None;
        }
        let (kind, found) = kind_of(entry.value.get_ref());
        let (place, key) = (place.clone(), path.to_string());
        if kind != wanted.kind() {
            let expected = in_words(wanted, path);
            return Some(ConfigError::Type { place, key, expected: Box::new(expected), found });
        }
        match entry.value.get_ref() {
            DeValue::Integer(number) => {
                let (min, max) = wanted.bounds()?;
                Some(ConfigError::Value { place, key, why: outside(number, min, max) })
            }
            DeValue::Table(table) => self.missing(place, path, table),
            _ => None,
        }
    }

    fn missing_section(&self) -> Option<ConfigError> {
        self.missing(self.source.whole(), &KeyPath::default(), self.table.get_ref())
    }

    fn missing(&self, place: Place, path: &KeyPath, table: &DeTable<'_>) -> Option<ConfigError> {
        let key = self.wanted(path)?.missing_in(table)?;
        Some(self.absent(place, path, key))
    }

    /// A key that must be there. For a section, which may be missing as a whole, a line of it.
    fn absent(&self, place: Place, path: &KeyPath, key: &str) -> ConfigError {
        let (mut full, mut example) = (path.to_key(key), String::new());
        if let (Some(table), Some(wanted)) = (self.wanted(path), self.wanted(&full)) {
            example = table.line(key);
            if let ("array", Some(item)) = (wanted.kind(), wanted.item()) {
                let lines: Vec<String> = item.required().map(|key| item.line(key)).collect();
                example = format!("[[{full}]] {}", lines.join(", "));
            } else if let ("object", Some(first)) = (wanted.kind(), wanted.required().next()) {
                example = format!("[{full}] {}", wanted.line(first));
                full = full.to_key(first);
            }
        }
        ConfigError::Absent { place, key: full.to_string(), example }
    }
}

/// What a value is, as JSON Schema calls it and in words.
fn kind_of(value: &DeValue<'_>) -> (&'static str, &'static str) {
    match value {
        DeValue::String(_) => ("string", "a text"),
        DeValue::Integer(_) => ("integer", "a whole number"),
        DeValue::Float(_) => ("number", "a number with a fraction"),
        DeValue::Boolean(_) => ("boolean", "true or false"),
        DeValue::Datetime(_) => ("", "a date"),
        DeValue::Array(_) => ("array", "a list"),
        DeValue::Table(_) => ("object", "a table"),
    }
}

fn in_words(wanted: Wanted<'_>, path: &KeyPath) -> Say {
    match wanted.kind() {
        "string" => say!("a text", "一段文本"),
        "integer" => say!("a whole number", "一个整数"),
        "boolean" => say!("true or false", "true 或 false"),
        "array" if wanted.item().is_some_and(|item| item.kind() == "object") => {
            say!("tables, each under [[{path}]]", "若干个表，每个写在 [[{path}]] 之下")
        }
        "array" => say!("a list of texts", "一列文本"),
        _ => say!("a table", "一个表"),
    }
}

/// The known key that looks most like `key`; the first of those that look alike.
fn nearest(key: &str, known: &[&str]) -> String {
    let distance = |name: &&&str| strsim::damerau_levenshtein(key, name);
    known.iter().min_by_key(distance).map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_the_one_with_fewest_changes() {
        assert_eq!(nearest("buad", &["name", "port", "baud"]), "baud");
        assert_eq!(nearest("serialpattern", &["name", "serial_pattern"]), "serial_pattern");
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source { file: "s.toml".into(), text: "a = 1\nü = 2 # x\n".into() };
        let at = source.text.find("2").unwrap();
        assert_eq!(source.place(&(at..at + 1)).to_string(), "s.toml:2:5");
    }
}
