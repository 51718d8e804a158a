//! What an identity looks like as bytes.
//!
//! An *image* is its objects one after the other, nothing between them. Where each
//! stands says the *object table*, which `BEGIN` carries and a device keeps beside the
//! image. The key is always the first object, so it is the image's first bytes.
//!
//! This module knows tables and settings; it parses no certificate and holds no key.

use core::ops::Range;

use crate::ids::ObjectKind;
use crate::message::fields::{BodyError, Fields, Sink};
use crate::message::text::ShortText;

/// Bytes of a private key: a P-256 scalar, big-endian.
pub const KEY_LENGTH: usize = 32;

/// Bytes of a public key: `04 ‖ x ‖ y`.
pub const PUBLIC_KEY_LENGTH: usize = 65;

/// Bytes of a private key as a PKCS #8 document (RFC 5958) that holds an ECPrivateKey with
/// its public key: for P-256 always as many, and each part at the same place.
pub const PKCS8_LENGTH: usize = 138;

/// Where in such a document the scalar stands.
pub const PKCS8_SCALAR_AT: usize = 36;

/// Bytes of a SHA-256 digest.
pub const DIGEST_LENGTH: usize = 32;

/// The most objects an image has: one of each kind, the kinds of key sharing a place.
pub const MAX_OBJECTS: usize = ObjectKind::ALL.len() - (KEY_KINDS - 1);

/// Kinds of key, one of which begins an image.
const KEY_KINDS: usize = 3;

/// Bytes of one entry of an object table: kind and length.
pub const ENTRY_LENGTH: usize = 1 + 2;

/// One object of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// How many bytes it has, at least one.
    pub length: u16,
}

/// Why objects do not make an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There are no objects, or too many.
    #[error("an image has 1 to {MAX_OBJECTS} objects, not {count}")]
    Count {
        /// Objects given.
        count: usize,
    },
    /// An object stands before one with a lower number, or twice.
    #[error("object {index} ({kind}) is out of order")]
    Order {
        /// Which object, counted from zero.
        index: usize,
        /// Its kind.
        kind: ObjectKind,
    },
    /// The first object is not a key, or another one is.
    #[error("object {index} ({kind}): the first object, and no other, is a key")]
    Key {
        /// Which object, counted from zero.
        index: usize,
        /// Its kind.
        kind: ObjectKind,
    },
    /// An object is empty, or a key has another length than keys have.
    #[error("object {index} ({kind}) can't have {length} bytes")]
    Length {
        /// Which object, counted from zero.
        index: usize,
        /// Its kind.
        kind: ObjectKind,
        /// The length given.
        length: u16,
    },
    /// There is no client certificate.
    #[error("the client certificate is missing")]
    NoCertificate,
}

/// The objects of an image in their order, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectTable {
    objects: [Object; MAX_OBJECTS],
    count: u8,
}

impl ObjectTable {
    /// Takes a key, then the other objects in ascending order of their kinds: a client
    /// certificate, and what else the product needs.
    pub fn new(objects: &[Object]) -> Result<Self, TableError> {
        let count = objects.len();
        if !(1..=MAX_OBJECTS).contains(&count) {
            return Err(TableError::Count { count });
        }
        check_objects(objects)?;
        let mut table = [Object { kind: ObjectKind::Key, length: 0 }; MAX_OBJECTS];
        table[..count].copy_from_slice(objects);
        // At most six, checked above.
        Ok(Self { objects: table, count: count as u8 })
    }

    /// The objects in their order.
    pub fn objects(&self) -> &[Object] {
        &self.objects[..usize::from(self.count)]
    }

    /// Bytes of the whole image.
    pub fn total(&self) -> u32 {
        self.objects().iter().map(|object| u32::from(object.length)).sum()
    }

    /// Bytes of the first object, which travels in a chunk of its own.
    pub fn key_length(&self) -> u32 {
        u32::from(self.objects[0].length)
    }

    /// Where in the image an object stands.
    pub fn place(&self, kind: ObjectKind) -> Option<Range<u32>> {
        let mut start = 0;
        for object in self.objects() {
            let end = start + u32::from(object.length);
            if object.kind == kind {
                return Some(start..end);
            }
            start = end;
        }
        None
    }

    /// An object's bytes in a whole image.
    pub fn slice<'i>(&self, kind: ObjectKind, image: &'i [u8]) -> Option<&'i [u8]> {
        let place = self.place(kind)?;
        image.get(usize::try_from(place.start).ok()?..usize::try_from(place.end).ok()?)
    }

    pub(crate) fn write(&self, sink: &mut impl Sink) {
        sink.put_u8(self.count);
        for object in self.objects() {
            sink.put_u8(object.kind.to_wire());
            sink.put_u16(object.length);
        }
    }

    /// Reads the table at the end of a body; lengths are checked before values.
    pub(crate) fn parse(fields: &mut Fields<'_>) -> Result<Self, BodyError> {
        let start = fields.offset();
        let count = usize::from(fields.u8()?);
        let entries = fields.bytes(count * ENTRY_LENGTH)?;
        fields.end()?;
        let mut objects = [Object { kind: ObjectKind::Key, length: 0 }; MAX_OBJECTS];
        let places = objects.get_mut(..count).ok_or(BodyError::value(start))?;
        for (index, (place, entry)) in
            places.iter_mut().zip(entries.chunks(ENTRY_LENGTH)).enumerate()
        {
            let at = start + 1 + index * ENTRY_LENGTH;
            let kind = ObjectKind::from_wire(entry[0]).ok_or(BodyError::value(at))?;
            *place = Object { kind, length: u16::from_le_bytes([entry[1], entry[2]]) };
        }
        Self::new(&objects[..count]).map_err(|_| BodyError::value(start))
    }
}

fn check_objects(objects: &[Object]) -> Result<(), TableError> {
    let mut before = None;
    for (index, Object { kind, length }) in objects.iter().copied().enumerate() {
        let is_key = is_key(kind);
        if is_key != (index == 0) {
            return Err(TableError::Key { index, kind });
        }
        if before >= Some(kind) {
            return Err(TableError::Order { index, kind });
        }
        if !allowed_length(kind, usize::from(length)) {
            return Err(TableError::Length { index, kind, length });
        }
        before = Some(kind).filter(|_| !is_key);
    }
    match objects.iter().any(|object| object.kind == ObjectKind::ClientCertificate) {
        true => Ok(()),
        false => Err(TableError::NoCertificate),
    }
}

const fn is_key(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Key | ObjectKind::MadeKey | ObjectKind::Pkcs8Key)
}

const fn allowed_length(kind: ObjectKind, length: usize) -> bool {
    match kind {
        ObjectKind::Key => length == KEY_LENGTH,
        ObjectKind::MadeKey => length == PUBLIC_KEY_LENGTH,
        ObjectKind::Pkcs8Key => length == PKCS8_LENGTH,
        ObjectKind::Settings => length >= Settings::MIN_SIZE && length <= Settings::MAX_SIZE,
        _ => length > 0,
    }
}

crate::ids::wire_numbers! {
    /// A TLS version, by the second byte of its number in TLS itself.
    TlsVersion: u8 {
        /// TLS 1.2.
        V1_2 = 0x03, "TLS 1.2";
        /// TLS 1.3.
        V1_3 = 0x04, "TLS 1.3";
    }
}

/// The most characters of a client id.
pub const MAX_CLIENT_ID: usize = 64;

/// The most characters of a host name, which is DNS's own limit.
pub const MAX_HOST: usize = 253;

/// How the device connects: the object *settings*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The lowest TLS version it may use.
    pub tls_min: TlsVersion,
    /// The highest.
    pub tls_max: TlsVersion,
    /// The broker's port, not zero.
    pub port: u16,
    /// The MQTT client id, also the certificate's CN.
    pub client_id: ShortText<MAX_CLIENT_ID>,
    /// The broker's host name.
    pub host: ShortText<MAX_HOST>,
}

impl Settings {
    /// The first byte; another layout would have another number.
    pub const LAYOUT: u8 = 0x01;

    const FIXED: usize = 1 + 1 + 1 + 2;

    /// Bytes of the shortest settings.
    pub const MIN_SIZE: usize = Self::FIXED + 2 * (1 + 1);

    /// Bytes of the longest settings.
    pub const MAX_SIZE: usize = Self::FIXED + 1 + MAX_CLIENT_ID + 1 + MAX_HOST;

    /// Writes the object.
    pub fn write(&self, sink: &mut impl Sink) {
        sink.put(&[Self::LAYOUT, self.tls_min.to_wire(), self.tls_max.to_wire()]);
        sink.put_u16(self.port);
        self.client_id.write(sink);
        self.host.write(sink);
    }

    /// Reads the object; whatever does not follow its layout exactly is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        let mut fields = Fields::new(bytes);
        if fields.u8()? != Self::LAYOUT {
            return Err(BodyError::value(0));
        }
        let tls_min = TlsVersion::from_wire(fields.u8()?).ok_or(BodyError::value(1))?;
        let tls_max = TlsVersion::from_wire(fields.u8()?).ok_or(BodyError::value(2))?;
        let port = fields.u16()?;
        let settings = Self {
            tls_min,
            tls_max,
            port,
            client_id: ShortText::parse(&mut fields, 1)?,
            host: ShortText::parse(&mut fields, 1)?,
        };
        fields.end()?;
        settings.checked()
    }

    fn checked(self) -> Result<Self, BodyError> {
        if self.tls_min > self.tls_max {
            return Err(BodyError::value(1));
        }
        if self.port == 0 {
            return Err(BodyError::value(3));
        }
        Ok(self)
    }
}
