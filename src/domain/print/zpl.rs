//! ZPL: values stand in fields, `^FD…^FS`, and every other `^` or `~` is a command.
//!
//! A value is written with the hexadecimal escapes of `^FH`, which the printer undoes before
//! it looks at anything else; the indicator is the template's, or one that the station puts
//! in front of the field. What a symbol takes for its own is doubled before that: `>` in
//! Code 128 (`^BC`), the escape character of a Data Matrix (`^BX`), `\` in a block (`^FB`).

use super::error::TemplateError;
use super::parts::{Part, no_picture};
use super::pieces::{Piece, Spot};
use super::writing::{Data, Kind, Writing};
use crate::say;
use crate::say::Say;

/// What was said of a field before its data.
#[derive(Debug, Clone, Default)]
struct Setting {
    indicator: Option<char>,
    kind: Kind,
    /// The symbol's command, such as `BQ`, with its parameters.
    symbol: Option<(String, String)>,
}

/// A field whose data is being read.
struct Open {
    /// `^FD` or `^FV`, as written.
    command: String,
    pieces: Vec<Piece>,
}

/// Reads a template, command by command.
#[derive(Default)]
struct Reading {
    parts: Vec<Part>,
    literal: String,
    setting: Setting,
    open: Option<Open>,
}

/// The parts of a template in ZPL.
pub(super) fn parts(pieces: Vec<Piece>) -> Result<Vec<Part>, TemplateError> {
    let mut reading = Reading::default();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => reading.literal(&text)?,
            Piece::Spot(spot) => reading.spot(spot)?,
        }
    }
    reading.close()?;
    reading.flush();
    Ok(reading.parts)
}

impl Reading {
    fn literal(&mut self, text: &str) -> Result<(), TemplateError> {
        let mut rest = text;
        while let Some(at) = rest.find(['^', '~']) {
            self.keep(&rest[..at]);
            self.close()?;
            let command = &rest[at..];
            let end = command[1..].find(['^', '~']).map_or(command.len(), |end| end + 1);
            self.command(&command[..end]);
            rest = &command[end..];
        }
        self.keep(rest);
        Ok(())
    }

    /// One command with what stands behind it up to the next.
    fn command(&mut self, text: &str) {
        let name: String = text.chars().skip(1).take(2).collect::<String>().to_ascii_uppercase();
        let (code, parameters) =
            text.split_at(text.char_indices().nth(3).map_or(text.len(), |(at, _)| at));
        match name.as_str() {
            "FD" | "FV" => {
                let pieces = match parameters {
                    "" => Vec::new(),
                    data => vec![Piece::Literal(data.to_owned())],
                };
                self.open = Some(Open { command: code.to_owned(), pieces });
                return;
            }
            "FH" => self.setting.indicator = Some(parameters.chars().next().unwrap_or('_')),
            "FB" => self.setting.kind = Kind::Block,
            "FS" | "XA" | "XZ" => self.setting = Setting::default(),
            // ^BY sets widths for all symbols that follow.
            name if name.starts_with('B') && name != "BY" => {
                self.setting.symbol = Some((name.to_owned(), parameters.to_owned()));
            }
            _ => {}
        }
        self.literal.push_str(text);
    }

    fn keep(&mut self, text: &str) {
        match &mut self.open {
            None => self.literal.push_str(text),
            Some(_) if text.is_empty() => {}
            Some(open) => open.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    fn spot(&mut self, spot: Spot) -> Result<(), TemplateError> {
        let spot = no_picture(spot, &Say::same("ZPL"))?;
        match &mut self.open {
            Some(open) => open.pieces.push(Piece::Spot(spot)),
            None => {
                let what = say!(
                    "a value stands in a field alone, between ^FD and ^FS: elsewhere its \
                     characters would be commands",
                    "值只能写在 ^FD 和 ^FS 之间：在别处它的字符会成为命令"
                );
                return Err(spot.refuse(what));
            }
        }
        Ok(())
    }

    /// Ends the data of a field.
    fn close(&mut self) -> Result<(), TemplateError> {
        let Some(Open { command, pieces }) = self.open.take() else { return Ok(()) };
        let first = pieces.iter().find_map(|piece| match piece {
            Piece::Spot(spot) => Some(*spot),
            Piece::Literal(_) => None,
        });
        let Some(first) = first else {
            self.literal.push_str(&command);
            pieces.into_iter().for_each(|piece| match piece {
                Piece::Literal(text) => self.literal.push_str(&text),
                Piece::Spot(_) => {}
            });
            return Ok(());
        };
        let kind = kind(&self.setting, &pieces, &first)?;
        let indicator = match self.setting.indicator {
            Some(indicator) => indicator,
            None => {
                let indicator = unused(&pieces).ok_or_else(|| {
                    first.refuse(say!(
                        "the field has every character that could stand for ^FH",
                        "这个字段用尽了可作 ^FH 的字符"
                    ))
                })?;
                self.literal.push_str(&format!("^FH{indicator}"));
                indicator
            }
        };
        self.literal.push_str(&command);
        for piece in pieces {
            match piece {
                Piece::Literal(text) => self.literal.push_str(&text),
                Piece::Spot(spot) => {
                    self.flush();
                    self.parts.push(Part::Value(spot, Writing::Zpl(Data { indicator, kind })));
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal)));
        }
    }
}

/// A character that none of a field's own text has.
fn unused(pieces: &[Piece]) -> Option<char> {
    let is_used = |c: char| {
        pieces.iter().any(|piece| matches!(piece, Piece::Literal(text) if text.contains(c)))
    };
    ['_', '\\', '|', '#', '%', '!', '='].into_iter().find(|c| !is_used(*c))
}

/// What the field does with its characters, where the station knows.
fn kind(setting: &Setting, pieces: &[Piece], spot: &Spot) -> Result<Kind, TemplateError> {
    let Some((name, parameters)) = &setting.symbol else { return Ok(setting.kind) };
    let parameters: Vec<&str> = parameters.split(',').map(str::trim).collect();
    let parameter = |index: usize| parameters.get(index).copied().unwrap_or_default();
    let before = match pieces.first() {
        Some(Piece::Literal(text)) => text.as_str(),
        _ => "",
    };
    match name.as_str() {
        "BQ" => match is_qr_prefix(before) {
            true => Ok(Kind::Letters),
            false => Err(spot.refuse(say!(
                "the data of ^BQ begins with QA, or with H, L or M in place of Q: without \
                 that the printer takes the first three characters of the value for it",
                "^BQ 的数据以 QA 开头，Q 也可以是 H、L 或 M：否则打印机会把值的前三个字符当成它"
            ))),
        },
        "BC" => match (parameter(5), before) {
            ("" | "N" | "n", before) if !before.starts_with(">;") => Ok(Kind::Code128),
            ("" | "N" | "n", _) => Err(spot.refuse(say!(
                ">; begins a ^BC of digits alone; a value may have others",
                ">; 开始的 ^BC 只能有数字；值里可能有别的字符"
            ))),
            _ => Err(spot.refuse(say!(
                "of the modes of ^BC values are written in N alone",
                "^BC 的模式中只有 N 能写入值"
            ))),
        },
        "BX" => {
            let mut own = parameter(6).chars();
            match (parameter(2), own.next(), own.next()) {
                ("200", Some(own), None) => Ok(Kind::DataMatrix(own)),
                ("200", ..) => Err(spot.refuse(say!(
                    "^BX names its escape character, ^BXN,5,200,,,,_ for one: printers differ \
                     in the one that they take without",
                    "^BX 要写明转义字符，例如 ^BXN,5,200,,,,_：各家打印机的默认值不同"
                ))),
                _ => Err(spot.refuse(say!(
                    "a ^BX of quality 200 alone is read by today's scanners",
                    "如今的扫码枪只读质量 200 的 ^BX"
                ))),
            }
        }
        other => Err(spot.refuse(say!(
            "values are written into the symbols ^BQ, ^BX and ^BC, and not into ^{other}",
            "值可写入 ^BQ、^BX 和 ^BC，不能写入 ^{other}"
        ))),
    }
}

/// Error correction, automatic mode and a comma.
fn is_qr_prefix(text: &str) -> bool {
    let mut characters = text.chars();
    let level = characters.next().is_some_and(|c| matches!(c, 'H' | 'Q' | 'M' | 'L'));
    level && characters.as_str().starts_with("A,")
}
