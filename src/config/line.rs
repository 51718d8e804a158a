//! `[[slots]]` and `[scanner]`: what is wired to the station.

use crate::say;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::kinds::{Placed, Section, Word};
use super::refusal::Refusal;
use super::values::PortPlace;
use super::words::{Binding, ParityBit, Presence, Restart, ScannerKind};
use super::{label, raw};
use crate::domain::family::{Family, Speaks};
use crate::domain::ids::SlotName;
use crate::domain::modem::{Modem, USUAL_TAG};
use crate::domain::scan::{End, LetterCase, ScanRules};

/// The most slots that one station drives.
pub(super) const MAX_SLOTS: usize = 64;

const DEFAULT_BAUD: u32 = 115_200;

/// One `[[slots]]`: a fixture position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: SlotName,
    /// Its port.
    pub port: PortPlace,
    /// Bits a second.
    pub baud: u32,
    /// What its devices speak.
    pub driver: Speaks,
    /// Where a device that speaks SMP keeps its identity's files.
    pub directory: Option<String>,
    /// Whose modems come to it; none is whichever answers.
    pub modem: Option<Modem>,
    /// The tag under which an nRF91 keeps its identity.
    pub sec_tag: u32,
    /// How its devices are seen to come and go.
    pub presence: Presence,
    /// Who restarts its devices.
    pub restart: Restart,
    /// The level DTR is set to after opening; none leaves it as the system sets it.
    pub dtr: Option<bool>,
    /// The level RTS is set to after opening; none leaves it as the system sets it.
    pub rts: Option<bool>,
}

/// `[scanner]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanner {
    /// What it is.
    pub kind: ScannerKind,
    /// Its port, where it is on one.
    pub port: Option<PortPlace>,
    /// Bits a second.
    pub baud: u32,
    /// Which slot a scan is meant for, where the file says so.
    pub binding: Option<Binding>,
    /// What ends a scan at its port.
    pub ends: Vec<End>,
    /// Whether its characters have seven bits.
    pub has_seven_bits: bool,
    /// The bit behind them.
    pub parity: ParityBit,
    /// How labels are written.
    pub rules: ScanRules,
}

/// A port and the bytes that name it.
struct PlacedPort {
    port: PortPlace,
    span: Range<usize>,
}

/// The slots, and where they and their ports are named: what later ones are held against.
#[derive(Default)]
pub(super) struct Fixture {
    slots: Vec<Slot>,
    names: Vec<Range<usize>>,
    ports: Vec<PlacedPort>,
}

impl Fixture {
    /// Checks `[[slots]]`.
    pub(super) fn new(raw: Placed<Vec<Section<raw::Slot>>>, dir: &Path) -> Result<Self, Refusal> {
        if raw.value().is_empty() {
            return Err(raw.refuse(say!(
                "a station has at least one slot: write [[slots]] with its name and port",
                "至少要有一个工位：写 [[slots]]，给出名称和端口"
            )));
        }
        let mut fixture = Self::default();
        for slot in raw.into_value() {
            fixture.add(slot.into_keys(), dir)?;
        }
        Ok(fixture)
    }

    /// The slots, in the order of the file.
    pub(super) fn into_slots(self) -> Vec<Slot> {
        self.slots
    }

    fn add(&mut self, raw: raw::Slot, dir: &Path) -> Result<(), Refusal> {
        if self.slots.len() == MAX_SLOTS {
            return Err(raw.name.refuse(say!(
                "a station has at most {MAX_SLOTS} slots",
                "最多 {MAX_SLOTS} 个工位"
            )));
        }
        let (name, port) = (raw.name.span(), port(&raw.port, dir)?);
        let slot = slot(raw, port.port.clone())?;
        if let Some(twin) = self.slots.iter().position(|other| other.name == slot.name) {
            let (first, what) = (self.names[twin].clone(), format!("the name \"{}\"", slot.name));
            return Err(Refusal::Twice { span: name, first, what });
        }
        self.refuse_shared(&port)?;
        self.slots.push(slot);
        self.names.push(name);
        self.ports.push(port);
        Ok(())
    }

    fn refuse_shared(&self, port: &PlacedPort) -> Result<(), Refusal> {
        match self.ports.iter().find(|other| same_port(&other.port, &port.port)) {
            Some(twin) => Err(Refusal::Twice {
                span: port.span.clone(),
                first: twin.span.clone(),
                what: format!("the port {}", port.port),
            }),
            None => Ok(()),
        }
    }
}

fn slot(raw: raw::Slot, port: PortPlace) -> Result<Slot, Refusal> {
    let driver = raw.driver.map_or(Speaks::Family(Family::Framed), |word| word.0);
    Ok(Slot {
        name: raw.name.into_value().0,
        port,
        baud: raw.baud.map_or(DEFAULT_BAUD, |baud| baud.0),
        driver,
        directory: raw.directory.map(|found| directory(found, driver)).transpose()?,
        modem: raw.modem.map(|found| modem(&found, driver)).transpose()?.flatten(),
        sec_tag: raw
            .sec_tag
            .map(|found| of_modems(&found, driver))
            .transpose()?
            .map_or(USUAL_TAG, |tag| tag.0),
        presence: raw.presence.map_or(Presence::Port, |word| word.0),
        restart: raw.restart.map_or(Restart::Command, |word| word.0),
        dtr: raw.dtr,
        rts: raw.rts,
    })
}

/// The longest directory: with a file's name it is a small part of a message.
const MAX_DIRECTORY: usize = 32;

/// A directory of the device's own file system.
fn directory(found: Placed<String>, driver: Speaks) -> Result<String, Refusal> {
    refuse_unless(Family::Smp, &found, driver)?;
    let text = found.value();
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if !text.starts_with('/') || text.ends_with('/') || !is_plain || text.len() > MAX_DIRECTORY {
        let rule = say!(
            "must begin with / and not end with it, at most 32 ASCII characters",
            "必须以 / 开头、不以 / 结尾，最多 32 个 ASCII 字符"
        );
        return Err(found.refuse(rule));
    }
    Ok(found.into_value())
}

/// Refuses what is for the devices of one family, where none of them may come.
fn refuse_unless<T>(family: Family, found: &Placed<T>, driver: Speaks) -> Result<(), Refusal> {
    match driver.may_be(family) {
        true => Ok(()),
        false => {
            let (devices, word) = (family.devices(), family.as_str());
            Err(found.refuse(say!(
                "belongs to {devices}: driver \"{word}\" or \"auto\"",
                "用于 {word} 设备：driver 为 \"{word}\" 或 \"auto\""
            )))
        }
    }
}

/// What station.toml says of modems, where modems may come.
fn of_modems<T: Copy>(found: &Placed<T>, driver: Speaks) -> Result<T, Refusal> {
    refuse_unless(Family::At, found, driver)?;
    Ok(*found.value())
}

fn modem(found: &Placed<Word<Option<Modem>>>, driver: Speaks) -> Result<Option<Modem>, Refusal> {
    of_modems(found, driver).map(|word| word.0)
}

fn port(found: &Placed<String>, dir: &Path) -> Result<PlacedPort, Refusal> {
    let port = match found.value().as_str() {
        "" => return Err(found.refuse(say!("the port is empty", "端口是空的"))),
        text if text.starts_with("usb:") => {
            PortPlace::physical(text).map_err(|error| found.refuse_as(&error))?
        }
        text => PortPlace::Path(dir.join(text)),
    };
    Ok(PlacedPort { port, span: found.span() })
}

/// Two paths are one port where they lead to one file.
fn same_port(a: &PortPlace, b: &PortPlace) -> bool {
    let real = |place: &PortPlace| match place {
        PortPlace::Path(path) => fs::canonicalize(path).unwrap_or_else(|_| path.clone()),
        PortPlace::Physical(text) => PathBuf::from(text),
    };
    real(a) == real(b)
}

/// Checks `[scanner]`, whose port must be none of the slots'.
pub(super) fn scanner(
    raw: Option<Section<raw::Scanner>>,
    fixture: &Fixture,
    dir: &Path,
) -> Result<Scanner, Refusal> {
    let scanner_port = raw.as_ref().map(|raw| scanner_port(raw, fixture, dir)).transpose()?;
    let raw = raw.map(Section::into_keys).unwrap_or_default();
    Ok(Scanner {
        kind: raw.kind.map_or(ScannerKind::Keyboard, |word| word.0),
        port: scanner_port.flatten(),
        baud: raw.baud.map_or(DEFAULT_BAUD, |baud| baud.0),
        binding: raw.binding.map(|word| word.0),
        ends: raw.ends.map_or_else(|| End::USUAL.to_vec(), |ends| ends.0),
        has_seven_bits: raw.data_bits.is_some_and(|bits| bits.0 == 7),
        parity: raw.parity.map_or(ParityBit::None, |word| word.0),
        rules: ScanRules {
            rules: label::rules(raw.label.unwrap_or_default())?,
            case: raw.case.map_or(LetterCase::Keep, |word| word.0),
        },
    })
}

fn scanner_port(
    raw: &Section<raw::Scanner>,
    fixture: &Fixture,
    dir: &Path,
) -> Result<Option<PortPlace>, Refusal> {
    let found = &raw.keys().port;
    match (found, raw.keys().kind.map_or(ScannerKind::Keyboard, |word| word.0)) {
        (None, ScannerKind::Keyboard) => Ok(None),
        (None, ScannerKind::Serial) => Err(raw.lacks("port")),
        (Some(found), ScannerKind::Keyboard) => Err(found.refuse(say!(
            "a keyboard scanner has no port; write kind = \"serial\"",
            "键盘扫码枪没有端口；写 kind = \"serial\""
        ))),
        (Some(found), ScannerKind::Serial) => {
            let port = port(found, dir)?;
            fixture.refuse_shared(&port)?;
            Ok(Some(port.port))
        }
    }
}
