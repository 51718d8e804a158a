//! What can go wrong with a hand-off.

use std::io;
use std::path::PathBuf;

use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::code::Code;
use crate::domain::say::Say;
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
        why: Say,
    },
    /// A file is no grant, or nothing given back.
    #[error("the file is no grant of this program: {0}")]
    Grant(Say),
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

impl Told for HandoffError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Write { path, source } => {
                format!("{} 无法写入：{}", path.display(), system_in_chinese(source))
            }
            Self::Pem(error) => format!("证书无法写成 PEM：{}", error.sentence().chinese),
            Self::Read { path, source } => {
                format!("{} 无法读取：{}", path.display(), system_in_chinese(source))
            }
            Self::Form { path, why } => format!("{} 不是交接文件：{}", path.display(), why.chinese),
            Self::Grant(why) => format!("该文件不是本程序的授权：{}", why.chinese),
        })
    }
}
