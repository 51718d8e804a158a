//! What can be wrong with a template, and with a value that is to go into it.

use crate::cause::Told;
use crate::say::{Phrase, Say};

/// Why a template is refused: the line, counted from one, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the template: {what}")]
pub struct TemplateError {
    line: usize,
    what: Say,
}

impl TemplateError {
    pub(super) const fn new(line: usize, what: Say) -> Self {
        Self { line, what }
    }
}

impl Told for TemplateError {
    fn chinese(&self) -> Option<String> {
        Some(format!("模板第 {} 行：{}", self.line, self.what.chinese))
    }
}

/// Why a label can't be made of these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// A value that the printer's language has no way to say.
    #[error("{value:?} can't be written in {language}: {why}")]
    Value {
        /// The value.
        value: String,
        /// The language's word.
        language: &'static str,
        /// What is in the way.
        why: Phrase,
    },
    /// A text that no symbol of this kind holds.
    #[error("no {symbol} holds a text of {length} characters")]
    TooLong {
        /// The symbol's name.
        symbol: &'static str,
        /// How long the text is.
        length: usize,
    },
}

impl Told for PrintError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Value { value, language, why } => {
                format!("{value:?} 无法用 {language} 写出：{}", why.chinese)
            }
            Self::TooLong { symbol, length } => {
                format!("{symbol} 容不下 {length} 个字符的内容")
            }
        })
    }
}
