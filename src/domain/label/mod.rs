//! What a label may carry: pattern, range and check character, and the client id made of it.
//!
//! Labels are untrusted. A label that is refused is refused with the place where it
//! leaves the rule, so that a person can see whether the label or the rule is wrong.

mod check;
mod pattern;
mod range;

use std::str::FromStr;

use serde::Serialize;

use super::cause::Told;
use super::code::Code;
use super::device::Fault;
use super::ids::{ClientId, IdError, Serial};
use super::say::Say;

pub use check::{CheckCharacter, CheckError, UnknownCheck};
pub use pattern::survey::Survey;
pub use pattern::{Mismatch, PatternError, SerialPattern};
pub use range::{RangeError, SerialRange};

/// Why a label is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// It is no serial at all.
    #[error("{0}")]
    Characters(#[source] IdError),
    /// It does not match the pattern.
    #[error("{0}")]
    Pattern(Mismatch),
    /// It lies outside the range.
    #[error("serial {serial} lies outside {range}")]
    Range {
        /// The label.
        serial: Serial,
        /// The range.
        range: SerialRange,
    },
    /// Its check character is wrong, or guards nothing.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// It makes no client id.
    #[error("{0}")]
    ClientId(#[source] IdError),
}

impl LabelError {
    /// Its stable code.
    pub const fn code(&self) -> Code {
        match self {
            LabelError::Characters(_) => Code::ScanCharacters,
            LabelError::Pattern(_) => Code::ScanPattern,
            LabelError::Range { .. } => Code::ScanRange,
            LabelError::Check(_) => Code::ScanCheck,
            LabelError::ClientId(_) => Code::ScanClientId,
        }
    }

    /// What it says, in Chinese, where that has values of its own.
    pub fn chinese(&self) -> Option<String> {
        match self {
            LabelError::Pattern(mismatch) => Some(mismatch.chinese()),
            LabelError::Range { serial, range } => {
                Some(format!("序列号 {serial} 不在 {range} 之内"))
            }
            LabelError::Check(error) => Some(error.chinese()),
            LabelError::Characters(error) | LabelError::ClientId(error) => error.chinese(),
        }
    }
}

impl From<LabelError> for Fault {
    fn from(error: LabelError) -> Fault {
        let english = error.to_string();
        match error.chinese() {
            Some(chinese) => Fault::said(error.code(), Say { english, chinese }),
            None => Fault::new(error.code(), english),
        }
    }
}

/// The rule that a label must meet.
#[derive(Debug, Clone)]
pub struct LabelRule {
    /// Patterns that must all match: the product's and the work order's.
    pub patterns: Vec<SerialPattern>,
    /// Ranges that must all hold: the station's and the work order's.
    pub ranges: Vec<SerialRange>,
    /// The check character.
    pub check: CheckCharacter,
    /// The end of a serial that it guards; none is all of it.
    pub check_part: Option<SerialPattern>,
    /// How a client id is made of a serial.
    pub client_id: ClientIdTemplate,
}

impl LabelRule {
    /// Reads a scanned text; gives the unit's serial and its client id.
    pub fn accept(&self, text: &str) -> Result<(Serial, ClientId), LabelError> {
        let serial: Serial = text.parse().map_err(LabelError::Characters)?;
        for pattern in &self.patterns {
            pattern.check(serial.as_str()).map_err(LabelError::Pattern)?;
        }
        self.check.verify(&serial, self.check_part.as_ref())?;
        for range in &self.ranges {
            if !range.contains(self.check.payload(&serial)) {
                return Err(LabelError::Range { serial, range: range.clone() });
            }
        }
        let client_id = self.client_id.make(&serial).map_err(LabelError::ClientId)?;
        Ok((serial, client_id))
    }
}

/// Where a template has the serial as it is.
const AS_IT_IS: &str = "{serial}";

/// Where it has the serial in lower case.
const LOWER: &str = "{serial:lower}";

/// A template for client ids with one `{serial}` or `{serial:lower}` in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ClientIdTemplate(String);

/// A template that makes no client ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{serial}` is missing or stands there twice, so serials would not be told apart.
    #[error("client id template {0:?} must contain {{serial}} exactly once, or {{serial:lower}}")]
    Placeholder(String),
    /// The rest of it has characters that a client id must not have.
    #[error("client id template {text:?}: {error}")]
    Characters {
        /// The template.
        text: String,
        /// What is wrong.
        error: IdError,
    },
}

impl Told for TemplateError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Placeholder(text) => {
                format!("客户端 ID 模板 {text:?} 必须恰好有一个 {{serial}} 或 {{serial:lower}}")
            }
            Self::Characters { text, error } => {
                format!("客户端 ID 模板 {text:?}：{}", error.sentence().chinese)
            }
        })
    }
}

impl FromStr for ClientIdTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let places = [AS_IT_IS, LOWER].map(|place| text.matches(place).count());
        if !matches!(places, [1, 0] | [0, 1]) {
            return Err(TemplateError::Placeholder(text.to_owned()));
        }
        let template = Self(text.to_owned());
        match text.replace(template.place(), "x").parse::<ClientId>() {
            Ok(_) => Ok(template),
            Err(error) => Err(TemplateError::Characters { text: text.to_owned(), error }),
        }
    }
}

impl ClientIdTemplate {
    fn place(&self) -> &'static str {
        if self.0.contains(LOWER) { LOWER } else { AS_IT_IS }
    }

    /// The client id of a serial.
    pub fn make(&self, serial: &Serial) -> Result<ClientId, IdError> {
        let text = match self.place() {
            LOWER => serial.as_str().to_ascii_lowercase(),
            _ => serial.as_str().to_owned(),
        };
        self.0.replace(self.place(), &text).parse()
    }

    /// The serial of a client id that this template made; none where it made no such one. Of
    /// one in lower case it is the serial in capitals, which labels have.
    pub fn serial_of(&self, client_id: &ClientId) -> Option<Serial> {
        let (before, behind) = self.0.split_once(self.place())?;
        let serial = client_id.as_str().strip_prefix(before)?.strip_suffix(behind)?;
        match self.place() {
            LOWER => serial.to_ascii_uppercase().parse().ok(),
            _ => serial.parse().ok(),
        }
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(check: CheckCharacter) -> LabelRule {
        LabelRule {
            patterns: vec![SerialPattern::new("[A-Z0-9/-]+").unwrap()],
            ranges: vec!["1..500".parse().unwrap()],
            check,
            check_part: None,
            client_id: "dev-{serial}".parse().unwrap(),
        }
    }

    #[test]
    fn a_rule_gives_serial_and_client_id() {
        let (serial, client_id) = rule(CheckCharacter::None).accept("A-0042").unwrap();
        assert_eq!((serial.as_str(), client_id.as_str()), ("A-0042", "dev-A-0042"));
    }

    #[test]
    fn each_refusal_has_its_code() {
        let code = |kind, text| Fault::from(rule(kind).accept(text).unwrap_err()).code;
        assert_eq!(code(CheckCharacter::None, "A\u{1b}[2J"), Code::ScanCharacters);
        assert_eq!(code(CheckCharacter::None, "a1"), Code::ScanPattern);
        assert_eq!(code(CheckCharacter::None, "A-501"), Code::ScanRange);
        assert_eq!(code(CheckCharacter::None, "A/1"), Code::ScanClientId);
        assert_eq!(code(CheckCharacter::Luhn, "A-123"), Code::ScanCheck);
    }

    #[test]
    fn a_check_character_may_guard_the_end_of_a_serial_alone() {
        let mut rule = rule(CheckCharacter::Luhn);
        rule.ranges.clear();
        let accepts = |rule: &LabelRule, text: &str| rule.accept(text).is_ok();
        // Luhn of 0000001 is 8; with the digits of TH200 in it, it is 6.
        assert!(accepts(&rule, "TH200-00000016") && !accepts(&rule, "TH200-00000018"));
        rule.check_part = Some(SerialPattern::new("[0-9]{8}").unwrap());
        assert!(!accepts(&rule, "TH200-00000016") && accepts(&rule, "TH200-00000018"));
        let error = rule.accept("TH200-18").unwrap_err();
        assert!(error.to_string().contains("no end of TH200-18"), "{error}");
    }

    #[test]
    fn a_client_id_leads_back_to_its_serial() {
        let template: ClientIdTemplate = "dev-{serial}-a".parse().unwrap();
        let serial = |text: &str| template.serial_of(&text.parse().unwrap());
        assert_eq!(serial("dev-A-0042-a").unwrap().as_str(), "A-0042");
        for foreign in ["A-0042", "dev-A-0042", "dev--a", "x-A-0042-a"] {
            assert_eq!(serial(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_client_id_may_be_in_lower_case_and_leads_back_to_capitals() {
        let template: ClientIdTemplate = "dev-{serial:lower}".parse().unwrap();
        let serial: Serial = "TH200-00A1".parse().unwrap();
        let client_id = template.make(&serial).unwrap();
        assert_eq!(client_id.as_str(), "dev-th200-00a1");
        assert_eq!(template.serial_of(&client_id), Some(serial));
    }

    #[test]
    fn a_template_must_tell_serials_apart() {
        assert!("{serial}{serial:lower}".parse::<ClientIdTemplate>().is_err());
        assert!("{serial:upper}".parse::<ClientIdTemplate>().is_err());
        assert!("{serial}".parse::<ClientIdTemplate>().is_ok());
        assert!("fixed".parse::<ClientIdTemplate>().is_err());
        assert!("{serial}{serial}".parse::<ClientIdTemplate>().is_err());
        assert!("a b {serial}".parse::<ClientIdTemplate>().is_err());
    }
}
