//! A sentence in every language that people read here, made where it is said.
//!
//! [`say!`](crate::say) takes it in English and in Chinese, with the same values: one that is
//! missing does not compile. For programs the English one counts.

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
}

/// A [`Say`] from the English and the Chinese format text; both take the same values.
#[macro_export]
macro_rules! say {
    ($english:literal, $chinese:literal $(, $value:expr)* $(,)?) => {
        $crate::domain::say::Say {
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
