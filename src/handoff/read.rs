//! A file that comes back: a manifest, the zip that holds one, or a table that an
//! administrator kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::Value;
use zip::ZipArchive;

use crate::domain::cause::{Told, cause};
use crate::domain::ids::{CertificateSn, IdError};
use crate::domain::list;
use crate::domain::say::Say;

use super::claim::Claim;
use super::error::HandoffError;
use super::export::MANIFEST;
use super::manifest::{Returned, VERSION};
use crate::domain::bounds;
use crate::say;

/// The names under which a table may have a certificate's fingerprint.
const FINGERPRINT: [&str; 3] = ["fingerprint_sha256", "fingerprint", "sha256_fingerprint"];

/// What is read of a row.
const COLUMNS: [&str; 6] =
    [FINGERPRINT[0], FINGERPRINT[1], FINGERPRINT[2], "certificate_sn", "serial", "client_id"];

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
    let claims = text.and_then(|text| match text.trim_start().starts_with('{') {
        true => of_json(&text),
        false => of_table(&text),
    });
    claims.map_err(|why| HandoffError::Form { path: path.to_owned(), why })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = bounds::read_whole(File::open(path)?, bounds::HAND_BACK)?;
    if !bytes.starts_with(b"PK") {
        return Ok(bytes);
    }
    let mut zip = ZipArchive::new(io::Cursor::new(bytes))?;
    // What an archive promises of a file's length need not be true.
    bounds::read_whole(zip.by_name(MANIFEST)?, bounds::HAND_BACK)
}

fn of_json(text: &str) -> Result<Vec<Read>, Say> {
    let values = match serde_json::from_str::<Returned>(text) {
        Ok(Returned { manifest: VERSION, certificates }) => {
            certificates.into_iter().map(Ok).collect()
        }
        Ok(Returned { manifest, .. }) => {
            return Err(say!("its form {manifest} is not known", "它的格式 {manifest} 不认识"));
        }
        // Not one object but one a line, as an export has it.
        Err(_) => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).map_err(|error| cause(&error)))
            .collect::<Vec<Result<Value, Say>>>(),
    };
    let claims =
        values.into_iter().map(|value| value.and_then(|value| of_fields(&strings(&value))));
    Ok((1..).zip(claims).map(|(place, claim)| Read { place, claim }).collect())
}

/// The texts of an object by their names.
fn strings(value: &Value) -> BTreeMap<String, String> {
    let fields = value.as_object().into_iter().flatten();
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    fields.filter_map(text).collect()
}

fn of_table(text: &str) -> Result<Vec<Read>, Say> {
    let first = text.lines().next().unwrap_or_default();
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
    let mut claims = Vec::new();
    // As a spreadsheet counts: the names stand in row 1.
    for (place, record) in (2..).zip(table.records()) {
        let record = record.map_err(|error| cause(&error))?;
        if record.iter().all(list::is_empty_row) {
            continue;
        }
        let fields = names.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        claims.push(Read { place, claim: of_fields(&fields) });
    }
    Ok(claims)
}

fn of_fields(fields: &BTreeMap<String, String>) -> Result<Claim, Say> {
    let long = fields.iter().find(|(_, text)| text.chars().nth(bounds::CELL).is_some());
    if let Some((name, _)) = long.filter(|(name, _)| COLUMNS.contains(&name.as_str())) {
        return Err(say!(
            "{name} has more than {} characters",
            "{name} 超过 {} 个字符",
            bounds::CELL
        ));
    }
    let text = |name: &str| fields.get(name).filter(|text| !text.is_empty());
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
        serial: text("serial").cloned(),
        client_id: text("client_id").cloned(),
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
