//! The instance that the emulation has, and how the cloud speaks of what is in it.

use std::time::Duration;

/// How the cloud learns of client certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are registered through the API.
    Manual,
    /// They register themselves at their first connection.
    Automatic,
}

/// How the cloud prints serial numbers; it takes no other spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialForm {
    /// With an even number of digits: `0eef`.
    Padded,
    /// Without leading zeros: `eef`.
    Plain,
}

/// What is answered where something is registered already; the documentation does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    /// `UnsupportedOperation.ResourceAlreadyExists`.
    Exists,
    /// A bare `FailedOperation`.
    Failed,
    /// Success where it is the same certificate, as if it had been new.
    Success,
}

impl Duplicate {
    /// The code for what can't be success.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Duplicate::Exists | Duplicate::Success => "UnsupportedOperation.ResourceAlreadyExists",
            Duplicate::Failed => "FailedOperation",
        }
    }
}

/// The one instance that the emulation has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its region.
    pub region: String,
    /// `BASIC`, `PRO` or `PLATINUM`.
    pub edition: String,
    /// `RUNNING` and others; only a running one is ready.
    pub status: String,
    /// `TLS`, `mTLS` or `BYOC`.
    pub x509_mode: String,
    /// How it learns of client certificates.
    pub mode: Mode,
    /// How many CAs it takes.
    pub max_authorities: u32,
    /// For how long a new CA is not active yet.
    pub authority_pending: Duration,
    /// The TLS versions that it speaks, comma-separated.
    pub tls: String,
    /// The host of its endpoints.
    pub host: String,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            id: "mqtt-emulated".to_owned(),
            region: "ap-guangzhou".to_owned(),
            edition: "PRO".to_owned(),
            status: "RUNNING".to_owned(),
            x509_mode: "BYOC".to_owned(),
            mode: Mode::Manual,
            max_authorities: 32,
            authority_pending: Duration::ZERO,
            tls: "TLSv1.3,TLSv1.2".to_owned(),
            host: "mqtt-emulated-gz-public.mqtt.example.com".to_owned(),
        }
    }
}
