//! The entries of an `esp_secure_cert` partition.
//!
//! `esp_secure_cert_mgr/docs/format.md`: a header of 12 bytes (magic, flags, three zeros, type,
//! subtype, length), the data, zeros up to 16, and a check sum. The reader goes from entry to
//! entry and ends at the first word that is not the magic; the last entry of a type counts.
//! Texts carry the zero behind them that mbedTLS wants.

use super::crc;

const MAGIC: [u8; 4] = [0x11, 0xba, 0x5e, 0xba];

const HEADER: usize = 12;
const CHECK: usize = 4;

/// Data is padded to a multiple of this, and so all entries are.
const ALIGN: usize = 16;

/// The types that an identity is made of. Those from 51 to 55 are the user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the broker's certificate must chain to.
    Ca = 0,
    /// The client certificate and what stands above it.
    Certificate = 1,
    /// The private key.
    Key = 2,
    /// Where to connect.
    Uri = 51,
    /// The MQTT client id.
    ClientId = 52,
    /// The station's own record of the whole.
    Record = 53,
    /// Ones, up to the sector in which the key is.
    Filler = 55,
}

impl Kind {
    const ALL: [Kind; 7] = [
        Kind::Ca,
        Kind::Certificate,
        Kind::Key,
        Kind::Uri,
        Kind::ClientId,
        Kind::Record,
        Kind::Filler,
    ];

    fn of(number: u8) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// Bytes of an entry with so many bytes of data.
pub(super) const fn length_of(data: usize) -> usize {
    HEADER + data.next_multiple_of(ALIGN) + CHECK
}

/// Writes an entry to the front of `into`; its length. None where it does not fit.
pub(super) fn write(kind: Kind, data: &[u8], into: &mut [u8]) -> Option<usize> {
    let whole = into.get_mut(..length_of(data.len()))?;
    let length = u16::try_from(data.len()).ok()?;
    whole.fill(0);
    whole[..4].copy_from_slice(&MAGIC);
    whole[8] = kind as u8;
    whole[10..HEADER].copy_from_slice(&length.to_le_bytes());
    whole[HEADER..HEADER + data.len()].copy_from_slice(data);
    let (checked, check) = whole.split_at_mut(length_of(data.len()) - CHECK);
    check.copy_from_slice(&crc::of(checked).to_le_bytes());
    Some(whole.len())
}

/// Adds an entry.
pub(super) fn push(kind: Kind, data: &[u8], to: &mut Vec<u8>) -> Option<()> {
    let before = to.len();
    to.resize(before + length_of(data.len()), 0);
    write(kind, data, &mut to[before..]).map(drop)
}

/// Fills up to a multiple of `sector` with one entry of ones.
pub(super) fn fill(to: &mut Vec<u8>, sector: usize) -> Option<()> {
    match to.len().next_multiple_of(sector) - to.len() {
        0 => Some(()),
        gap => push(Kind::Filler, &vec![0xff; gap - HEADER - CHECK], to),
    }
}

/// An entry that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it begins in the partition.
    pub(super) at: usize,
    /// What it is; none for a type that no identity of the station has.
    pub(super) kind: Option<Kind>,
    /// Its data; none where its check sum is wrong.
    pub(super) data: Option<Vec<u8>>,
    /// The length of its data.
    pub(super) length: usize,
}

/// The header of an entry: its type and the length of its data.
pub(super) fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let header = bytes.get(..HEADER)?;
    let is_entry = header[..4] == MAGIC;
    is_entry.then(|| (header[8], usize::from(u16::from_le_bytes([header[10], header[11]]))))
}

/// Reads an entry, whole, from the front of `bytes`.
pub(super) fn read(at: usize, bytes: &[u8]) -> Option<Entry> {
    let (kind, length) = header(bytes)?;
    let whole = bytes.get(..length_of(length))?;
    let (checked, check) = whole.split_at(whole.len() - CHECK);
    let is_right = crc::of(checked).to_le_bytes() == *check && checked[4..8] == [0; 4];
    let data = is_right.then(|| checked[HEADER..HEADER + length].to_vec());
    Some(Entry { at, kind: Kind::of(kind), data, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `esp-secure-cert-tool` 2.6.1 writes for the three bytes 01 01 01 as type 1.
    const VECTOR: [u8; 32] = [
        0x11, 0xba, 0x5e, 0xba, 0, 0, 0, 0, 1, 0, 3, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0x38, 0xf2, 0x58, 0x7e,
    ];

    #[test]
    fn an_entry_is_the_makers_bytes() {
        let mut bytes = Vec::new();
        push(Kind::Certificate, &[1, 1, 1], &mut bytes).unwrap();
        assert_eq!(bytes, VECTOR);
        let read = read(0, &VECTOR).unwrap();
        assert_eq!((read.kind, read.data), (Some(Kind::Certificate), Some(vec![1, 1, 1])));
    }

    #[test]
    fn a_byte_that_is_wrong_anywhere_is_seen() {
        for at in 0..VECTOR.len() {
            let mut bytes = VECTOR;
            bytes[at] ^= 1;
            assert!(read(0, &bytes).is_none_or(|entry| entry.data.is_none()), "byte {at}");
        }
    }

    #[test]
    fn a_gap_is_filled_to_the_byte() {
        for count in 1..300 {
            let mut bytes = Vec::new();
            push(Kind::Uri, &vec![7; count], &mut bytes).unwrap();
            fill(&mut bytes, 256).unwrap();
            assert_eq!(bytes.len() % 256, 0);
            let first = read(0, &bytes).unwrap();
            let next = length_of(first.length);
            assert!(next == bytes.len() || read(next, &bytes[next..]).unwrap().data.is_some());
        }
    }
}
