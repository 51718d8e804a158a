//! What a unit's cycle needs of its line and of its chip, read from what crossed the line.

use std::time::Duration;

use firmware_interface::codec;
use firmware_interface::ids::RequestType;

use crate::relay::Piece;

/// What a chip is told to work with, and what the time of each is.
pub(crate) const ERASE: Duration = Duration::from_millis(45);
pub(crate) const PAGE: Duration = Duration::from_micros(600);
pub(crate) const BOOT: Duration = Duration::from_millis(300);

/// The requests that are looked at.
const FLASH_BEGIN: u8 = 0x02;
const FLASH_DATA: u8 = 0x03;
const SYNC: u8 = 0x08;

/// Flash is erased by sectors and written by pages.
const SECTOR: u32 = 4096;
const PAGE_BYTES: usize = 256;

/// What begins and ends a packet of the loader.
const END: u8 = 0xc0;

/// What one cycle needs at least.
pub(crate) struct Needs {
    /// Bytes to the chip.
    pub(crate) to_chip: usize,
    /// Bytes from it.
    pub(crate) from_chip: usize,
    /// How long all of them take, one behind the other, each at the rate of its moment.
    pub(crate) line: Duration,
    /// Sectors that were erased.
    pub(crate) sectors: u32,
    /// Pages that were written.
    pub(crate) pages: u32,
}

impl Needs {
    /// How long the chip works: erasing, writing, and starting its application once.
    pub(crate) fn chip(&self) -> Duration {
        ERASE * self.sectors + PAGE * self.pages + BOOT
    }

    /// Line and chip, one behind the other.
    pub(crate) fn time(&self) -> Duration {
        self.line + self.chip()
    }
}

/// A byte that crossed.
#[derive(Clone, Copy)]
struct Crossed {
    to_chip: bool,
    baud: u32,
    byte: u8,
}

/// From the unit's own first SYNC to the answer to its last PROVE.
pub(crate) fn of(pieces: &[Piece]) -> Needs {
    let crossed = |piece: &Piece| {
        let Piece { to_chip, baud, .. } = *piece;
        piece.bytes.clone().into_iter().map(move |byte| Crossed { to_chip, baud, byte })
    };
    let line: Vec<Crossed> = pieces.iter().flat_map(crossed).collect();
    let packets = packets(&line);
    let first_write = packets.iter().position(|(_, packet)| packet[1] == FLASH_BEGIN).unwrap();
    let own = packets[..first_write].iter().rposition(|(_, packet)| packet[1] == SYNC).unwrap();
    let cycle = &line[packets[own].0..=proven(&line)];
    let (mut sectors, mut pages) = (0, 0);
    for (_, packet) in &packets[own..] {
        match packet[1] {
            FLASH_BEGIN => {
                let erased = u32::from_le_bytes(packet[8..12].try_into().unwrap());
                sectors += erased.div_ceil(SECTOR);
            }
            FLASH_DATA => pages += u32::try_from((packet.len() - 24).div_ceil(PAGE_BYTES)).unwrap(),
            _ => {}
        }
    }
    let bytes = |to_chip| cycle.iter().filter(|crossed| crossed.to_chip == to_chip).count();
    let line = cycle.iter().map(|crossed| Duration::from_secs_f64(10.0 / f64::from(crossed.baud)));
    Needs { to_chip: bytes(true), from_chip: bytes(false), line: line.sum(), sectors, pages }
}

/// The requests to the loader, each without its escapes, and where it begins on the line.
fn packets(line: &[Crossed]) -> Vec<(usize, Vec<u8>)> {
    let (mut packets, mut open): (Vec<_>, Option<(usize, Vec<u8>)>) = (Vec::new(), None);
    for (at, crossed) in line.iter().enumerate().filter(|(_, crossed)| crossed.to_chip) {
        match (crossed.byte, &mut open) {
            (END, Some((_, packet))) if !packet.is_empty() => {
                let (begun, packet) = open.take().unwrap();
                packets.push((begun, unescaped(&packet)));
            }
            (END, open) => *open = Some((at, Vec::new())),
            (byte, Some((_, packet))) => packet.push(byte),
            (_, None) => {}
        }
    }
    packets.retain(|(_, packet)| packet.len() >= 8 && packet[0] == 0);
    packets
}

fn unescaped(packet: &[u8]) -> Vec<u8> {
    let (mut plain, mut bytes) = (Vec::new(), packet.iter());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            0xdb if bytes.next() == Some(&0xdc) => END,
            0xdb => 0xdb,
            other => *other,
        });
    }
    plain
}

/// Where the answer to the last PROVE ends.
fn proven(line: &[Crossed]) -> usize {
    let (mut frame, mut last) = (Vec::new(), None);
    for (at, crossed) in line.iter().enumerate().filter(|(_, crossed)| !crossed.to_chip) {
        if crossed.byte != 0 {
            frame.push(crossed.byte);
            continue;
        }
        let decoded = codec::decode(&mut frame);
        if decoded.is_ok_and(|frame| frame.header.message_type == RequestType::Prove.reply_type()) {
            last = Some(at);
        }
        frame.clear();
    }
    last.unwrap()
}
