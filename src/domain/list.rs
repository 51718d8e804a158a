//! Lists that come from a file: how a spreadsheet or an editor of another system saves text.
//!
//! A live scanner has nothing to do with this: it sends what a label says, and that alone.

use std::borrow::Cow;
use std::io::{self, Read};

use super::bounds;
use super::cause::Told;

/// Why a file is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It has bytes that are text in no encoding that is read.
    #[error("it is neither UTF-8 nor UTF-16 text; save it as UTF-8 (\"CSV UTF-8\")")]
    Encoding,
    /// It is text as some spreadsheets save it, where lines are read as they come.
    #[error("it is UTF-16 text; save it as UTF-8 (\"CSV UTF-8\")")]
    Utf16,
}

impl Told for ListError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Encoding => {
                "既不是 UTF-8 也不是 UTF-16 文本；请另存为 UTF-8（“CSV UTF-8”）".to_owned()
            }
            Self::Utf16 => "是 UTF-16 文本；请另存为 UTF-8（“CSV UTF-8”）".to_owned(),
        })
    }
}

/// The mark before UTF-8 text.
const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The marks before UTF-16 text, and whether the low byte comes first.
const UTF16_MARKS: [([u8; 2], bool); 2] = [([0xff, 0xfe], true), ([0xfe, 0xff], false)];

/// The text of a whole file, without the mark before it: UTF-8, or UTF-16 with its mark.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ListError> {
    let marked = UTF16_MARKS.iter().find(|(mark, _)| bytes.starts_with(mark));
    if let Some((mark, low_first)) = marked {
        return utf16(&bytes[mark.len()..], *low_first).map(Cow::Owned);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ListError::Encoding)?;
    Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

/// Reads a whole list of at most `longest` bytes.
pub fn read(from: impl Read, longest: u64) -> io::Result<String> {
    let bytes = bounds::read_whole(from, longest)?;
    decode(&bytes).map(Cow::into_owned).map_err(|error| io::Error::other(error.sentence()))
}

fn utf16(bytes: &[u8], low_first: bool) -> Result<String, ListError> {
    let read = if low_first { u16::from_le_bytes } else { u16::from_be_bytes };
    let units = bytes.chunks(2).map(|unit| unit.try_into().map(read));
    let units: Result<Vec<u16>, _> = units.collect();
    let units = units.map_err(|_| ListError::Encoding)?;
    String::from_utf16(&units).map_err(|_| ListError::Encoding)
}

/// The first line of a list that is read line by line, without the mark before it.
pub fn first_line(bytes: &[u8]) -> Result<&[u8], ListError> {
    match UTF16_MARKS.iter().any(|(mark, _)| bytes.starts_with(mark)) {
        true => Err(ListError::Utf16),
        false => Ok(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes)),
    }
}

/// A row without the empty cells at its end, as a spreadsheet writes them where another row is
/// longer.
pub fn without_empty_cells(row: &str) -> &str {
    row.trim_end().trim_end_matches([',', ';', '\t'])
}

/// Whether a row has no cell with anything in it: spreadsheets end their files with such.
pub fn is_empty_row(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || matches!(c, ',' | ';' | '"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_of(text: &str, low_first: bool) -> Vec<u8> {
        let bytes = |unit: u16| if low_first { unit.to_le_bytes() } else { unit.to_be_bytes() };
        ['\u{feff}'].into_iter().chain(text.chars()).map(|c| c as u16).flat_map(bytes).collect()
    }

    #[test]
    fn a_mark_is_no_part_of_the_text_in_any_encoding() {
        let marked = [UTF8_MARK, b"U-1\r\n"].concat();
        for bytes in [b"U-1\r\n".to_vec(), marked, utf16_of("U-1\r\n", true)] {
            assert_eq!(decode(&bytes).unwrap(), "U-1\r\n");
        }
        assert_eq!(decode(&utf16_of("标签", false)).unwrap(), "标签");
    }

    #[test]
    fn what_is_no_text_is_told_with_what_to_do() {
        let latin = decode(b"Ger\xe4t").unwrap_err();
        assert!(latin.to_string().contains("CSV UTF-8"), "{latin}");
        assert_eq!(decode(&[0xff, 0xfe, 0x41]), Err(ListError::Encoding));
        assert_eq!(first_line(&utf16_of("U-1", true)), Err(ListError::Utf16));
        assert_eq!(first_line(&[UTF8_MARK, b"U-1"].concat()), Ok(&b"U-1"[..]));
    }

    #[test]
    fn a_row_of_separators_alone_is_empty() {
        for row in ["", ",,,", ";;", "\t\t", " \"\" , \r"] {
            assert!(is_empty_row(row), "{row:?}");
        }
        assert!(!is_empty_row(",0,"));
    }
}
