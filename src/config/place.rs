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

    /// The table and its key, where the way ends at a key.
    pub(super) fn split(&self) -> Option<(Self, &str)> {
        match self.0.split_last()? {
            (Step::Key(key), table) => Some((Self(table.to_vec()), key)),
            (Step::Item(_), _) => None,
        }
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

/// One value of the file, and the way to it.
pub(super) struct Entry<'a> {
    /// The way.
    pub(super) path: KeyPath,
    /// The bytes of its key; an item of a list has none.
    pub(super) key: Option<Range<usize>>,
    /// The value.
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

/// All values of a file, each before those in it.
pub(super) fn outline<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    add_table(table, &KeyPath::default(), &mut entries);
    entries
}

fn add_table<'a>(table: &'a DeTable<'a>, path: &KeyPath, entries: &mut Vec<Entry<'a>>) {
    for (key, value) in table {
        add(Entry { path: path.to_key(key.get_ref()), key: Some(key.span()), value }, entries);
    }
}

fn add<'a>(entry: Entry<'a>, entries: &mut Vec<Entry<'a>>) {
    let (path, value) = (entry.path.clone(), entry.value);
    entries.push(entry);
    match value.get_ref() {
        DeValue::Table(table) => add_table(table, &path, entries),
        DeValue::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                add(Entry { path: path.to(Step::Item(index)), key: None, value }, entries);
            }
        }
        _ => {}
    }
}
