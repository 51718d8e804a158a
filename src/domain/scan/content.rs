//! What one pull of a scanner's trigger sent, without what the scanner put around it.
//!
//! Around a label's text stand the terminator, sometimes STX and ETX, and where the scanner
//! is set to send it, the AIM identifier of ISO/IEC 15424: `]`, a letter for the symbology,
//! a modifier. An identifier says what was read and never how: its modifiers are reported
//! by decoders that guess, so nothing is cut from a text because of one.

use std::fmt;

/// The most bytes of one scan; no symbol on a label says more.
pub const LONGEST: usize = 1024;

/// What scanners send in place of a text that they could not read.
pub const NO_READ: &[&str] = &["NOREAD", "NO READ", "NO-READ", "NO_READ", "ERROR"];

/// An AIM identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Aim {
    symbology: char,
    modifier: char,
}

impl Aim {
    /// The identifier at the beginning of a text, and the rest of the text.
    pub fn split(text: &str) -> Option<(Aim, &str)> {
        let mut characters = text.strip_prefix(']')?.chars();
        let symbology = characters.next().filter(char::is_ascii_alphabetic)?;
        let modifier = characters.next().filter(char::is_ascii_alphanumeric)?;
        Some((Aim { symbology, modifier }, characters.as_str()))
    }
}

impl Aim {
    /// What was read, where this identifier is a common one.
    pub const fn symbology(self) -> Option<&'static str> {
        Some(match (self.symbology, self.modifier) {
            ('A', _) => "Code 39",
            ('C', '1' | '2') => "GS1-128",
            ('C', _) => "Code 128",
            ('E', _) => "EAN or UPC",
            ('F', _) => "Codabar",
            ('G', _) => "Code 93",
            ('I', _) => "Interleaved 2 of 5",
            ('J', '1') => "GS1 DotCode",
            ('L', _) => "PDF417",
            ('Q', '3' | '4') => "GS1 QR Code",
            ('Q', _) => "QR Code",
            ('d', '2' | '3') => "GS1 DataMatrix",
            ('d', _) => "Data Matrix",
            ('e', _) => "GS1 DataBar",
            ('z', _) => "Aztec Code",
            _ => return None,
        })
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "]{}{}", self.symbology, self.modifier)
    }
}

/// A scan without its framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// The AIM identifier, where the text begins with one.
    pub aim: Option<Aim>,
    /// What follows it.
    pub text: &'a str,
}

impl<'a> Content<'a> {
    /// Takes off what stands around a label's text. Judges nothing.
    pub fn of(scan: &'a str) -> Self {
        let whole = scan.trim_matches(is_framing);
        let (aim, text) = match Aim::split(whole) {
            Some((aim, text)) => (Some(aim), text.trim_matches(is_framing)),
            None => (None, whole),
        };
        Self { aim, text }
    }

    /// How many lines it has.
    pub(super) fn lines(&self) -> usize {
        self.text.split(['\r', '\n']).filter(|line| !line.is_empty()).count()
    }
}

/// Terminators, the characters of a frame, and space: no label begins or ends with one.
fn is_framing(c: char) -> bool {
    const STX: char = '\u{2}';
    const ETX: char = '\u{3}';
    const EOT: char = '\u{4}';
    matches!(c, STX | ETX | EOT | '\r' | '\n' | '\t' | ' ' | '\0')
}

/// The parity bit that a port without parity takes for the eighth bit of each byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parity {
    /// Each byte has an even number of ones.
    Even,
    /// Each byte has an odd number of ones.
    Odd,
    /// The eighth bit is always one.
    Mark,
}

impl Parity {
    /// The parity that shows in a text whose characters are the bytes that came. Fewer than
    /// six bytes show nothing.
    pub(super) fn of(scan: &str) -> Option<Parity> {
        let bytes: Option<Vec<u8>> = scan.chars().map(|c| u8::try_from(c).ok()).collect();
        let bytes = bytes.filter(|bytes| bytes.len() >= 6 && !bytes.is_ascii())?;
        let all = |rule: fn(&u8) -> bool| bytes.iter().all(rule);
        if all(|byte| byte & 0x80 != 0) {
            Some(Parity::Mark)
        } else if all(|byte| byte.count_ones() % 2 == 0) {
            Some(Parity::Even)
        } else if all(|byte| byte.count_ones() % 2 == 1) {
            Some(Parity::Odd)
        } else {
            None
        }
    }

    /// The word in station.toml.
    pub const fn as_str(self) -> &'static str {
        match self {
            Parity::Even => "even",
            Parity::Odd => "odd",
            Parity::Mark => "mark",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_and_identifier_are_taken_off() {
        for scan in ["]C0TH200-1\r\n", "\u{2}]C0TH200-1\u{3}", " ]C0TH200-1\t", "]C0 TH200-1"] {
            let content = Content::of(scan);
            assert_eq!(content.text, "TH200-1", "{scan:?}");
            assert_eq!(content.aim.unwrap().to_string(), "]C0", "{scan:?}");
        }
        assert_eq!(Content::of("TH200-1\u{3}").text, "TH200-1");
        for plain in ["]C", "]", "]11ABC", "A]C0", "]C-A"] {
            assert_eq!(Content::of(plain).aim, None, "{plain}");
        }
    }

    #[test]
    fn a_group_separator_is_no_framing() {
        assert_eq!(Content::of("]C1\u{1d}21A\u{1d}").text, "\u{1d}21A\u{1d}");
    }

    #[test]
    fn seven_bits_with_parity_are_told_from_letters_beyond_ascii() {
        let sent = |parity: fn(u8) -> u8| -> String {
            "TH200-00000001\r".bytes().map(|byte| char::from(byte | parity(byte) << 7)).collect()
        };
        let ones = |byte: u8| u8::try_from(byte.count_ones() % 2).unwrap();
        assert_eq!(
            Parity::of(&sent(|byte| u8::try_from(byte.count_ones() % 2).unwrap())),
            Some(Parity::Even)
        );
        assert_eq!(
            Parity::of(&sent(|byte| u8::from(byte.count_ones() % 2 == 0))),
            Some(Parity::Odd)
        );
        assert_eq!(Parity::of(&sent(|_| 1)), Some(Parity::Mark));
        assert_eq!(ones(b'T'), 1);
        assert_eq!(Parity::of("TH200ß00000001"), None);
        assert_eq!(Parity::of("TH200-00000001"), None);
        assert_eq!(Parity::of("TH200－00000001"), None);
    }
}
