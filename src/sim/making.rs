//! Which device is which: from the options and a unit's faults, the device, its line's
//! mishaps and its manners.
//!
//! Everything here follows from the options, the slot's name and the unit's number, so
//! that a unit is the same after the simulator was started again.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware_interface::dispatch::Facts;
use firmware_interface::ids::{Capabilities, RequestType, SecurityFlags};
use firmware_interface::message::{HardwareId, ShortText};
use p256::ecdsa::SigningKey;
use sha2::{Digest, Sha256};

use super::device::{Build, Device};
use super::dice::Dice;
use super::error::SimError;
use super::fault::kind::Fault;
use super::firmware::{Hand, Source};
use super::flash::{Chip, ChipFaults};
use super::foreign;
use super::lies::{Lies, Memory};
use super::line::Mishaps;
use super::options::Options;
use super::progress::Home;
use super::sayings::Sayings;
use super::unit::{Chatter, Manners, Pull, Unit};

/// Bytes of a simulated hardware id, as many as a common unique chip number has.
const ID_LENGTH: usize = 8;

/// Takes the unit from its box, or back from where it was left.
pub(crate) fn take(options: &Options, home: &Arc<Home>, number: u32) -> Result<Unit, SimError> {
    let name = &home.name();
    let chance = options.chance();
    let faults = options.faults.of_unit(number, &chance);
    let dice = |purpose: &str| chance.dice(&format!("{purpose} {number}"));
    Ok(Unit {
        home: Arc::clone(home),
        number,
        device: device(options, name, number, &faults)?,
        manners: manners(options, &faults),
        mishaps: mishaps(&faults, dice("line")),
        dice: dice("noise"),
    })
}

/// Where a unit's flash contents are kept.
pub(crate) fn flash_file(state_dir: &Path, seed: u64, name: &str, number: u32) -> PathBuf {
    let mut file = String::new();
    for byte in id_bytes(seed, &format!("unit {number} of {name}")) {
        // Writing to a String never fails.
        let _ = write!(file, "{byte:02x}");
    }
    state_dir.join(file + ".flash")
}

fn id_bytes(seed: u64, purpose: &str) -> [u8; ID_LENGTH] {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
    let mut id = [0; ID_LENGTH];
    id.copy_from_slice(&digest[..ID_LENGTH]);
    // Neither all zeros nor all ones.
    id[0] = 0x51;
    id
}

fn device(
    options: &Options,
    name: &str,
    number: u32,
    faults: &[Fault],
) -> Result<Device, SimError> {
    let chip = chip(options, name, number, faults)?;
    let fresh = chip.is_fresh();
    let later = id_bytes(options.seed, &format!("other than {number} of {name}"));
    let other_id = |fault| has(faults, &fault).then(|| hardware_id(&later)).transpose();
    let build = Build {
        facts: facts(options, name, number, faults)?,
        later_id: other_id(Fault::LieOtherUnit)?,
        accomplice: other_id(Fault::LieCsr)?,
        source: Source { fixed: fixed_key(options, name, number, faults) },
        chip,
        hand: Hand { other: has(faults, &Fault::LieKey).then(|| other_key(options, name)) },
        lies: lies(faults),
        sayings: sayings(faults),
        prove_time: options.timings.prove,
    };
    let mut device = Device::power_on(build);
    if fresh {
        prepare(&mut device, options, faults)?;
    }
    Ok(device)
}

/// What happened to a device before it came to this line.
fn prepare(device: &mut Device, options: &Options, faults: &[Fault]) -> Result<(), SimError> {
    if let Some(identity) = &options.preloaded {
        device.preload(identity)?;
    }
    if has(faults, &Fault::HoldsUnknown) {
        device.preload(&foreign::identity(options.seed))?;
    }
    if has(faults, &Fault::Locked) {
        device.lock()?;
    }
    Ok(())
}

fn has(faults: &[Fault], fault: &Fault) -> bool {
    faults.contains(fault)
}

fn chip(options: &Options, name: &str, number: u32, faults: &[Fault]) -> Result<Chip, SimError> {
    let (capacity, times) = (options.capacity, options.timings);
    let volatile = lies(faults).memory != Memory::Flash || has(faults, &Fault::LieRestart);
    match &options.state_dir {
        Some(folder) if !volatile => {
            let file = flash_file(folder, options.seed, name, number);
            Chip::in_file(&file, capacity, times, chip_faults(faults))
        }
        _ => Ok(Chip::in_memory(capacity, times, chip_faults(faults))),
    }
}

fn chip_faults(faults: &[Fault]) -> ChipFaults {
    let mut chip = ChipFaults::default();
    for fault in faults {
        match fault {
            Fault::FlashFull(room) => chip.full_after = Some(*room),
            Fault::TornWrite(number) => chip.torn_write = Some(*number),
            Fault::Power(number) => chip.power = Some(*number),
            _ => {}
        }
    }
    chip
}

fn lies(faults: &[Fault]) -> Lies {
    let mut lies = Lies::default();
    for fault in faults {
        match fault {
            Fault::LieStored => lies.memory = Memory::Claims,
            Fault::LieForget => lies.memory = Memory::Forgets,
            Fault::LieTorn(kind) => lies.torn = Some(*kind),
            Fault::LieRestart => lies.no_restart = true,
            Fault::LieReplay => lies.replay = true,
            Fault::OtherVersion => lies.far_version = true,
            Fault::Nonsense => lies.nonsense = true,
            _ => {}
        }
    }
    lies
}

fn sayings(faults: &[Fault]) -> Sayings {
    let said = faults.iter().filter_map(|fault| match fault {
        Fault::Says(saying) => Some(saying.clone()),
        _ => None,
    });
    let header = faults.iter().find_map(|fault| match fault {
        Fault::Header(lie) => Some(*lie),
        _ => None,
    });
    Sayings::new(said.collect(), header)
}

/// The key that the device draws each time, where it does.
fn fixed_key(options: &Options, name: &str, number: u32, faults: &[Fault]) -> Option<[u8; 32]> {
    let shared = faults.iter().find_map(|fault| match fault {
        Fault::SharedKey(text) => Some(foreign::key(0, text)),
        _ => None,
    });
    let own = || foreign::key(options.seed, &format!("own key of {number} of {name}"));
    let kept = || options.keep_key.then(own);
    shared.or_else(kept).map(|key| key.to_bytes().into())
}

fn other_key(options: &Options, name: &str) -> SigningKey {
    foreign::key(options.seed, &format!("other key of {name}"))
}

fn facts(options: &Options, name: &str, number: u32, faults: &[Fault]) -> Result<Facts, SimError> {
    let mut facts = Facts {
        model: text(&options.model, "model")?,
        hardware_id: own_id(options, name, number)?,
        firmware: text(&options.firmware, "firmware version")?,
        factory_serial: None,
        security: SecurityFlags::NONE,
        capabilities: Capabilities::PROVE
            .with(Capabilities::READ)
            .with(Capabilities::LOCK)
            .with(Capabilities::PKCS8),
        window: options.window()?,
        max_chunk: options.chunk_limit()?,
        busy: options.declared.unwrap_or(options.timings).declared(),
    };
    if options.keygen {
        facts.capabilities = facts.capabilities.with(Capabilities::KEYGEN);
    }
    if has(faults, &Fault::NoProve) {
        facts.capabilities = Capabilities::READ.with(Capabilities::LOCK);
    }
    for fault in faults {
        match fault {
            Fault::ZeroId => facts.hardware_id = hardware_id(&[0x00; ID_LENGTH])?,
            Fault::OnesId => facts.hardware_id = hardware_id(&[0xff; ID_LENGTH])?,
            Fault::Twin(None) => facts.hardware_id = own_id(options, name, 1)?,
            Fault::Twin(Some(text)) => facts.hardware_id = hardware_id(&id_bytes(0, text))?,
            Fault::Model(model) => facts.model = text(model, "model")?,
            Fault::FactorySerial(serial) => {
                facts.factory_serial = Some(text(serial, "factory serial")?);
            }
            _ => {}
        }
    }
    Ok(facts)
}

fn own_id(options: &Options, name: &str, number: u32) -> Result<HardwareId, SimError> {
    hardware_id(&id_bytes(options.seed, &format!("unit {number} of {name}")))
}

fn hardware_id(id: &[u8]) -> Result<HardwareId, SimError> {
    HardwareId::new(id).map_err(|source| SimError::Text { what: "hardware id", source })
}

fn text<const MAX: usize>(text: &str, what: &'static str) -> Result<ShortText<MAX>, SimError> {
    ShortText::new(text).map_err(|source| SimError::Text { what, source })
}

fn manners(options: &Options, faults: &[Fault]) -> Manners {
    let mut manners =
        Manners { latency: options.latency, boot: options.timings.boot, ..Manners::default() };
    for fault in faults {
        match fault {
            Fault::Mute => manners.never_answers = true,
            Fault::Noise => manners.chatter = Some(Chatter::Noise),
            Fault::Flood => manners.chatter = Some(Chatter::Frames),
            Fault::BootNoise => manners.banner = true,
            Fault::ResetOnOpen => manners.reset_on_open = true,
            Fault::UsbRestart => manners.usb_restart = true,
            Fault::Echo => manners.echo = true,
            Fault::Gush(bytes) => manners.gush = usize::try_from(*bytes).unwrap_or(usize::MAX),
            Fault::Stays => manners.stays = true,
            Fault::Header(_) => manners.unreachable = true,
            Fault::Withhold(request) => {
                manners.unreachable |= *request == RequestType::Identify;
                manners.withheld.push(*request);
            }
            Fault::WithholdOnce(request) => manners.withheld_here.push(*request),
            Fault::OtherVersion => manners.unreachable = true,
            Fault::Latency(wait) => manners.latency = *wait,
            Fault::Unplug { at, count, comes_back } => {
                manners.pull = Some(Pull { at: *at, count: *count, comes_back: *comes_back });
            }
            _ => {}
        }
    }
    manners.never_answers |= manners.chatter.is_some() || manners.echo;
    manners.unreachable |= manners.never_answers;
    manners
}

fn mishaps(faults: &[Fault], dice: Dice) -> Mishaps {
    let planned = faults.iter().filter_map(|fault| match fault {
        Fault::Mishap(frame, mishap) => Some((*frame, *mishap)),
        _ => None,
    });
    let lossy = faults.iter().find_map(|fault| match fault {
        Fault::Lossy(percent) => Some(*percent),
        _ => None,
    });
    Mishaps::new(planned.collect(), lossy.map(|percent| (percent, dice)))
}
