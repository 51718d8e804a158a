//! How much is taken of what comes from outside, and how much is repeated of it.
//!
//! A file that a person names may be the wrong one, or made to be too large. Each kind has
//! a bound here, with a reason; `docs/reliability.md` lists them all.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};

/// station.toml, and notes beside the ledger: a thousand times what they hold.
pub const SETTINGS: u64 = 1 << 20;

/// Certificates and keys: all roots of the web are a quarter of a mebibyte.
pub const CERTIFICATES: u64 = 4 << 20;

/// Lists of serials or hardware ids, one a line: some millions.
pub const LIST: u64 = 64 << 20;

/// A hand-off that comes back, also once it is unpacked: 100,000 certificates with their PEM.
/// It takes a few times as much memory while it is read.
pub const HAND_BACK: u64 = 128 << 20;

/// One file of a lot's bundle once it is unpacked: the journal of some 50,000 units.
pub const BUNDLE: u64 = 512 << 20;

/// A grant, or what was given back: a range of serials, a certificate, a line for each grant.
pub const GRANT: u64 = 1 << 20;

/// Characters of a cell in a table that is read: more than any serial or fingerprint.
pub const CELL: usize = 1024;

/// Characters of one line of an error message. What is wrong stands at its beginning.
pub const MESSAGE: usize = 4096;

/// Characters of a regular expression for labels.
pub const PATTERN: usize = 1024;

/// Reads all there is, and no more than that many bytes: what is longer is refused and not
/// cut off.
pub fn read_whole(from: impl Read, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(longest + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= longest) {
        true => Ok(bytes),
        false => Err(io::Error::new(ErrorKind::FileTooLarge, too_long(longest))),
    }
}

/// The same for text in UTF-8.
pub fn read_text(from: impl Read, longest: u64) -> io::Result<String> {
    let text = String::from_utf8(read_whole(from, longest)?);
    text.map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn too_long(longest: u64) -> String {
    format!("it is longer than {} MiB, which is the most that is read", longest >> 20)
}

/// The beginning of a text, and how much of it is left out.
pub fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            Cow::Owned(format!("{}… ({left_out} more characters)", &text[..end]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_refused_and_not_cut_off() {
        assert_eq!(read_whole(&[7; 4][..], 4).unwrap(), [7; 4]);
        let error = read_whole(io::repeat(7), 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is longer than 1 MiB, which is the most that is read");
        assert!(read_text(&[0xff][..], 4).is_err());
    }

    #[test]
    fn a_long_text_says_how_long_it_was() {
        assert_eq!(shortened("测试", 2), "测试");
        assert_eq!(shortened("测试ab", 2), "测试… (2 more characters)");
    }
}
