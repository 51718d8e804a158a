//! Text from outside, made harmless for terminals and logs.

use std::borrow::Cow;

/// `text` with everything escaped that could move a cursor, hide or reorder what is read:
/// control characters, bidirectional marks, invisible and line-breaking format characters.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_harmful(c) {
            true => safe.extend(c.escape_default()),
            false => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// `text` with everything escaped that is not plain printable ASCII: for what was scanned or
/// comes from a device, where nothing else belongs, and where letters that are wide or run
/// from right to left would shift the columns around them.
pub fn plain(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_plain(c) {
            true => safe.push(c),
            false => safe.extend(c.escape_default()),
        }
    }
    Cow::Owned(safe)
}

/// `text` in plain printable ASCII, so that each text has a form of its own: a backslash is
/// escaped too. For what is kept as evidence.
pub fn escaped(text: &str) -> String {
    let is_kept = |c: char| c == ' ' || c.is_ascii_graphic() && c != '\\';
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match is_kept(c) {
            true => safe.push(c),
            false => safe.extend(c.escape_default()),
        }
    }
    safe
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_text_stays_as_it_is() {
        assert!(matches!(printable("TH200 / 测试 ü"), Cow::Borrowed(_)));
    }

    #[test]
    fn of_a_scan_only_plain_characters_stay() {
        assert!(matches!(plain("TH200 1"), Cow::Borrowed(_)));
        assert_eq!(plain("\u{6d4b}\u{5d0}1\u{1b}"), "\\u{6d4b}\\u{5d0}1\\u{1b}");
    }

    #[test]
    fn evidence_tells_an_escape_from_what_looks_like_one() {
        assert_eq!(escaped("{\"SN\": 1}"), "{\"SN\": 1}");
        assert_eq!(escaped("a\u{1d}b"), "a\\u{1d}b");
        assert_eq!(escaped("a\\u{1d}b"), "a\\\\u{1d}b");
    }

    #[test]
    fn what_moves_hides_or_reorders_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\r\nb\u{9b}"), "a\\u{1b}[2J\\r\\nb\\u{9b}");
        assert_eq!(printable("\u{202e}drow\u{200b}\u{7f}"), "\\u{202e}drow\\u{200b}\\u{7f}");
    }
}
