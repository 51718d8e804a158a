//! Identities to burn in a conformance run, and the images made of them.
//!
//! They are of a throw-away CA, so that the private keys among them protect nothing: here,
//! and nowhere else in the link, an image stands in ordinary memory as a whole.

use firmware_interface::codec::CRC32;
use firmware_interface::ids::ObjectKind;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::verdict::{Checked, Wrong};
use crate::domain::device::Fault;
use crate::domain::identity::{ConnectionSettings, SigningRequest, TlsVersion};
use crate::domain::ids::{HardwareId, PublicKey};
use crate::domain::say::Say;
use crate::driver::framed::image::settings;
use crate::driver::key_document;
use crate::say;

/// A key and a certificate of a throw-away CA.
pub struct SampleIdentity {
    /// The private key.
    pub scalar: Zeroizing<[u8; 32]>,
    /// Its public half.
    pub public_key: PublicKey,
    /// The client certificate, DER.
    pub certificate: Vec<u8>,
}

/// Makes identities that are thrown away, and judges what a device signs with them.
///
/// The line knows no certificates; whoever starts a run brings this.
pub trait Samples {
    /// A new key and its certificate.
    fn identity(&self) -> Result<SampleIdentity, Fault>;

    /// A certificate for a key that the device made.
    fn certify(&self, public_key: &PublicKey) -> Result<Vec<u8>, Fault>;

    /// The CA's certificate, DER.
    fn ca_certificate(&self) -> Vec<u8>;

    /// Whether `signature`, raw `r ‖ s`, is over `text` with that key.
    fn is_signed(&self, public_key: &PublicKey, text: &[u8], signature: &[u8; 64]) -> bool;

    /// Whether a signing request is right and this device's; else what is wrong with it.
    fn check_request(&self, request: &SigningRequest, hardware: &HardwareId) -> Result<(), Say>;
}

/// An image as it is burned.
#[derive(Clone)]
pub(super) struct Image {
    objects: Vec<(ObjectKind, Vec<u8>)>,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) digest: [u8; 32],
    /// Under which its proofs verify, if it is an identity.
    pub(super) public_key: Option<PublicKey>,
}

impl Image {
    fn new(objects: Vec<(ObjectKind, Vec<u8>)>, public_key: Option<PublicKey>) -> Self {
        let bytes: Vec<u8> = objects.iter().flat_map(|(_, object)| object.clone()).collect();
        let digest = Sha256::digest(&bytes).into();
        Self { objects, bytes: Zeroizing::new(bytes), digest, public_key }
    }

    /// An identity with what a product needs at least, and the CA where there is room.
    pub(super) fn of_identity(
        samples: &dyn Samples,
        identity: &SampleIdentity,
        capacity: u32,
    ) -> Checked<Self> {
        let key = (ObjectKind::Key, identity.scalar.to_vec());
        let public_key = identity.public_key;
        Self::of_parts(samples, key, identity.certificate.clone(), public_key, capacity)
    }

    /// An identity whose key the device made.
    pub(super) fn of_made_key(
        samples: &dyn Samples,
        public_key: PublicKey,
        capacity: u32,
    ) -> Checked<Self> {
        let certificate = samples.certify(&public_key)?;
        let key = (ObjectKind::MadeKey, public_key.as_bytes().to_vec());
        Self::of_parts(samples, key, certificate, public_key, capacity)
    }

    fn of_parts(
        samples: &dyn Samples,
        key: (ObjectKind, Vec<u8>),
        certificate: Vec<u8>,
        public_key: PublicKey,
        capacity: u32,
    ) -> Checked<Self> {
        let settings = (ObjectKind::Settings, sample_settings()?);
        let certificate = (ObjectKind::ClientCertificate, certificate);
        let chain = (ObjectKind::CaChain, samples.ca_certificate());
        let mut objects = vec![key, certificate, settings];
        let length: usize = objects.iter().map(|(_, object)| object.len()).sum();
        if length + chain.1.len() <= capacity as usize {
            objects.insert(2, chain);
        } else if length > capacity as usize {
            let why = say!(
                "a capacity of {capacity} bytes: an identity has {length}",
                "容量 {capacity} 字节：一份身份有 {length} 字节"
            );
            return Err(Wrong::device(why));
        }
        Ok(Self::new(objects, Some(public_key)))
    }

    /// The same identity with server roots of nonsense, so that it has `length` bytes, or as
    /// many as an image can have.
    pub(super) fn padded(&self, length: u32) -> Self {
        let missing = (length as usize).saturating_sub(self.bytes.len());
        let mut objects = self.objects.clone();
        let roots = missing.min(usize::from(u16::MAX));
        if roots > 0 {
            // No zero among them: that is what makes a frame longest.
            let filler = (0..roots).map(|index| 1 + (index % 251) as u8).collect();
            let place = objects.len() - 1;
            objects.insert(place, (ObjectKind::ServerRoots, filler));
        }
        Self::new(objects, self.public_key)
    }

    /// The same identity under another key, which signs nothing that verifies.
    pub(super) fn with_key(&self, key: [u8; 32]) -> Self {
        let mut objects = self.objects.clone();
        objects[0] = (ObjectKind::Key, key.to_vec());
        Self::new(objects, None)
    }

    /// The same identity with its key as a PKCS #8 document.
    pub(super) fn as_pkcs8(&self) -> Option<Self> {
        let (kind, key) = self.objects.first()?;
        let scalar = key.first_chunk().filter(|_| *kind == ObjectKind::Key)?;
        let mut memory = Zeroizing::new([0; key_document::LENGTH]);
        let document = key_document::write(scalar, self.public_key.as_ref()?, &mut *memory)?;
        let mut objects = self.objects.clone();
        objects[0] = (ObjectKind::Pkcs8Key, document.to_vec());
        Some(Self::new(objects, self.public_key))
    }

    pub(super) fn total(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// The length of the first object, which travels alone.
    pub(super) fn key_length(&self) -> usize {
        self.objects[0].1.len()
    }

    pub(super) fn object(&self, kind: ObjectKind) -> Option<&[u8]> {
        let found = self.objects.iter().find(|(of, _)| *of == kind);
        found.map(|(_, object)| object.as_slice())
    }

    /// SHA-256 of the client certificate.
    pub(super) fn certificate(&self) -> [u8; 32] {
        Sha256::digest(self.object(ObjectKind::ClientCertificate).unwrap_or_default()).into()
    }

    /// Kinds and lengths as they stand in BEGIN.
    pub(super) fn table(&self) -> Vec<(u8, u16)> {
        let entry = |(kind, object): &(ObjectKind, Vec<u8>)| {
            (kind.to_wire(), u16::try_from(object.len()).unwrap_or(u16::MAX))
        };
        self.objects.iter().map(entry).collect()
    }

    /// The body of BEGIN.
    pub(super) fn begin(&self) -> Vec<u8> {
        begin(self.total(), &self.digest, &self.table())
    }

    /// CRC-32 of the image up to there.
    pub(super) fn crc(&self, next: usize) -> u32 {
        CRC32.checksum(&self.bytes[..next])
    }

    /// The key, then pieces of at most `limit` bytes, each with its offset.
    pub(super) fn pieces(&self, limit: usize) -> Vec<(u32, &[u8])> {
        let (key, rest) = self.bytes.split_at(self.key_length());
        let mut offset = 0;
        let mut placed = |piece| {
            let place = (offset, piece);
            offset += u32::try_from(<[u8]>::len(piece)).unwrap_or(u32::MAX);
            place
        };
        std::iter::once(key).chain(rest.chunks(limit)).map(&mut placed).collect()
    }
}

/// Any body of BEGIN, right or wrong.
pub(super) fn begin(total: u32, digest: &[u8; 32], table: &[(u8, u16)]) -> Vec<u8> {
    let mut body = total.to_le_bytes().to_vec();
    body.extend(digest);
    body.push(u8::try_from(table.len()).unwrap_or(u8::MAX));
    for (kind, length) in table {
        body.push(*kind);
        body.extend(length.to_le_bytes());
    }
    body
}

/// The body of CHUNK.
pub(super) fn chunk(offset: u32, data: &[u8]) -> Vec<u8> {
    [offset.to_le_bytes().as_slice(), data].concat()
}

fn sample_settings() -> Checked<Vec<u8>> {
    let client_id = "selftest-00000001".parse();
    let client_id = client_id
        .map_err(|_| Wrong::device(("the sample's client id is none", "样本的客户端 ID 不成立")))?;
    Ok(settings(&ConnectionSettings {
        client_id,
        host: "selftest.invalid".to_owned(),
        port: 8883,
        tls_min: TlsVersion::V1_2,
        tls_max: TlsVersion::V1_3,
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        let part = |kind, length| (kind, vec![7; length]);
        Image::new(
            vec![
                part(ObjectKind::Key, 32),
                part(ObjectKind::ClientCertificate, 400),
                part(ObjectKind::Settings, 28),
            ],
            None,
        )
    }

    #[test]
    fn an_image_is_padded_to_a_length_and_cut_with_the_key_alone() {
        let padded = image().padded(1000);
        assert_eq!(padded.total(), 1000);
        assert_eq!(image().padded(10).total(), 460);
        let pieces = padded.pieces(300);
        let lengths: Vec<usize> = pieces.iter().map(|(_, piece)| piece.len()).collect();
        assert_eq!(lengths, [32, 300, 300, 300, 68]);
        assert_eq!(pieces[4].0, 932);
    }

    #[test]
    fn the_body_of_begin_is_that_of_the_page() {
        let body = image().begin();
        assert_eq!(body.len(), 37 + 9);
        assert_eq!(body[..4], 460_u32.to_le_bytes());
        assert_eq!(body[36..], [3, 1, 32, 0, 3, 0x90, 1, 6, 28, 0]);
    }
}
