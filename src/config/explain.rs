//! What is wrong with station.toml, in the words of the file.
//!
//! Serde says where it stopped reading and the checks say which value they refuse; what was
//! wanted there stands in the schema. Together they name the key, its place and the remedy.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::place::{KeyPath, Source, key_at, value_at};
use super::refusal::Refusal;
use super::schema::{self, Wanted};

/// One file that was parsed and is refused.
pub(super) struct Refused<'a> {
    source: &'a Source,
    table: &'a Spanned<DeTable<'a>>,
    schema: serde_json::Value,
}

impl<'a> Refused<'a> {
    /// The file and what was parsed of it.
    pub(super) fn new(source: &'a Source, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { source, table, schema: schema::schema() }
    }

    /// Why serde could not read it.
    pub(super) fn by_serde(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or_else(|| self.table.span());
        let table = self.table.get_ref();
        let wrong = match value_at(table, &span, &KeyPath::default()) {
            Some((path, value)) => self.wrong_value(&span, &path, value),
            None => self.missing(self.source.whole(), &KeyPath::default(), table),
        };
        self.unknown_key(&span).or(wrong).unwrap_or_else(|| ConfigError::Value {
            place: self.source.place(&span),
            key: self.key_of(&span).to_string(),
            why: error.message().to_owned(),
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
        let found = value_at(self.table.get_ref(), span, &KeyPath::default());
        found.map(|(path, _)| path).unwrap_or_default()
    }

    fn unknown_key(&self, span: &Range<usize>) -> Option<ConfigError> {
        let (path, key) = key_at(self.table.get_ref(), span, &KeyPath::default())?;
        let known = self.wanted(&path)?.keys();
        (!known.contains(&key)).then(|| ConfigError::Key {
            place: self.source.place(span),
            key: path.to_key(key).to_string(),
            nearest: nearest(key, &known),
            known: known.join(", "),
        })
    }

    /// A value of another type, or a table that lacks a key.
    fn wrong_value(
        &self,
        span: &Range<usize>,
        path: &KeyPath,
        value: &DeValue<'_>,
    ) -> Option<ConfigError> {
        let wanted = self.wanted(path)?;
        let (kind, found) = kind_of(value);
        if kind == wanted.kind() {
            let table = value.as_table()?;
            return self.missing(self.source.place(span), path, table);
        }
        let (place, expected) = (self.source.place(span), in_words(wanted, path));
        Some(ConfigError::Type { place, key: path.to_string(), expected, found })
    }

    fn missing(&self, place: Place, path: &KeyPath, table: &DeTable<'_>) -> Option<ConfigError> {
        let key = self.wanted(path)?.missing_in(table)?;
        Some(self.absent(place, path, key))
    }

    /// A key that must be there. For a section, which may be missing as a whole, a line of it.
    fn absent(&self, place: Place, path: &KeyPath, key: &str) -> ConfigError {
        let (table, path_of_key) = (self.wanted(path), path.to_key(key));
        let section = self.wanted(&path_of_key);
        let (key, example) = match section.map(|section| (section.kind(), section)) {
            Some(("object", section)) => {
                let first = section.required().next().unwrap_or_default();
                let line = format!("[{path_of_key}] {}", section.line(first));
                (path_of_key.to_key(first), line)
            }
            Some(("array", section)) => {
                let item = section.item();
                let lines: Vec<String> = item
                    .map(|item| item.required().map(|key| item.line(key)).collect())
                    .unwrap_or_default();
                let line = format!("[[{path_of_key}]] {}", lines.join(", "));
                (path_of_key, line)
            }
            _ => (path_of_key, table.map(|table| table.line(key)).unwrap_or_default()),
        };
        ConfigError::Absent { place, key: key.to_string(), example }
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

fn in_words(wanted: Wanted<'_>, path: &KeyPath) -> String {
    let text = match wanted.kind() {
        "string" => "a text",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" if wanted.item().is_some_and(|item| item.kind() == "object") => {
            return format!("tables, each under [[{path}]]");
        }
        "array" => "a list of texts",
        _ => "a table",
    };
    text.to_owned()
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
