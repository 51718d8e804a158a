//! `[cloud]`: where certificates are registered, and how the cloud is called.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::error::ConfigError;
use super::section::{Found, Section};
use super::values::{self, CloudKind, Endpoint, InitialStatus, RegistrationMode};

/// The product rejects more registrations a second, whoever sends them.
const MAX_RATE: u32 = 15;

/// Only an emulation is on this machine, and it takes what it was told to take.
const MAX_RATE_HERE: u32 = 100_000;

/// A call that takes longer than five minutes has not been answered, whatever comes then.
const CALL_LIMITS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(2)..=Duration::from_secs(300);

/// A weekend: whatever a nightly sync left behind on Friday is seen on Monday at the latest.
const MAX_BACKLOG: Duration = Duration::from_secs(72 * 3600);

/// `[cloud]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// Which cloud.
    pub kind: CloudKind,
    /// The address of its API.
    pub endpoint: Endpoint,
    /// The region of the instance.
    pub region: String,
    /// The instance.
    pub instance_id: String,
    /// How it learns of certificates.
    pub registration: RegistrationMode,
    /// Registrations a second at most.
    pub rate_per_second: u32,
    /// The longest that one call takes.
    pub call_limit: Duration,
    /// The roots under which the cloud is verified, PEM; none for those of the system.
    pub root: Option<PathBuf>,
    /// A proxy for HTTPS, `http://host:port`.
    pub proxy: Option<String>,
    /// `[broker] host` is a name of the user's own, so it is none of the instance's endpoints.
    pub own_broker_name: bool,
    /// The status with which a certificate is registered.
    pub initial_status: InitialStatus,
    /// How long a proof may wait to be registered before a sync and `doctor` are red.
    pub max_backlog: Duration,
    /// The file that holds the secret id.
    pub secret_id_file: Option<PathBuf>,
    /// The file that holds the secret key.
    pub secret_key_file: Option<PathBuf>,
    /// The file that holds a temporary token.
    pub token_file: Option<PathBuf>,
    /// The file that holds the secret id of who may deactivate and revoke.
    pub revoker_secret_id_file: Option<PathBuf>,
    /// The file that holds that one's secret key.
    pub revoker_secret_key_file: Option<PathBuf>,
}

pub(super) fn cloud(section: &Section<'_>) -> Result<Option<Cloud>, ConfigError> {
    if !section.is_present() {
        return Ok(None);
    }
    let endpoint: Endpoint =
        section.required("endpoint", "\"https://mqtt.tencentcloudapi.com\"")?;
    let max_rate = if endpoint.is_here() { MAX_RATE_HERE } else { MAX_RATE };
    Ok(Some(Cloud {
        kind: section.parsed("kind")?.unwrap_or(CloudKind::Tdmq),
        endpoint,
        region: word(&section.required_text("region", "\"ap-guangzhou\"")?)?,
        instance_id: word(&section.required_text("instance_id", "\"mqtt-xxxxxxxx\"")?)?,
        registration: section.parsed("registration")?.unwrap_or(RegistrationMode::Manual),
        // Two thirds of the limit: other programs of the same account call too.
        rate_per_second: section.integer("rate_per_second", 1..=max_rate)?.unwrap_or(10),
        call_limit: call_limit(section)?,
        root: section.path("root")?,
        proxy: section.text("proxy")?.map(|found| proxy(&found)).transpose()?,
        own_broker_name: section.boolean("own_broker_name")?.unwrap_or(false),
        initial_status: section.parsed("initial_status")?.unwrap_or(InitialStatus::Active),
        max_backlog: duration(section, "max_backlog", MAX_BACKLOG)?,
        secret_id_file: section.path("secret_id_file")?,
        secret_key_file: section.path("secret_key_file")?,
        token_file: section.path("token_file")?,
        revoker_secret_id_file: section.path("revoker_secret_id_file")?,
        revoker_secret_key_file: section.path("revoker_secret_key_file")?,
    }))
}

/// Half of it is for a call's turn and half for the answer, which comes within a second.
fn call_limit(section: &Section<'_>) -> Result<Duration, ConfigError> {
    let Some(found) = section.text("call_limit")? else { return Ok(Duration::from_secs(30)) };
    let limit = values::duration(found.value).map_err(|error| found.refuse(error))?;
    match CALL_LIMITS.contains(&limit) {
        true => Ok(limit),
        false => Err(found.refuse("expected \"2s\" to \"5m\"")),
    }
}

fn proxy(found: &Found<'_, &str>) -> Result<String, ConfigError> {
    let host = found.value.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let (name, port) = host.and_then(|host| host.rsplit_once(':')).unwrap_or_default();
    match !name.is_empty() && name.chars().all(fits) && port.parse::<u16>().is_ok() {
        true => Ok(found.value.to_owned()),
        false => Err(found.refuse("expected \"http://host:port\", without user or password")),
    }
}

fn word(found: &Found<'_, &str>) -> Result<String, ConfigError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match found.value {
        text if (1..=64).contains(&text.len()) && text.chars().all(fits) => Ok(text.to_owned()),
        _ => Err(found.refuse("expected 1 to 64 of A-Z a-z 0-9 - _")),
    }
}
