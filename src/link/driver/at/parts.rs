//! An identity as a modem keeps it: three texts in PEM, each with its length and SHA-256, and
//! the digest by which the whole is named.
//!
//! Where to connect is not among them: a modem has no place for it, its application knows.

use crc::{CRC_32_ISO_HDLC, Crc};
use sha2::{Digest, Sha256};

use crate::domain::identity::{Identity, IdentityKey};
use crate::domain::ids::{Fingerprint, ImageDigest, KeyId, PublicKey};
use crate::domain::lender::KeyLender;
use crate::driver::key_document;
use crate::driver::pem::{to_pem, write_between};
use crate::error::LinkError;

/// One of the three texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The roots that the broker's certificate must chain to.
    Roots,
    /// The private key: PKCS #8 with its public key, as all makers take it.
    Key,
    /// The client certificate and what stands above it, leaf first. It makes the others count.
    Certificate,
}

impl Part {
    /// All of them; the certificate last.
    pub(super) const ALL: [Part; 3] = [Part::Roots, Part::Key, Part::Certificate];

    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Part::Roots => "the server root",
            Part::Key => "the private key",
            Part::Certificate => "the client certificate",
        }
    }

    const fn index(self) -> usize {
        match self {
            Part::Roots => 0,
            Part::Key => 1,
            Part::Certificate => 2,
        }
    }
}

/// What a modem says of a part that it keeps, as far as its family can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// There is none.
    Missing,
    /// SHA-256 of its text.
    Hash([u8; 32]),
    /// Its length, and the check sum of its bytes: of a key that the modem gives out.
    Checked {
        /// Bytes.
        length: u32,
        /// CRC-32.
        sum: u32,
    },
    /// That it is there, and nothing more.
    Present,
}

impl Stored {
    /// It in 33 bytes, for a digest.
    fn bytes(self) -> [u8; 33] {
        let (kind, value) = match self {
            Stored::Missing => (0, [0; 32]),
            Stored::Hash(hash) => (1, hash),
            Stored::Checked { length, sum } => {
                let mut value = [0; 32];
                value[..4].copy_from_slice(&length.to_be_bytes());
                value[4..8].copy_from_slice(&sum.to_be_bytes());
                (2, value)
            }
            Stored::Present => (3, [0; 32]),
        };
        let mut bytes = [kind; 33];
        bytes[1..].copy_from_slice(&value);
        bytes
    }
}

/// What a whole identity is called: SHA-256 over what the modem can say of each part, and the
/// certificate's fingerprint.
pub(super) fn image_of(parts: [Stored; 3], certificate: &Fingerprint) -> ImageDigest {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.bytes());
    }
    digest.update(certificate.as_bytes());
    ImageDigest::new(digest.finalize().into())
}

/// What is kept of a key that is read back: a number from which it does not follow, made without
/// a memory that holds more of it than the byte at hand.
pub(super) const CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A part's text, measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) length: u32,
    pub(super) hash: [u8; 32],
    pub(super) sum: u32,
}

impl Measure {
    fn of(text: &[u8]) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { length, hash: Sha256::digest(text).into(), sum: CHECK.checksum(text) }
    }

    /// It as a modem says it that gives a key out.
    pub(super) const fn checked(self) -> Stored {
        Stored::Checked { length: self.length, sum: self.sum }
    }
}

/// Where the private key comes from.
#[derive(Debug, Clone, Copy)]
enum KeySource {
    /// The vault.
    Vault(KeyId),
    /// The modem made it, and says so much of it.
    Modem(Stored),
}

/// The texts of one identity, without the private key.
pub(super) struct Composed {
    identity: Identity,
    key: KeySource,
    /// By [`Part::index`]; the key's is empty.
    texts: [Vec<u8>; 3],
    measures: [Measure; 3],
}

impl Composed {
    /// `made` is what the modem says of the key that it made, where it made one.
    pub(super) fn new(
        identity: &Identity,
        keys: &dyn KeyLender,
        made: Option<Stored>,
    ) -> Result<Self, LinkError> {
        let chain = [&*identity.client_certificate, &*identity.ca_chain].concat();
        let texts = [
            to_pem(&identity.server_root, "the server root")?,
            Vec::new(),
            to_pem(&chain, "the certificate")?,
        ];
        let mut measures = [0, 1, 2].map(|index: usize| Measure::of(&texts[index]));
        let key = match (identity.key, made) {
            (IdentityKey::Station(key), _) => {
                lend_text(key, keys, &identity.public_key, &mut |text, _| {
                    measures[Part::Key.index()] = Measure::of(text);
                    Ok(())
                })?;
                KeySource::Vault(key)
            }
            (IdentityKey::Device(_), Some(made)) => KeySource::Modem(made),
            (IdentityKey::Device(_), None) => {
                let (operation, missing) = ("composing the texts", "the modem made a key");
                return Err(LinkError::Order { operation, missing });
            }
        };
        Ok(Self { identity: identity.clone(), key, texts, measures })
    }

    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        self.identity == *identity
    }

    /// The certificate's fingerprint.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(Sha256::digest(&self.identity.client_certificate).into())
    }

    /// A part's measure; none of a key that the modem made.
    pub(super) fn measure(&self, part: Part) -> Option<Measure> {
        match (part, self.key) {
            (Part::Key, KeySource::Modem(_)) => None,
            _ => Some(self.measures[part.index()]),
        }
    }

    /// What the modem said of the key that it made.
    pub(super) fn made(&self) -> Option<Stored> {
        match self.key {
            KeySource::Modem(made) => Some(made),
            KeySource::Vault(_) => None,
        }
    }

    /// Bytes of all parts that are staged.
    pub(super) fn total(&self) -> u32 {
        let staged = [Part::Roots, Part::Key];
        staged.iter().filter_map(|part| self.measure(*part)).map(|measure| measure.length).sum()
    }

    /// Lends a part's text, with memory to work in. The key's is in locked memory.
    pub(super) fn lend(
        &self,
        part: Part,
        keys: Option<&dyn KeyLender>,
        work: Use<'_>,
    ) -> Result<(), LinkError> {
        match (part, self.key, keys) {
            (Part::Key, KeySource::Vault(key), Some(keys)) => {
                lend_text(key, keys, &self.identity.public_key, work)
            }
            (Part::Key, ..) => {
                Err(LinkError::Order { operation: "writing the key", missing: "it was lent" })
            }
            _ => work(&self.texts[part.index()], &mut [0; 512]),
        }
    }
}

/// What is done with a text, and memory to do it in.
pub(super) type Use<'u> = &'u mut dyn FnMut(&[u8], &mut [u8]) -> Result<(), LinkError>;

/// An uncompressed point of P-256.
const POINT: usize = 65;

/// A SubjectPublicKeyInfo of P-256 up to its point.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The public key in a certificate or a signing request.
pub(super) fn point_in(der: &[u8]) -> Option<[u8; POINT]> {
    let head = der.windows(SPKI_HEAD.len()).position(|window| window == SPKI_HEAD)?;
    der.get(head + SPKI_HEAD.len()..)?.get(..POINT)?.try_into().ok()
}

const KEY_BEGIN: &[u8] = b"-----BEGIN PRIVATE KEY-----\n";
const KEY_END: &[u8] = b"-----END PRIVATE KEY-----\n";

/// Lends the key's text. Everything that reveals it lies in the lender's memory.
fn lend_text(
    key: KeyId,
    keys: &dyn KeyLender,
    public_key: &PublicKey,
    work: Use<'_>,
) -> Result<(), LinkError> {
    let why = "the lender gives too little memory".to_owned();
    let mut outcome = Err(LinkError::Unfit { part: "the key", why });
    keys.lend(key, &mut |scalar, scratch| {
        let Some((text, rest)) = key_text(scalar, public_key, scratch) else { return };
        outcome = work(text, rest);
    })
    .map_err(LinkError::Key)?;
    outcome
}

/// Writes the key's text into the lent memory; what is left of that comes with it.
fn key_text<'a>(
    scalar: &[u8; 32],
    public_key: &PublicKey,
    scratch: &'a mut [u8],
) -> Option<(&'a [u8], &'a mut [u8])> {
    let (der, rest) = scratch.split_at_mut_checked(key_document::LENGTH)?;
    key_document::write(scalar, public_key, der)?;
    let (text, rest) = rest.split_at_mut_checked(512)?;
    let length = write_between((KEY_BEGIN, KEY_END), der, text)?;
    Some((&text[..length], rest))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::driver::key_document::samples;
    use crate::driver::pem::LINE;

    #[test]
    fn a_keys_text_is_pem_of_as_many_bytes_as_it_says() {
        let public_key = PublicKey::from_bytes(&samples::POINT).unwrap();
        let mut scratch = [0; 1024];
        let (text, rest) = key_text(&samples::SCALAR, &public_key, &mut scratch).unwrap();
        let text = std::str::from_utf8(text).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        assert_eq!(der.len(), key_document::LENGTH);
        assert_eq!(der.len(), 3 + usize::from(der[2]));
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert!(rest.len() >= 256, "a read-back needs some");
        assert!(key_text(&samples::SCALAR, &public_key, &mut [0; 300]).is_none());
    }

    #[test]
    fn what_a_modem_says_of_its_parts_names_the_whole() {
        let certificate = Fingerprint::new([9; 32]);
        let key = |length| Stored::Checked { length, sum: 7 };
        let stored = [Stored::Hash([1; 32]), key(241), Stored::Present];
        let image = image_of(stored, &certificate);
        for (index, other) in
            [Stored::Missing, key(240), Stored::Hash([0; 32])].into_iter().enumerate()
        {
            let mut changed = stored;
            changed[index] = other;
            assert_ne!(image_of(changed, &certificate), image);
        }
        assert_ne!(image_of(stored, &Fingerprint::new([8; 32])), image);
    }

    #[test]
    fn the_public_key_is_found_where_it_stands() {
        let der = [&[0x30, 0x82][..], &SPKI_HEAD, &[4; POINT], &[0x01]].concat();
        assert_eq!(point_in(&der), Some([4; POINT]));
        assert_eq!(point_in(&der[..60]), None);
    }
}
