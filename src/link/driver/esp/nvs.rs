//! The pages of an NVS partition, version 2.
//!
//! A page of 4096 bytes: its state, its number and a check sum of that, two bits for each of
//! its 126 entries, and the entries of 32 bytes. A text is an entry and its bytes in the
//! entries behind it; a blob is that and an index entry. The public keys fill the first pages,
//! which are marked full; the private key is alone on the last one, which is the active one.

use super::crc;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;

/// Bytes of an entry, and how many a page has.
pub(super) const ENTRY: usize = 32;
pub(super) const ENTRIES: usize = 126;

/// Where the entries begin.
pub(super) const HEAD: usize = 64;

const ACTIVE: [u8; 4] = [0xfe, 0xff, 0xff, 0xff];
const FULL: [u8; 4] = [0xfc, 0xff, 0xff, 0xff];
const BLANK: [u8; 4] = [0xff; 4];

/// The second version of the format.
const VERSION: u8 = 0xfe;

const NUMBER: u8 = 0x01;
pub(super) const TEXT: u8 = 0x21;
pub(super) const BLOB: u8 = 0x42;
const BLOB_INDEX: u8 = 0x48;

/// The one namespace of the partition.
const NAMESPACE: u8 = 1;

/// Bytes of a page with one blob of so many bytes and nothing else.
pub(super) const fn blob_page_length(data: usize) -> usize {
    HEAD + ENTRY * (2 + data.div_ceil(ENTRY))
}

fn head(state: [u8; 4], number: u32, entries: usize, into: &mut [u8]) {
    into[..HEAD].fill(0xff);
    into[..4].copy_from_slice(&state);
    into[4..8].copy_from_slice(&number.to_le_bytes());
    into[8] = VERSION;
    let check = crc::of(&into[4..28]).to_le_bytes();
    into[28..32].copy_from_slice(&check);
    for entry in 0..entries {
        // Two bits, free as 11 and written as 10.
        into[32 + entry / 4] &= !(1 << (entry % 4 * 2));
    }
}

fn entry(kind: u8, span: usize, chunk: u8, name: &str, data: [u8; 8], into: &mut [u8]) {
    let namespace = if kind == NUMBER { 0 } else { NAMESPACE };
    let span = u8::try_from(span).unwrap_or(u8::MAX);
    into[..4].copy_from_slice(&[namespace, kind, span, chunk]);
    into[8..24].fill(0);
    into[8..8 + name.len()].copy_from_slice(name.as_bytes());
    into[24..ENTRY].copy_from_slice(&data);
    let mut digest = crc::Sum::new();
    digest.add(&into[..4]);
    digest.add(&into[8..ENTRY]);
    into[4..8].copy_from_slice(&digest.value().to_le_bytes());
}

/// Length and check sum of bytes that stand in the entries behind.
fn of_bytes(bytes: &[u8]) -> [u8; 8] {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    let check = crc::of(bytes).to_le_bytes();
    [length[0], length[1], 0xff, 0xff, check[0], check[1], check[2], check[3]]
}

fn with_bytes(kind: u8, chunk: u8, name: &str, bytes: &[u8], into: &mut [u8]) {
    let span = 1 + bytes.len().div_ceil(ENTRY);
    let (first, rest) = into.split_at_mut(ENTRY);
    entry(kind, span, chunk, name, of_bytes(bytes), first);
    rest[..(span - 1) * ENTRY].fill(0xff);
    rest[..bytes.len()].copy_from_slice(bytes);
}

fn index(name: &str, bytes: &[u8], into: &mut [u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let data = [length[0], length[1], length[2], length[3], 1, 0, 0xff, 0xff];
    entry(BLOB_INDEX, 1, 0xff, name, data, into);
}

/// A public value under its name.
pub(super) enum Value<'v> {
    /// A text with the zero behind it.
    Text(&'v str, &'v [u8]),
    /// Bytes.
    Blob(&'v str, &'v [u8]),
}

impl Value<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Value::Text(_, bytes) | Value::Blob(_, bytes) => bytes,
        }
    }

    fn span(&self) -> usize {
        let index = usize::from(matches!(self, Value::Blob(..)));
        1 + self.bytes().len().div_ceil(ENTRY) + index
    }

    fn write(&self, into: &mut [u8]) {
        match self {
            Value::Text(name, bytes) => with_bytes(TEXT, 0xff, name, bytes, into),
            Value::Blob(name, bytes) => {
                with_bytes(BLOB, 0, name, bytes, into);
                index(name, bytes, &mut into[(self.span() - 1) * ENTRY..]);
            }
        }
    }
}

/// The pages with the public values. None where one of them fits on no page.
pub(super) fn public_pages(namespace: &str, values: &[Value<'_>]) -> Option<Vec<u8>> {
    let mut pages = Vec::new();
    let mut page = vec![0xff; PAGE];
    entry(
        NUMBER,
        1,
        0xff,
        namespace,
        [NAMESPACE, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &mut page[HEAD..HEAD + ENTRY],
    );
    let (mut used, mut number) = (1, 0);
    for value in values {
        if used + value.span() > ENTRIES {
            head(FULL, number, used, &mut page);
            pages.append(&mut std::mem::replace(&mut page, vec![0xff; PAGE]));
            (used, number) = (0, number + 1);
        }
        let place = page.get_mut(HEAD + used * ENTRY..HEAD + (used + value.span()) * ENTRY)?;
        value.write(place);
        used += value.span();
    }
    head(FULL, number, used, &mut page);
    pages.append(&mut page);
    Some(pages)
}

/// Writes the page with the private key alone to the front of lent memory, up to where only
/// ones follow; its length. `number` is how many pages stand before it.
pub(super) fn write_key_page(
    number: u32,
    name: &str,
    key: &[u8],
    into: &mut [u8],
) -> Option<usize> {
    let length = blob_page_length(key.len());
    let page = into.get_mut(..length)?;
    let entries = (length - HEAD) / ENTRY;
    head(ACTIVE, number, entries, page);
    Value::Blob(name, key).write(&mut page[HEAD..]);
    Some(length)
}

/// What a page's first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageIs {
    Blank,
    Used,
    /// No page of NVS.
    Other,
}

/// What the head of a page says it is.
pub(super) fn page_is(head: &[u8]) -> PageIs {
    match head.first_chunk::<4>() {
        Some(&BLANK) => PageIs::Blank,
        Some(&(ACTIVE | FULL)) if crc::of(&head[4..28]).to_le_bytes() == head[28..32] => {
            PageIs::Used
        }
        _ => PageIs::Other,
    }
}

/// Whether the entry of this number is written, by the page's head.
pub(super) fn is_written(head: &[u8], number: usize) -> bool {
    head.get(32 + number / 4).is_some_and(|byte| byte >> (number % 4 * 2) & 3 == 2)
}

/// An entry that was read: kind, span, name, the length of its bytes and their check sum.
pub(super) struct ReadEntry {
    pub(super) kind: u8,
    pub(super) span: usize,
    pub(super) name: String,
    pub(super) length: usize,
    check: u32,
}

impl ReadEntry {
    /// Reads one; none where its check sum is wrong.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ENTRY] = bytes.first_chunk()?;
        let mut sum = crc::Sum::new();
        sum.add(&bytes[..4]);
        sum.add(&bytes[8..]);
        (sum.value().to_le_bytes() == bytes[4..8]).then_some(())?;
        let name = bytes[8..24].split(|byte| *byte == 0).next().unwrap_or_default();
        Some(Self {
            kind: bytes[1],
            span: usize::from(bytes[2]).max(1),
            name: String::from_utf8(name.to_vec()).ok()?,
            length: usize::from(u16::from_le_bytes([bytes[24], bytes[25]])),
            check: u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]),
        })
    }

    /// Whether these are its bytes.
    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        crc::of(bytes) == self.check
    }
}
