//! Patterns for labels, matched by an automaton that can say where a label leaves them.

use std::fmt;

use regex_automata::dfa::{Automaton, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use crate::bounds;
use crate::cause::{Told, library};
use crate::say;
use crate::say::Say;

pub(super) mod survey;

/// A pattern that does not compile, or is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?} does not compile: {why}")]
pub struct PatternError {
    pattern: String,
    why: Say,
}

impl Told for PatternError {
    fn chinese(&self) -> Option<String> {
        Some(format!("模式 {:?} 无法编译：{}", self.pattern, self.why.chinese))
    }
}

/// Where a text leaves a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The text.
    pub text: String,
    /// One-based position of the first character that can't stand there.
    pub position: usize,
    /// The character found, or none where the text ends too early.
    pub found: Option<char>,
    /// What could stand there, in words.
    pub expected: String,
    /// The same in Chinese.
    pub expected_chinese: String,
}

impl Mismatch {
    /// What it says, in Chinese.
    pub fn chinese(&self) -> String {
        let Self { text, position, found, expected_chinese: expected, .. } = self;
        match found {
            Some(found) => format!("{text}：第 {position} 个字符是 {found:?}，应为{expected}"),
            None => format!("{text}：只有 {} 个字符，其后应为{expected}", position - 1),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, position, found, expected, .. } = self;
        match found {
            Some(found) => {
                write!(f, "{text}: character {position} is {found:?}, {expected} is expected")
            }
            None => {
                let length = position - 1;
                write!(f, "{text}: ends after {length} characters, {expected} is expected next")
            }
        }
    }
}

/// A compiled pattern; the whole label must match it.
#[derive(Clone)]
pub struct SerialPattern {
    text: String,
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl fmt::Debug for SerialPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialPattern({:?})", self.text)
    }
}

impl SerialPattern {
    /// Compiles a regular expression.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let failed = |why: Say| PatternError { pattern: text.to_owned(), why };
        if text.chars().nth(bounds::PATTERN).is_some() {
            let start = bounds::shortened(text, 32).into_owned();
            let why = say!("it is longer than {} characters", "它超过 {} 个字符", bounds::PATTERN);
            return Err(PatternError { pattern: start, why });
        }
        // A pattern stands in a file that people edit: a mebibyte is far more than any label needs.
        let nfa = thompson::Config::new().nfa_size_limit(Some(1 << 20));
        let syntax = syntax::Config::new().nest_limit(64);
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(1 << 20))
            .determinize_size_limit(Some(1 << 20));
        let dfa = dense::Builder::new()
            .configure(config)
            .syntax(syntax)
            .thompson(nfa)
            .build(&format!("(?:{text})\\z"))
            .map_err(|error| failed(library(innermost(&error))))?;
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| failed(library(error.to_string())))?;
        Ok(Self { text: text.to_owned(), dfa, start })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether all of `label` matches; otherwise where it leaves the pattern.
    pub fn check(&self, label: &str) -> Result<(), Mismatch> {
        let mut state = self.start;
        for (index, found) in label.chars().enumerate() {
            let next = self.advance(state, found);
            if self.dfa.is_dead_state(next) {
                return Err(self.mismatch(label, index, Some(found), state));
            }
            state = next;
        }
        match self.is_end(state) {
            true => Ok(()),
            false => Err(self.mismatch(label, label.chars().count(), None, state)),
        }
    }

    fn advance(&self, state: StateID, c: char) -> StateID {
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).bytes();
        bytes.fold(state, |state, byte| self.dfa.next_state(state, byte))
    }

    /// Whether nothing that follows leads to a match.
    fn is_dead(&self, state: StateID) -> bool {
        self.dfa.is_dead_state(state)
    }

    fn is_end(&self, state: StateID) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    fn mismatch(&self, text: &str, index: usize, found: Option<char>, at: StateID) -> Mismatch {
        let fits = |c: &char| !self.dfa.is_dead_state(self.advance(at, *c));
        let possible: Vec<char> = (' '..='~').filter(fits).collect();
        let Say { english, chinese } = in_words(&possible, self.is_end(at));
        Mismatch {
            text: text.to_owned(),
            position: index + 1,
            found,
            expected: english,
            expected_chinese: chinese,
        }
    }
}

/// The innermost reason: the outer ones only say that building failed.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(inner) => innermost(inner),
        None => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    }
}

fn in_words(possible: &[char], may_end: bool) -> Say {
    let digits: Vec<char> = ('0'..='9').collect();
    let capitals: Vec<char> = ('A'..='Z').collect();
    let what = match possible {
        [] => say!("the end", "结尾"),
        [one] => say!("{one:?}", " {one:?}"),
        all if *all == digits => say!("a digit", "数字"),
        all if *all == capitals => say!("a capital letter", "大写字母"),
        all => {
            let all = ranges(all);
            say!("one of {all}", "{all} 之一")
        }
    };
    match may_end && !possible.is_empty() {
        true => Say {
            english: format!("{} or the end", what.english),
            chinese: format!("{}或结尾", what.chinese),
        },
        false => what,
    }
}

fn ranges(sorted: &[char]) -> String {
    let mut runs: Vec<(char, char)> = Vec::new();
    for &c in sorted {
        match runs.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => runs.push((c, c)),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mismatch(pattern: &str, label: &str) -> String {
        SerialPattern::new(pattern).unwrap().check(label).unwrap_err().to_string()
    }

    #[test]
    fn a_label_that_leaves_the_pattern_is_told_where() {
        let pattern = "TH200-[0-9]{8}";
        assert!(SerialPattern::new(pattern).unwrap().check("TH200-00000001").is_ok());
        assert_eq!(
            mismatch(pattern, "TH20P-00000001"),
            "TH20P-00000001: character 5 is 'P', '0' is expected"
        );
        assert_eq!(
            mismatch(pattern, "TH200-0000000X"),
            "TH200-0000000X: character 14 is 'X', a digit is expected"
        );
        assert_eq!(
            mismatch(pattern, "TH200-000"),
            "TH200-000: ends after 9 characters, a digit is expected next"
        );
        assert_eq!(
            mismatch(pattern, "TH200-000000011"),
            "TH200-000000011: character 15 is '1', the end is expected"
        );
        assert_eq!(
            mismatch("[A-F0-9]+", "ABG"),
            "ABG: character 3 is 'G', one of 0-9 A-F or the end is expected"
        );
    }

    #[test]
    fn alternatives_and_optional_parts_match_to_their_end() {
        let pattern = SerialPattern::new("A|AB|ABC?").unwrap();
        for label in ["A", "AB", "ABC"] {
            assert!(pattern.check(label).is_ok(), "{label}");
        }
        assert!(pattern.check("ABCD").is_err());
        assert!(pattern.check("").is_err());
    }

    #[test]
    fn a_pattern_that_does_not_compile_says_why() {
        let error = SerialPattern::new("TH[0-9").unwrap_err().to_string();
        assert!(error.contains("unclosed character class"), "{error}");
    }

    #[test]
    fn a_pattern_that_would_take_much_memory_is_refused_before_it_does() {
        for pattern in [
            "(?:[0-9]{1000}){1000}".to_owned(),
            "(?:(?:[0-9]{999}){999}){999}".to_owned(),
            r"(?:\w{300}\W{300}){40}".to_owned(),
            "(".repeat(500) + &")".repeat(500),
            "A".repeat(2_000),
        ] {
            let error = SerialPattern::new(&pattern).unwrap_err().to_string();
            assert!(error.len() < 1_400, "{error}");
        }
    }
}
