//! The languages of the program.

/// A language of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Every language.
    pub const ALL: &[Language] = &[Language::English, Language::Chinese];

    /// The next one, as the key that switches goes through them.
    #[must_use]
    pub const fn next(self) -> Language {
        match self {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        }
    }
}
