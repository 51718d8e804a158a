//! An identity as files: what is in each, in which order they are written, and how the
//! whole is named by one digest. The key's own file is made by `key_file`.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::key_file::KeyForm;
use crate::domain::identity::{ConnectionSettings, Identity, IdentityKey};
use crate::domain::ids::{ImageDigest, KeyId};
use crate::domain::lender::KeyLender;
use crate::driver::pem::to_pem;
use crate::error::LinkError;
use crate::settings::SmpFiles;

/// One of an identity's files. A small file system has few blocks, and keeps files of up to
/// 60 bytes or so beside them: so there are two larger files and two small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// The private key; 51 bytes in its shortest form.
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

    /// Its path on the device.
    pub(super) fn path(self, files: &SmpFiles) -> String {
        let name = match self {
            File::Key => files.key_name.as_str(),
            File::Roots => "ca.pem",
            File::Settings => "broker.txt",
            File::Certificate => "client.pem",
        };
        format!("{}/{name}", files.directory)
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

/// The files of one identity, without the private key.
pub(super) struct Composed {
    identity: Identity,
    key: KeyId,
    form: KeyForm,
    /// By [`File::index`]; the key's is empty.
    contents: [Vec<u8>; 4],
    hashes: [[u8; 32]; 4],
}

impl Composed {
    pub(super) fn new(
        identity: &Identity,
        files: &SmpFiles,
        keys: &dyn KeyLender,
    ) -> Result<Self, LinkError> {
        let IdentityKey::Station(key) = identity.key else {
            let why = "the family takes no key that a device made".to_owned();
            return Err(LinkError::Unfit { part: "the key", why });
        };
        let form = KeyForm::of(identity, files.key_is_pem);
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
            if let Some(file) = form.write(scalar, scratch) {
                hashes[File::Key.index()] = Sha256::digest(file).into();
            }
        })
        .map_err(LinkError::Key)?;
        Ok(Self { identity: identity.clone(), key, form, contents, hashes })
    }

    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        self.identity == *identity
    }

    pub(super) fn image(&self) -> ImageDigest {
        image_of(&self.hashes)
    }

    /// The key's file, as long as somebody lends the key.
    pub(super) const fn key_source<'a>(&'a self, keys: &'a dyn KeyLender) -> Source<'a> {
        Source::Key { key: self.key, form: &self.form, keys }
    }

    /// A file's bytes; none of the key's.
    pub(super) fn content(&self, file: File) -> &[u8] {
        &self.contents[file.index()]
    }

    pub(super) const fn hash(&self, file: File) -> [u8; 32] {
        self.hashes[file.index()]
    }

    pub(super) fn length(&self, file: File) -> u32 {
        let length = match file {
            File::Key => self.form.length(),
            _ => self.content(file).len(),
        };
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

/// Where a file's bytes come from.
pub(super) enum Source<'a> {
    /// Bytes that anybody may see.
    Public(&'a [u8]),
    /// A private key, which is only ever lent.
    Key {
        /// Its name in the vault.
        key: KeyId,
        /// In which form it is a file.
        form: &'a KeyForm,
        /// Who lends it.
        keys: &'a dyn KeyLender,
    },
}

/// What is done with some bytes, and memory to do it in.
type Use<'u> = &'u mut dyn FnMut(&[u8], &mut [u8]) -> Result<(), LinkError>;

/// Memory of a lender that the key's own file takes.
const KEY_SCRATCH: usize = 512;

impl Source<'_> {
    pub(super) fn length(&self) -> u32 {
        let length = match self {
            Source::Public(bytes) => bytes.len(),
            Source::Key { form, .. } => form.length(),
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
            Source::Key { key, form, keys } => {
                let why = "the lender gives too little memory".to_owned();
                let mut outcome = Err(LinkError::Unfit { part: "the key", why });
                keys.lend(*key, &mut |scalar, scratch| {
                    let Some((file, rest)) = scratch.split_at_mut_checked(KEY_SCRATCH) else {
                        return;
                    };
                    let file = form.write(scalar, file).and_then(|file| file.get(range.clone()));
                    outcome = work(file.unwrap_or_default(), rest);
                })
                .map_err(LinkError::Key)?;
                outcome
            }
        }
    }
}
