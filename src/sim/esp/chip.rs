//! One chip with power: in its loader, or running its application.

use std::path::Path;
use std::time::Duration;

use firmware_interface::ids::SecurityFlags;
use sha2::{Digest, Sha256};

use super::super::dice::Chance;
use super::super::error::SimError;
use super::super::foreign;
use super::app::{self, App};
use super::factory::{self, Table, read_table};
use super::faults::EspFault;
use super::flash::{Flash, FlashFaults, FlashTimes};
use super::kind::Kind;
use super::rom::{self, Rom, RomFaults};
use super::slip::{self, Decoder};
use super::stored;

/// The rate at which loader and application speak by themselves.
pub(super) const USUAL_RATE: u32 = 115_200;

/// What the ROM prints when it starts, for both ways on.
const LOADER_LOG: &[u8] =
    b"ets Sim\r\nrst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n";
const APP_LOG: &[u8] =
    b"ets Sim\r\nrst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\nI (21) app: hello\r\n";
const NO_LOADER_LOG: &[u8] = b"ets Sim\r\nrst:0x1 (POWERON),boot:0x5\r\ndownload mode disabled\r\n";

/// How long a chip works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EspTimes {
    /// Its flash.
    pub flash: FlashTimes,
    /// From a reset until its application answers.
    pub boot: Duration,
    /// From a reset until its loader answers.
    pub loader: Duration,
    /// Signing.
    pub prove: Duration,
}

impl EspTimes {
    /// A chip that needs no time at all.
    pub const INSTANT: Self = Self {
        flash: FlashTimes { erase: Duration::ZERO, program: Duration::ZERO },
        boot: Duration::ZERO,
        loader: Duration::ZERO,
        prove: Duration::ZERO,
    };
}

impl Default for EspTimes {
    /// A module with common flash: data sheets say 45 ms a sector and 0.6 ms a page.
    fn default() -> Self {
        Self {
            flash: FlashTimes {
                erase: Duration::from_millis(45),
                program: Duration::from_micros(600),
            },
            boot: Duration::from_millis(300),
            loader: Duration::from_millis(20),
            prove: Duration::from_millis(20),
        }
    }
}

/// What a chip is made of.
pub(super) struct Build<'b> {
    pub(super) kind: &'static Kind,
    pub(super) mac: [u8; 6],
    /// The id of a chip that is none.
    pub(super) other: [u8; 6],
    pub(super) file: Option<&'b Path>,
    pub(super) flash_size: usize,
    pub(super) times: EspTimes,
    pub(super) faults: Vec<EspFault>,
    pub(super) number: u32,
    pub(super) chance: Chance,
    pub(super) seed: u64,
}

/// What came of bytes.
pub(super) struct Reaction {
    /// What it says, in pieces, each of which is one answer.
    pub(super) says: Vec<Vec<u8>>,
    pub(super) busy: Duration,
    pub(super) then: Then,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Listen,
    /// Its loader speaks at another rate from here on.
    Rate(u32),
    /// It resets after so long and runs its application.
    Reset(Duration),
    /// Its power was lost and is back; the fixture holds the boot pin.
    LostPower,
    /// Its application heard that the attempt is over.
    Finished,
}

enum Mode {
    Loader(Rom, Decoder),
    App(Box<App>, Vec<u8>),
    /// It says nothing, whatever it runs.
    Silent,
}

/// One chip.
pub(super) struct Chip {
    kind: &'static Kind,
    mac: [u8; 6],
    other: [u8; 6],
    flash: Flash,
    times: EspTimes,
    faults: Vec<EspFault>,
    seed: u64,
    mode: Mode,
    starts: u32,
    answers: u32,
}

impl Chip {
    /// Takes a chip from its box, or from its file; it has no power yet.
    pub(super) fn new(build: Build<'_>) -> Result<Self, SimError> {
        let Build { kind, mac, other, times, faults, seed, .. } = build;
        let has = |fault: EspFault| faults.contains(&fault);
        let dice = build.chance.dice(&format!("flash of chip {}", build.number));
        let mut fresh =
            factory::contents(build.flash_size, table(&faults), has(EspFault::Encrypted), dice);
        if has(EspFault::HoldsUnknown) {
            put_certificate(&mut fresh, &foreign::identity(seed).certificate);
        }
        if has(EspFault::HoldsJunk) {
            put(&mut fresh, b"this is somebody's calibration data");
        }
        let flash = Flash::open(build.file, fresh, times.flash, flash_faults(&faults))?;
        let kind = faults
            .iter()
            .find_map(|fault| match fault {
                EspFault::Chip(kind) => Some(*kind),
                _ => None,
            })
            .unwrap_or(kind);
        let (mode, starts, answers) = (Mode::Silent, 0, 0);
        Ok(Self { kind, mac, other, flash, times, faults, seed, mode, starts, answers })
    }

    fn has(&self, fault: EspFault) -> bool {
        self.faults.contains(&fault)
    }

    /// Whether no station gets an identity into it.
    pub(super) fn is_unreachable(&self) -> bool {
        self.faults.iter().any(|fault| fault.is_unreachable())
    }

    /// Leaves reset: with the boot pin low in the loader. What it prints, and how long it is
    /// deaf.
    pub(super) fn start(
        &mut self,
        boot_pin_low: bool,
    ) -> Result<(&'static [u8], Duration), SimError> {
        if self.has(EspFault::Mute) {
            self.mode = Mode::Silent;
            return Ok((b"", self.times.loader));
        }
        if boot_pin_low || self.has(EspFault::Stays) {
            if self.has(EspFault::NoDownload) {
                self.mode = Mode::Silent;
                return Ok((NO_LOADER_LOG, self.times.loader));
            }
            let rom = Rom::start(self.kind, self.mac, self.rom_faults());
            self.mode = Mode::Loader(rom, Decoder::default());
            return Ok((LOADER_LOG, self.times.loader));
        }
        self.starts += 1;
        if self.has(EspFault::DarkStart) && self.starts == 1 {
            return self.start(true);
        }
        self.mode = match self.has(EspFault::SilentApp) || self.has(EspFault::Encrypted) {
            true => Mode::Silent,
            false => Mode::App(Box::new(self.application()?), Vec::new()),
        };
        Ok((APP_LOG, self.times.boot))
    }

    fn application(&self) -> Result<App, SimError> {
        let forgets = self.has(EspFault::LieForget);
        App::start(app::Build {
            kind: self.kind,
            id: if self.has(EspFault::LieId) { self.other } else { self.mac },
            security: match self.has(EspFault::SecureBoot) {
                true => SecurityFlags::SECURE_BOOT,
                false => SecurityFlags::NONE,
            },
            other_key: self.has(EspFault::LieKey).then(|| foreign::key(self.seed, "other key")),
            stored: stored::find(self.flash.cells()).filter(|_| !forgets),
            prove_time: self.times.prove,
            boot: self.times.boot,
        })
    }

    fn rom_faults(&self) -> RomFaults {
        RomFaults {
            secure_download: self.has(EspFault::SecureDownload) && self.kind.has_secure_download(),
            encrypted: self.has(EspFault::Encrypted),
            secure_boot: self.has(EspFault::SecureBoot),
            lies_about_digest: self.has(EspFault::LieDigest),
        }
    }

    /// Whether it is in its loader, whose line measures the rate at which it is spoken to.
    pub(super) fn is_in_loader(&self) -> bool {
        matches!(self.mode, Mode::Loader(..))
    }

    /// Takes one byte from the line.
    pub(super) fn take(&mut self, byte: u8) -> Option<Reaction> {
        let mut reaction = match &mut self.mode {
            Mode::Silent => None,
            Mode::Loader(rom, decoder) => {
                let packet = decoder.take(byte)?;
                rom.answer(&packet, &mut self.flash).map(from_loader)
            }
            Mode::App(app, pending) => {
                let ends = byte == 0 && pending.last().is_some_and(|last| *last != 0);
                pending.push(byte);
                if !ends && pending.len() < 2048 {
                    return None;
                }
                Some(from_app(app.take(&std::mem::take(pending))))
            }
        }?;
        self.on_the_line(&mut reaction);
        Some(reaction)
    }

    /// What the line does to its answers.
    fn on_the_line(&mut self, reaction: &mut Reaction) {
        if reaction.says.is_empty() {
            return;
        }
        self.answers += 1;
        for fault in &self.faults {
            match fault {
                EspFault::Lose(number) if *number == self.answers => reaction.says.clear(),
                EspFault::Garble(number) if *number == self.answers => {
                    for piece in &mut reaction.says {
                        let middle = piece.len() / 2;
                        piece[middle] ^= 0x04;
                    }
                }
                _ => {}
            }
        }
    }
}

fn from_loader(reaction: rom::Reaction) -> Reaction {
    let then = match reaction.then {
        rom::Then::Listen => Then::Listen,
        rom::Then::Rate(rate) => Then::Rate(rate),
        rom::Then::Reset(after) => Then::Reset(after),
        rom::Then::LostPower => Then::LostPower,
    };
    let says = reaction.answers.iter().map(|packet| slip::encode(packet)).collect();
    Reaction { says, busy: reaction.busy, then }
}

fn from_app(handled: app::Handled) -> Reaction {
    let then = match handled.then {
        app::Then::Listen => Then::Listen,
        app::Then::Restart => Then::Reset(Duration::ZERO),
        app::Then::Finished => Then::Finished,
    };
    Reaction { says: handled.reply.into_iter().collect(), busy: handled.busy, then }
}

fn table(faults: &[EspFault]) -> Table {
    let unusual = faults.iter().find_map(|fault| match fault {
        EspFault::NoTable => Some(Table::Missing),
        EspFault::NoPartition => Some(Table::Without),
        EspFault::Short(length) => Some(Table::Short(*length)),
        EspFault::Moved => Some(Table::Moved),
        _ => None,
    });
    unusual.unwrap_or_default()
}

fn flash_faults(faults: &[EspFault]) -> FlashFaults {
    let mut flash = FlashFaults::default();
    for fault in faults {
        match fault {
            EspFault::Power(number) => flash.power = Some(*number),
            EspFault::Stuck(number) => flash.stuck = Some(*number),
            EspFault::LieWrite | EspFault::LieDigest => flash.deaf = true,
            _ => {}
        }
    }
    flash
}

/// Puts bytes at the beginning of each partition for an identity.
fn put(cells: &mut [u8], bytes: &[u8]) {
    for part in read_table(cells) {
        let at = part.at as usize;
        let is_ours = part.name == factory::SECURE_CERT || part.name == factory::FACTORY_NVS;
        if let Some(place) = cells.get_mut(at..at + bytes.len()).filter(|_| is_ours) {
            place.copy_from_slice(bytes);
        }
    }
}

/// A certificate as another tool writes it: one TLV entry, DER.
fn put_certificate(cells: &mut [u8], der: &[u8]) {
    put(cells, &stored::entry(1, der));
}

/// An id that follows from a seed and a purpose, under a number of the maker's own.
pub(super) fn mac(seed: u64, purpose: &str) -> [u8; 6] {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
    [0x34, 0x85, 0x18, digest[0], digest[1], digest[2]]
}
