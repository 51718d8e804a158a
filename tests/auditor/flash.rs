//! What a device holds, from its flash file alone, by the layout in `docs/protocol.md`.

use std::fs;
use std::path::{Path, PathBuf};

use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point;
use sha2::{Digest, Sha256};

use super::{files_ending, hex};

const LOCK: usize = 16;
const HEADER: usize = 96;
const CRC_AT: usize = HEADER - 4;
const MADE_KEY_AT: usize = 56;

const KEY: u8 = 1;
const MADE_KEY: u8 = 2;
const CERTIFICATE: u8 = 3;
const SETTINGS: u8 = 6;

/// The identity in one device.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) file: PathBuf,
    pub(crate) certificate: Vec<u8>,
    pub(crate) image: [u8; 32],
    /// The uncompressed point of its private key.
    pub(crate) public_key: Vec<u8>,
    pub(crate) client_id: Option<String>,
    /// From its certificate.
    pub(crate) common_name: Option<String>,
    pub(crate) sn: String,
    pub(crate) certified_key: Vec<u8>,
}

/// Every device that holds an identity.
pub(crate) fn read_all(folder: &Path, findings: &mut Vec<String>) -> Vec<Device> {
    let mut devices = Vec::new();
    for file in files_ending(folder, "flash") {
        let bytes = fs::read(&file).unwrap_or_default();
        match read(&file, &bytes) {
            Ok(device) => devices.extend(device),
            Err(why) => findings.push(format!("{} is in force and {why}", file.display())),
        }
    }
    devices
}

/// One slot that would win at boot.
struct Slot<'f> {
    generation: u32,
    image: &'f [u8],
    objects: Vec<(u8, &'f [u8])>,
    digest: [u8; 32],
    header: &'f [u8],
}

fn read(file: &Path, bytes: &[u8]) -> Result<Option<Device>, String> {
    if bytes.len() < LOCK + 2 * HEADER {
        return Ok(None);
    }
    let capacity = (bytes.len() - LOCK - 2 * HEADER) / 2;
    let slots = (0..2).filter_map(|index| slot(bytes, index, capacity));
    // Of two with the same generation the first is newer.
    match slots.rev().max_by_key(|slot| slot.generation) {
        Some(slot) => device(file, &slot).map(Some),
        None => Ok(None),
    }
}

fn slot(bytes: &[u8], index: usize, capacity: usize) -> Option<Slot<'_>> {
    let header = &bytes[LOCK + index * HEADER..][..HEADER];
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&header[..CRC_AT]);
    if &header[..4] != b"PSI1" || header[CRC_AT..] != crc.to_le_bytes() {
        return None;
    }
    let whole = &bytes[LOCK + 2 * HEADER + index * capacity..][..capacity];
    let mut objects = Vec::new();
    let mut at = 0;
    for entry in header[41..].chunks(3).take(header[40].into()) {
        let length = usize::from(u16::from_le_bytes([entry[1], entry[2]]));
        objects.push((entry[0], whole.get(at..at + length)?));
        at += length;
    }
    let image = &whole[..at];
    let digest: [u8; 32] = Sha256::digest(image).into();
    let generation = u32::from_le_bytes(header[4..8].try_into().ok()?);
    (digest == header[8..40]).then_some(Slot { generation, image, objects, digest, header })
}

fn device(file: &Path, slot: &Slot<'_>) -> Result<Device, String> {
    let object = |kind| slot.objects.iter().find(|(found, _)| *found == kind).map(|(_, o)| *o);
    let key = match (object(KEY), object(MADE_KEY)) {
        (Some(key), None) => key,
        (None, Some(_)) => &slot.header[MADE_KEY_AT..MADE_KEY_AT + 32],
        _ => return Err("has not exactly one key".to_owned()),
    };
    let key = SecretKey::from_slice(key).map_err(|_| "its key is no scalar".to_owned())?;
    let public_key = key.public_key().to_sec1_point(false).as_bytes().to_vec();
    if object(MADE_KEY).is_some_and(|public| public != public_key) {
        return Err("its made key is not that of its image".to_owned());
    }
    let certificate = object(CERTIFICATE).ok_or("has no certificate")?.to_vec();
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
        .map_err(|error| format!("its certificate is none: {error}"))?;
    let common_name = parsed.subject().iter_common_name().next();
    let common_name = common_name.and_then(|name| name.as_str().ok()).map(str::to_owned);
    let (sn, certified_key) =
        (hex(parsed.raw_serial()), parsed.public_key().subject_public_key.data.to_vec());
    debug_assert!(!slot.image.is_empty());
    Ok(Device {
        file: file.to_owned(),
        image: slot.digest,
        public_key,
        client_id: object(SETTINGS).and_then(client_id),
        common_name,
        sn,
        certified_key,
        certificate,
    })
}

/// Layout, two TLS versions, a port, then the client id with its length before it.
fn client_id(settings: &[u8]) -> Option<String> {
    let length = usize::from(*settings.get(5)?);
    let text = settings.get(6..6 + length)?;
    String::from_utf8(text.to_vec()).ok()
}
