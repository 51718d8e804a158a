//! Finds the identity in a chip's partitions, as its application does: in the TLV entries of
//! `esp_secure_cert`, or in the keys of an NVS namespace.
//!
//! Written from the formats' own descriptions, and not from what the station writes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::factory::{FACTORY_NVS, SECURE_CERT, read_table};

/// Check sum of both formats: ESP-IDF's CRC-32 with a start value of all ones, which leaves
/// the register at zero.
const CRC32: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    init: 0,
    refin: true,
    refout: true,
    xorout: 0xffff_ffff,
    check: 0xd202_d277,
    residue: 0xdebb_20e3,
});

fn check(bytes: &[u8]) -> u32 {
    CRC32.checksum(bytes)
}

/// What an application finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stored {
    pub(super) key: [u8; 32],
    /// The client certificate, DER.
    pub(super) certificate: Vec<u8>,
    /// What stands above it, DER.
    pub(super) chain: Vec<u8>,
    /// What the broker's certificate chains to, DER.
    pub(super) roots: Vec<u8>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) client_id: String,
    /// The oldest and the newest TLS version: 0x12, 0x13.
    pub(super) tls: [u8; 2],
}

/// The identity in this flash, where there is a whole one.
pub(super) fn find(cells: &[u8]) -> Option<Stored> {
    read_table(cells).iter().find_map(|part| {
        let from = part.at as usize;
        let bytes = cells.get(from..from + part.length as usize)?;
        match part.name.as_str() {
            SECURE_CERT => stored(&|kind| tlv(bytes, kind)),
            FACTORY_NVS => stored(&|kind| nvs(bytes, kind)),
            _ => None,
        }
    })
}

/// One of an identity's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Roots,
    Certificate,
    Key,
    Uri,
    ClientId,
    Record,
}

fn stored(entry: &dyn Fn(Entry) -> Option<Vec<u8>>) -> Option<Stored> {
    let mut certificates = certificates(&entry(Entry::Certificate)?)?;
    let certificate = (!certificates.is_empty()).then(|| certificates.remove(0))?;
    let uri = text(entry(Entry::Uri)?)?;
    let (host, port) = uri.strip_prefix("mqtts://")?.rsplit_once(':')?;
    let record = entry(Entry::Record)?;
    Some(Stored {
        key: scalar(&entry(Entry::Key)?)?,
        certificate,
        chain: certificates.concat(),
        roots: self::certificates(&entry(Entry::Roots)?)?.concat(),
        host: host.to_owned(),
        port: port.parse().ok()?,
        client_id: text(entry(Entry::ClientId)?)?,
        tls: [*record.get(1)?, *record.get(2)?],
    })
}

/// A text and the zero behind it.
fn text(mut bytes: Vec<u8>) -> Option<String> {
    (bytes.pop() == Some(0)).then_some(())?;
    String::from_utf8(bytes).ok()
}

fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = text(pem.to_vec())?;
    let bodies = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    bodies
        .map(|body| {
            let (body, _) = body.split_once("-----END CERTIFICATE-----")?;
            let plain: String = body.split_whitespace().collect();
            STANDARD.decode(plain).ok()
        })
        .collect()
}

/// The scalar of an ECPrivateKey, DER.
fn scalar(der: &[u8]) -> Option<[u8; 32]> {
    match der {
        [0x30, _, 0x02, 0x01, 0x01, 0x04, 0x20, rest @ ..] => rest.first_chunk().copied(),
        _ => None,
    }
}

const MAGIC: u32 = 0xba5e_ba11;

/// The last TLV entry of a type; none where there is none, or its check sum is wrong.
fn tlv(bytes: &[u8], entry: Entry) -> Option<Vec<u8>> {
    let wanted = match entry {
        Entry::Roots => 0,
        Entry::Certificate => 1,
        Entry::Key => 2,
        Entry::Uri => 51,
        Entry::ClientId => 52,
        Entry::Record => 53,
    };
    let (mut at, mut found) = (0, None);
    while let Some(head) = bytes.get(at..at + 12) {
        if u32::from_le_bytes([head[0], head[1], head[2], head[3]]) != MAGIC {
            break;
        }
        let length = usize::from(u16::from_le_bytes([head[10], head[11]]));
        let padded = length.next_multiple_of(16);
        let whole = bytes.get(at..at + 12 + padded + 4)?;
        if head[8] == wanted {
            let (checked, sum) = whole.split_at(12 + padded);
            let right = check(checked).to_le_bytes() == *sum;
            found = right.then(|| checked[12..12 + length].to_vec());
        }
        at += whole.len();
    }
    found
}

/// One TLV entry.
pub(super) fn entry(kind: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes();
    let mut bytes = MAGIC.to_le_bytes().to_vec();
    bytes.extend([0, 0, 0, 0, kind, 0, length[0], length[1]]);
    bytes.extend(data);
    bytes.resize(12 + data.len().next_multiple_of(16), 0);
    let sum = check(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

const PAGE: usize = 4096;
const NVS_ENTRY: usize = 32;

/// A value under one of the names, in the one namespace that there is.
fn nvs(bytes: &[u8], entry: Entry) -> Option<Vec<u8>> {
    let name = match entry {
        Entry::Roots => "ca_cert",
        Entry::Certificate => "client_cert",
        Entry::Key => "client_key",
        Entry::Uri => "mqtt_uri",
        Entry::ClientId => "client_id",
        Entry::Record => "record",
    };
    let mut found = None;
    for page in bytes.as_chunks::<PAGE>().0 {
        if page[..4] == [0xff; 4] || check(&page[4..28]).to_le_bytes() != page[28..32] {
            continue;
        }
        found = in_page(page, name).or(found);
    }
    found
}

fn in_page(page: &[u8; PAGE], name: &str) -> Option<Vec<u8>> {
    let mut index = 0;
    while index < 126 {
        let at = 64 + index * NVS_ENTRY;
        let entry = &page[at..at + NVS_ENTRY];
        let state = page[32 + index / 4] >> (index % 4 * 2) & 3;
        let span = usize::from(entry[2]).clamp(1, 126);
        if state != 2 {
            index += 1;
            continue;
        }
        let own: Vec<u8> = entry[8..24].iter().copied().take_while(|byte| *byte != 0).collect();
        let checked = [&entry[..4], &entry[8..]].concat();
        let sound = check(&checked).to_le_bytes() == entry[4..8];
        if sound && own == name.as_bytes() && matches!(entry[1], 0x21 | 0x42) {
            let length = usize::from(u16::from_le_bytes([entry[24], entry[25]]));
            let value = page.get(at + NVS_ENTRY..at + NVS_ENTRY + length)?;
            return (check(value).to_le_bytes() == entry[28..32]).then(|| value.to_vec());
        }
        index += span;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_the_makers_own_tool_wrote_is_read() {
        let mut bytes = vec![0x11, 0xba, 0x5e, 0xba, 0, 0, 0, 0, 1, 0, 3, 0, 1, 1, 1];
        bytes.extend([0; 13]);
        bytes.extend([0x38, 0xf2, 0x58, 0x7e]);
        bytes.resize(64, 0xff);
        assert_eq!(tlv(&bytes, Entry::Certificate), Some(vec![1, 1, 1]));
        bytes[14] = 2;
        assert_eq!(tlv(&bytes, Entry::Certificate), None);
    }
}
