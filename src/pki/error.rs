//! Why something of the public-key infrastructure can't be done.

use std::io;
use std::path::PathBuf;

use super::token::error::TokenError;
use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::say::{Phrase, Say};

/// Why the authority, a certificate or a key can't be used.
///
/// No text carries a byte of a key or a passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A certificate profile is not allowed.
    #[error("{field} {value:?}: {problem}")]
    Profile {
        /// Which part, as station.toml calls it.
        field: &'static str,
        /// The value that was given.
        value: String,
        /// What is wrong with it.
        problem: Phrase,
    },
    /// A file of the authority is not there, or can't be opened.
    #[error("can't open the {what} {}", path.display())]
    Missing {
        /// Which of its files.
        what: &'static str,
        /// Where it was expected.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that was to be made is there already.
    #[error("{} is there already and is never overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate that a device holds is none that this station can have issued.
    #[error("the device's certificate {problem}")]
    Foreign {
        /// Why not.
        problem: Phrase,
    },
    /// A passphrase is empty.
    #[error("the passphrase is empty")]
    PassphraseEmpty,
    /// The CA key does not open with this passphrase.
    #[error("the passphrase does not open the CA key {}", path.display())]
    Passphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The CA key file is not what it must be.
    #[error("the CA key {} {problem}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Phrase,
    },
    /// The CA certificate, or one above it, may not issue client certificates.
    #[error("the {what} {problem}")]
    Authority {
        /// Which certificate.
        what: &'static str,
        /// What is wrong with it.
        problem: Say,
    },
    /// The token that holds the CA key does not sign.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The CA key is not the CA certificate's.
    #[error("the CA key does not belong to the CA certificate: their public keys differ")]
    Mismatch,
    /// The CA is not valid now.
    #[error("the CA is valid from {not_before} to {not_after}, and now it is {now}")]
    Expired {
        /// Start of the CA's validity.
        not_before: Timestamp,
        /// End of the CA's validity.
        not_after: Timestamp,
        /// The station's clock.
        now: Timestamp,
    },
    /// A certificate of this profile would outlive the CA.
    #[error("a certificate made now would be valid to {wanted}, the CA is valid to {not_after}")]
    TooShort {
        /// End of the certificate's validity by its profile.
        wanted: Timestamp,
        /// End of the CA's validity.
        not_after: Timestamp,
    },
    /// A certificate could not be signed.
    #[error("can't sign a certificate: {problem}")]
    Sign {
        /// What went wrong.
        problem: Say,
    },
    /// A certificate that was just signed is not what was asked for.
    #[error("the certificate just signed is wrong: {part} differs from what was asked for")]
    Differs {
        /// The part that differs.
        part: &'static str,
    },
    /// A file of certificates can't be used.
    #[error("{}: {problem}", path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Say,
    },
    /// The journal key can't be used.
    #[error("the journal key {} {problem}", path.display())]
    JournalKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Phrase,
    },
    /// The journal key's file can't be read or written.
    #[error("can't {deed} the journal key {}", path.display())]
    JournalKeyFile {
        /// What was tried.
        deed: &'static str,
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A journal key's certificate does not hold under this CA.
    #[error("the journal key's certificate {problem}")]
    JournalCertificate {
        /// What is wrong with it.
        problem: Phrase,
    },
    /// The key of the station's own broker can't be used.
    #[error("the broker's key {} {problem}", path.display())]
    ServerKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Say,
    },
    /// A device's signing request is not what it must be.
    #[error("the device's signing request {problem}")]
    SigningRequest {
        /// What is wrong with it.
        problem: Phrase,
    },
    /// The order key or its certificate can't be used.
    #[error("the order key: {} {problem}", path.display())]
    OrderKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Say,
    },
    /// A grant's order key is none that is trusted.
    #[error("the certificate of the grant's order key {problem}")]
    ForeignGrant {
        /// Why not.
        problem: Say,
    },
    /// A grant does not carry the signature of what it says.
    #[error("the grant does not carry the signature of order key {signer:?} over what it says")]
    ChangedGrant {
        /// Whose signature it should be.
        signer: String,
    },
    /// A passphrase can't be tried.
    #[error(
        "the passphrase of {} can't be tried: it takes {mib} MiB of memory, and the system does \
         not give them",
        path.display()
    )]
    Memory {
        /// The key file.
        path: PathBuf,
        /// What its way to make a key of a passphrase takes.
        mib: u64,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

impl PkiError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            PkiError::Profile { .. } | PkiError::CertificateFile { .. } => Code::ConfigValue,
            PkiError::Missing { .. } => Code::CaMissing,
            PkiError::Exists { .. } => Code::CaExists,
            PkiError::Write { .. } => Code::Output,
            PkiError::PassphraseEmpty => Code::SecretMissing,
            PkiError::Passphrase { .. } => Code::CaPassphrase,
            PkiError::Key { .. } => Code::CaKey,
            PkiError::Authority { .. } => Code::CaProfile,
            PkiError::Token(error) => error.code(),
            PkiError::Mismatch => Code::CaMismatch,
            PkiError::Memory { .. } => Code::Shortage,
            PkiError::Expired { .. } => Code::CaExpired,
            PkiError::TooShort { .. } => Code::CaTooShort,
            PkiError::Sign { .. } | PkiError::Differs { .. } | PkiError::Random(_) => Code::CaIssue,
            PkiError::JournalKey { .. } | PkiError::JournalKeyFile { .. } => Code::LedgerKey,
            PkiError::JournalCertificate { .. } => Code::LedgerJournal,
            PkiError::ServerKey { .. } => Code::BrokerStart,
            PkiError::SigningRequest { .. } => Code::DevCsr,
            PkiError::Foreign { .. } => Code::DevUnknownIdentity,
            PkiError::OrderKey { .. } => Code::OrderKey,
            PkiError::ForeignGrant { .. } => Code::GrantForeign,
            PkiError::ChangedGrant { .. } => Code::GrantChanged,
        }
    }
}

impl Told for PkiError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Memory { path, mib } => {
                format!("{} 的口令无法试用：需要 {mib} MiB 内存，而系统不给", path.display())
            }
            Self::Profile { field, value, problem } => {
                format!("{field} {value:?}：{}", problem.chinese)
            }
            Self::Missing { what, path, .. } => {
                format!("{} {} 打不开", file_in_chinese(what), path.display())
            }
            Self::Exists { path } => format!("{} 已经存在，不会被覆盖", path.display()),
            Self::Write { path, .. } => format!("{} 无法写入", path.display()),
            Self::Passphrase { path } => format!("口令打不开 CA 密钥 {}", path.display()),
            Self::Key { path, problem } => format!("CA 密钥 {}{}", path.display(), problem.chinese),
            Self::Authority { what, problem } => {
                format!("{}{}", file_in_chinese(what), problem.chinese)
            }
            Self::Token(error) => return error.chinese(),
            Self::Expired { not_before, not_after, now } => {
                format!("CA 的有效期是 {not_before} 到 {not_after}，现在是 {now}")
            }
            Self::TooShort { wanted, not_after } => {
                format!("现在签发的证书将到 {wanted} 到期，CA 到 {not_after} 到期")
            }
            Self::Sign { problem } => format!("证书无法签名：{}", problem.chinese),
            Self::Differs { part } => format!("刚签发的证书不对：{part} 与要求的不同"),
            Self::CertificateFile { path, problem } => {
                format!("{}：{}", path.display(), problem.chinese)
            }
            Self::JournalKey { path, problem } => {
                format!("日志密钥 {}{}", path.display(), problem.chinese)
            }
            Self::JournalKeyFile { path, source, .. } => {
                format!("日志密钥 {} 无法使用：{}", path.display(), system_in_chinese(source))
            }
            Self::ServerKey { path, problem } => {
                format!("代理服务器的密钥 {}：{}", path.display(), problem.chinese)
            }
            Self::OrderKey { path, problem } => {
                format!("订货密钥 {}：{}", path.display(), problem.chinese)
            }
            Self::ChangedGrant { signer } => format!("没有订货密钥 {signer:?} 对内容的签名"),
            // The code says it all.
            Self::PassphraseEmpty | Self::Mismatch | Self::Random(_) => return None,
            Self::Foreign { problem } => format!("设备的证书{}", problem.chinese),
            Self::JournalCertificate { problem } => format!("日志密钥的证书{}", problem.chinese),
            Self::SigningRequest { problem } => format!("设备的签名请求{}", problem.chinese),
            Self::ForeignGrant { problem } => problem.chinese.clone(),
        })
    }
}

/// A file of the authority, as people call it.
fn file_in_chinese(what: &str) -> &str {
    match what {
        "CA key" => "CA 密钥",
        "CA certificate" => "CA 证书",
        other => other,
    }
}

impl From<PkiError> for Fault {
    fn from(error: PkiError) -> Fault {
        Fault::told(error.code(), &error)
    }
}
