//! Where something stands in station.toml: from bytes to lines, columns and keys.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Place;

/// The file as text.
pub(super) struct Source {
    /// The file as it was named.
    pub(super) file: PathBuf,
    /// Its text.
    pub(super) text: String,
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
}

/// One step from a table or a list into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item, counted from zero.
    Item(usize),
}

/// The way from the top of the file to one key: `slots[0].baud`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyPath(pub(super) Vec<Step>);

impl KeyPath {
    /// The same way, one step further.
    pub(super) fn to(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The same way to a key.
    pub(super) fn to_key(&self, key: &str) -> Self {
        self.to(Step::Key(key.to_owned()))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// The table in which a key stands whose bytes these are, the way to it, and the key.
pub(super) fn key_at<'a>(
    table: &'a DeTable<'a>,
    span: &Range<usize>,
    path: &KeyPath,
) -> Option<(KeyPath, &'a str)> {
    table.iter().find_map(|(key, value)| {
        if key.span() == *span {
            return Some((path.clone(), key.get_ref().as_ref()));
        }
        within(value, &path.to_key(key.get_ref()), &|table, path| key_at(table, span, path))
    })
}

/// Calls `look` for each table that a value is or holds.
fn within<'a, T>(
    value: &'a Spanned<DeValue<'a>>,
    path: &KeyPath,
    look: &dyn Fn(&'a DeTable<'a>, &KeyPath) -> Option<T>,
) -> Option<T> {
    match value.get_ref() {
        DeValue::Table(table) => look(table, path),
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| within(item, &path.to(Step::Item(index)), look)),
        _ => None,
    }
}

/// The value whose bytes these are, innermost first, and the way to it.
pub(super) fn value_at<'a>(
    table: &'a DeTable<'a>,
    span: &Range<usize>,
    path: &KeyPath,
) -> Option<(KeyPath, &'a DeValue<'a>)> {
    table.iter().find_map(|(key, value)| at_or_in(value, span, &path.to_key(key.get_ref())))
}

fn at_or_in<'a>(
    value: &'a Spanned<DeValue<'a>>,
    span: &Range<usize>,
    path: &KeyPath,
) -> Option<(KeyPath, &'a DeValue<'a>)> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => value_at(table, span, path),
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| at_or_in(item, span, &path.to(Step::Item(index)))),
        _ => None,
    };
    inner.or_else(|| (value.span() == *span).then(|| (path.clone(), value.get_ref())))
}
