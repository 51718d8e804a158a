//! What a device holds, read from its flash file without its help.
//!
//! For tests and for `demo`, which compare it with the ledger. The private key is part
//! of it.

use std::path::Path;

use firmware_interface::dispatch::{Facts, SLOT_HEADER_LENGTH, Slot, Storage};
use firmware_interface::ids::{Capabilities, ObjectKind, SecurityFlags};
use firmware_interface::image::{KEY_LENGTH, PKCS8_LENGTH, PKCS8_SCALAR_AT};
use firmware_interface::message::{ChunkLimit, HardwareId, IdentifyReply, ShortText, Window};
use firmware_interface::timing::BusyTimes;
use sha2::{Digest, Sha256};

use super::conversation;
use super::error::SimError;
use super::firmware::{Firmware, Hand, SharedChip, Source, StandingClock};
use super::flash::{Chip, ChipFaults};
use super::timings::Timings;

/// The identity that a device holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// SHA-256 of the image.
    pub digest: [u8; 32],
    /// The private key.
    pub key: [u8; 32],
    /// The client certificate, DER.
    pub certificate: Vec<u8>,
    /// The CA certificates above it, DER; empty if there are none.
    pub chain: Vec<u8>,
    /// The roots by which it knows its server, DER; empty if there are none.
    pub server_roots: Vec<u8>,
    /// Connection settings as bytes; empty if there are none.
    pub settings: Vec<u8>,
    /// Whether the device is locked.
    pub locked: bool,
    /// The whole image.
    pub image: Vec<u8>,
}

/// The identity in a flash file, as the device would find it after a boot.
pub fn held_identity(flash_file: &Path) -> Result<Option<Held>, SimError> {
    let chip = SharedChip::new(Chip::of_any_size(flash_file)?);
    let mut firmware =
        Firmware::boot(anyone()?, chip.clone(), Hand::default(), Source::default(), StandingClock);
    let identified = conversation::identify(&mut firmware);
    Ok(identified.filter(IdentifyReply::holds_identity).and_then(|seen| {
        let mut object = |kind| conversation::read_object(&mut firmware, kind).unwrap_or_default();
        let certificate = object(ObjectKind::ClientCertificate);
        let chain = object(ObjectKind::CaChain);
        let server_roots = object(ObjectKind::ServerRoots);
        let settings = object(ObjectKind::Settings);
        let public = [&certificate[..], &chain, &server_roots, &settings].concat();
        let made = conversation::read_object(&mut firmware, ObjectKind::MadeKey);
        let (key, front) = match made {
            Some(made) => (made_key_beside(&chip, seen.image)?, made),
            None => {
                let front = key_beside(&chip, &public, seen.image)?;
                let at = if front.len() == PKCS8_LENGTH { PKCS8_SCALAR_AT } else { 0 };
                (front.get(at..)?.first_chunk().copied()?, front)
            }
        };
        let image = [&front[..], &public].concat();
        let locked = chip.chip().is_locked().unwrap_or(true);
        let digest = seen.image;
        Some(Held { digest, key, certificate, chain, server_roots, settings, locked, image })
    }))
}

/// The private key that stands before these objects in the slot whose image has that digest,
/// in whichever form.
fn key_beside(chip: &SharedChip, public: &[u8], digest: [u8; 32]) -> Option<Vec<u8>> {
    let forms = [KEY_LENGTH, PKCS8_LENGTH].into_iter();
    forms.flat_map(|length| Slot::ALL.map(|slot| (slot, length))).find_map(|(slot, length)| {
        let mut key = vec![0; length];
        chip.chip().read(slot, 0, &mut key).ok()?;
        let found = Sha256::new().chain_update(&key).chain_update(public).finalize();
        (found[..] == digest).then_some(key)
    })
}

/// The key that was made on the device, in the header of the slot whose image has that
/// digest. Where it stands there says the protocol's page.
fn made_key_beside(chip: &SharedChip, digest: [u8; 32]) -> Option<[u8; 32]> {
    Slot::ALL.into_iter().find_map(|slot| {
        let mut header = [0; SLOT_HEADER_LENGTH];
        chip.chip().read_header(slot, &mut header).ok()?;
        (header[8..40] == digest).then(|| header[56..88].try_into().ok()).flatten()
    })
}

/// What a flash file does not tell.
fn anyone() -> Result<Facts, SimError> {
    let text = |source| SimError::Text { what: "flash file", source };
    Ok(Facts {
        model: ShortText::new("flash file").map_err(text)?,
        hardware_id: HardwareId::new(&[0x51; 4]).map_err(text)?,
        firmware: ShortText::new("0").map_err(text)?,
        factory_serial: None,
        security: SecurityFlags::NONE,
        capabilities: Capabilities::READ,
        window: Window::ONE,
        max_chunk: ChunkLimit::MIN,
        busy: BusyTimes::default(),
    })
}

impl Chip {
    /// The chip of whatever capacity the file is of; a missing file is an error.
    fn of_any_size(file: &Path) -> Result<Self, SimError> {
        let length = std::fs::metadata(file)
            .map_err(|source| SimError::Flash { file: file.to_owned(), source })?
            .len();
        let capacity = Self::capacity_of(usize::try_from(length).unwrap_or(usize::MAX));
        Self::in_file(file, capacity, Timings::INSTANT, ChipFaults::default())
    }
}
