//! What operators read, in every language of the screen: what to do about
//! each code.
//!
//! A text stands here in all languages or does not compile. Nothing here decides anything.

use station_domain as domain;
use station_domain::say;

mod check_names;
mod commands_zh;
mod explained_zh;
mod language;
mod remedy_en;
mod remedy_zh;
mod states;
mod what_zh;
mod words;

use std::borrow::Cow;

pub use check_names::{CHECKS, check_name};
pub use commands_zh::{COMMANDS, manual};
pub use explained_zh::{about_group as about_group_in_chinese, explained as explained_in_chinese};
pub use language::Language;
pub use states::{
    act_said, certificate_word, label_state_said, named_by_word, outcome_word, proof_word,
    registration_word, unit_state_said, unit_word,
};
pub use words::{Word, fill};

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::say::Say;
use crate::domain::text::{plain, printable};

/// What a person should do about `code`; `docs/errors.md` says more.
pub const fn remedy(code: Code, language: Language) -> &'static str {
    match language {
        Language::English => remedy_en::remedy(code),
        Language::Chinese => remedy_zh::remedy(code),
    }
}

/// What `code` means, in a few words without a full stop.
pub fn meaning(code: Code, language: Language) -> &'static str {
    match language {
        Language::English => code.meaning().trim_end_matches('.'),
        Language::Chinese => what_zh::what(code),
    }
}

/// What `code` means, in Chinese: in English each fault has a sentence of its own.
pub const fn meaning_in_chinese(code: Code) -> &'static str {
    what_zh::what(code)
}

/// What happened, with its values: in Chinese the code's sentence, and the fault's own behind
/// it, since only that one has them.
pub fn told(fault: &Fault) -> Say {
    let meaning = what_zh::what(fault.code);
    let chinese = match fault.chinese.as_ref().unwrap_or(&fault.detail) {
        none if none.is_empty() => meaning.to_owned(),
        values => format!("{meaning}（{values}）"),
    };
    Say { english: fault.detail.clone(), chinese }
}

/// A sentence in this language.
pub fn said(said: &Say, language: Language) -> &str {
    match language {
        Language::English => &said.english,
        Language::Chinese => &said.chinese,
    }
}

/// A word of a table that programs read in English, in each language.
pub fn named(english: &str, word: Word) -> Say {
    Say { english: english.to_owned(), chinese: word.text(Language::Chinese).to_owned() }
}

/// What happened, for the screen: the fault's own sentence, and its code's where it has none in
/// this language.
pub fn what(fault: &Fault, language: Language) -> Cow<'_, str> {
    match language {
        Language::English => plain(&fault.detail),
        Language::Chinese => match &fault.chinese {
            // Values from outside stand in it in plain ASCII already.
            Some(own) if !own.is_empty() => printable(own),
            _ => Cow::Borrowed(what_zh::what(fault.code)),
        },
    }
}
