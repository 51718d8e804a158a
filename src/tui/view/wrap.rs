//! Text in lines of so many columns: at spaces, and between the characters of a script that
//! has none.

use std::ops::Range;

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use super::look::width;

/// What does not begin a line.
const NOT_FIRST: &str = "，。；：！？、）》”’%,.;:!?)";
/// What does not end one.
const NOT_LAST: &str = "（《“‘(";

/// `text` in lines of at most so many columns. Nothing is left out but spaces at ends of lines.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let lines = ranges(text, columns, columns).into_iter();
    lines.map(|range| text[range].to_owned()).collect()
}

/// A line of several styles in lines of at most so many columns, all but the first indented.
pub(crate) fn wrap_line(line: &Line<'_>, columns: usize, indent: usize) -> Vec<Line<'static>> {
    let text: String = line.spans.iter().map(|span| &*span.content).collect();
    let lines = ranges(&text, columns, columns.saturating_sub(indent));
    let lines = lines.into_iter().enumerate().map(|(index, range)| {
        let margin = (index > 0 && indent > 0).then(|| Span::raw(" ".repeat(indent)));
        let mut wrapped: Line<'static> = margin.into_iter().chain(cut_out(line, &range)).collect();
        (wrapped.style, wrapped.alignment) = (line.style, line.alignment);
        wrapped
    });
    lines.collect()
}

/// The spans of a line, as far as they lie in a range of its text.
fn cut_out(line: &Line<'_>, range: &Range<usize>) -> Vec<Span<'static>> {
    let mut start = 0;
    let mut cut = Vec::new();
    for span in &line.spans {
        let end = start + span.content.len();
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            let text = span.content[from - start..to - start].to_owned();
            cut.push(Span::styled(text, span.style));
        }
        start = end;
    }
    cut
}

/// Where the lines of a text stand in it: the first of so many columns, the others of so many.
fn ranges(text: &str, first: usize, others: usize) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut used = 0;
    for piece in pieces(text) {
        let room = |lines: &Vec<_>| if lines.is_empty() { first } else { others }.max(2);
        if used > 0 && used + width(text[piece.clone()].trim_end()) > room(&lines) {
            lines.push(start..piece.start);
            (start, used) = (piece.start, 0);
        }
        for (at, c) in text[piece.clone()].char_indices() {
            let (at, columns) = (piece.start + at, c.width().unwrap_or(0));
            // A word that is longer than a line is broken anywhere; spaces may hang over.
            if used + columns > room(&lines) && c != ' ' {
                lines.push(start..at);
                (start, used) = (at, 0);
            }
            used += columns;
        }
    }
    lines.push(start..text.len());
    for line in &mut lines {
        line.end = line.start + text[line.clone()].trim_end_matches(' ').len();
    }
    lines
}

/// The parts between which a line may end, each with the spaces behind it.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let Some((_, next)) = characters.peek() else { break };
        if may_end_between(c, *next) {
            let end = at + c.len_utf8();
            pieces.push(start..end);
            start = end;
        }
    }
    pieces.push(start..text.len());
    pieces
}

fn may_end_between(c: char, next: char) -> bool {
    if c == ' ' {
        return next != ' ';
    }
    let is_wide = |c: char| c.width() == Some(2);
    (is_wide(c) || is_wide(next))
        && next != ' '
        && !NOT_FIRST.contains(next)
        && !NOT_LAST.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrap("keep this unit", 10), ["keep this", "unit"]);
        assert_eq!(wrap("keep this unit", 9), ["keep this", "unit"]);
        assert_eq!(wrap("", 9), [""]);
    }

    #[test]
    fn a_long_word_is_broken_and_nothing_of_it_is_lost() {
        assert_eq!(wrap("a TH200-00000001 b", 6), ["a", "TH200-", "000000", "01 b"]);
    }

    #[test]
    fn chinese_lines_end_anywhere_but_not_before_a_full_stop() {
        assert_eq!(wrap("保留此单元，放回。", 10), ["保留此单", "元，放回。"]);
        assert_eq!(wrap("保留此单元", 4), ["保留", "此单", "元"]);
    }

    #[test]
    fn no_line_is_too_wide_and_every_character_is_there() {
        let squeezed = |text: &str| text.replace(' ', "");
        proptest::proptest!(|(text in "[a-z 保留（。]{0,60}", columns in 2_usize..20)| {
            let lines = wrap(&text, columns);
            assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
            assert_eq!(squeezed(&lines.concat()), squeezed(&text));
        });
    }
}
