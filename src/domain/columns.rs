//! Columns of a terminal: a Chinese character takes two.

use unicode_width::UnicodeWidthStr;

/// Filled to so many columns; what is wider stays as it is.
pub fn padded(text: &str, columns: usize) -> String {
    let room = columns.saturating_sub(UnicodeWidthStr::width(text));
    format!("{text}{}", " ".repeat(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_character_takes_two_columns() {
        assert_eq!(padded("ok", 4), "ok  ");
        assert_eq!(padded("正常", 5), "正常 ");
        assert_eq!(padded("正常", 3), "正常");
    }
}
