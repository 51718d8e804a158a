//! TSPL and EPL: a command a line, its texts between quotation marks.

use super::error::TemplateError;
use super::parts::{Part, no_picture};
use super::pieces::Piece;
use super::writing::Writing;
use crate::say;
use crate::say::{Phrase, Say};

/// A language of quoted texts.
struct Rules {
    name: &'static str,
    writing: Writing,
    /// What begins a line whose texts have characters of their own, and why that is no place.
    refused: fn(line: &str) -> Option<Phrase>,
    /// What stands for a quotation mark within a text.
    mark: &'static str,
}

/// The parts of a template in TSPL.
pub(super) fn tspl(pieces: Vec<Piece>) -> Result<Vec<Part>, TemplateError> {
    parts(
        pieces,
        &Rules { name: "TSPL", writing: Writing::Tspl, refused: in_line_of_tspl, mark: "\\[\"]" },
    )
}

/// The parts of a template in EPL.
pub(super) fn epl(pieces: Vec<Piece>) -> Result<Vec<Part>, TemplateError> {
    parts(pieces, &Rules { name: "EPL", writing: Writing::Epl, refused: |_| None, mark: "\\\"" })
}

fn parts(pieces: Vec<Piece>, rules: &Rules) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut line = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => {
                match text.rsplit_once('\n') {
                    Some((_, last)) => line = last.to_owned(),
                    None => line.push_str(&text),
                }
                parts.push(Part::Literal(text));
            }
            Piece::Spot(spot) => {
                let spot = no_picture(spot, &Say::same(rules.name))?;
                if line.replace(rules.mark, "").matches('"').count().is_multiple_of(2) {
                    return Err(spot.refuse(say!(
                        "a value stands between quotation marks",
                        "值要写在引号之间"
                    )));
                }
                if let Some(why) = (rules.refused)(line.trim_start()) {
                    return Err(spot.refuse(why.into()));
                }
                parts.push(Part::Value(spot, rules.writing));
            }
        }
    }
    Ok(parts)
}

/// A QR code in manual mode and a Data Matrix with an escape character take letters of a
/// value for their own, and other bar codes than 128 have no room for all of them.
fn in_line_of_tspl(line: &str) -> Option<Phrase> {
    let (command, rest) = line.split_once(' ')?;
    let before_text = rest.split('"').next().unwrap_or_default();
    let mut parameters = before_text.split(',').map(str::trim);
    match command.to_ascii_uppercase().as_str() {
        "QRCODE" if parameters.nth(4) != Some("A") => Some(Phrase {
            english: "a QRCODE is encoded in mode A: in mode M it takes letters of the value for its own",
            chinese: "QRCODE 用模式 A 编码：在模式 M 中它会把值里的字母当成自己的",
        }),
        "DMATRIX" if parameters.any(|parameter| parameter.starts_with(['c', 'C'])) => {
            Some(Phrase {
                english: "a DMATRIX without an escape character (c…) takes every value as it is",
                chinese: "DMATRIX 不写转义字符（c…），才会原样接受每个值",
            })
        }
        "BARCODE" if rest.split('"').nth(1).is_none_or(|kind| kind != "128") => Some(Phrase {
            english: "a BARCODE of the type \"128\" alone has room for every character",
            chinese: "只有 \"128\" 类型的 BARCODE 容得下所有字符",
        }),
        _ => None,
    }
}
