//! `[cloud]`: where certificates are to be registered.
//!
//! This version provisions and proves; it does not yet call the cloud. The section is
//! checked all the same, so that a file that is right today stays right.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::error::ConfigError;
use super::section::{Found, Section};
use super::values::{CloudKind, Endpoint, InitialStatus, RegistrationMode};

/// The product's limit: 15 registrations a second for one account.
const MAX_RATE: u32 = 15;

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
    /// Calls a second at most.
    pub rate_per_second: u32,
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
}

pub(super) fn cloud(section: &Section<'_>) -> Result<Option<Cloud>, ConfigError> {
    if !section.is_present() {
        return Ok(None);
    }
    Ok(Some(Cloud {
        kind: section.parsed("kind")?.unwrap_or(CloudKind::Tdmq),
        endpoint: section.required("endpoint", "\"https://mqtt.tencentcloudapi.com\"")?,
        region: word(&section.required_text("region", "\"ap-guangzhou\"")?)?,
        instance_id: word(&section.required_text("instance_id", "\"mqtt-xxxxxxxx\"")?)?,
        registration: section.parsed("registration")?.unwrap_or(RegistrationMode::Manual),
        // Two thirds of the limit: other programs of the same account call too.
        rate_per_second: section.integer("rate_per_second", 1..=MAX_RATE)?.unwrap_or(10),
        initial_status: section.parsed("initial_status")?.unwrap_or(InitialStatus::Active),
        max_backlog: duration(section, "max_backlog", MAX_BACKLOG)?,
        secret_id_file: section.path("secret_id_file")?,
        secret_key_file: section.path("secret_key_file")?,
        token_file: section.path("token_file")?,
    }))
}

fn word(found: &Found<'_, &str>) -> Result<String, ConfigError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match found.value {
        text if (1..=64).contains(&text.len()) && text.chars().all(fits) => Ok(text.to_owned()),
        _ => Err(found.refuse("expected 1 to 64 of A-Z a-z 0-9 - _")),
    }
}
