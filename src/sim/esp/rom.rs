//! The loader in the chip's ROM: takes requests and answers them as Espressif's own does.
//!
//! It knows nothing of time or ports: [`Reaction`] says how long the work took and what
//! follows. What it does not know, or what secure download mode forbids, it answers several
//! times under no request's number, with error 05. Start with [`Rom::answer`].

use std::collections::HashMap;
use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use md5::{Digest, Md5};

use super::flash::{Dark, Flash};
use super::kind::{Kind, MAGIC_AT};

/// Numbers of requests.
mod op {
    pub(super) const FLASH_BEGIN: u8 = 0x02;
    pub(super) const FLASH_DATA: u8 = 0x03;
    pub(super) const FLASH_END: u8 = 0x04;
    pub(super) const SYNC: u8 = 0x08;
    pub(super) const WRITE_REG: u8 = 0x09;
    pub(super) const READ_REG: u8 = 0x0a;
    pub(super) const SPI_SET_PARAMS: u8 = 0x0b;
    pub(super) const SPI_ATTACH: u8 = 0x0d;
    pub(super) const READ_FLASH_SLOW: u8 = 0x0e;
    pub(super) const CHANGE_BAUDRATE: u8 = 0x0f;
    pub(super) const FLASH_DEFL_BEGIN: u8 = 0x10;
    pub(super) const FLASH_DEFL_DATA: u8 = 0x11;
    pub(super) const FLASH_DEFL_END: u8 = 0x12;
    pub(super) const SPI_FLASH_MD5: u8 = 0x13;
    pub(super) const GET_SECURITY_INFO: u8 = 0x14;

    /// What secure download mode leaves.
    pub(super) const SECURE: &[u8] = &[
        FLASH_BEGIN,
        FLASH_DATA,
        FLASH_END,
        SYNC,
        SPI_SET_PARAMS,
        SPI_ATTACH,
        CHANGE_BAUDRATE,
        GET_SECURITY_INFO,
    ];
}

/// The ROM's error numbers.
mod error {
    pub(super) const PARAMETER: u8 = 0x01;
    pub(super) const FORMAT: u8 = 0x05;
    pub(super) const FAILED: u8 = 0x06;
    pub(super) const CHECKSUM: u8 = 0x07;
    pub(super) const FLASH_WRITE: u8 = 0x08;
    pub(super) const FLASH_READ: u8 = 0x09;
    pub(super) const INFLATE: u8 = 0x0b;
}

/// How much flash the ROM believes in until it is told.
const BELIEVED: u32 = 2 * 1024 * 1024;

/// The most that one request reads.
const READ_LENGTH: usize = 64;

/// How often SYNC is answered, and what is not understood.
const TIMES: usize = 8;

/// Bit 18 of the SPI controller's command register: do it.
const SPI_USER: u32 = 1 << 18;

/// The flash's answer to RDID but for its size, of a common maker.
const FLASH_ID: u32 = 0x0000_40c8;

/// What opens the watchdog's registers, and what arms it.
const WATCHDOG_KEY: u32 = 0x50d8_3aa1;
const WATCHDOG_ON: u32 = 1 << 31;

/// From when a watchdog is armed until it bites: 2000 ticks of a slow clock.
const WATCHDOG_TIME: Duration = Duration::from_millis(15);

/// What is not as usual with a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RomFaults {
    /// Its eFuses allow writing and nothing else.
    pub(super) secure_download: bool,
    /// Its flash is encrypted.
    pub(super) encrypted: bool,
    /// It boots signed firmware alone.
    pub(super) secure_boot: bool,
    /// Its digest is of what it was sent, not of what it stored.
    pub(super) lies_about_digest: bool,
}

/// What comes of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reaction {
    /// Packets, one after the other.
    pub(super) answers: Vec<Vec<u8>>,
    /// How long it took.
    pub(super) busy: Duration,
    /// What follows.
    pub(super) then: Then,
}

/// What the chip does after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for the next request.
    Listen,
    /// It speaks at another rate.
    Rate(u32),
    /// It resets after so long, and starts its application.
    Reset(Duration),
    /// It lost power in the middle.
    LostPower,
}

/// Why a request fails.
enum Why {
    Error(u8),
    Unknown,
    Dark,
}

impl From<Dark> for Why {
    fn from(_: Dark) -> Self {
        Why::Dark
    }
}

/// A value and data that answer a request.
type Done = Result<(u32, Vec<u8>), Why>;

/// A write under way.
struct Writing {
    at: usize,
    blocks_left: u32,
    block: usize,
    inflater: Option<Box<Decompress>>,
}

/// The loader of one chip that was reset.
pub(super) struct Rom {
    kind: &'static Kind,
    faults: RomFaults,
    registers: HashMap<u32, u32>,
    attached: bool,
    believed: u32,
    writing: Option<Writing>,
    then: Then,
    /// What it was told to write, for a chip that lies.
    told: HashMap<usize, Vec<u8>>,
}

impl Rom {
    /// A loader that just started.
    pub(super) fn start(kind: &'static Kind, mac: [u8; 6], faults: RomFaults) -> Self {
        let mut registers = HashMap::from([
            (MAGIC_AT, kind.magic),
            (kind.mac, u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]])),
            (kind.mac + 4, u32::from_be_bytes([0, 0, mac[0], mac[1]])),
            // The divider of the UART's clock, from which the crystal is worked out.
            (0x3ff4_0014, 347),
            (0x6000_0014, 347),
        ]);
        if faults.encrypted {
            let (at, mask) = kind.crypt;
            registers.insert(at, mask & mask.wrapping_neg());
        }
        Self {
            kind,
            faults,
            registers,
            attached: false,
            believed: BELIEVED,
            writing: None,
            then: Then::Listen,
            told: HashMap::new(),
        }
    }

    /// Takes one packet; none where it is no request.
    pub(super) fn answer(&mut self, packet: &[u8], flash: &mut Flash) -> Option<Reaction> {
        let (head, data) = packet.split_first_chunk::<8>()?;
        let [0x00, request, low, high, check @ ..] = *head else { return None };
        let length = usize::from(u16::from_le_bytes([low, high]));
        self.then = Then::Listen;
        let done = match data.len() == length {
            true => self.perform(request, data, u32::from_le_bytes(check), flash),
            false => Err(Why::Error(error::FORMAT)),
        };
        let answers = match done {
            Ok((value, data)) if request == op::SYNC => {
                vec![answer(request, value, &data, 0); TIMES]
            }
            Ok((value, data)) => vec![answer(request, value, &data, 0)],
            Err(Why::Error(error)) => vec![answer(request, 0, &[], error)],
            Err(Why::Unknown) => vec![answer(0, 0, &[], error::FORMAT); TIMES],
            Err(Why::Dark) => {
                self.then = Then::LostPower;
                Vec::new()
            }
        };
        Some(Reaction { answers, busy: flash.take_busy(), then: self.then })
    }

    fn perform(&mut self, request: u8, data: &[u8], check: u32, flash: &mut Flash) -> Done {
        if self.faults.secure_download && !op::SECURE.contains(&request) {
            return Err(Why::Unknown);
        }
        match request {
            op::SYNC => match data {
                [0x07, 0x07, 0x12, 0x20, rest @ ..] if *rest == [0x55; 32] => {
                    Ok((self.kind.greeting, Vec::new()))
                }
                _ => Err(Why::Error(error::FORMAT)),
            },
            op::GET_SECURITY_INFO => self.security_info(),
            op::READ_REG => self.read_register(data),
            op::WRITE_REG => self.write_registers(data, flash),
            op::SPI_ATTACH => match words(data).as_deref() {
                Some([_, _]) => {
                    self.attached = true;
                    Ok((0, Vec::new()))
                }
                _ => Err(Why::Error(error::FORMAT)),
            },
            op::SPI_SET_PARAMS => match words(data).as_deref() {
                Some([_, total, _, _, _, _]) => {
                    self.believed = *total;
                    Ok((0, Vec::new()))
                }
                _ => Err(Why::Error(error::FORMAT)),
            },
            op::CHANGE_BAUDRATE => match words(data).as_deref() {
                Some([rate, 0]) if *rate > 0 => {
                    self.then = Then::Rate(*rate);
                    Ok((0, Vec::new()))
                }
                _ => Err(Why::Error(error::PARAMETER)),
            },
            op::FLASH_BEGIN => self.begin(data, false, flash),
            op::FLASH_DEFL_BEGIN => self.begin(data, true, flash),
            op::FLASH_DATA => self.write(data, check, false, flash),
            op::FLASH_DEFL_DATA => self.write(data, check, true, flash),
            op::FLASH_END | op::FLASH_DEFL_END => self.end(data),
            op::SPI_FLASH_MD5 => self.digest(data, flash),
            op::READ_FLASH_SLOW => self.read(data, flash),
            _ => Err(Why::Unknown),
        }
    }

    fn security_info(&self) -> Done {
        if self.kind.word == "esp32" {
            return Err(Why::Unknown);
        }
        let RomFaults { secure_download, encrypted, secure_boot, .. } = self.faults;
        let flags = u32::from(secure_boot) | u32::from(secure_download) << 2;
        let mut data = flags.to_le_bytes().to_vec();
        data.push(u8::from(encrypted));
        data.extend([0; 7]);
        if let Some(id) = self.kind.id {
            data.extend(id.to_le_bytes());
            data.extend(0_u32.to_le_bytes());
        }
        Ok((0, data))
    }

    fn read_register(&self, data: &[u8]) -> Done {
        match words(data).as_deref() {
            Some([at]) => Ok((self.register(*at), Vec::new())),
            _ => Err(Why::Error(error::FORMAT)),
        }
    }

    fn register(&self, at: u32) -> u32 {
        self.registers.get(&at).copied().unwrap_or_default()
    }

    fn write_registers(&mut self, data: &[u8], flash: &Flash) -> Done {
        let words = words(data).ok_or(Why::Error(error::FORMAT))?;
        let (writes, rest) = words.as_chunks::<4>();
        if writes.is_empty() || !rest.is_empty() {
            return Err(Why::Error(error::FORMAT));
        }
        for [at, value, mask, _] in writes {
            let value = self.register(*at) & !mask | value & mask;
            if !self.is_locked_away(*at) {
                self.registers.insert(*at, value);
                self.after_write(*at, value, flash);
            }
        }
        Ok((0, Vec::new()))
    }

    /// The watchdog takes nothing while it is locked.
    fn is_locked_away(&self, at: u32) -> bool {
        let Some([config, time, lock]) = self.kind.watchdog else { return false };
        (at == config || at == time) && self.register(lock) != WATCHDOG_KEY
    }

    fn after_write(&mut self, at: u32, value: u32, flash: &Flash) {
        let [base, _, usr2, w0] = self.kind.spi;
        if at == base && value & SPI_USER != 0 {
            let command = self.register(base + usr2) & 0xff;
            let size = flash.cells().len().trailing_zeros();
            let result = match command {
                0x9f => FLASH_ID | size << 16,
                _ => u32::MAX,
            };
            self.registers.insert(base + w0, result);
            self.registers.insert(base, value & !SPI_USER);
        }
        if self.kind.watchdog.is_some_and(|[config, ..]| config == at) && value & WATCHDOG_ON != 0 {
            self.then = Then::Reset(WATCHDOG_TIME);
        }
    }

    /// A place that the ROM believes in and the chip has.
    fn place(&self, at: u32, length: u32, flash: &Flash) -> Result<usize, Why> {
        let end = u64::from(at) + u64::from(length);
        let is_there = end <= u64::from(self.believed) && end <= flash.cells().len() as u64;
        match self.attached && is_there {
            true => Ok(at as usize),
            false => Err(Why::Error(error::FAILED)),
        }
    }

    fn begin(&mut self, data: &[u8], deflated: bool, flash: &mut Flash) -> Done {
        let words = words(data).ok_or(Why::Error(error::FORMAT))?;
        let ([erase, blocks, block, at], encrypted) = match *words.as_slice() {
            [erase, blocks, block, at, last] if self.kind.takes_five_words() => {
                ([erase, blocks, block, at], last)
            }
            [erase, blocks, block, at] => ([erase, blocks, block, at], 0),
            _ => return Err(Why::Error(error::FORMAT)),
        };
        if encrypted != 0 || block == 0 || block > 0x4000 || at % 0x1000 != 0 {
            return Err(Why::Error(error::PARAMETER));
        }
        let place = self.place(at, erase, flash)?;
        self.writing = None;
        self.told.clear();
        flash.erase(place..place + erase as usize)?;
        let inflater = deflated.then(|| Box::new(Decompress::new(true)));
        let block = block as usize;
        self.writing = Some(Writing { at: place, blocks_left: blocks, block, inflater });
        Ok((0, Vec::new()))
    }

    fn write(&mut self, data: &[u8], check: u32, deflated: bool, flash: &mut Flash) -> Done {
        let (head, payload) = data.split_first_chunk::<16>().ok_or(Why::Error(error::FORMAT))?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let mut writing = self.writing.take().ok_or(Why::Error(error::FAILED))?;
        if length != payload.len() || length > writing.block || writing.blocks_left == 0 {
            return Err(Why::Error(error::PARAMETER));
        }
        if payload.iter().fold(0xef, |sum, byte| sum ^ u32::from(*byte)) != check {
            self.writing = Some(writing);
            return Err(Why::Error(error::CHECKSUM));
        }
        let plain = match (&mut writing.inflater, deflated) {
            (None, false) => payload.to_vec(),
            (Some(inflater), true) => inflate(inflater, payload)?,
            _ => return Err(Why::Error(error::FAILED)),
        };
        let (at, long) = (writing.at, u32::try_from(plain.len()).unwrap_or(u32::MAX));
        let place = self.place(u32::try_from(at).unwrap_or(u32::MAX), long, flash)?;
        writing.at += plain.len();
        writing.blocks_left -= 1;
        self.writing = Some(writing);
        flash.program(place, &plain)?;
        // Eight bits are what the ROM looks at.
        let looks_right = plain.first() == flash.read(place, 1).and_then(<[u8]>::first);
        if self.faults.lies_about_digest {
            self.told.insert(place, plain);
        } else if !looks_right && long > 0 {
            return Err(Why::Error(error::FLASH_WRITE));
        }
        Ok((0, Vec::new()))
    }

    fn end(&mut self, data: &[u8]) -> Done {
        match words(data).as_deref() {
            Some([_]) => {
                self.then = Then::Reset(Duration::ZERO);
                Ok((0, Vec::new()))
            }
            _ => Err(Why::Error(error::FORMAT)),
        }
    }

    fn digest(&self, data: &[u8], flash: &Flash) -> Done {
        let words = words(data);
        let Some(&[at, length, 0, 0]) = words.as_deref() else {
            return Err(Why::Error(error::FORMAT));
        };
        let place = self.place(at, length, flash)?;
        let cells = flash.read(place, length as usize).ok_or(Why::Error(error::FLASH_READ))?;
        let mut cells = cells.to_vec();
        for (written, bytes) in &self.told {
            let Some(start) = written.checked_sub(place) else { continue };
            if let Some(part) = cells.get_mut(start..start + bytes.len()) {
                part.copy_from_slice(bytes);
            }
        }
        let text = Md5::digest(cells)
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Ok((0, text.into_bytes()))
    }

    fn read(&self, data: &[u8], flash: &Flash) -> Done {
        let words = words(data);
        let Some(&[at, length]) = words.as_deref() else {
            return Err(Why::Error(error::FORMAT));
        };
        if length as usize > READ_LENGTH {
            return Err(Why::Error(error::PARAMETER));
        }
        let place = self.place(at, length, flash)?;
        let mut bytes = [0; READ_LENGTH];
        let found = flash.read(place, length as usize).ok_or(Why::Error(error::FLASH_READ))?;
        bytes[..found.len()].copy_from_slice(found);
        Ok((0, bytes.to_vec()))
    }
}

/// One answer: its data, and behind it four bytes that say how it went.
fn answer(request: u8, value: u32, data: &[u8], error: u8) -> Vec<u8> {
    let length = u16::try_from(data.len() + 4).unwrap_or(u16::MAX);
    let mut packet = vec![0x01, request];
    packet.extend(length.to_le_bytes());
    packet.extend(value.to_le_bytes());
    packet.extend(data);
    packet.extend([u8::from(error != 0), error, 0, 0]);
    packet
}

fn words(data: &[u8]) -> Option<Vec<u32>> {
    let (words, rest) = data.as_chunks::<4>();
    rest.is_empty().then(|| words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

fn inflate(inflater: &mut Decompress, mut packed: &[u8]) -> Result<Vec<u8>, Why> {
    let mut plain = Vec::new();
    loop {
        let mut room = [0; 4096];
        let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
        inflater
            .decompress(packed, &mut room, FlushDecompress::None)
            .map_err(|_| Why::Error(error::INFLATE))?;
        let taken = (inflater.total_in() - before_in) as usize;
        let made = (inflater.total_out() - before_out) as usize;
        plain.extend(&room[..made]);
        packed = &packed[taken..];
        if made == 0 && (packed.is_empty() || taken == 0) {
            return Ok(plain);
        }
    }
}
