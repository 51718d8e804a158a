//! How the emulated cloud is set up.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::fault::CloudFaults;
use super::instance::{Duplicate, Instance, SerialForm};

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
