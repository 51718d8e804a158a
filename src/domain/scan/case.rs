//! Whether the case of letters matters.

use serde::{Deserialize, Serialize};

use super::fields::Fields;

/// What becomes of letters, since a keyboard scanner sends the other case under CapsLock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterCase {
    /// They stay as they are.
    #[default]
    Keep,
    /// Serials have capital letters alone, whatever comes.
    Upper,
    /// Serials have small letters alone, whatever comes.
    Lower,
}

impl LetterCase {
    pub(super) fn of(self, text: &str) -> String {
        match self {
            LetterCase::Keep => text.to_owned(),
            LetterCase::Upper => text.to_ascii_uppercase(),
            LetterCase::Lower => text.to_ascii_lowercase(),
        }
    }

    /// The values of a field, whose name matches in any case where case is no matter.
    pub(super) fn values<'a>(
        self,
        fields: &'a Fields,
        name: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let same = move |found: &str| match self {
            LetterCase::Keep => found == name,
            LetterCase::Upper | LetterCase::Lower => found.eq_ignore_ascii_case(name),
        };
        fields.iter().filter(move |(found, _)| same(found)).map(|(_, value)| value)
    }
}
