//! Texts with places for values: `SN:{serial};MAC:{hardware_id}`.
//!
//! What stands between the places is matched as it is written. A text that fits in several
//! ways gives several readings, so that whoever knows the pattern of serials can tell.

use std::fmt;
use std::str::FromStr;

use super::case::LetterCase;
use super::fields::{Fields, Misfit};
use crate::cause::Told;

/// The place whose value nobody looks at; it may stand there several times.
const ANYTHING: &str = "_";

/// More readings than this are none: the template tells nothing apart.
const MOST_READINGS: usize = 64;

/// The steps after which a text is given up. A label is short; only a hostile one comes here.
const MOST_STEPS: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Place(String),
}

/// A text with places for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No place for the serial, or two.
    #[error("it must have the place {{serial}} exactly once")]
    Serial,
    /// A place stands there twice.
    #[error("the place {{{0}}} stands there twice; {{_}} may stand there often")]
    Twice(String),
    /// Two places without anything between them.
    #[error("nothing stands between {{{0}}} and {{{1}}}, so they can't be told apart")]
    Adjacent(String, String),
    /// A brace without its other half.
    #[error("a single {0:?}; write it twice where the label has one")]
    Brace(char),
    /// A place with an odd name.
    #[error("{0:?} is no name of a place: 1 to 32 of a-z A-Z 0-9 _")]
    Name(String),
}

impl Told for TemplateError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Serial => "必须恰好有一个 {serial} 的位置".to_owned(),
            Self::Twice(name) => format!("{{{name}}} 的位置出现两次；{{_}} 可以出现多次"),
            Self::Adjacent(one, other) => {
                format!("{{{one}}} 与 {{{other}}} 之间什么都没有，分不开")
            }
            Self::Brace(brace) => format!("单独的 {brace:?}；标签上有它时写两个"),
            Self::Name(name) => format!("{name:?} 不是位置的名字：1 到 32 个 a-z A-Z 0-9 _"),
        })
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' if rest.next_if_eq(&c).is_some() => literal.push(c),
                '}' => return Err(TemplateError::Brace('}')),
                '{' => {
                    let name = place(&mut rest)?;
                    push_literal(&mut parts, &mut literal);
                    push_place(&mut parts, name)?;
                }
                other => literal.push(other),
            }
        }
        push_literal(&mut parts, &mut literal);
        let template = Self(parts);
        match template.has("serial") {
            true => Ok(template),
            false => Err(TemplateError::Serial),
        }
    }
}

fn place(rest: &mut impl Iterator<Item = char>) -> Result<String, TemplateError> {
    let mut name = String::new();
    loop {
        match rest.next() {
            Some('}') => break,
            Some(c) => name.push(c),
            None => return Err(TemplateError::Brace('{')),
        }
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match (1..=32).contains(&name.len()) && name.chars().all(fits) {
        true => Ok(name),
        false => Err(TemplateError::Name(name)),
    }
}

fn push_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

fn push_place(parts: &mut Vec<Part>, name: String) -> Result<(), TemplateError> {
    let stands = |part: &Part| matches!(part, Part::Place(other) if *other == name);
    if name != ANYTHING && parts.iter().any(stands) {
        return Err(match name.as_str() {
            "serial" => TemplateError::Serial,
            _ => TemplateError::Twice(name),
        });
    }
    if let Some(Part::Place(before)) = parts.last() {
        return Err(TemplateError::Adjacent(before.clone(), name));
    }
    parts.push(Part::Place(name));
    Ok(())
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Place(name) => write!(f, "{{{name}}}"),
        })
    }
}

impl Template {
    /// Whether it has a place of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Place(place) if place == name))
    }

    /// Whether the text has several lines.
    pub(super) fn has_lines(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Literal(text) if text.contains('\n')))
    }

    /// Each way in which a text fits.
    pub(super) fn read(&self, text: &str, case: LetterCase) -> Result<Vec<Fields>, Misfit> {
        let text = match self.has_lines() {
            true => text.replace("\r\n", "\n").replace('\r', "\n"),
            false => text.to_owned(),
        };
        let mut search = Search { text: &text, case, found: Vec::new(), furthest: None, steps: 0 };
        search.go(&self.0, 0, &mut Vec::new());
        match search.found.is_empty() {
            false => Ok(search.found),
            true => Err(search.misfit()),
        }
    }
}

/// A search for all ways in which a text fits.
struct Search<'a> {
    text: &'a str,
    case: LetterCase,
    found: Vec<Fields>,
    /// How far some way came, and what was expected there.
    furthest: Option<(usize, String)>,
    steps: usize,
}

impl<'a> Search<'a> {
    fn go(&mut self, parts: &[Part], at: usize, values: &mut Vec<(String, &'a str)>) {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.found.len() >= MOST_READINGS {
            return;
        }
        match parts.split_first() {
            None if at == self.text.len() => self.keep(values),
            None => self.left(at, "the end".to_owned()),
            Some((Part::Literal(literal), rest)) => match self.literal_ends(literal, at) {
                Some(end) => self.go(rest, end, values),
                None => self.left(at, format!("{literal:?}")),
            },
            Some((Part::Place(name), rest)) => self.place(name, rest, at, values),
        }
    }

    /// A value goes on until what follows it stands there; it has at least one character.
    fn place(&mut self, name: &str, rest: &[Part], at: usize, values: &mut Vec<(String, &'a str)>) {
        let Some(first) = self.text[at..].chars().next() else {
            return self.left(at, format!("a value for {{{name}}}"));
        };
        let from = at + first.len_utf8();
        let text = self.text;
        let ends = text[from..].char_indices().map(|(index, _)| from + index).chain([text.len()]);
        let ends: Vec<usize> = match rest.first() {
            None => vec![text.len()],
            Some(Part::Literal(next)) => {
                ends.filter(|end| self.literal_ends(next, *end).is_some()).collect()
            }
            Some(Part::Place(_)) => ends.collect(),
        };
        if let (true, Some(Part::Literal(next))) = (ends.is_empty(), rest.first()) {
            self.left(text.len(), format!("{next:?}"));
        }
        for end in ends {
            values.push((name.to_owned(), &text[at..end]));
            self.go(rest, end, values);
            values.pop();
        }
    }

    fn literal_ends(&self, literal: &str, at: usize) -> Option<usize> {
        let end = at + literal.len();
        let found = self.text.get(at..end)?;
        let same = found == literal
            || self.case != LetterCase::Keep && found.eq_ignore_ascii_case(literal);
        same.then_some(end)
    }

    fn keep(&mut self, values: &[(String, &'a str)]) {
        let mut fields = Fields::default();
        values
            .iter()
            .filter(|(name, _)| name != ANYTHING)
            .for_each(|(name, value)| fields.push(name, value));
        self.found.push(fields);
    }

    fn left(&mut self, at: usize, expected: String) {
        if self.furthest.as_ref().is_none_or(|(furthest, _)| at >= *furthest) {
            self.furthest = Some((at, expected));
        }
    }

    fn misfit(self) -> Misfit {
        let (at, expected) = self.furthest.unwrap_or_default();
        let what = match self.text[at..].chars().next() {
            Some(found) => format!("is {found:?}, {expected} is expected"),
            None => format!("the text ends, {expected} is expected"),
        };
        Misfit::at(self.text, at, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        text.parse().unwrap()
    }

    fn readings(template_text: &str, text: &str) -> Vec<Vec<String>> {
        let found = template(template_text).read(text, LetterCase::Keep).unwrap();
        found
            .iter()
            .map(|fields| fields.iter().map(|(name, value)| format!("{name}={value}")).collect())
            .collect()
    }

    fn misfit(template_text: &str, text: &str) -> String {
        template(template_text).read(text, LetterCase::Keep).unwrap_err().to_string()
    }

    #[test]
    fn values_stand_between_what_is_written() {
        assert_eq!(
            readings("SN:{serial};MAC:{hardware_id}", "SN:TH200-1;MAC:00155D"),
            [["serial=TH200-1", "hardware_id=00155D"]]
        );
        assert_eq!(readings("{_},{serial},{_}", "a,b,c"), [["serial=b"]]);
        assert_eq!(readings("{{{serial}}}", "{A}"), [["serial=A"]]);
        assert_eq!(readings("SN:{serial}\nMAC:{m}", "SN:A\r\nMAC:B"), [["serial=A", "m=B"]]);
    }

    #[test]
    fn a_text_that_fits_in_two_ways_has_two_readings() {
        let found = readings("{serial};{_}", "A;B;C");
        assert_eq!(found, [["serial=A"], ["serial=A;B"]]);
    }

    #[test]
    fn letters_match_whatever_their_case_where_case_is_no_matter() {
        let read = |case| template("SN:{serial}").read("sn:th200", case);
        assert!(read(LetterCase::Keep).is_err());
        assert!(read(LetterCase::Upper).is_ok());
    }

    #[test]
    fn a_text_that_does_not_fit_says_where_it_left() {
        assert_eq!(misfit("SN:{serial}", "TH200-1"), "character 1: is 'T', \"SN:\" is expected");
        assert_eq!(
            misfit("SN:{serial};MAC:{m}", "SN:TH200-1"),
            "character 11: the text ends, \";MAC:\" is expected"
        );
        assert_eq!(
            misfit("SN:{serial}", "SN:"),
            "character 4: the text ends, a value for {serial} is expected"
        );
        assert_eq!(misfit("{serial};", "A;B"), "character 3: is 'B', the end is expected");
    }

    #[test]
    fn a_template_must_tell_its_values_apart() {
        let error = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert!(error("SN:").contains("exactly once"));
        assert!(error("{serial}-{serial}").contains("exactly once"));
        assert!(error("{serial}{m}").contains("told apart"));
        assert!(error("{a}-{serial}-{a}").contains("stands there twice"));
        assert!(error("SN{:{serial}").contains("no name of a place"));
        assert!(error("SN}{serial}").contains("'}'"));
        assert!(error("{serial").contains("'{'"));
        let text = "{{SN}}:{serial}";
        assert_eq!(template(text).to_string(), text);
    }

    #[test]
    fn a_hostile_text_takes_no_time() {
        let hostile = ";".repeat(1024);
        let found = template("{a};{b};{c};{d};{serial};x").read(&hostile, LetterCase::Keep);
        assert!(found.is_err());
        let found = template("{a};{b};{c};{d};{serial}").read(&hostile, LetterCase::Keep).unwrap();
        assert_eq!(found.len(), MOST_READINGS);
    }
}
