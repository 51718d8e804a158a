//! An identity's parts as an application of these chips takes them: certificates as PEM with
//! the zero behind them, the key as DER, where to connect as an address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::esp::tls_number;
use crate::domain::identity::{Identity, IdentityKey};
use crate::domain::ids::{ImageDigest, KeyId};
use crate::error::LinkError;

/// An ECPrivateKey (RFC 5915) up to its scalar, between it and the public key, and the length
/// of the whole: what OpenSSL writes.
const KEY_HEAD: [u8; 7] = [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
const KEY_MIDDLE: [u8; 17] = [
    0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42,
    0x00,
];
const POINT: usize = 65;

/// Bytes of a key.
pub(super) const KEY_LENGTH: usize = KEY_HEAD.len() + 32 + KEY_MIDDLE.len() + POINT;

/// The first byte of the station's record; another layout would have another number.
const RECORD_LAYOUT: u8 = 1;

/// The public parts of an identity.
pub(super) struct Parts {
    /// The key's name in the vault.
    pub(super) key: KeyId,
    /// The key's public half, as its certificate has it.
    pub(super) point: [u8; POINT],
    pub(super) certificate: Vec<u8>,
    pub(super) ca: Vec<u8>,
    pub(super) uri: Vec<u8>,
    pub(super) client_id: Vec<u8>,
    tls: [u8; 2],
}

impl Parts {
    pub(super) fn of(identity: &Identity) -> Result<Self, LinkError> {
        let IdentityKey::Station(key) = identity.key else {
            let why = "the loader can't write a key that the device made".to_owned();
            return Err(LinkError::Unfit { part: "the key", why });
        };
        let settings = &identity.settings;
        let chain = [&*identity.client_certificate, &*identity.ca_chain].concat();
        Ok(Self {
            key,
            point: *identity.public_key.as_bytes(),
            certificate: to_pem(&chain, "the certificate")?,
            ca: to_pem(&identity.server_root, "the server root")?,
            uri: format!("mqtts://{}:{}\0", settings.host, settings.port).into_bytes(),
            client_id: format!("{}\0", settings.client_id.as_str()).into_bytes(),
            tls: [tls_number(settings.tls_min), tls_number(settings.tls_max)],
        })
    }

    /// The station's own record of the whole.
    pub(super) fn record(&self, record: &Record) -> Vec<u8> {
        let mut bytes = vec![RECORD_LAYOUT];
        bytes.extend(self.tls);
        bytes.push(0);
        bytes.extend(record.key_at.to_le_bytes());
        bytes.extend(record.image.as_bytes());
        bytes.extend(record.key_digest);
        bytes
    }
}

/// Bytes of the station's record.
pub(super) const RECORD_LENGTH: usize = 4 + 4 + 32 + 16;

/// What the image is called, and where its key is and under which digest, so that a loader can
/// be asked whether that is as it was without giving it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// The sector in which the key begins, from the partition's beginning.
    pub(super) key_at: u32,
    /// The image.
    pub(super) image: ImageDigest,
    /// MD5 of everything from there to the partition's end.
    pub(super) key_digest: [u8; 16],
}

impl Record {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; RECORD_LENGTH] = bytes.try_into().ok()?;
        let image: [u8; 32] = bytes[8..40].try_into().ok()?;
        (bytes[0] == RECORD_LAYOUT).then_some(())?;
        Some(Self {
            key_at: u32::from_le_bytes(bytes[4..8].try_into().ok()?),
            image: ImageDigest::new(image),
            key_digest: bytes[40..].try_into().ok()?,
        })
    }
}

/// Writes the key's DER to the front of lent memory.
pub(super) fn write_key<'m>(
    scalar: &[u8; 32],
    point: &[u8; POINT],
    into: &'m mut [u8],
) -> Option<&'m [u8]> {
    let der = into.get_mut(..KEY_LENGTH)?;
    let (head, rest) = der.split_at_mut(KEY_HEAD.len());
    head.copy_from_slice(&KEY_HEAD);
    let (middle, rest) = rest.split_at_mut(scalar.len());
    middle.copy_from_slice(scalar);
    let (curve, public) = rest.split_at_mut(KEY_MIDDLE.len());
    curve.copy_from_slice(&KEY_MIDDLE);
    public.copy_from_slice(point);
    Some(der)
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";

/// Certificates as PEM and a zero; they come as DER, one behind the other.
fn to_pem(ders: &[u8], part: &'static str) -> Result<Vec<u8>, LinkError> {
    let unfit = || LinkError::Unfit { part, why: "it is no certificate in DER".to_owned() };
    let (mut pem, mut rest) = (String::new(), ders);
    while !rest.is_empty() {
        let [0x30, 0x82, high, low, ..] = rest else { return Err(unfit()) };
        let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
        let (der, behind) = rest.split_at_checked(length).ok_or_else(unfit)?;
        pem.push_str(BEGIN);
        for line in STANDARD.encode(der).as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str(END);
        rest = behind;
    }
    pem.push('\0');
    Ok(pem.into_bytes())
}

/// The first certificate of a PEM text or of DER, as DER: what others wrote counts too.
pub(super) fn first_certificate(data: &[u8]) -> Option<Vec<u8>> {
    if data.first() == Some(&0x30) {
        return Some(data.to_vec());
    }
    let text = std::str::from_utf8(data).ok()?.trim_end_matches('\0');
    let (_, body) = text.split_once(BEGIN.trim_end())?;
    let (body, _) = body.split_once(END.trim_end())?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_long_as_it_says() {
        let mut room = [0; 200];
        let der = write_key(&[7; 32], &[4; POINT], &mut room).unwrap();
        assert_eq!(der.len(), 2 + usize::from(der[1]));
        assert!(write_key(&[7; 32], &[4; POINT], &mut room[..KEY_LENGTH - 1]).is_none());
    }

    #[test]
    fn certificates_become_pem_and_the_first_comes_back() {
        let der = [&[0x30, 0x82, 0, 100][..], &[7; 100]].concat();
        let both = [&der[..], &der].concat();
        let pem = to_pem(&both, "it").unwrap();
        assert_eq!(pem.last(), Some(&0));
        assert_eq!(first_certificate(&pem), Some(der.clone()));
        assert_eq!(first_certificate(&der), Some(der));
        assert!(to_pem(&both[..50], "it").is_err());
        assert_eq!(first_certificate(b"nothing"), None);
    }
}
