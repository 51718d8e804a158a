//! One cell of a table that a spreadsheet opens.
//!
//! A spreadsheet guesses what a text is: it drops the zeros that a serial begins with, rounds
//! a long number, makes a date of `1-2` and carries out what begins with `=`. A text that it
//! could take for anything but text has an apostrophe before it here.

use crate::domain::text::printable;

/// More digits than these are no number to a spreadsheet without loss.
const EXACT_DIGITS: usize = 15;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// How a spreadsheet writes the halves of a day.
const HALVES: [&str; 4] = [" am", " pm", " a", " p"];

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// From outside, or by a person: text whatever it looks like.
    Text(String),
    /// A number, a time or a word of this program.
    Plain(String),
}

impl Cell {
    /// A text; none is an empty cell.
    pub(super) fn text(text: Option<impl ToString>) -> Self {
        Self::Text(text.map_or_else(String::new, |text| text.to_string()))
    }

    /// A value of this program's own; none is an empty cell.
    pub(super) fn plain(value: Option<impl ToString>) -> Self {
        Self::Plain(value.map_or_else(String::new, |value| value.to_string()))
    }

    /// As it stands in the file.
    pub(super) fn written(&self) -> String {
        match self {
            Cell::Plain(value) => value.clone(),
            Cell::Text(text) => {
                let text = printable(text);
                match is_taken_for_something_else(&text) {
                    true => format!("'{text}"),
                    false => text.into_owned(),
                }
            }
        }
    }
}

fn is_taken_for_something_else(text: &str) -> bool {
    // The wide forms are the narrow ones in Chinese and Japanese editions.
    let narrow: String = text.chars().map(narrow).collect();
    let Some(first) = narrow.chars().next() else { return false };
    matches!(first, '=' | '+' | '-' | '@' | '\'')
        || first.is_whitespace()
        || is_altered_number(&narrow) && !is_kept(text)
        || is_time(&narrow)
        || matches!(narrow.to_ascii_lowercase().as_str(), "true" | "false")
}

fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{ffe5}' => '¥',
        '\u{3000}' => ' ',
        other => other,
    }
}

/// A number that is shown otherwise than it is written: `007`, `1e5`, `(5)`, `$5`.
fn is_altered_number(text: &str) -> bool {
    let of_a_number = |c: char| c.is_ascii_digit() || ".,eE+-%() $¥€£".contains(c);
    let begins_one = |c: char| c.is_ascii_digit() || ".($¥€£".contains(c);
    text.starts_with(begins_one)
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(of_a_number)
}

/// Plain digits, few enough and without a zero that would go.
fn is_kept(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain && text.len() <= EXACT_DIGITS && (text.len() == 1 || !text.starts_with('0'))
}

/// `1-2`, `2026-01-05`, `12:30`, `3/4`, `5.6.`, `SEP-1` or `1-mar`, `5 PM`, `1月5日`.
fn is_time(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let of_a_time = |c: char| c.is_ascii_digit() || "-/:. 年月日时時分秒".contains(c);
    let without_month = MONTHS.iter().fold(lower, |text, month| text.replacen(month, "", 1));
    let half = HALVES.iter().find_map(|half| without_month.strip_suffix(half));
    let rest = half.unwrap_or(&without_month);
    rest.chars().any(|c| c.is_ascii_digit())
        && rest.chars().all(of_a_time)
        && !text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        Cell::text(Some(text)).written()
    }

    #[test]
    fn what_a_spreadsheet_would_take_for_something_else_stays_text() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "＝1",
            " =1",
            "'x",
            "007",
            "1e5",
            "12E-3",
            "1,5",
            "1.5",
            "1234567890123456",
            "1-2",
            "2026-01-05",
            "12:30",
            "3/4",
            "SEP-1",
            "1-mar",
            "mar1",
            "TRUE",
            "10%",
            "0.5",
            "(5)",
            "$5",
            "¥1,200",
            "5 €",
            "5 PM",
            "10:30 a",
            "1月5日",
            "００７",
            "７",
            "５月６日",
        ] {
            assert_eq!(written(text), format!("'{text}"));
        }
    }

    #[test]
    fn what_is_text_already_stays_as_it_is() {
        for text in [
            "",
            "TH200-00000001",
            "A",
            "7",
            "123456789012345",
            "p117",
            "1f3c",
            "octet",
            "现场",
            "(a)",
            "$",
            "A 5 P",
            "第5日志",
            "5 parts",
        ] {
            assert_eq!(written(text), text);
        }
    }

    #[test]
    fn nothing_harmful_is_written() {
        assert_eq!(written("a\r\n\u{202e}b\t"), "a\\r\\n\\u{202e}b\\t");
        assert_eq!(written("\t=1"), "\\t=1", "no tab, and so no formula");
    }

    #[test]
    fn a_value_of_the_program_is_no_text() {
        assert_eq!(Cell::plain(Some(-5)).written(), "-5");
        assert_eq!(Cell::plain(None::<i64>).written(), "");
    }
}
