//! The image: an identity's objects one after the other, and how it is cut into chunks.
//!
//! The key is the first object and a chunk of its own: `key` says in which form. A private one is
//! never in this memory: what depends on it is worked out while it is lent, and only digest and
//! check sums, which the line carries in clear anyway, come out.

use firmware_interface::codec::CRC32;
use firmware_interface::ids::ObjectKind;
use firmware_interface::image::{
    KEY_LENGTH, Object, ObjectTable, PKCS8_LENGTH, PKCS8_SCALAR_AT, PUBLIC_KEY_LENGTH, Settings,
    TlsVersion,
};
use firmware_interface::message::{Begin, ChunkLimit, ShortText, Sink};
use sha2::{Digest, Sha256};

use crate::domain::identity::{self, ConnectionSettings, Identity, IdentityKey, KeyFormat};
use crate::domain::ids::{ImageDigest, KeyId};
use crate::domain::lender::KeyLender;
use crate::driver::key_document;
use crate::error::LinkError;

// The document that is written is the one of the page.
const _: () =
    assert!(key_document::LENGTH == PKCS8_LENGTH && key_document::SCALAR_AT == PKCS8_SCALAR_AT);

/// A chunk's place in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// An image without its private key.
pub(super) struct Composed {
    identity: Identity,
    objects: ObjectTable,
    digest: [u8; 32],
    /// Everything behind the private key; all of it, where the device made the key.
    public: Vec<u8>,
    pieces: Vec<Piece>,
    /// CRC-32 of the image up to the end of each piece.
    crcs: Vec<u32>,
}

impl Composed {
    pub(super) fn new(
        identity: &Identity,
        keys: &dyn KeyLender,
        limit: ChunkLimit,
    ) -> Result<Self, LinkError> {
        let (objects, public) = lay_out(identity)?;
        let pieces = cut(objects.total(), objects.key_length(), limit);
        let (digest, crcs) = match identity.key {
            IdentityKey::Station(key) => digest_with_key(key, identity, keys, &public, &pieces)?,
            IdentityKey::Device(_) => digest_of(&[], &public, &pieces),
        };
        Ok(Self { identity: identity.clone(), objects, digest, public, pieces, crcs })
    }

    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        self.identity == *identity
    }

    /// The private key that has to be lent for the first piece, where there is one.
    pub(super) fn key(&self) -> Option<KeyId> {
        self.identity.key.in_vault()
    }

    pub(super) fn total(&self) -> u32 {
        self.objects.total()
    }

    pub(super) fn digest(&self) -> ImageDigest {
        ImageDigest::new(self.digest)
    }

    pub(super) fn begin(&self) -> Begin {
        Begin { digest: self.digest, objects: self.objects }
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many pieces lie before `next`, if it is where one begins or the image ends.
    pub(super) fn pieces_before(&self, next: u32) -> Option<usize> {
        match next {
            0 => Some(0),
            _ => self.pieces.iter().position(|piece| piece.end == next).map(|index| index + 1),
        }
    }

    /// CRC-32 of the first `count` pieces.
    pub(super) fn crc_of(&self, count: usize) -> u32 {
        let last = count.checked_sub(1).and_then(|last| self.crcs.get(last));
        last.copied().unwrap_or_else(|| CRC32.checksum(&[]))
    }

    /// The bytes of a piece that is not the private key.
    pub(super) fn public_bytes(&self, piece: Piece) -> &[u8] {
        part(&self.public, hidden(&self.identity), piece)
    }

    /// The image's first object, where it is a private key: made in the lent memory.
    pub(super) fn secret<'a>(&self, scalar: &'a [u8; 32], memory: &'a mut [u8]) -> &'a [u8] {
        secret(&self.identity, scalar, memory)
    }

    /// Whether the first object is of the kind that not every device takes.
    pub(super) fn is_pkcs8(&self) -> bool {
        self.objects.place(ObjectKind::Pkcs8Key).is_some()
    }
}

/// Memory of a lender that the first object takes.
pub(super) const KEY_MEMORY: usize = PKCS8_LENGTH;

/// What kind of object the key is, and how long.
fn key(identity: &Identity) -> (ObjectKind, usize) {
    match (identity.key, identity.key_format) {
        (IdentityKey::Device(_), _) => (ObjectKind::MadeKey, PUBLIC_KEY_LENGTH),
        (IdentityKey::Station(_), KeyFormat::Scalar) => (ObjectKind::Key, KEY_LENGTH),
        (IdentityKey::Station(_), KeyFormat::Pkcs8) => (ObjectKind::Pkcs8Key, PKCS8_LENGTH),
    }
}

/// How many bytes at the image's front are not in this memory.
fn hidden(identity: &Identity) -> usize {
    match identity.key {
        IdentityKey::Station(_) => key(identity).1,
        IdentityKey::Device(_) => 0,
    }
}

fn secret<'a>(identity: &Identity, scalar: &'a [u8; 32], memory: &'a mut [u8]) -> &'a [u8] {
    match identity.key_format {
        KeyFormat::Scalar => scalar,
        // A lender gives far more memory than a document takes.
        KeyFormat::Pkcs8 => {
            key_document::write(scalar, &identity.public_key, memory).unwrap_or_default()
        }
    }
}

/// A piece's bytes among those behind the `hidden` ones.
fn part(public: &[u8], hidden: usize, piece: Piece) -> &[u8] {
    let place = |offset: u32| (offset as usize).checked_sub(hidden);
    let range = place(piece.start).zip(place(piece.end));
    range.and_then(|(start, end)| public.get(start..end)).unwrap_or_default()
}

/// The object table, and every object but a private key one after the other.
fn lay_out(identity: &Identity) -> Result<(ObjectTable, Vec<u8>), LinkError> {
    let settings = settings(&identity.settings)?;
    let parts: [(ObjectKind, &'static str, &[u8]); 4] = [
        (ObjectKind::ClientCertificate, "the client certificate", &identity.client_certificate),
        (ObjectKind::CaChain, "the CA chain", &identity.ca_chain),
        (ObjectKind::ServerRoots, "the server root", &identity.server_root),
        (ObjectKind::Settings, "the connection settings", &settings),
    ];
    let key = key(identity);
    let mut public = match &identity.key {
        IdentityKey::Station(_) => Vec::new(),
        IdentityKey::Device(made) => made.as_bytes().to_vec(),
    };
    let mut objects = vec![Object { kind: key.0, length: key.1 as u16 }];
    // An object has at least one byte; a part that the product lacks is no object.
    for (kind, name, bytes) in parts.into_iter().filter(|(_, _, bytes)| !bytes.is_empty()) {
        let length = u16::try_from(bytes.len()).map_err(|_| unfit(name, "it is too long"))?;
        objects.push(Object { kind, length });
        public.extend_from_slice(bytes);
    }
    let table = ObjectTable::new(&objects).map_err(|e| unfit("the image", e))?;
    Ok((table, public))
}

pub(super) fn settings(settings: &ConnectionSettings) -> Result<Vec<u8>, LinkError> {
    let client_id = ShortText::new(settings.client_id.as_str());
    let host = ShortText::new(&settings.host);
    if settings.port == 0 || settings.tls_min > settings.tls_max {
        return Err(unfit(
            "the connection settings",
            "port 0, or no TLS version between its limits",
        ));
    }
    let object = Settings {
        tls_min: tls_version(settings.tls_min),
        tls_max: tls_version(settings.tls_max),
        port: settings.port,
        client_id: client_id.map_err(|e| unfit("the client id", e))?,
        host: host.map_err(|e| unfit("the broker's host", e))?,
    };
    let mut bytes = Bytes(Vec::with_capacity(Settings::MAX_SIZE));
    object.write(&mut bytes);
    Ok(bytes.0)
}

fn tls_version(version: identity::TlsVersion) -> TlsVersion {
    match version {
        identity::TlsVersion::V1_2 => TlsVersion::V1_2,
        identity::TlsVersion::V1_3 => TlsVersion::V1_3,
    }
}

fn unfit(part: &'static str, why: impl ToString) -> LinkError {
    LinkError::Unfit { part, why: why.to_string() }
}

/// The key alone, then pieces as long as the device takes them.
fn cut(total: u32, key: u32, limit: ChunkLimit) -> Vec<Piece> {
    let step = usize::from(limit.bytes());
    let public = (key..total).step_by(step);
    let public = public.map(|start| Piece { start, end: total.min(start + step as u32) });
    std::iter::once(Piece { start: 0, end: key }).chain(public).collect()
}

/// SHA-256 of the whole image, and the CRC up to the end of each piece.
///
/// The hash's inner state holds the key, so it lives on the stack of the closure, which
/// the lender wipes.
fn digest_with_key(
    key: KeyId,
    identity: &Identity,
    keys: &dyn KeyLender,
    public: &[u8],
    pieces: &[Piece],
) -> Result<([u8; 32], Vec<u32>), LinkError> {
    let mut found = ([0; 32], Vec::new());
    keys.lend(key, &mut |scalar, memory| {
        found = digest_of(secret(identity, scalar, memory), public, pieces);
    })
    .map_err(LinkError::Key)?;
    Ok(found)
}

fn digest_of(key: &[u8], public: &[u8], pieces: &[Piece]) -> ([u8; 32], Vec<u32>) {
    let digest = Sha256::new().chain_update(key).chain_update(public).finalize().into();
    let mut crc = CRC32.digest();
    crc.update(key);
    let mut crcs = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        // The first piece of an image whose key is lent is that key.
        if index > 0 || key.is_empty() {
            crc.update(part(public, key.len(), *piece));
        }
        crcs.push(crc.clone().finalize());
    }
    (digest, crcs)
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_device::{OneKey, SCALAR, identity};
    use super::*;

    fn limit(bytes: u16) -> ChunkLimit {
        ChunkLimit::new(bytes).unwrap()
    }

    #[test]
    fn the_key_is_a_chunk_of_its_own_and_the_rest_is_cut_to_the_limit() {
        let pieces = cut(32 + 150, 32, limit(70));
        let lengths: Vec<_> = pieces.iter().map(|piece| piece.end - piece.start).collect();
        assert_eq!(lengths, [32, 70, 70, 10]);
    }

    #[test]
    fn digest_and_check_sums_cover_key_and_objects_in_their_order() {
        let composed = Composed::new(&identity(), &OneKey, limit(100)).unwrap();
        let image = [SCALAR.as_slice(), &composed.public].concat();
        assert_eq!(*composed.digest().as_bytes(), <[u8; 32]>::from(Sha256::digest(&image)));
        assert_eq!(image.len(), composed.total() as usize);
        for (index, piece) in composed.pieces().iter().enumerate() {
            let before = &image[..piece.end as usize];
            assert_eq!(composed.crc_of(index + 1), CRC32.checksum(before));
            assert_eq!(composed.pieces_before(piece.end), Some(index + 1));
        }
        assert_eq!(composed.pieces_before(33), None);
    }

    #[test]
    fn nothing_that_is_kept_holds_the_key() {
        let composed = Composed::new(&identity(), &OneKey, limit(100)).unwrap();
        assert!(!composed.public.windows(8).any(|part| part == &SCALAR[..8]));
    }

    #[test]
    fn a_part_that_the_product_lacks_is_no_object() {
        let bare = Identity { ca_chain: [].into(), ..identity() };
        let composed = Composed::new(&bare, &OneKey, limit(100)).unwrap();
        let kinds: Vec<_> = composed.objects.objects().iter().map(|object| object.kind).collect();
        assert!(!kinds.contains(&ObjectKind::CaChain), "{kinds:?}");
    }

    #[test]
    fn a_part_that_does_not_fit_its_form_is_named() {
        let mut long = identity();
        long.settings.host = "h".repeat(300);
        let error = Composed::new(&long, &OneKey, limit(100)).err().unwrap();
        assert!(error.to_string().starts_with("the broker's host can't be"), "{error}");
    }
}
