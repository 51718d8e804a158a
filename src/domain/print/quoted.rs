//! TSPL and EPL: a command a line, its texts between quotation marks.

use super::error::TemplateError;
use super::parts::{Part, no_picture};
use super::pieces::Piece;
use super::writing::Writing;

/// A language of quoted texts.
struct Rules {
    name: &'static str,
    writing: Writing,
    /// What begins a line whose texts have characters of their own, and why that is no place.
    refused: fn(line: &str) -> Option<&'static str>,
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
                let spot = no_picture(spot, rules.name)?;
                if line.replace(rules.mark, "").matches('"').count().is_multiple_of(2) {
                    return Err(spot.refuse("a value stands between quotation marks"));
                }
                if let Some(why) = (rules.refused)(line.trim_start()) {
                    return Err(spot.refuse(why));
                }
                parts.push(Part::Value(spot, rules.writing));
            }
        }
    }
    Ok(parts)
}

/// A QR code in manual mode and a Data Matrix with an escape character take letters of a
/// value for their own, and other bar codes than 128 have no room for all of them.
fn in_line_of_tspl(line: &str) -> Option<&'static str> {
    let (command, rest) = line.split_once(' ')?;
    let before_text = rest.split('"').next().unwrap_or_default();
    let mut parameters = before_text.split(',').map(str::trim);
    match command.to_ascii_uppercase().as_str() {
        "QRCODE" if parameters.nth(4) != Some("A") => Some(
            "a QRCODE is encoded in mode A: in mode M it takes letters of the value for its own",
        ),
        "DMATRIX" if parameters.any(|parameter| parameter.starts_with(['c', 'C'])) => {
            Some("a DMATRIX without an escape character (c…) takes every value as it is")
        }
        "BARCODE" if rest.split('"').nth(1).is_none_or(|kind| kind != "128") => {
            Some("a BARCODE of the type \"128\" alone has room for every character")
        }
        _ => None,
    }
}
