//! Where the cloud is, how it is called, and what it knows the station by.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::say::Say;

/// Under which roots the cloud's certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those that the system trusts.
    System,
    /// These alone, DER.
    Given(Vec<Vec<u8>>),
}

/// Where the cloud is and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The URL of the API; the program's configuration has checked it.
    pub endpoint: String,
    /// The region of the instance.
    pub region: String,
    /// The instance's id.
    pub instance: String,
    /// Registrations a second at most.
    pub rate_per_second: u32,
    /// The longest that a call takes, its turn included.
    pub call_limit: Duration,
    /// Under which roots the cloud is verified.
    pub roots: Roots,
    /// A proxy through which HTTPS goes, where there is one.
    pub proxy: Option<String>,
}

/// What the cloud knows the station by; wiped when dropped.
pub struct Credentials {
    /// The secret id.
    pub id: Zeroizing<String>,
    /// The secret key.
    pub key: Zeroizing<String>,
    /// The token of temporary credentials.
    pub token: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The endpoint or the proxy can't be used.
    #[error("{endpoint} can't be called: {why}")]
    Endpoint {
        /// As it was named.
        endpoint: String,
        /// What is wrong.
        why: Say,
    },
    /// There is no root to verify the cloud under.
    #[error("no root certificate to verify the cloud under: {0}")]
    Roots(Say),
}

impl ClientError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            ClientError::Endpoint { .. } => Code::ConfigValue,
            ClientError::Roots(_) => Code::CloudRoots,
        }
    }
}

impl Told for ClientError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Endpoint { endpoint, why } => format!("{endpoint} 无法调用：{}", why.chinese),
            Self::Roots(why) => format!("没有可用于验证云端的根证书：{}", why.chinese),
        })
    }
}
