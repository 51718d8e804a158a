//! An identity as files: what is in each, in which order they are written, and how the
//! whole is named by one digest.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::domain::identity::{ConnectionSettings, Identity, IdentityKey};
use crate::domain::ids::{ImageDigest, KeyId};
use crate::domain::lender::KeyLender;
use crate::link::driver::pem::to_pem;
use crate::link::error::LinkError;

/// One of an identity's files. A small file system has few blocks, and keeps files of up to
/// 60 bytes or so beside them: so there are two larger files and two small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// The private key: an ECPrivateKey in DER, 51 bytes.
    Key,
    /// The roots that the broker's certificate must chain to, PEM.
    Roots,
    /// Where to connect: one line of text.
    Settings,
    /// The client certificate and what stands above it, PEM; it makes the others count.
    Certificate,
}

impl File {
    /// All of them; the certificate last.
    pub(super) const ALL: [File; 4] = [File::Key, File::Roots, File::Settings, File::Certificate];

    /// Those that are written before the commit.
    pub(super) const STAGED: [File; 3] = [File::Key, File::Roots, File::Settings];

    /// Its name in the directory.
    pub(super) const fn name(self) -> &'static str {
        match self {
            File::Key => "client.key",
            File::Roots => "ca.pem",
            File::Settings => "broker.txt",
            File::Certificate => "client.pem",
        }
    }

    const fn index(self) -> usize {
        match self {
            File::Key => 0,
            File::Roots => 1,
            File::Settings => 2,
            File::Certificate => 3,
        }
    }
}

/// What a whole identity is called: SHA-256 over the SHA-256 of each file, in order.
pub(super) fn image_of(hashes: &[[u8; 32]]) -> ImageDigest {
    ImageDigest::new(Sha256::digest(hashes.concat()).into())
}

/// An ECPrivateKey (RFC 5915) up to its scalar, and the curve behind it; the public key,
/// which it may leave out, is worked out by whoever reads it.
const KEY_HEAD: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const KEY_TAIL: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Length of the key's file.
const KEY_LENGTH: usize = KEY_HEAD.len() + 32 + KEY_TAIL.len();

/// The files of one identity, without the private key.
pub(super) struct Composed {
    identity: Identity,
    key: KeyId,
    /// By [`File::index`]; the key's is empty.
    contents: [Vec<u8>; 4],
    hashes: [[u8; 32]; 4],
}

impl Composed {
    pub(super) fn new(identity: &Identity, keys: &dyn KeyLender) -> Result<Self, LinkError> {
        let IdentityKey::Station(key) = identity.key else {
            let why = "the family takes no key that a device made".to_owned();
            return Err(LinkError::Unfit { part: "the key", why });
        };
        let chain = [&*identity.client_certificate, &*identity.ca_chain].concat();
        let contents = [
            Vec::new(),
            to_pem(&identity.server_root, "the server root")?,
            settings(&identity.settings).into_bytes(),
            to_pem(&chain, "the certificate")?,
        ];
        let mut hashes = [[0; 32]; 4];
        for (hash, content) in hashes.iter_mut().zip(&contents) {
            *hash = Sha256::digest(content).into();
        }
        keys.lend(key, &mut |scalar, scratch| {
            if let Some(file) = key_file(scalar, scratch) {
                hashes[File::Key.index()] = Sha256::digest(file).into();
            }
        })
        .map_err(LinkError::Key)?;
        Ok(Self { identity: identity.clone(), key, contents, hashes })
    }

    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        self.identity == *identity
    }

    pub(super) fn image(&self) -> ImageDigest {
        image_of(&self.hashes)
    }

    pub(super) const fn key(&self) -> KeyId {
        self.key
    }

    /// A file's bytes; none of the key's.
    pub(super) fn content(&self, file: File) -> &[u8] {
        &self.contents[file.index()]
    }

    pub(super) const fn hash(&self, file: File) -> [u8; 32] {
        self.hashes[file.index()]
    }

    pub(super) fn length(&self, file: File) -> u32 {
        let length = if file == File::Key { KEY_LENGTH } else { self.content(file).len() };
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    /// Bytes of all files that are staged.
    pub(super) fn total(&self) -> u32 {
        File::STAGED.iter().map(|file| self.length(*file)).sum()
    }
}

/// `HOST:PORT TLS MIN-MAX`; the client id is the certificate's CN.
fn settings(settings: &ConnectionSettings) -> String {
    let ConnectionSettings { host, port, .. } = settings;
    let (min, max) = (settings.tls_min.as_str(), settings.tls_max.as_str());
    format!("{host}:{port} TLS {min}-{max}\n")
}

/// Writes the key's file to the front of the lent memory.
fn key_file<'a>(scalar: &[u8; 32], scratch: &'a mut [u8]) -> Option<&'a [u8]> {
    let file = scratch.get_mut(..KEY_LENGTH)?;
    let (head, rest) = file.split_at_mut(KEY_HEAD.len());
    head.copy_from_slice(&KEY_HEAD);
    let (middle, tail) = rest.split_at_mut(scalar.len());
    middle.copy_from_slice(scalar);
    tail.copy_from_slice(&KEY_TAIL);
    Some(file)
}

/// Where a file's bytes come from.
pub(super) enum Source<'a> {
    /// Bytes that anybody may see.
    Public(&'a [u8]),
    /// A private key, which is only ever lent.
    Key {
        /// Its name in the vault.
        key: KeyId,
        /// Who lends it.
        keys: &'a dyn KeyLender,
    },
}

/// What is done with some bytes, and memory to do it in.
type Use<'u> = &'u mut dyn FnMut(&[u8], &mut [u8]) -> Result<(), LinkError>;

/// Memory of a lender that the key's own file takes.
const KEY_SCRATCH: usize = 128;

impl Source<'_> {
    pub(super) fn length(&self) -> u32 {
        let length = match self {
            Source::Public(bytes) => bytes.len(),
            Source::Key { .. } => KEY_LENGTH,
        };
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    /// Lends some of the bytes, with memory in which a message may be made of them.
    pub(super) fn lend(&self, range: Range<u32>, work: Use<'_>) -> Result<(), LinkError> {
        let range = range.start as usize..range.end as usize;
        match self {
            Source::Public(bytes) => {
                work(bytes.get(range).unwrap_or_default(), &mut [0; super::line::MEMORY])
            }
            Source::Key { key, keys } => {
                let why = "the lender gives too little memory".to_owned();
                let mut outcome = Err(LinkError::Unfit { part: "the key", why });
                keys.lend(*key, &mut |scalar, scratch| {
                    let Some((file, rest)) = scratch.split_at_mut_checked(KEY_SCRATCH) else {
                        return;
                    };
                    let file = key_file(scalar, file).and_then(|file| file.get(range.clone()));
                    outcome = work(file.unwrap_or_default(), rest);
                })
                .map_err(LinkError::Key)?;
                outcome
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_file_is_as_long_as_it_says() {
        let mut scratch = [0; 64];
        let file = key_file(&[7; 32], &mut scratch).unwrap();
        assert_eq!(file.len(), 2 + usize::from(file[1]));
        assert!(key_file(&[7; 32], &mut scratch[..40]).is_none());
    }
}
