//! GS1 element strings: `0109506000134352` `21ABC`, with separators or in brackets.
//!
//! An element whose length is not known beforehand ends with a group separator (0x1D, for
//! which a symbol has FNC1) or with the text. Where a scanner drops the separators, the text
//! has several readings, and none of them is taken: they are given as hidden serials, so
//! that whoever knows the pattern of serials can see that one is meant.

use super::fields::{Fields, Misfit};
use super::gs1_table::{Format, identifier, is_allowed};

/// What a symbol's FNC1 becomes in a text.
const SEPARATOR: char = '\u{1d}';

/// What decoders and scanners show in the place of a separator, and do not send.
const SHOWN_AS: &[&str] = &["<GS>", "{GS}", "[GS]", "\u{241d}", "^]", "\\x1d", "\\u001d", "<FNC1>"];

/// The elements of a text, and what else the text may mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Elements {
    /// Identifiers and values, in their order.
    pub(super) fields: Fields,
    /// Where nothing separates the elements: the values that the serial's identifier has in
    /// other readings of the same text.
    pub(super) hidden: Vec<String>,
}

/// Reads an element string. `serial` is the identifier whose hidden values are looked for.
pub(super) fn read(text: &str, serial: &str) -> Result<Elements, Misfit> {
    if text.starts_with('(') {
        return Ok(Elements { fields: in_brackets(text)?, hidden: Vec::new() });
    }
    if let Some((at, shown)) = SHOWN_AS.iter().find_map(|shown| Some((text.find(shown)?, shown))) {
        let what = format!(
            "{shown:?} stands for a group separator; have the scanner send the byte 0x1d itself"
        );
        return Err(Misfit::at(text, at, what));
    }
    let start = text.len() - text.trim_start_matches(SEPARATOR).len();
    let body = text[start..].trim_end_matches(SEPARATOR);
    let is_separated = body.contains(SEPARATOR);
    let hidden = if is_separated { Vec::new() } else { Endings::of(body).values(serial) };
    match separated(text, start, start + body.len()) {
        Ok(fields) => {
            let known: Vec<_> = fields.values(serial).map(str::to_owned).collect();
            let hidden = hidden.into_iter().filter(|value| !known.contains(value)).collect();
            Ok(Elements { fields, hidden })
        }
        Err(_) if !hidden.is_empty() => Ok(Elements { fields: Fields::default(), hidden }),
        Err(misfit) => Err(misfit),
    }
}

fn separated(text: &str, start: usize, end: usize) -> Result<Fields, Misfit> {
    let (mut fields, mut at) = (Fields::default(), start);
    while at < end {
        let (name, format) = identifier_at(text, at)?;
        let from = at + name.len();
        let rest = &text[from..end];
        let own = rest.split(SEPARATOR).next().unwrap_or_default();
        let own = match format.predefined {
            true => own.get(..format.most).unwrap_or(own),
            false => own,
        };
        check(text, from, name, own, format)?;
        fields.push(name, own);
        at = from + own.len();
        if text[at..end].starts_with(SEPARATOR) {
            at += SEPARATOR.len_utf8();
        }
    }
    match fields.is_empty() {
        true => Err(Misfit::at(text, start, "an application identifier of GS1 is expected")),
        false => Ok(fields),
    }
}

fn in_brackets(text: &str) -> Result<Fields, Misfit> {
    let (mut fields, mut at) = (Fields::default(), 0);
    while at < text.len() {
        let Some((name, format)) = bracketed(&text[at..]) else {
            return Err(Misfit::at(text, at, "an application identifier in brackets is expected"));
        };
        let from = at + name.len() + 2;
        let next = (from..text.len())
            .find(|next| text.is_char_boundary(*next) && bracketed(&text[*next..]).is_some());
        let end = next.unwrap_or(text.len());
        check(text, from, name, &text[from..end], format)?;
        fields.push(name, &text[from..end]);
        at = end;
    }
    Ok(fields)
}

/// The identifier in brackets with which a text begins.
fn bracketed(text: &str) -> Option<(&str, Format)> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    identifier(inside).filter(|(name, _)| *name == inside)
}

fn identifier_at(text: &str, at: usize) -> Result<(&str, Format), Misfit> {
    identifier(&text[at..])
        .ok_or_else(|| Misfit::at(text, at, "an application identifier of GS1 is expected"))
}

fn check(text: &str, at: usize, name: &str, value: &str, format: Format) -> Result<(), Misfit> {
    let Some((index, wrong)) = wrong(value, format) else { return Ok(()) };
    Err(Misfit::at(text, at + index, format!("({name}) {wrong}")))
}

const fn fits(c: char, format: Format) -> bool {
    if format.digits { c.is_ascii_digit() } else { is_allowed(c) }
}

/// What is wrong with a value, and at which byte of it.
fn wrong(value: &str, format: Format) -> Option<(usize, String)> {
    if let Some((index, found)) = value.char_indices().find(|(_, c)| !fits(*c, format)) {
        let allowed = if format.digits { "digits" } else { "the 82 characters of GS1" };
        return Some((index, format!("has {found:?}, allowed are {allowed}")));
    }
    let Format { least, most, .. } = format;
    if !(least..=most).contains(&value.len()) {
        let length = value.len();
        let wanted = if least == most { most.to_string() } else { format!("{least} to {most}") };
        return Some((length.min(most), format!("has {length} characters, {wanted} are expected")));
    }
    (format.guarded && !is_guarded(value))
        .then(|| (value.len() - 1, "has a wrong check digit".to_owned()))
}

/// GS1 General Specifications 7.9: weights 3 and 1 from the right.
fn is_guarded(digits: &str) -> bool {
    let weighted =
        |(index, digit): (usize, u8)| u32::from(digit - b'0') * if index % 2 == 0 { 1 } else { 3 };
    digits.bytes().rev().enumerate().map(weighted).sum::<u32>() % 10 == 0
}

/// Where elements may end in a text without separators.
struct Endings<'a> {
    text: &'a str,
    /// For each byte whether elements to the end of the text may begin there.
    begins: Vec<bool>,
    /// For each byte whether elements from the beginning of the text may end there.
    ends: Vec<bool>,
}

impl<'a> Endings<'a> {
    fn of(text: &'a str) -> Self {
        let length = if text.is_ascii() { text.len() } else { 0 };
        let text = &text[..length];
        let (mut begins, mut ends) = (vec![false; length + 1], vec![false; length + 1]);
        begins[length] = true;
        ends[0] = true;
        for at in (0..length).rev() {
            begins[at] = elements_at(text, at).any(|(_, end)| begins[end]);
        }
        for at in 0..length {
            if ends[at] {
                elements_at(text, at).for_each(|(_, end)| ends[end] = true);
            }
        }
        Self { text, begins, ends }
    }

    /// Each value that an identifier has in some reading of the text.
    fn values(&self, wanted: &str) -> Vec<String> {
        let mut values = Vec::new();
        for at in (0..self.text.len()).filter(|at| self.ends[*at]) {
            let Some((name, _)) = identifier(&self.text[at..]) else { continue };
            if name != wanted {
                continue;
            }
            for (from, end) in elements_at(self.text, at).filter(|(_, end)| self.begins[*end]) {
                let value = self.text[from..end].to_owned();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        values
    }
}

/// The elements that may stand at a place: where their value begins and where it ends.
fn elements_at(text: &str, at: usize) -> impl Iterator<Item = (usize, usize)> {
    let found = identifier(&text[at..]).map(|(name, format)| (at + name.len(), format));
    found.into_iter().flat_map(move |(from, format)| {
        let run = text[from..].chars().take(format.most).take_while(|c| fits(*c, format)).count();
        let ends = (from + format.least)..=(from + run);
        ends.filter(move |end| wrong(&text[from..*end], format).is_none())
            .map(move |end| (from, end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GTIN: &str = "09506000134352";

    fn fields(text: &str) -> Vec<(String, String)> {
        read(text, "21").unwrap().fields.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    fn misfit(text: &str) -> String {
        read(text, "21").unwrap_err().to_string()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn elements_end_with_their_length_a_separator_or_the_text() {
        let wanted = [pair("01", GTIN), pair("10", "LOT1"), pair("21", "A-1")];
        for text in [
            "010950600013435210LOT1\u{1d}21A-1",
            "\u{1d}010950600013435210LOT1\u{1d}21A-1\u{1d}",
            "0109506000134352\u{1d}10LOT1\u{1d}21A-1",
            "(01)09506000134352(10)LOT1(21)A-1",
        ] {
            assert_eq!(fields(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn brackets_that_are_no_identifier_belong_to_the_value() {
        assert_eq!(fields("(21)A(1)B"), [pair("21", "A(1)B")]);
    }

    #[test]
    fn what_is_no_element_string_says_where() {
        assert_eq!(misfit("TH200-1"), "character 1: an application identifier of GS1 is expected");
        assert_eq!(misfit("0109506000134353"), "character 16: (01) has a wrong check digit");
        assert_eq!(misfit("01095060"), "character 9: (01) has 6 characters, 14 are expected");
        assert_eq!(
            misfit("21A B"),
            "character 4: (21) has ' ', allowed are the 82 characters of GS1"
        );
        assert!(misfit("10A<GS>21B").contains("have the scanner send the byte 0x1d"));
        assert!(misfit("").contains("is expected"));
        assert!(misfit("(21)").contains("0 characters"));
    }

    #[test]
    fn without_separators_every_reading_is_known() {
        let elements = read("010950600013435210LOT121TH200-1", "21").unwrap();
        assert_eq!(elements.fields.values("21").count(), 0);
        assert!(elements.hidden.contains(&"TH200-1".to_owned()), "{elements:?}");
        let elements = read("21TH200-110LOT1", "21").unwrap();
        assert_eq!(elements.fields.values("21").collect::<Vec<_>>(), ["TH200-110LOT1"]);
        assert!(elements.hidden.contains(&"TH200-1".to_owned()), "{elements:?}");
        // Twenty-one characters are none of one element, so separators are missing for sure.
        let elements = read("10LOT-LOT-LOT-LOT21TH200-1", "21").unwrap();
        assert!(elements.fields.is_empty());
        assert!(elements.hidden.contains(&"TH200-1".to_owned()), "{elements:?}");
    }

    #[test]
    fn with_separators_there_is_one_reading() {
        assert!(read("10LOT1\u{1d}21TH200-110X", "21").unwrap().hidden.is_empty());
        assert!(read("(21)TH200-110X", "21").unwrap().hidden.is_empty());
    }
}
