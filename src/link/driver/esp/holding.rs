//! What is in the partition now: its public entries, read through the loader. A key's bytes are
//! passed over; whether they are as they were, the chip's own digest says.

use sha2::{Digest, Sha256};

use super::loader::{Loader, SECTOR};
use super::nvs::{self, PageIs, ReadEntry};
use super::parts::{Record, first_certificate};
use super::table::Place;
use super::tlv;
use crate::domain::device::Held;
use crate::domain::esp::{EspEntry, EspForm, EspPlace};
use crate::domain::ids::{Fingerprint, ImageDigest};
use crate::error::{ChipRefusal, LinkError};

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// Every entry, also a key's, of which only the place is known.
    pub(super) entries: Vec<EspEntry>,
    /// The first client certificate, DER.
    pub(super) certificate: Option<Vec<u8>>,
    record: Option<Record>,
    /// SHA-256 over all that was read.
    read: Sha256,
    /// Something is there that no identity of the station has.
    foreign: bool,
}

impl Found {
    fn note(&mut self, at: u32, name: &str, data: &[u8]) {
        self.read.update(data);
        let text =
            std::str::from_utf8(data).ok().map(|text| text.trim_end_matches('\0').to_owned());
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.entries.push(EspEntry { at, name: name.to_owned(), length, text });
    }

    fn pass_over(&mut self, at: u32, name: &str, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.entries.push(EspEntry { at, name: name.to_owned(), length, text: None });
    }
}

/// Reads what is there.
pub(super) fn read(
    loader: &mut Loader,
    place: Place,
    wanted: &EspPlace,
) -> Result<Found, LinkError> {
    let mut found = Found::default();
    match wanted.form {
        EspForm::Tlv => read_tlv(loader, place, &mut found)?,
        EspForm::Nvs => read_nvs(loader, place, wanted, &mut found)?,
    }
    if found.foreign {
        let partition = wanted.partition.clone();
        return Err(ChipRefusal::InUse { partition }.into());
    }
    Ok(found)
}

/// The identity that was found, as devices describe theirs. One that is not whole is none;
/// one that is not as its record says is named by what was read.
pub(super) fn held(
    loader: &mut Loader,
    place: Place,
    found: &Found,
) -> Result<Option<Held>, LinkError> {
    let Some(certificate) = &found.certificate else { return Ok(None) };
    let certificate = Fingerprint::new(Sha256::digest(certificate).into());
    let other = ImageDigest::new(found.read.clone().finalize().into());
    let Some(record) = found.record else {
        return Ok(Some(Held { certificate, image: other }));
    };
    let inside = record.key_at.is_multiple_of(SECTOR) && record.key_at < place.size;
    let as_it_was = inside && {
        let digest = loader.digest(place.at + record.key_at, place.size - record.key_at)?;
        digest == record.key_digest
    };
    let image = if as_it_was { record.image } else { other };
    Ok(Some(Held { certificate, image }))
}

fn read_tlv(loader: &mut Loader, place: Place, found: &mut Found) -> Result<(), LinkError> {
    let mut at = 0;
    while at + 64 <= place.size {
        let head = loader.read(place.at + at, 64)?;
        let Some((kind, length)) = tlv::header(&head) else {
            found.foreign = at == 0 && head[..4] != [0xff; 4];
            return Ok(());
        };
        let whole = u32::try_from(tlv::length_of(length)).unwrap_or(u32::MAX);
        if kind == tlv::Kind::Key as u8 || kind == tlv::Kind::Filler as u8 {
            let name = if kind == tlv::Kind::Filler as u8 { "filler" } else { "private key" };
            found.pass_over(place.at + at, name, length);
        } else if at + whole <= place.size {
            let mut bytes = head;
            if bytes.len() < whole as usize {
                let rest = whole - 64;
                bytes.extend(loader.read(place.at + at + 64, rest)?);
            }
            let Some(entry) = tlv::read(at as usize, &bytes[..whole as usize]) else {
                return Ok(());
            };
            take_entry(place, entry, kind, found);
        }
        at += whole;
    }
    Ok(())
}

fn take_entry(place: Place, entry: tlv::Entry, kind: u8, found: &mut Found) {
    let at = place.at + u32::try_from(entry.at).unwrap_or(u32::MAX);
    let Some(data) = entry.data else {
        // Half of one that was cut is nobody's; a reader finds no such entry either.
        return found.pass_over(at, "damaged entry", entry.length);
    };
    let name = match entry.kind {
        Some(tlv::Kind::Ca) => "CA certificate",
        Some(tlv::Kind::Certificate) => {
            found.certificate = first_certificate(&data);
            "client certificate"
        }
        Some(tlv::Kind::Uri) => "address",
        Some(tlv::Kind::ClientId) => "client id",
        Some(tlv::Kind::Record) => {
            found.record = Record::read(&data);
            "record"
        }
        Some(tlv::Kind::Key | tlv::Kind::Filler) => "private key",
        None => {
            found.foreign = true;
            return found.pass_over(at, &format!("entry of type {kind}"), data.len());
        }
    };
    found.note(at, name, &data);
}

fn read_nvs(
    loader: &mut Loader,
    place: Place,
    wanted: &EspPlace,
    found: &mut Found,
) -> Result<(), LinkError> {
    let pages = place.size / nvs::PAGE as u32;
    for page in 0..pages {
        let at = place.at + page * nvs::PAGE as u32;
        let head = loader.read(at, nvs::HEAD as u32)?;
        match nvs::page_is(&head) {
            PageIs::Blank if page == 0 => return Ok(()),
            PageIs::Blank => {}
            PageIs::Used => read_page(loader, at, &head, wanted, found)?,
            // Only the first page tells what the partition is for; others may be cut.
            PageIs::Other => {
                found.foreign |= page == 0
                    && head[..4] != [0xfe, 0xff, 0xff, 0xff]
                    && head[..4] != [0xfc, 0xff, 0xff, 0xff]
            }
        }
    }
    Ok(())
}

fn read_page(
    loader: &mut Loader,
    page: u32,
    head: &[u8],
    wanted: &EspPlace,
    found: &mut Found,
) -> Result<(), LinkError> {
    let mut number = 0;
    while number < nvs::ENTRIES {
        if !nvs::is_written(head, number) {
            return Ok(());
        }
        let at = page + (nvs::HEAD + number * nvs::ENTRY) as u32;
        let Some(entry) = ReadEntry::read(&loader.read(at, nvs::ENTRY as u32)?) else {
            found.pass_over(at, "damaged entry", 0);
            number += 1;
            continue;
        };
        number += entry.span;
        take_nvs(loader, at, &entry, wanted, found)?;
    }
    Ok(())
}

fn take_nvs(
    loader: &mut Loader,
    at: u32,
    entry: &ReadEntry,
    wanted: &EspPlace,
    found: &mut Found,
) -> Result<(), LinkError> {
    let (keys, name) = (&wanted.keys, entry.name.as_str());
    let is_public = match entry.kind {
        nvs::TEXT => name != keys.key,
        nvs::BLOB => name == keys.record,
        _ => return Ok(()),
    };
    let is_ours = keys.all().contains(&name);
    found.foreign |= !is_ours;
    if !is_public || !is_ours {
        found.pass_over(at, name, entry.length);
        return Ok(());
    }
    let data = loader.read(at + nvs::ENTRY as u32, u32::try_from(entry.length).unwrap_or(0))?;
    if !entry.is_of(&data) {
        found.pass_over(at, "damaged entry", entry.length);
        return Ok(());
    }
    if name == keys.certificate {
        found.certificate = first_certificate(&data);
    } else if name == keys.record {
        found.record = Record::read(&data);
    }
    found.note(at, name, &data);
    Ok(())
}
