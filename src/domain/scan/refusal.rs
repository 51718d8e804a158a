//! Why a scan is not taken, each with its code and with what would have to change.

use std::fmt::Write;

use crate::code::Code;
use crate::device::Fault;
use crate::label::LabelError;
use crate::say::Say;
use crate::text::plain;

use super::content::{Content, LONGEST, NO_READ, Parity};
use super::fields::Misfit;

/// The most characters of a text that a message shows.
const SHOWN: usize = 80;

/// Why a scan is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than any label.
    TooLong,
    /// Its bytes have a parity bit that the port took for a part of the characters.
    Parity(Parity),
    /// The scanner says that it read nothing.
    NoRead(String),
    /// It has several lines, and no rule reads such a label.
    Lines(usize),
    /// No rule fits: the form of each rule, and where the text left it.
    NoRule(String, Vec<(&'static str, Misfit)>),
    /// It says several serials.
    Ambiguous(Vec<String>),
    /// It is two scans, with nothing between them.
    TwoScans([String; 2]),
    /// It is a label of another product.
    OtherProduct {
        /// The rule, counted from one; 0 where there are none.
        rule: usize,
        /// The field that tells.
        field: String,
        /// What station.toml requires.
        wanted: String,
        /// What the label has.
        found: String,
    },
    /// Elements of GS1 without the separators between them.
    Separators(Vec<String>),
    /// A serial was found that the product does not have.
    Serial(Box<LabelError>, Option<String>),
}

impl Unread {
    /// Why a scan can be no label at all, whatever the rules.
    pub(super) fn unless_label(scan: &str) -> Result<(), Unread> {
        if scan.len() > LONGEST {
            return Err(Unread::TooLong);
        }
        if let Some(parity) = Parity::of(scan) {
            return Err(Unread::Parity(parity));
        }
        let text = Content::of(scan).text;
        match NO_READ.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            true => Err(Unread::NoRead(text.to_owned())),
            false => Ok(()),
        }
    }

    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Unread::TooLong => Code::ScanTooLong,
            Unread::Parity(_) => Code::ScanParity,
            Unread::NoRead(_) => Code::ScanNoRead,
            Unread::Lines(_) => Code::ScanLines,
            Unread::NoRule(..) => Code::ScanLabel,
            Unread::Ambiguous(_) | Unread::TwoScans(_) => Code::ScanAmbiguous,
            Unread::OtherProduct { .. } => Code::ScanOtherProduct,
            Unread::Separators(_) => Code::ScanSeparators,
            Unread::Serial(error, _) => error.code(),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Unread::TooLong => format!("one scan of more than {LONGEST} characters is no label"),
            Unread::Parity(parity) => format!(
                "the scanner sends 7 bits with {0} parity: set data_bits = 7 and parity = \
                 \"{0}\" in [scanner], or set the scanner to 8 bits without parity",
                parity.as_str()
            ),
            Unread::NoRead(text) => {
                format!("the scanner says {:?}: it could not read the label", shortened(text))
            }
            Unread::Lines(lines) => format!("one scan gave {lines} lines, a label is one"),
            Unread::NoRule(text, misfits) => no_rule(text, misfits),
            Unread::Ambiguous(serials) => {
                format!("the label says several serials: {}", listed(serials))
            }
            Unread::TwoScans([first, second]) => format!(
                "two scans came as one text, {} and {}: the scanner sends nothing behind a scan, \
                 set its suffix to CR",
                shortened(first),
                shortened(second)
            ),
            Unread::OtherProduct { rule, field, wanted, found } => {
                let rule = if *rule > 0 { format!("rule {rule}: ") } else { String::new() };
                format!(
                    "{rule}{field} is {}, this product's is {}",
                    shortened(found),
                    shortened(wanted)
                )
            }
            Unread::Separators(serials) => format!(
                "a GS1 text without separators can mean {}: set the scanner to send FNC1 as the \
                 group separator 0x1d",
                listed(serials)
            ),
            Unread::Serial(error, None) => error.to_string(),
            Unread::Serial(error, Some(hint)) => format!("{error}; {hint}"),
        }
    }

    /// The same in Chinese; none where its values are in English alone.
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Unread::TooLong => format!("一次扫描超过 {LONGEST} 个字符，不是标签"),
            Unread::Parity(parity) => format!(
                "扫码枪发送 7 个数据位和 {0} 校验：在 [scanner] 中设 data_bits = 7 和 parity = \
                 \"{0}\"，或把扫码枪设为 8 位无校验",
                parity.as_str()
            ),
            Unread::NoRead(text) => {
                format!("扫码枪说 {:?}：它没有读到标签", shortened(text))
            }
            Unread::Lines(lines) => format!("一次扫描得到 {lines} 行，一张标签只能是一行"),
            Unread::NoRule(text, _) => format!("没有规则能读 {}", shortened(text)),
            Unread::Ambiguous(serials) => format!("标签上有多个序列号：{}", all_of(serials)),
            Unread::TwoScans([first, second]) => format!(
                "两次扫描连成了一段文本，{} 和 {}：扫码枪在扫描后什么都没有发送，把后缀设为 CR",
                shortened(first),
                shortened(second)
            ),
            Unread::OtherProduct { rule, field, wanted, found } => {
                let rule = if *rule > 0 { format!("规则 {rule}：") } else { String::new() };
                let (found, wanted) = (shortened(found), shortened(wanted));
                format!("{rule}{field} 是 {found}，本产品应为 {wanted}")
            }
            Unread::Separators(serials) => format!(
                "GS1 内容没有分隔符，可能是 {}：把扫码枪设为将 FNC1 发送为分组符 0x1d",
                all_of(serials)
            ),
            Unread::Serial(error, _) => return error.chinese(),
        })
    }
}

impl From<Unread> for Fault {
    fn from(unread: Unread) -> Fault {
        let english = unread.sentence();
        match unread.chinese() {
            Some(chinese) => Fault::said(unread.code(), Say { english, chinese }),
            None => Fault::new(unread.code(), english),
        }
    }
}

fn no_rule(text: &str, misfits: &[(&'static str, Misfit)]) -> String {
    let mut sentence = format!("no rule reads {}", shortened(text));
    for (index, (form, misfit)) in misfits.iter().enumerate() {
        // Writing to a text can't fail.
        let _ = write!(sentence, "; rule {} ({form}): {misfit}", index + 1);
    }
    sentence
}

fn listed(serials: &[String]) -> String {
    let shown: Vec<String> = serials.iter().take(3).map(|serial| shortened(serial)).collect();
    let more = if serials.len() > shown.len() { " and others" } else { "" };
    format!("{}{more}", shown.join(" or "))
}

fn all_of(serials: &[String]) -> String {
    let shown: Vec<String> = serials.iter().take(3).map(|serial| shortened(serial)).collect();
    let more = if serials.len() > shown.len() { " 等" } else { "" };
    format!("{}{more}", shown.join("、"))
}

fn shortened(text: &str) -> String {
    let safe = plain(text);
    match safe.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scanners_say_when_they_read_nothing_is_no_label() {
        for scan in ["NOREAD\r", "]C0noread", "No Read", "ERROR\n"] {
            assert!(matches!(Unread::unless_label(scan), Err(Unread::NoRead(_))), "{scan:?}");
        }
        assert!(Unread::unless_label(&"x".repeat(LONGEST)).is_ok());
        assert_eq!(Unread::unless_label(&"x".repeat(LONGEST + 1)), Err(Unread::TooLong));
    }
}
