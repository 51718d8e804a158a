//! What a label may carry: pattern, range and check character, and the client id made of it.
//!
//! Labels are untrusted. A label that is refused is refused with the place where it
//! leaves the rule, so that a person can see whether the label or the rule is wrong.

use std::fmt;
use std::str::FromStr;

use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::code::Code;
use super::device::Fault;
use super::ids::{ClientId, IdError, Serial};

/// Why a label is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// It is no serial at all.
    #[error("{0}")]
    Characters(#[source] IdError),
    /// It does not match the pattern.
    #[error("{0}")]
    Pattern(Mismatch),
    /// It lies outside the range.
    #[error("serial {serial} lies outside {range}")]
    Range {
        /// The label.
        serial: Serial,
        /// The range.
        range: SerialRange,
    },
    /// Its check character is wrong.
    #[error("check character of {serial} is {found:?}, expected {expected:?} by {kind}")]
    Check {
        /// The label.
        serial: Serial,
        /// What stands there.
        found: char,
        /// What should stand there.
        expected: char,
        /// The kind of check.
        kind: CheckCharacter,
    },
    /// The characters before the check character do not suit its kind.
    #[error("{serial} has characters that a {kind} check does not cover")]
    Unchecked {
        /// The label.
        serial: Serial,
        /// The kind of check.
        kind: CheckCharacter,
    },
    /// It makes no client id.
    #[error("{0}")]
    ClientId(#[source] IdError),
}

impl From<LabelError> for Fault {
    fn from(error: LabelError) -> Fault {
        let code = match &error {
            LabelError::Characters(_) => Code::ScanCharacters,
            LabelError::Pattern(_) => Code::ScanPattern,
            LabelError::Range { .. } => Code::ScanRange,
            LabelError::Check { .. } | LabelError::Unchecked { .. } => Code::ScanCheck,
            LabelError::ClientId(_) => Code::ScanClientId,
        };
        Fault::new(code, error.to_string())
    }
}

/// The rule that a label must meet.
#[derive(Debug, Clone)]
pub struct LabelRule {
    /// Patterns that must all match: the product's and the work order's.
    pub patterns: Vec<SerialPattern>,
    /// Ranges that must all hold: the station's and the work order's.
    pub ranges: Vec<SerialRange>,
    /// The check character.
    pub check: CheckCharacter,
    /// How a client id is made of a serial.
    pub client_id: ClientIdTemplate,
}

impl LabelRule {
    /// Reads a scanned text; gives the unit's serial and its client id.
    pub fn accept(&self, text: &str) -> Result<(Serial, ClientId), LabelError> {
        let serial: Serial = text.parse().map_err(LabelError::Characters)?;
        for pattern in &self.patterns {
            pattern.check(serial.as_str()).map_err(LabelError::Pattern)?;
        }
        self.check.verify(&serial)?;
        for range in &self.ranges {
            if !range.contains(self.check.payload(&serial)) {
                return Err(LabelError::Range { serial, range: range.clone() });
            }
        }
        let client_id = self.client_id.make(&serial).map_err(LabelError::ClientId)?;
        Ok((serial, client_id))
    }
}

/// A pattern that does not compile, or is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?} does not compile: {why}")]
pub struct PatternError {
    pattern: String,
    why: String,
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
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, position, found, expected } = self;
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
        let failed = |why: String| PatternError { pattern: text.to_owned(), why };
        // A pattern stands in a file that people edit: a mebibyte is far more than any label needs.
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(1 << 20))
            .determinize_size_limit(Some(1 << 20));
        let dfa = dense::Builder::new()
            .configure(config)
            .build(&format!("(?:{text})\\z"))
            .map_err(|error| failed(cause(&error)))?;
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| failed(error.to_string()))?;
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

    fn is_end(&self, state: StateID) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    fn mismatch(&self, text: &str, index: usize, found: Option<char>, at: StateID) -> Mismatch {
        let fits = |c: &char| !self.dfa.is_dead_state(self.advance(at, *c));
        let possible: Vec<char> = (' '..='~').filter(fits).collect();
        let expected = in_words(&possible, self.is_end(at));
        Mismatch { text: text.to_owned(), position: index + 1, found, expected }
    }
}

/// The innermost reason: the outer ones only say that building failed.
fn cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(inner) => cause(inner),
        None => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    }
}

fn in_words(possible: &[char], may_end: bool) -> String {
    let digits: Vec<char> = ('0'..='9').collect();
    let capitals: Vec<char> = ('A'..='Z').collect();
    let what = match possible {
        [] => "the end".to_owned(),
        [one] => format!("{one:?}"),
        all if *all == digits => "a digit".to_owned(),
        all if *all == capitals => "a capital letter".to_owned(),
        all => format!("one of {}", ranges(all)),
    };
    match may_end && !possible.is_empty() {
        true => format!("{what} or the end"),
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

/// A range of serials `A..B`, both ends included.
///
/// Ends of digits alone are compared with a serial's trailing digits; ends with a common
/// prefix (`TH200-00000001..TH200-00009999`) demand that prefix and as many digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialRange {
    text: String,
    prefix: Option<String>,
    digits: usize,
    first: u128,
    last: u128,
}

/// A text that is no range of serials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// There is no `..` in it.
    #[error("{0:?} is no range: write FIRST..LAST, both included")]
    Form(String),
    /// An end does not end in digits, or in too many.
    #[error("{0:?} does not end in 1 to 38 digits")]
    Digits(String),
    /// The ends differ before their digits, or in length.
    #[error("{0:?} and {1:?} do not have one prefix and as many digits")]
    Ends(String, String),
    /// The first lies behind the last.
    #[error("{0:?} lies behind {1:?}")]
    Order(String, String),
}

fn split_digits(text: &str) -> (&str, &str) {
    let prefix = text.trim_end_matches(|c: char| c.is_ascii_digit());
    text.split_at(prefix.len())
}

fn number(text: &str) -> Result<u128, RangeError> {
    let (_, digits) = split_digits(text);
    digits.parse().map_err(|_| RangeError::Digits(text.to_owned()))
}

impl FromStr for SerialRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (a, b) = text.split_once("..").ok_or_else(|| RangeError::Form(text.to_owned()))?;
        let (first, last) = (number(a)?, number(b)?);
        let ((prefix, digits), (other, _)) = (split_digits(a), split_digits(b));
        let plain = prefix.is_empty() && other.is_empty();
        if !plain && (prefix != other || a.len() != b.len()) {
            return Err(RangeError::Ends(a.to_owned(), b.to_owned()));
        }
        if first > last {
            return Err(RangeError::Order(a.to_owned(), b.to_owned()));
        }
        let prefix = (!plain).then(|| prefix.to_owned());
        Ok(Self { text: text.to_owned(), prefix, digits: digits.len(), first, last })
    }
}

impl SerialRange {
    /// Whether `serial` (without its check character) lies in the range.
    pub fn contains(&self, serial: &str) -> bool {
        let (prefix, digits) = split_digits(serial);
        let form = match &self.prefix {
            // Digits of the prefix's own end belong to the prefix, so cut from the right.
            Some(wanted) => {
                serial.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.len() == self.digits)
                    && prefix.len() <= wanted.len()
            }
            None => !digits.is_empty(),
        };
        let value = match &self.prefix {
            Some(wanted) if form => serial[wanted.len()..].parse(),
            _ => digits.parse(),
        };
        form && value.is_ok_and(|value: u128| (self.first..=self.last).contains(&value))
    }
}

impl fmt::Display for SerialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for SerialRange {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SerialRange {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How the last character of a label guards the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckCharacter {
    /// Not at all.
    #[default]
    None,
    /// ISO/IEC 7812-1 annex B (Luhn), over the digits of the label.
    Luhn,
    /// GS1 general specifications 7.9: weights 3 and 1 from the right, over the digits.
    Gs1,
    /// ISO/IEC 7064 MOD 37,36, over the digits and capital letters.
    Mod3736,
}

impl CheckCharacter {
    /// Every kind.
    pub const ALL: &[CheckCharacter] =
        &[CheckCharacter::None, CheckCharacter::Luhn, CheckCharacter::Gs1, CheckCharacter::Mod3736];

    /// The word in station.toml, on the command line and in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            CheckCharacter::None => "none",
            CheckCharacter::Luhn => "luhn",
            CheckCharacter::Gs1 => "gs1",
            CheckCharacter::Mod3736 => "mod3736",
        }
    }

    /// The serial without its check character.
    pub fn payload(self, serial: &Serial) -> &str {
        let text = serial.as_str();
        match self {
            CheckCharacter::None => text,
            _ => &text[..text.len() - 1],
        }
    }

    fn verify(self, serial: &Serial) -> Result<(), LabelError> {
        let Some(expected) = self.expected(self.payload(serial)) else {
            return match self {
                CheckCharacter::None => Ok(()),
                kind => Err(LabelError::Unchecked { serial: serial.clone(), kind }),
            };
        };
        match serial.as_str().chars().last() {
            Some(found) if found != expected => {
                Err(LabelError::Check { serial: serial.clone(), found, expected, kind: self })
            }
            _ => Ok(()),
        }
    }

    /// The check character for a payload; none where the payload has nothing that it covers.
    /// Separators (`-`, `.`, `_`, `/`) and, for kinds over digits, letters are passed over.
    pub fn expected(self, payload: &str) -> Option<char> {
        let radix = match self {
            CheckCharacter::None => return None,
            CheckCharacter::Mod3736 => 36,
            _ => 10,
        };
        let values: Vec<u32> = payload
            .chars()
            .filter(|c| !c.is_ascii_lowercase())
            .filter_map(|c| c.to_digit(radix))
            .collect();
        if values.is_empty() {
            return None;
        }
        let check = match self {
            CheckCharacter::None => return None,
            CheckCharacter::Luhn => luhn(&values),
            CheckCharacter::Gs1 => gs1(&values),
            CheckCharacter::Mod3736 => mod_37_36(&values),
        };
        char::from_digit(check, 36).map(|c| c.to_ascii_uppercase())
    }
}

impl fmt::Display for CheckCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CheckCharacter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == text).copied();
        found.ok_or_else(|| {
            format!("{text:?} is no kind of check character: none, luhn, gs1, mod3736")
        })
    }
}

fn luhn(digits: &[u32]) -> u32 {
    let doubled = |(index, digit): (usize, &u32)| match index % 2 {
        0 => digit * 2 / 10 + digit * 2 % 10,
        _ => *digit,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    (10 - sum % 10) % 10
}

fn gs1(digits: &[u32]) -> u32 {
    let weighted = |(index, digit): (usize, &u32)| digit * if index % 2 == 0 { 3 } else { 1 };
    let sum: u32 = digits.iter().rev().enumerate().map(weighted).sum();
    (10 - sum % 10) % 10
}

fn mod_37_36(values: &[u32]) -> u32 {
    let product = values.iter().fold(36, |product, value| {
        let sum = match (product + value) % 36 {
            0 => 36,
            sum => sum,
        };
        sum * 2 % 37
    });
    (37 - product) % 36
}

/// A template for client ids with one `{serial}` in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ClientIdTemplate(String);

/// A template that makes no client ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{serial}` is missing or stands there twice, so serials would not be told apart.
    #[error("client id template {0:?} must contain {{serial}} exactly once")]
    Placeholder(String),
    /// The rest of it has characters that a client id must not have.
    #[error("client id template {text:?}: {error}")]
    Characters {
        /// The template.
        text: String,
        /// What is wrong.
        error: IdError,
    },
}

impl FromStr for ClientIdTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.matches("{serial}").count() != 1 {
            return Err(TemplateError::Placeholder(text.to_owned()));
        }
        let template = Self(text.to_owned());
        match text.replace("{serial}", "x").parse::<ClientId>() {
            Ok(_) => Ok(template),
            Err(error) => Err(TemplateError::Characters { text: text.to_owned(), error }),
        }
    }
}

impl ClientIdTemplate {
    /// The client id of a serial.
    pub fn make(&self, serial: &Serial) -> Result<ClientId, IdError> {
        self.0.replace("{serial}", serial.as_str()).parse()
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
        assert!(SerialPattern::new("(?:[0-9]{1000}){1000}").is_err());
    }

    #[test]
    fn a_range_with_a_prefix_demands_prefix_and_width() {
        let range: SerialRange = "TH200-00000001..TH200-00000100".parse().unwrap();
        assert!(range.contains("TH200-00000001"));
        assert!(range.contains("TH200-00000100"));
        assert!(!range.contains("TH200-00000101"));
        assert!(!range.contains("TH200-000000001"));
        assert!(!range.contains("TH300-00000001"));
    }

    #[test]
    fn a_range_of_digits_looks_at_the_trailing_digits() {
        let range: SerialRange = "1..999".parse().unwrap();
        assert!(range.contains("TH200-00000999"));
        assert!(!range.contains("TH200-00001000"));
        assert!(!range.contains("TH200-"));
    }

    #[test]
    fn a_wrong_range_is_refused() {
        assert!("1-9".parse::<SerialRange>().is_err());
        assert!("A1..B2".parse::<SerialRange>().is_err());
        assert!("A1..A22".parse::<SerialRange>().is_err());
        assert!("9..1".parse::<SerialRange>().is_err());
        assert!("A..B".parse::<SerialRange>().is_err());
    }

    #[test]
    fn check_characters_agree_with_published_examples() {
        // ISO/IEC 7812-1's widely printed example 7992739871 3, GTIN-13 629104150021 3,
        // ISO/IEC 7064's own A12425GABC1234002 M.
        assert_eq!(CheckCharacter::Luhn.expected("7992739871"), Some('3'));
        assert_eq!(CheckCharacter::Gs1.expected("629104150021"), Some('3'));
        assert_eq!(CheckCharacter::Mod3736.expected("A12425GABC1234002"), Some('M'));
        assert_eq!(CheckCharacter::Luhn.expected("---"), None);
    }

    fn rule(check: CheckCharacter) -> LabelRule {
        LabelRule {
            patterns: vec![SerialPattern::new("[A-Z0-9/-]+").unwrap()],
            ranges: vec!["1..500".parse().unwrap()],
            check,
            client_id: "dev-{serial}".parse().unwrap(),
        }
    }

    #[test]
    fn a_rule_gives_serial_and_client_id() {
        let (serial, client_id) = rule(CheckCharacter::None).accept("A-0042").unwrap();
        assert_eq!((serial.as_str(), client_id.as_str()), ("A-0042", "dev-A-0042"));
    }

    #[test]
    fn each_refusal_has_its_code() {
        let code = |kind, text| Fault::from(rule(kind).accept(text).unwrap_err()).code;
        assert_eq!(code(CheckCharacter::None, "A\u{1b}[2J"), Code::ScanCharacters);
        assert_eq!(code(CheckCharacter::None, "a1"), Code::ScanPattern);
        assert_eq!(code(CheckCharacter::None, "A-501"), Code::ScanRange);
        assert_eq!(code(CheckCharacter::None, "A/1"), Code::ScanClientId);
        assert_eq!(code(CheckCharacter::Luhn, "A-123"), Code::ScanCheck);
    }

    #[test]
    fn a_template_must_tell_serials_apart() {
        assert!("{serial}".parse::<ClientIdTemplate>().is_ok());
        assert!("fixed".parse::<ClientIdTemplate>().is_err());
        assert!("{serial}{serial}".parse::<ClientIdTemplate>().is_err());
        assert!("a b {serial}".parse::<ClientIdTemplate>().is_err());
    }
}
