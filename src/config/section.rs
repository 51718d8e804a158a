//! Reading one table of station.toml key by key, each error with its place.
//!
//! Serde would lose the place of a value that has the right type and is still wrong, so
//! the tables are walked by hand. Every key that may stand in a section is in
//! [`KNOWN`]; a section that is opened with another key in it is refused at once.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};

/// Each section and the keys that may stand in it.
pub(super) const KNOWN: &[(&str, &[&str])] = &[
    (
        "station",
        &[
            "id",
            "language",
            "data_dir",
            "serial_range",
            "max_clock_gap",
            "unit_deadline",
            "device_wait",
            "idle_lock",
            "badge_prefix",
            "operator_pin_file",
        ],
    ),
    (
        "product",
        &[
            "name",
            "serial_pattern",
            "client_id",
            "check_character",
            "key_origin",
            "model",
            "required_proof",
            "lock",
            "require",
        ],
    ),
    ("certificate", &["organization", "organizational_unit", "valid_for", "backdate"]),
    (
        "authority",
        &[
            "kind",
            "certificate",
            "key",
            "chain",
            "passphrase_file",
            "exclusive",
            "module",
            "token_label",
            "key_label",
            "key_id",
            "pin_file",
        ],
    ),
    ("connect", &["listen", "certificate", "key", "passphrase_file", "within"]),
    ("broker", &["host", "port", "server_root", "tls_min", "tls_max"]),
    (
        "slots",
        &["name", "port", "baud", "driver", "directory", "presence", "restart", "dtr", "rts"],
    ),
    ("scanner", &["kind", "port", "baud", "binding"]),
    (
        "cloud",
        &[
            "kind",
            "endpoint",
            "region",
            "instance_id",
            "registration",
            "rate_per_second",
            "call_limit",
            "initial_status",
            "max_backlog",
            "own_broker_name",
            "root",
            "proxy",
            "secret_id_file",
            "secret_key_file",
            "token_file",
            "revoker_secret_id_file",
            "revoker_secret_key_file",
        ],
    ),
    (
        "ledger",
        &[
            "anchor",
            "reserve",
            "journal_secret_file",
            "backup_dir",
            "backup_every",
            "backup_after",
            "backup_keep",
        ],
    ),
];

/// The file as text.
pub(super) struct Source {
    /// The file as it was named.
    pub(super) file: PathBuf,
    /// Its text.
    pub(super) text: String,
    /// The directory that relative paths start from.
    pub(super) dir: PathBuf,
}

impl Source {
    /// The place of a byte range.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |index| index + 1);
        let column = before[start..].chars().count() + 1;
        Place { file: self.file.clone(), at: Some((line, column)) }
    }

    /// The file as a whole.
    pub(super) fn whole(&self) -> Place {
        Place { file: self.file.clone(), at: None }
    }

    /// A path of the file, made absolute.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.dir.join(Path::new(path))
    }
}

/// A value that was found.
#[derive(Clone)]
pub(super) struct Found<'a, T> {
    /// The value.
    pub(super) value: T,
    /// Its key with its section.
    pub(super) key: String,
    source: &'a Source,
    span: Range<usize>,
}

impl<'a, T> Found<'a, T> {
    /// The same place with another value.
    pub(super) fn map<U>(self, value: U) -> Found<'a, U> {
        Found { value, key: self.key, source: self.source, span: self.span }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        self.source.place(&self.span)
    }

    /// An error about the value.
    pub(super) fn refuse(&self, why: impl Display) -> ConfigError {
        ConfigError::Value { place: self.place(), key: self.key.clone(), why: why.to_string() }
    }
}

/// One table of the file; an absent one reads as empty.
pub(super) struct Section<'a> {
    source: &'a Source,
    name: String,
    table: Option<&'a DeTable<'a>>,
    span: Option<Range<usize>>,
}

impl<'a> Section<'a> {
    /// Opens the whole file and refuses sections that are not known.
    pub(super) fn root(
        source: &'a Source,
        table: &'a Spanned<DeTable<'a>>,
    ) -> Result<Self, ConfigError> {
        let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
        let root = Self { source, name: String::new(), table: Some(table.get_ref()), span: None };
        root.refuse_unknown(&names)?;
        Ok(root)
    }

    fn nested(
        &self,
        kind: &str,
        name: String,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Result<Self, ConfigError> {
        let found = self.found(name.clone(), value, ());
        let DeValue::Table(table) = value.get_ref() else {
            return Err(wrong_type(&found, "a table", value));
        };
        let section =
            Self { source: self.source, name, table: Some(table), span: Some(found.span) };
        let known = KNOWN.iter().find(|(name, _)| *name == kind);
        section.refuse_unknown(known.map_or(&[], |(_, keys)| *keys))?;
        Ok(section)
    }

    /// Whether the section stands in the file.
    pub(super) fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Opens a section, `[name]`.
    pub(super) fn section(&self, name: &str) -> Result<Section<'a>, ConfigError> {
        match self.value(name) {
            Some(value) => self.nested(name, name.to_owned(), value),
            None => {
                Ok(Self { source: self.source, name: name.to_owned(), table: None, span: None })
            }
        }
    }

    /// Opens an array of sections, `[[name]]`.
    pub(super) fn sections(&self, name: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let DeValue::Array(items) = value.get_ref() else {
            let found = self.found(name.to_owned(), value, ());
            return Err(wrong_type(&found, "tables, each under [[slots]]", value));
        };
        let open = |(index, item)| self.nested(name, format!("{name}[{index}]"), item);
        items.iter().enumerate().map(open).collect()
    }

    fn refuse_unknown(&self, known: &[&str]) -> Result<(), ConfigError> {
        let mut keys: Vec<_> = self.table.iter().flat_map(|table| table.keys()).collect();
        keys.sort_by_key(|key| key.span().start);
        let unknown = keys.iter().find(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown else { return Ok(()) };
        Err(ConfigError::Key {
            place: self.source.place(&key.span()),
            key: self.full(key.get_ref()),
            nearest: nearest(key.get_ref(), known),
            known: known.join(", "),
        })
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let (_, value) = self.table?.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(value)
    }

    fn full(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{name}.{key}"),
        }
    }

    fn found<T>(&self, key: String, value: &Spanned<DeValue<'_>>, inner: T) -> Found<'a, T> {
        Found { value: inner, key, source: self.source, span: value.span() }
    }

    /// An error that says that `key` is missing.
    pub(super) fn absent(&self, key: &str, example: &str) -> ConfigError {
        let place = match &self.span {
            Some(span) => self.source.place(span),
            None => self.source.whole(),
        };
        let example = match self.span {
            Some(_) => format!("{key} = {example}"),
            None => format!("[{}] {key} = {example}", self.name),
        };
        ConfigError::Absent { place, key: self.full(key), example }
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<Found<'a, &'a str>>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(self.found(self.full(key), value, text.as_ref()))),
            _ => Err(wrong_type(&self.found(self.full(key), value, ()), "a text", value)),
        }
    }

    /// A text that must be there; `example` is what a person could write.
    pub(super) fn required_text(
        &self,
        key: &str,
        example: &str,
    ) -> Result<Found<'a, &'a str>, ConfigError> {
        self.text(key)?.ok_or_else(|| self.absent(key, example))
    }

    /// A text that is read into a type of its own.
    pub(super) fn parsed<T>(&self, key: &str) -> Result<Option<T>, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(found) = self.text(key)? else { return Ok(None) };
        found.value.parse().map(Some).map_err(|error| found.refuse(error))
    }

    /// A text that must be there and is read into a type of its own.
    pub(super) fn required<T>(&self, key: &str, example: &str) -> Result<T, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.parsed(key)?.ok_or_else(|| self.absent(key, example))
    }

    /// A path, relative to the file.
    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        match self.text(key)? {
            Some(found) if found.value.is_empty() => Err(found.refuse("the path is empty")),
            Some(found) => Ok(Some(self.source.resolve(found.value))),
            None => Ok(None),
        }
    }

    /// A path that must be there.
    pub(super) fn required_path(&self, key: &str, example: &str) -> Result<PathBuf, ConfigError> {
        self.path(key)?.ok_or_else(|| self.absent(key, example))
    }

    /// A directory-relative path of this file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.source.resolve(path)
    }

    /// A whole number within bounds.
    pub(super) fn integer(
        &self,
        key: &str,
        allowed: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let found = self.found(self.full(key), value, ());
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(wrong_type(&found, "a whole number", value));
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if allowed.contains(&number) => Ok(Some(number)),
            _ => Err(found.refuse(format!(
                "{} is not within {} to {}",
                number.as_str(),
                allowed.start(),
                allowed.end()
            ))),
        }
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(Some(*value)),
            _ => {
                let found = self.found(self.full(key), value, ());
                Err(wrong_type(&found, "true or false", value))
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<Found<'a, &'a str>>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let found = self.found(self.full(key), value, ());
        let DeValue::Array(items) = value.get_ref() else {
            return Err(wrong_type(&found, "a list of texts", value));
        };
        let read = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| {
            let found = self.found(format!("{}[{index}]", found.key), item, ());
            match item.get_ref() {
                DeValue::String(text) => Ok(self.found(found.key, item, text.as_ref())),
                _ => Err(wrong_type(&found, "a text", item)),
            }
        };
        items.iter().enumerate().map(read).collect()
    }
}

fn wrong_type(
    found: &Found<'_, ()>,
    expected: &'static str,
    value: &Spanned<DeValue<'_>>,
) -> ConfigError {
    let what = match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    ConfigError::Type { place: found.place(), key: found.key.clone(), expected, found: what }
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
        let source = Source {
            file: "s.toml".into(),
            text: "a = 1\nü = 2 # x\n".into(),
            dir: PathBuf::new(),
        };
        let at = source.text.find("2").unwrap();
        assert_eq!(source.place(&(at..at + 1)).to_string(), "s.toml:2:5");
    }
}
