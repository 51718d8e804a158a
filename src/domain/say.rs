//! A sentence in every language that people read here, made where it is said.
//!
//! [`say!`](crate::say!) takes it in English and in Chinese, with the same values: one that is
//! missing does not compile. For programs the English one counts.

use super::columns::padded;

/// A sentence with its values, in each language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Say {
    /// In English.
    pub english: String,
    /// In Simplified Chinese.
    pub chinese: String,
}

impl Say {
    /// What reads the same in all languages: a path, a time, a number.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { english: text.clone(), chinese: text }
    }

    /// Several, one behind the other.
    pub fn all(said: &[Say]) -> Self {
        let joined = |each: fn(&Say) -> &str, between| {
            said.iter().map(each).collect::<Vec<_>>().join(between)
        };
        Self {
            english: joined(|one| one.english.as_str(), "; "),
            chinese: joined(|one| one.chinese.as_str(), "；"),
        }
    }

    /// More of the same sentence, right behind it.
    #[must_use]
    pub fn with(self, more: &Say) -> Self {
        Self { english: self.english + &more.english, chinese: self.chinese + &more.chinese }
    }

    /// A word of a table, filled to so many columns.
    #[must_use]
    pub fn padded(self, columns: usize) -> Self {
        Self { english: padded(&self.english, columns), chinese: padded(&self.chinese, columns) }
    }

    /// Another sentence behind it, as its cause or its value.
    #[must_use]
    pub fn then(self, next: &Say) -> Self {
        let joined = |own: String, mark, next: &str| match own.is_empty() {
            true => next.to_owned(),
            false => own + mark + next,
        };
        Self {
            english: joined(self.english, ": ", &next.english),
            chinese: joined(self.chinese, "：", &next.chinese),
        }
    }
}

/// A sentence without values, in English and Chinese.
impl From<(&str, &str)> for Say {
    fn from((english, chinese): (&str, &str)) -> Self {
        Self { english: english.to_owned(), chinese: chinese.to_owned() }
    }
}

/// A sentence without values, where it can't be made each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase {
    /// In English.
    pub english: &'static str,
    /// In Simplified Chinese.
    pub chinese: &'static str,
}

impl Phrase {
    /// From its English and its Chinese.
    pub const fn of((english, chinese): (&'static str, &'static str)) -> Self {
        Self { english, chinese }
    }
}

impl From<Phrase> for Say {
    fn from(phrase: Phrase) -> Self {
        Self { english: phrase.english.to_owned(), chinese: phrase.chinese.to_owned() }
    }
}

impl std::fmt::Display for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.english)
    }
}

/// In English, for programs and for errors that others tell.
impl std::fmt::Display for Say {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.english)
    }
}

/// For programs, which read the English one.
impl serde::Serialize for Say {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.english)
    }
}

/// As the cause of an error it is told in each language.
impl std::error::Error for Say {}

/// A [`Say`] from the English and the Chinese format text; both take the same values.
#[macro_export]
macro_rules! say {
    ($english:literal, $chinese:literal $(, $value:expr)* $(,)?) => {
        $crate::say::Say {
            english: format!($english $(, $value)*),
            chinese: format!($chinese $(, $value)*),
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_values_stand_in_both() {
        let days = 3;
        let said = say!("ends in {days} days", "{days} 天后到期");
        assert_eq!(
            (said.english.as_str(), said.chinese.as_str()),
            ("ends in 3 days", "3 天后到期")
        );
    }
}
