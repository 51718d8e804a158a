//! What can go wrong with a hand-off.

use std::io;
use std::path::PathBuf;

use crate::domain::code::Code;
use crate::pki::PkiError;

/// Why nothing was handed off.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// A file can't be written, or is there already.
    #[error("{} can't be written", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A certificate can't be written as PEM.
    #[error("a certificate can't be written as PEM")]
    Pem(#[source] PkiError),
    /// A file can't be read.
    #[error("{} can't be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is neither a manifest nor a table of certificates.
    #[error("{} is no hand-off: {why}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file is no grant, or nothing given back.
    #[error("the file is no grant of this program: {0}")]
    Grant(String),
}

impl HandoffError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            HandoffError::Write { .. } => Code::Output,
            HandoffError::Pem(_) => Code::CaIssue,
            HandoffError::Grant(_) => Code::GrantChanged,
            HandoffError::Read { .. } | HandoffError::Form { .. } => Code::Input,
        }
    }
}
