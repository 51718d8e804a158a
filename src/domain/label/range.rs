//! Ranges of serials, so that stations and work orders stay apart.

use crate::cause::Told;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of serials `A..B`, both ends included.
///
/// Ends of digits alone are compared with a serial's trailing digits; ends with a common
/// prefix (`TH200-00000001..TH200-00009999`) demand that prefix and as many digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialRange {
    text: String,
    prefix: Option<String>,
    digits: usize,
    first: u128,
    last: u128,
}

/// A text that is no range of serials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// There is no `..` in it.
    #[error("{0:?} is no range: write FIRST..LAST, both included")]
    Form(String),
    /// An end does not end in digits, or in too many.
    #[error("{0:?} does not end in 1 to 38 digits")]
    Digits(String),
    /// The ends differ before their digits, or in length.
    #[error("{0:?} and {1:?} do not have one prefix and as many digits")]
    Ends(String, String),
    /// The first lies behind the last.
    #[error("{0:?} lies behind {1:?}")]
    Order(String, String),
}

impl Told for RangeError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Form(text) => format!("{text:?} 不是范围：写 FIRST..LAST，首尾都包括"),
            Self::Digits(text) => format!("{text:?} 的结尾不是 1 到 38 位数字"),
            Self::Ends(first, last) => format!("{first:?} 和 {last:?} 的前缀或位数不同"),
            Self::Order(first, last) => format!("{first:?} 排在 {last:?} 之后"),
        })
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let prefix = text.trim_end_matches(|c: char| c.is_ascii_digit());
    text.split_at(prefix.len())
}

fn number(text: &str) -> Result<u128, RangeError> {
    let (_, digits) = split_digits(text);
    digits.parse().map_err(|_| RangeError::Digits(text.to_owned()))
}

impl FromStr for SerialRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (a, b) = text.split_once("..").ok_or_else(|| RangeError::Form(text.to_owned()))?;
        let (first, last) = (number(a)?, number(b)?);
        let ((prefix, digits), (other, _)) = (split_digits(a), split_digits(b));
        let plain = prefix.is_empty() && other.is_empty();
        if !plain && (prefix != other || a.len() != b.len()) {
            return Err(RangeError::Ends(a.to_owned(), b.to_owned()));
        }
        if first > last {
            return Err(RangeError::Order(a.to_owned(), b.to_owned()));
        }
        let prefix = (!plain).then(|| prefix.to_owned());
        Ok(Self { text: text.to_owned(), prefix, digits: digits.len(), first, last })
    }
}

impl SerialRange {
    /// The first and the last number.
    pub(super) const fn bounds(&self) -> (u128, u128) {
        (self.first, self.last)
    }

    /// The prefix that a serial must have, and how many digits behind it, where the range
    /// names them.
    pub(super) fn prefix(&self) -> Option<(&str, usize)> {
        self.prefix.as_deref().map(|prefix| (prefix, self.digits))
    }

    /// Whether `serial` (without its check character) lies in the range.
    pub fn contains(&self, serial: &str) -> bool {
        let (prefix, digits) = split_digits(serial);
        let form = match &self.prefix {
            // Digits of the prefix's own end belong to the prefix, so cut from the right.
            Some(wanted) => {
                serial.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.len() == self.digits)
                    && prefix.len() <= wanted.len()
            }
            None => !digits.is_empty(),
        };
        let value = match &self.prefix {
            Some(wanted) if form => serial[wanted.len()..].parse(),
            _ => digits.parse(),
        };
        form && value.is_ok_and(|value: u128| (self.first..=self.last).contains(&value))
    }
}

impl fmt::Display for SerialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for SerialRange {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SerialRange {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_with_a_prefix_demands_prefix_and_width() {
        let range: SerialRange = "TH200-00000001..TH200-00000100".parse().unwrap();
        assert!(range.contains("TH200-00000001"));
        assert!(range.contains("TH200-00000100"));
        assert!(!range.contains("TH200-00000101"));
        assert!(!range.contains("TH200-000000001"));
        assert!(!range.contains("TH300-00000001"));
    }

    #[test]
    fn a_range_of_digits_looks_at_the_trailing_digits() {
        let range: SerialRange = "1..999".parse().unwrap();
        assert!(range.contains("TH200-00000999"));
        assert!(!range.contains("TH200-00001000"));
        assert!(!range.contains("TH200-"));
    }

    #[test]
    fn a_wrong_range_is_refused() {
        assert!("1-9".parse::<SerialRange>().is_err());
        assert!("A1..B2".parse::<SerialRange>().is_err());
        assert!("A1..A22".parse::<SerialRange>().is_err());
        assert!("9..1".parse::<SerialRange>().is_err());
        assert!("A..B".parse::<SerialRange>().is_err());
    }
}
