//! How the emulated cloud is set up.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::fault::CloudFaults;

/// Who may call, and how that is proved.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The secret id; no secret in spite of its name.
    pub secret_id: String,
    /// The secret key.
    pub secret_key: String,
    /// The token that must come with a temporary key.
    pub token: Option<String>,
}

impl Credentials {
    /// Those of the demo: known to everyone, and good for an emulation alone.
    pub fn of_the_demo() -> Self {
        Self {
            secret_id: "AKIDemulatedcloud".to_owned(),
            secret_key: "for-the-emulated-cloud-alone".to_owned(),
            token: None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

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

/// An emulated cloud.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its state is kept; in memory alone if there is none.
    pub state: Option<PathBuf>,
    /// Where received requests are written too.
    pub log: Option<PathBuf>,
    /// What is wrong with it.
    pub faults: CloudFaults,
    /// From what probabilities are drawn.
    pub seed: u64,
    /// Registrations a second that it takes, 0 for any number; 15, as the product's limit, if
    /// there is none. Other actions take 20 a second, or as many as registrations.
    pub rate: Option<u32>,
    /// The longest that a request's head takes from the connection's begin or the answer
    /// before, and the longest that its body takes.
    pub patience: Duration,
    /// Its instance.
    pub instance: Instance,
    /// How it prints serial numbers.
    pub serial_form: SerialForm,
    /// What it answers to a duplicate.
    pub duplicate: Duplicate,
    /// Who may call.
    pub credentials: Credentials,
    /// Who alone may deactivate and revoke, and do nothing else but read. Without one,
    /// `credentials` may do everything.
    pub revoker: Option<Credentials>,
}

impl Default for Options {
    /// On a free port of the loopback, in memory, with nothing wrong.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state: None,
            log: None,
            faults: CloudFaults::none(),
            seed: 0,
            rate: None,
            patience: Duration::from_secs(30),
            instance: Instance::default(),
            serial_form: SerialForm::Padded,
            duplicate: Duplicate::Exists,
            credentials: Credentials::of_the_demo(),
            revoker: None,
        }
    }
}
