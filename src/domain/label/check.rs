//! Check characters: the last character of a label that guards the others.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::pattern::SerialPattern;
use crate::cause::Told;
use crate::ids::Serial;

/// Why a check character is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Its check character is wrong.
    #[error("check character of {serial} is {found:?}, expected {expected:?} by {kind}")]
    Wrong {
        /// The label.
        serial: Serial,
        /// What stands there.
        found: char,
        /// What should stand there.
        expected: char,
        /// The kind of check.
        kind: CheckCharacter,
    },
    /// The characters before the check character do not suit its kind.
    #[error("{serial} has characters that a {kind} check does not cover")]
    Unchecked {
        /// The label.
        serial: Serial,
        /// The kind of check.
        kind: CheckCharacter,
    },
    /// No end of it is what the check character guards.
    #[error("no end of {serial} is the part that its check character guards, {part}")]
    Part {
        /// The label.
        serial: Serial,
        /// The pattern of that part.
        part: String,
    },
}

impl CheckError {
    /// What it says, in Chinese.
    pub fn chinese(&self) -> String {
        match self {
            CheckError::Wrong { serial, found, expected, kind } => {
                format!("{serial} 的校验字符是 {found:?}，按 {kind} 应为 {expected:?}")
            }
            CheckError::Unchecked { serial, kind } => {
                format!("{serial} 含有 {kind} 校验不包括的字符")
            }
            CheckError::Part { serial, part } => {
                format!("{serial} 的末尾没有校验字符所管的部分 {part}")
            }
        }
    }
}

/// How the last character of a label guards the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckCharacter {
    /// Not at all.
    #[default]
    None,
    /// ISO/IEC 7812-1 annex B (Luhn), over the digits of the label.
    Luhn,
    /// GS1 general specifications 7.9: weights 3 and 1 from the right, over the digits.
    Gs1,
    /// ISO/IEC 7064 MOD 37,36, over the digits and capital letters.
    Mod3736,
}

impl CheckCharacter {
    /// Every kind.
    pub const ALL: &[CheckCharacter] =
        &[CheckCharacter::None, CheckCharacter::Luhn, CheckCharacter::Gs1, CheckCharacter::Mod3736];

    /// The word in station.toml, on the command line and in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            CheckCharacter::None => "none",
            CheckCharacter::Luhn => "luhn",
            CheckCharacter::Gs1 => "gs1",
            CheckCharacter::Mod3736 => "mod3736",
        }
    }

    /// The serial without its check character.
    pub fn payload(self, serial: &Serial) -> &str {
        let text = serial.as_str();
        match self {
            CheckCharacter::None => text,
            _ => &text[..text.len() - 1],
        }
    }

    pub(super) fn verify(
        self,
        serial: &Serial,
        part: Option<&SerialPattern>,
    ) -> Result<(), CheckError> {
        let payload = self.payload(serial);
        let payload = match part.filter(|_| self != CheckCharacter::None) {
            Some(part) => &payload[guarded(serial, part)?..],
            None => payload,
        };
        let Some(expected) = self.expected(payload) else {
            return match self {
                CheckCharacter::None => Ok(()),
                kind => Err(CheckError::Unchecked { serial: serial.clone(), kind }),
            };
        };
        match serial.as_str().chars().last() {
            Some(found) if found != expected => {
                Err(CheckError::Wrong { serial: serial.clone(), found, expected, kind: self })
            }
            _ => Ok(()),
        }
    }

    /// The check character for a payload; none where the payload has nothing that it covers.
    /// Separators (`-`, `.`, `_`, `/`) and, for kinds over digits, letters are passed over.
    pub fn expected(self, payload: &str) -> Option<char> {
        let radix = match self {
            CheckCharacter::None => return None,
            CheckCharacter::Mod3736 => 36,
            _ => 10,
        };
        let values: Vec<u32> = payload
            .chars()
            .filter(|c| !c.is_ascii_lowercase())
            .filter_map(|c| c.to_digit(radix))
            .collect();
        if values.is_empty() {
            return None;
        }
        let check = match self {
            CheckCharacter::None => return None,
            CheckCharacter::Luhn => luhn(&values),
            CheckCharacter::Gs1 => gs1(&values),
            CheckCharacter::Mod3736 => mod_37_36(&values),
        };
        char::from_digit(check, 36).map(|c| c.to_ascii_uppercase())
    }
}

impl fmt::Display for CheckCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CheckCharacter {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == text).copied();
        found.ok_or_else(|| UnknownCheck(text.to_owned()))
    }
}

/// A word that names no check character.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of check character: none, luhn, gs1, mod3736")]
pub struct UnknownCheck(String);

impl Told for UnknownCheck {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是校验字符的种类：none、luhn、gs1、mod3736", self.0))
    }
}

/// Where the longest end of a serial that is the guarded part begins.
fn guarded(serial: &Serial, part: &SerialPattern) -> Result<usize, CheckError> {
    let text = serial.as_str();
    (0..text.len())
        .find(|start| part.check(&text[*start..]).is_ok())
        .ok_or_else(|| CheckError::Part { serial: serial.clone(), part: part.as_str().to_owned() })
}

fn luhn(digits: &[u32]) -> u32 {
    let doubled = |(index, digit): (usize, &u32)| match index % 2 {
        0 => digit * 2 / 10 + digit * 2 % 10,
        _ => *digit,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    (10 - sum % 10) % 10
}

fn gs1(digits: &[u32]) -> u32 {
    let weighted = |(index, digit): (usize, &u32)| digit * if index % 2 == 0 { 3 } else { 1 };
    let sum: u32 = digits.iter().rev().enumerate().map(weighted).sum();
    (10 - sum % 10) % 10
}

fn mod_37_36(values: &[u32]) -> u32 {
    let product = values.iter().fold(36, |product, value| {
        let sum = match (product + value) % 36 {
            0 => 36,
            sum => sum,
        };
        sum * 2 % 37
    });
    (37 - product) % 36
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_agree_with_published_examples() {
        // ISO/IEC 7812-1's widely printed example 7992739871 3, GTIN-13 629104150021 3,
        // ISO/IEC 7064's own A12425GABC1234002 M.
        assert_eq!(CheckCharacter::Luhn.expected("7992739871"), Some('3'));
        assert_eq!(CheckCharacter::Gs1.expected("629104150021"), Some('3'));
        assert_eq!(CheckCharacter::Mod3736.expected("A12425GABC1234002"), Some('M'));
        assert_eq!(CheckCharacter::Luhn.expected("---"), None);
    }
}
