//! What every view needs to draw: colours, words, and text that fits.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::local::Zone;
use crate::text::{Language, Word, fill, remedy, what};

use super::super::model::{Mark, Model};
use super::super::theme::{Role, Theme};

/// Colours, words and the factory's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'m> {
    theme: Theme,
    pub(crate) language: Language,
    pub(crate) zone: &'m Zone,
    now: Timestamp,
}

impl<'m> Look<'m> {
    pub(crate) fn of(model: &'m Model) -> Self {
        let (theme, zone) = (Theme::new(model.theme), &model.setup.zone);
        Self { theme, language: model.language, zone, now: model.now.wall }
    }

    /// What the factory's clock is ahead of UTC by now, for the head of a list of times.
    pub(crate) fn offset(self) -> String {
        self.zone.offset(self.now)
    }

    pub(crate) fn style(self, role: Role) -> Style {
        self.theme.style(role)
    }

    pub(crate) fn text(self, word: Word) -> &'static str {
        word.text(self.language)
    }

    pub(crate) fn fill(self, word: Word, values: &[&str]) -> String {
        fill(word, self.language, values)
    }

    pub(crate) fn span<'a>(
        self,
        role: Role,
        text: impl Into<std::borrow::Cow<'a, str>>,
    ) -> Span<'a> {
        Span::styled(text, self.style(role))
    }

    /// A verdict's word and colour.
    pub(crate) fn mark(self, mark: Mark) -> (&'static str, Role) {
        match mark {
            Mark::Pass => (self.text(Word::Pass), Role::Pass),
            Mark::Fail => (self.text(Word::Fail), Role::Fail),
            Mark::Hold => (self.text(Word::Hold), Role::Hold),
        }
    }

    /// What happened, as a sentence.
    pub(crate) fn what(self, fault: &Fault) -> String {
        self.sentence(&what(fault, self.language))
    }

    /// What to do about it, as a sentence.
    pub(crate) fn remedy(self, code: Code) -> String {
        self.sentence(remedy(code, self.language))
    }

    fn sentence(self, text: &str) -> String {
        let mut characters = text.chars();
        let first = characters.next();
        let first = first.map(|c| if begins_with_word(text) { c.to_ascii_uppercase() } else { c });
        let end = match self.language {
            Language::English => '.',
            Language::Chinese => '。',
        };
        // What another program said may have its own.
        let end = (!text.ends_with(['.', '。'])).then_some(end);
        first.into_iter().chain(characters).chain(end).collect()
    }

    /// An age in one unit.
    pub(crate) fn age(self, time: Duration) -> String {
        let hours = time.as_secs() / 3600;
        match hours {
            1..48 => self.fill(Word::WholeHours, &[&hours.to_string()]),
            _ => self.span_of_time(time),
        }
    }

    /// A length of time, as roughly as people say it.
    pub(crate) fn span_of_time(self, time: Duration) -> String {
        let minutes = time.as_secs() / 60;
        let text = |number: u64| number.to_string();
        match minutes {
            0..60 => self.fill(Word::Minutes, &[&text(minutes)]),
            60..2880 => self.fill(Word::Hours, &[&text(minutes / 60), &text(minutes % 60)]),
            2880..1_051_200 => self.fill(Word::Days, &[&text(minutes / 1440)]),
            _ => self.fill(Word::Years, &[&text(minutes / 525_960)]),
        }
    }
}

/// Whether a text begins with a word of its own, and not with a serial or a path, of which each
/// letter counts.
fn begins_with_word(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let word = first.trim_end_matches([':', ',', ';']);
    word.chars().all(|c| c.is_ascii_alphabetic() || c == '\'')
}

/// How wide a text is on the screen.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text`, cut to so many columns; what is cut is shown by an ellipsis.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut fitting = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        fitting.push(c);
    }
    if columns > 0 {
        fitting.push('…');
    }
    fitting
}

/// `text` in exactly so many columns, filled up with spaces.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let mut padded = fit(text, columns);
    padded.extend(std::iter::repeat_n(' ', columns - width(&padded).min(columns)));
    padded
}

/// One line with something at its left and something at its right end.
pub(crate) fn both_ends<'a>(left: Vec<Span<'a>>, right: Vec<Span<'a>>, columns: u16) -> Line<'a> {
    let taken = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let gap = usize::from(columns).saturating_sub(taken(&left) + taken(&right));
    if gap == 0 {
        // The right end is short and stands there for a reason: the left one is cut.
        let room = usize::from(columns).saturating_sub(taken(&right) + 1);
        let mut spans = cut(left, room);
        spans.push(Span::raw(" "));
        spans.extend(right);
        return Line::from(spans);
    }
    let mut spans = left;
    spans.push(Span::raw(" ".repeat(gap)));
    spans.extend(right);
    Line::from(spans)
}

fn cut(spans: Vec<Span<'_>>, columns: usize) -> Vec<Span<'_>> {
    let mut left = columns;
    let mut kept = Vec::new();
    for span in spans {
        let fitting = fit(&span.content, left);
        left -= width(&fitting).min(left);
        kept.push(Span::styled(fitting, span.style));
    }
    kept
}

/// A bar of so many columns, filled to that share.
pub(crate) fn bar(share: f64, columns: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * columns as f64).round() as usize;
    let full = full.min(columns);
    format!("{}{}", "█".repeat(full), "░".repeat(columns - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_by_columns_and_not_by_characters() {
        assert_eq!(fit("TH200-1", 7), "TH200-1");
        assert_eq!(fit("TH200-12", 7), "TH200-…");
        assert_eq!(fit("序列号", 5), "序列…");
        assert_eq!(fit("序列号", 4), "序…");
        assert_eq!(width(&pad("序列号", 9)), 9);
        assert_eq!(width(&pad("序列号", 4)), 4);
        assert_eq!(fit("x", 0), "");
    }

    #[test]
    fn a_value_at_the_beginning_of_a_sentence_keeps_its_letters() {
        let words = ["the device left", "serial: character 6", "two, and more"];
        assert!(words.iter().all(|text| begins_with_word(text)));
        let values =
            ["th200-00000706: character 1 is 't'", "ca.pem can't be read", "/dev/x is gone"];
        assert!(!values.iter().any(|text| begins_with_word(text)));
    }

    #[test]
    fn a_bar_is_as_long_as_asked_for() {
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(7.0, 4), "████");
    }
}
