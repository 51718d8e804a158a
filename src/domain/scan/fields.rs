//! What a label says, as names with values; and why a text is not of the form that says so.

use std::fmt;

use crate::text::plain;

/// Named values of a label, in their order. A name may stand there twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of this name.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// Why a text is not of a rule's form, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The character, counted from one; none where it is about the text as a whole.
    position: Option<usize>,
    what: String,
}

impl Misfit {
    pub(super) fn whole(what: impl Into<String>) -> Self {
        Self { position: None, what: what.into() }
    }

    /// At this byte of a text.
    pub(super) fn at(text: &str, byte: usize, what: impl Into<String>) -> Self {
        let before = text.char_indices().take_while(|(index, _)| *index < byte).count();
        Self { position: Some(before + 1), what: what.into() }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "character {position}: {}", plain(&self.what)),
            None => f.write_str(&plain(&self.what)),
        }
    }
}
