//! What is in a chip's flash when it comes to the line: a bootloader, a partition table and
//! something in each partition but the one for the identity.

use md5::{Digest, Md5};

use super::super::dice::Dice;

/// Where the table lies that says what lies where.
pub(super) const TABLE_AT: usize = 0x8000;

/// Bytes of the table, and of one entry.
pub(super) const TABLE_LENGTH: usize = 0xc00;
const ENTRY: usize = 32;

/// The partition that the identity goes into by itself.
pub(super) const SECURE_CERT: &str = "esp_secure_cert";

/// The one for an identity in NVS form.
pub(super) const FACTORY_NVS: &str = "fctry";

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) kind: u8,
    pub(super) subtype: u8,
    pub(super) at: u32,
    pub(super) length: u32,
    pub(super) name: String,
}

/// How the table of a chip is unlike the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Table {
    #[default]
    Usual,
    /// There is none.
    Missing,
    /// It lacks the partitions for an identity.
    Without,
    /// The partitions for an identity have this many bytes.
    Short(u32),
    /// The partition for an identity lies in the place of another one.
    Moved,
}

fn partitions(table: Table) -> Vec<Partition> {
    let part = |kind, subtype, at, length, name: &str| Partition {
        kind,
        subtype,
        at,
        length,
        name: name.to_owned(),
    };
    let short = match table {
        Table::Short(length) => Some(length),
        _ => None,
    };
    let certificates = if table == Table::Moved { 0xf000 } else { 0xd000 };
    let otadata = if table == Table::Moved { 0xd000 } else { 0xf000 };
    let mut all = vec![
        part(0x01, 0x02, 0x9000, 0x4000, "nvs"),
        part(0x3f, 0x00, certificates, short.unwrap_or(0x2000), SECURE_CERT),
        part(0x01, 0x00, otadata, 0x2000, "otadata"),
        part(0x01, 0x01, 0x11000, 0x1000, "phy_init"),
        part(0x01, 0x02, 0x12000, short.unwrap_or(0x6000), FACTORY_NVS),
        part(0x00, 0x10, 0x20000, 0x30000, "ota_0"),
    ];
    if table == Table::Without {
        all.retain(|part| part.name != SECURE_CERT && part.name != FACTORY_NVS);
    }
    all
}

fn table_bytes(table: Table) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in partitions(table) {
        bytes.extend([0xaa, 0x50, part.kind, part.subtype]);
        bytes.extend(part.at.to_le_bytes());
        bytes.extend(part.length.to_le_bytes());
        let mut name = [0; 16];
        name[..part.name.len()].copy_from_slice(part.name.as_bytes());
        bytes.extend(name);
        bytes.extend(0_u32.to_le_bytes());
    }
    let digest = Md5::digest(&bytes);
    bytes.extend([0xeb, 0xeb]);
    bytes.extend([0xff; 14]);
    bytes.extend(digest);
    bytes.resize(TABLE_LENGTH, 0xff);
    bytes
}

/// What the partitions of a flash are called and where they lie, as its own table says.
pub(super) fn read_table(cells: &[u8]) -> Vec<Partition> {
    let table = cells.get(TABLE_AT..TABLE_AT + TABLE_LENGTH).unwrap_or_default();
    let entries = table.as_chunks::<ENTRY>().0.iter();
    entries.take_while(|entry| entry[..2] == [0xaa, 0x50]).map(read_entry).collect()
}

fn read_entry(entry: &[u8; ENTRY]) -> Partition {
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| entry[at + byte]));
    let name: Vec<u8> = entry[12..28].iter().copied().take_while(|byte| *byte != 0).collect();
    Partition {
        kind: entry[2],
        subtype: entry[3],
        at: word(4),
        length: word(8),
        name: String::from_utf8_lossy(&name).into_owned(),
    }
}

/// The contents of a new chip of so many bytes. Where its flash is encrypted, nobody without
/// its key makes sense of any of them.
pub(super) fn contents(length: usize, table: Table, encrypted: bool, mut dice: Dice) -> Vec<u8> {
    let mut cells = vec![0xff; length];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = cells.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    let mut some = |length: usize| {
        let mut bytes = vec![0; length];
        dice.fill(&mut bytes);
        bytes
    };
    put(0, &some(0x5000));
    put(0, &[0xe9]);
    for part in partitions(table) {
        let is_ours = part.name == SECURE_CERT || part.name == FACTORY_NVS;
        if !is_ours {
            put(part.at as usize, &some(part.length.min(0x4000) as usize));
        }
    }
    match (encrypted, table) {
        (true, _) => put(TABLE_AT, &some(TABLE_LENGTH)),
        (false, Table::Missing) => {}
        (false, table) => put(TABLE_AT, &table_bytes(table)),
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_new_chip_is_read_back() {
        let cells = contents(0x40000, Table::Usual, false, Dice::new(1, "flash"));
        assert_eq!(read_table(&cells), partitions(Table::Usual));
        let cells = contents(0x40000, Table::Usual, true, Dice::new(1, "flash"));
        assert_eq!(read_table(&cells), []);
    }
}
