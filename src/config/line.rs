//! `[[slots]]` and `[scanner]`: what is wired to the station.

use std::fs;
use std::path::PathBuf;

use super::error::ConfigError;
use super::section::{Found, Section};
use super::values::{Binding, DriverName, PortPlace, Presence, Restart, ScannerKind};
use crate::domain::ids::SlotName;

/// The most slots that one station drives.
pub(super) const MAX_SLOTS: usize = 64;

/// Rates that a UART is driven at; the system refuses those that a port can't do.
const BAUD: std::ops::RangeInclusive<u32> = 1_200..=12_000_000;

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
    pub driver: DriverName,
    /// Where a device that speaks SMP keeps its identity's files.
    pub directory: Option<String>,
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
}

/// A slot with the place of its port, for the checks that follow.
pub(super) type PlacedSlot<'a> = (Slot, Found<'a, PortPlace>);

pub(super) fn slots<'a>(root: &Section<'a>) -> Result<Vec<PlacedSlot<'a>>, ConfigError> {
    let sections = root.sections("slots")?;
    if sections.is_empty() {
        return Err(root.absent("slots", "[[slots]] name = \"A\", port = \"/dev/ttyUSB0\""));
    }
    let mut slots: Vec<PlacedSlot<'a>> = Vec::new();
    for section in &sections {
        let name = section.required_text("name", "\"A\"")?;
        if slots.len() == MAX_SLOTS {
            return Err(name.refuse(format!("a station has at most {MAX_SLOTS} slots")));
        }
        let (slot, port) = slot(section, &name)?;
        let twin = slots.iter().position(|(other, _)| other.name == slot.name);
        if let Some(index) = twin {
            return Err(twice(&name, format!("the name {:?}", name.value), index, "name"));
        }
        refuse_shared_port(&port, &slots)?;
        slots.push((slot, port));
    }
    Ok(slots)
}

fn slot<'a>(
    section: &Section<'a>,
    name: &Found<'a, &'a str>,
) -> Result<PlacedSlot<'a>, ConfigError> {
    let port = port(section)?.ok_or_else(|| section.absent("port", "\"/dev/ttyUSB0\""))?;
    let driver = section.parsed("driver")?.unwrap_or(DriverName::Framed);
    let slot = Slot {
        name: name.value.parse().map_err(|error| name.refuse(error))?,
        port: port.value.clone(),
        baud: section.integer("baud", BAUD)?.unwrap_or(DEFAULT_BAUD),
        driver,
        directory: directory(section, driver)?,
        presence: section.parsed("presence")?.unwrap_or(Presence::Port),
        restart: section.parsed("restart")?.unwrap_or(Restart::Command),
        dtr: section.boolean("dtr")?,
        rts: section.boolean("rts")?,
    };
    Ok((slot, port))
}

/// The longest directory: with a file's name it is a small part of a message.
const MAX_DIRECTORY: usize = 32;

/// A directory of the device's own file system.
fn directory(section: &Section<'_>, driver: DriverName) -> Result<Option<String>, ConfigError> {
    let Some(found) = section.text("directory")? else { return Ok(None) };
    if driver == DriverName::Framed {
        return Err(found.refuse("belongs to devices that speak SMP: driver \"smp\" or \"auto\""));
    }
    let text = found.value;
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if !text.starts_with('/') || text.ends_with('/') || !is_plain || text.len() > MAX_DIRECTORY {
        let rule = "must begin with / and not end with it, at most 32 ASCII characters";
        return Err(found.refuse(rule));
    }
    Ok(Some(text.to_owned()))
}

fn port<'a>(section: &Section<'a>) -> Result<Option<Found<'a, PortPlace>>, ConfigError> {
    let Some(found) = section.text("port")? else { return Ok(None) };
    let place = match found.value {
        "" => return Err(found.refuse("the port is empty")),
        text if text.starts_with("usb:") => {
            PortPlace::physical(text).map_err(|error| found.refuse(error))?
        }
        text => PortPlace::Path(section.resolve(text)),
    };
    Ok(Some(found.map(place)))
}

/// Two paths are one port where they lead to one file.
fn same_port(a: &PortPlace, b: &PortPlace) -> bool {
    let real = |place: &PortPlace| match place {
        PortPlace::Path(path) => fs::canonicalize(path).unwrap_or_else(|_| path.clone()),
        PortPlace::Physical(text) => PathBuf::from(text),
    };
    real(a) == real(b)
}

fn refuse_shared_port(
    port: &Found<'_, PortPlace>,
    slots: &[PlacedSlot<'_>],
) -> Result<(), ConfigError> {
    let twin = slots.iter().position(|(_, other)| same_port(&other.value, &port.value));
    match twin {
        Some(index) => Err(twice(port, format!("the port {}", port.value), index, "port")),
        None => Ok(()),
    }
}

fn twice<T>(found: &Found<'_, T>, what: String, first: usize, key: &str) -> ConfigError {
    let first = format!("slots[{first}].{key}");
    ConfigError::Twice { place: found.place(), key: found.key.clone(), what, first }
}

pub(super) fn scanner(
    section: &Section<'_>,
    slots: &[PlacedSlot<'_>],
) -> Result<Scanner, ConfigError> {
    let kind = section.parsed("kind")?.unwrap_or(ScannerKind::Keyboard);
    let port = port(section)?;
    match (&port, kind) {
        (None, ScannerKind::Serial) => return Err(section.absent("port", "\"/dev/ttyACM0\"")),
        (Some(port), ScannerKind::Keyboard) => {
            return Err(port.refuse("a keyboard scanner has no port; write kind = \"serial\""));
        }
        (Some(port), ScannerKind::Serial) => refuse_shared_port(port, slots)?,
        (None, ScannerKind::Keyboard) => {}
    }
    Ok(Scanner {
        kind,
        port: port.map(|found| found.value),
        baud: section.integer("baud", BAUD)?.unwrap_or(DEFAULT_BAUD),
        binding: section.parsed("binding")?,
    })
}
