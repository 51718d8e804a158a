//! The languages of printers.

use std::fmt;

/// What a template is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// ZPL II, of Zebra's label printers and many others.
    Zpl,
    /// TSPL, of TSC's.
    Tspl,
    /// EPL 2, of older ones.
    Epl,
    /// A picture, for office printers.
    Svg,
    /// Plain text.
    Text,
}

impl Language {
    /// Every language.
    pub const ALL: &[Language] =
        &[Language::Zpl, Language::Tspl, Language::Epl, Language::Svg, Language::Text];

    /// The word in station.toml, and the ending of a file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::Zpl => "zpl",
            Language::Tspl => "tspl",
            Language::Epl => "epl",
            Language::Svg => "svg",
            Language::Text => "text",
        }
    }

    /// The language that a template seems to be written in, by how it begins.
    pub fn of(template: &str) -> Language {
        let text = template.trim_start();
        let begins = |words: &[&str]| {
            words
                .iter()
                .any(|word| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word)))
        };
        if text.contains("^XA") || text.contains("^FD") {
            Language::Zpl
        } else if begins(&["<svg", "<?xml"]) {
            Language::Svg
        } else if begins(&["SIZE ", "CLS\n", "CLS\r"]) {
            Language::Tspl
        } else if begins(&["N\n", "N\r"]) {
            Language::Epl
        } else {
            Language::Text
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
