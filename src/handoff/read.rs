//! A file that comes back: a manifest, the zip that holds one, or a table that an
//! administrator kept.

use std::io;
use std::path::Path;

use zip::ZipArchive;

use crate::domain::cause::{Told, cause};
use crate::domain::ids::{CertificateSn, IdError};
use crate::domain::list;
use crate::domain::say::Say;

use super::claim::Claim;
use super::error::HandoffError;
use super::export::MANIFEST;
use super::manifest::VERSION;
use super::returned::{COLUMNS, FINGERPRINT, Returned, Row};
use crate::domain::bounds;
use crate::say;

/// One row of a file: its number, and what it claims or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its row in a table, below that of the names; its place in a manifest, from 1.
    pub place: u64,
    /// What it claims.
    pub claim: Result<Claim, Say>,
}

/// Reads what a returned file claims.
pub fn read_claims(path: &Path) -> Result<Vec<Read>, HandoffError> {
    let bytes =
        read(path).map_err(|source| HandoffError::Read { path: path.to_owned(), source })?;
    let text = list::decode(&bytes).map_err(|error| error.sentence());
    let claims = text.and_then(|text| claims_in::<{ bounds::ROWS }>(&text));
    claims.map_err(|why| HandoffError::Form { path: path.to_owned(), why })
}

/// What a text claims, in at most so many rows.
pub(super) fn claims_in<const MOST: usize>(text: &str) -> Result<Vec<Read>, Say> {
    match text.trim_start().starts_with('{') {
        true => of_json::<MOST>(text),
        false => of_table::<MOST>(text),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = bounds::read_file(path, bounds::HAND_BACK)?;
    if !bytes.starts_with(b"PK") {
        return Ok(bytes);
    }
    let mut zip = ZipArchive::new(io::Cursor::new(bytes))?;
    // What an archive promises of a file's length need not be true.
    bounds::read_whole(zip.by_name(MANIFEST)?, bounds::HAND_BACK)
}

fn of_json<const MOST: usize>(text: &str) -> Result<Vec<Read>, Say> {
    let rows = match serde_json::from_str::<Returned<'_, MOST>>(text) {
        Ok(Returned { manifest: VERSION, certificates }) => certificates.0,
        Ok(Returned { manifest, .. }) => {
            return Err(say!("its form {manifest} is not known", "它的格式 {manifest} 不认识"));
        }
        // Not one object but one a line, as an export has it.
        Err(_) => {
            let rows = text.lines().filter(|line| !line.trim().is_empty());
            rows.take(MOST + 1).collect()
        }
    };
    refuse_too_many::<MOST>(rows.len())?;
    Ok((1..).zip(rows).map(|(place, row)| Read { place, claim: of_object(row) }).collect())
}

fn of_object(text: &str) -> Result<Claim, Say> {
    let row: Row<'_> = serde_json::from_str(text).map_err(|error| cause(&error))?;
    let texts = row.texts();
    let cell = |wanted: &str| {
        let column = COLUMNS.iter().position(|name| *name == wanted)?;
        texts[column].as_deref()
    };
    of_fields(&cell)
}

fn refuse_too_many<const MOST: usize>(rows: usize) -> Result<(), Say> {
    match rows > MOST {
        true => Err(say!(
            "it has more than {MOST} rows; hand it back in parts",
            "它超过 {MOST} 行，请分几部分交回"
        )),
        false => Ok(()),
    }
}

fn of_table<const MOST: usize>(text: &str) -> Result<Vec<Read>, Say> {
    let first = text.lines().next().unwrap_or_default();
    if first.chars().nth(bounds::NAMES).is_some() {
        return Err(say!(
            "its first line has more than {} characters",
            "第一行超过 {} 个字符",
            bounds::NAMES
        ));
    }
    // Spreadsheets write commas, in some countries semicolons, and tabs where they are asked
    // for text.
    let count = |delimiter: &char| first.matches(*delimiter).count();
    let delimiter = ['\t', ';', ','].into_iter().max_by_key(count).unwrap_or(',');
    let mut table = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(delimiter).unwrap_or(b','))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let names: Vec<String> = table
        .headers()
        .map_err(|error| cause(&error))?
        .iter()
        .map(|name| name.to_lowercase().replace([' ', '-'], "_"))
        .collect();
    if !FINGERPRINT.iter().any(|name| names.iter().any(|known| known == name)) {
        return Err(say!(
            "its first line names no column fingerprint_sha256",
            "第一行没有 fingerprint_sha256 这一列"
        ));
    }
    let column = |wanted: &str| names.iter().rposition(|name| name == wanted);
    let columns: Vec<(&str, usize)> =
        COLUMNS.iter().filter_map(|name| Some((*name, column(name)?))).collect();
    let mut claims = Vec::new();
    // As a spreadsheet counts: the names stand in row 1.
    let mut place = 1;
    let mut record = csv::StringRecord::new();
    while table.read_record(&mut record).map_err(|error| cause(&error))? {
        place += 1;
        if record.iter().all(list::is_empty_row) {
            continue;
        }
        refuse_too_many::<MOST>(claims.len() + 1)?;
        let cell = |wanted: &str| {
            let (_, column) = columns.iter().find(|(name, _)| *name == wanted)?;
            record.get(*column)
        };
        claims.push(Read { place, claim: of_fields(&cell) });
    }
    Ok(claims)
}

/// What a row claims, by what stands under a name.
fn of_fields<'a>(cell: &dyn Fn(&str) -> Option<&'a str>) -> Result<Claim, Say> {
    let is_long = |name: &&&str| cell(name).is_some_and(|c| c.chars().nth(bounds::CELL).is_some());
    if let Some(name) = COLUMNS.iter().find(is_long) {
        return Err(say!(
            "{name} has more than {} characters",
            "{name} 超过 {} 个字符",
            bounds::CELL
        ));
    }
    let text = |name: &str| cell(name).filter(|text| !text.is_empty());
    let fingerprint = FINGERPRINT.iter().find_map(|name| text(name));
    let fingerprint = fingerprint.ok_or_else(|| say!("no fingerprint", "没有指纹"))?;
    let sn = text("certificate_sn").map(|text| {
        let parsed = number(text).parse::<CertificateSn>();
        parsed
            .map_err(|error| Say::same(format!("certificate_sn {text:?}")).then(&error.sentence()))
    });
    Ok(Claim {
        fingerprint: hex(fingerprint).parse().map_err(|error: IdError| {
            say!("fingerprint {fingerprint:?}", "指纹 {fingerprint:?}").then(&error.sentence())
        })?,
        certificate_sn: sn.transpose()?,
        serial: text("serial").map(str::to_owned),
        client_id: text("client_id").map(str::to_owned),
    })
}

/// Digits of a certificate's serial number.
const NUMBER: usize = 32;

/// A certificate's serial number as others write it: as DER has it, with zeros before it.
fn number(text: &str) -> String {
    let digits = hex(text);
    let more = digits.len().saturating_sub(NUMBER);
    match digits.is_char_boundary(more) && digits[..more].bytes().all(|digit| digit == b'0') {
        true => digits[more..].to_owned(),
        false => digits,
    }
}

/// Hexadecimal as OpenSSL and others write it: with colons, in capitals.
fn hex(text: &str) -> String {
    let text = text.to_lowercase().replace([':', ' '], "");
    text.strip_prefix("0x").map_or(text.clone(), str::to_owned)
}
