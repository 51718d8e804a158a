//! `[cloud]`: where certificates are registered, and how the cloud is called.

use crate::say;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kinds::{Placed, Time, outside, time_or, under};
use super::raw;
use super::refusal::Refusal;
use super::values::Endpoint;
use super::words::{CloudKind, Confirm, InitialStatus, RegistrationMode};

/// The product rejects more registrations a second, whoever sends them.
pub const MAX_RATE: u32 = 15;

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
    /// Which registrations are looked up again before they count.
    pub confirm: Confirm,
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

pub(super) fn cloud(raw: raw::Cloud, dir: &Path) -> Result<Cloud, Refusal> {
    let endpoint = raw.endpoint.0;
    Ok(Cloud {
        kind: raw.kind.map_or(CloudKind::Tdmq, |word| word.0),
        rate_per_second: rate(raw.rate_per_second, &endpoint)?,
        endpoint,
        region: word(raw.region)?,
        instance_id: word(raw.instance_id)?,
        registration: raw.registration.map_or(RegistrationMode::Manual, |word| word.0),
        call_limit: call_limit(raw.call_limit)?,
        root: under(raw.root, dir),
        proxy: raw.proxy.map(proxy).transpose()?,
        own_broker_name: raw.own_broker_name.unwrap_or(false),
        initial_status: raw.initial_status.map_or(InitialStatus::Active, |word| word.0),
        confirm: raw.confirm.map_or(Confirm::Sample, |word| word.0),
        max_backlog: time_or(raw.max_backlog, MAX_BACKLOG),
        secret_id_file: under(raw.secret_id_file, dir),
        secret_key_file: under(raw.secret_key_file, dir),
        token_file: under(raw.token_file, dir),
        revoker_secret_id_file: under(raw.revoker_secret_id_file, dir),
        revoker_secret_key_file: under(raw.revoker_secret_key_file, dir),
    })
}

fn rate(rate: Option<Placed<i64>>, endpoint: &Endpoint) -> Result<u32, Refusal> {
    // Two thirds of the limit: other programs of the same account call too.
    let Some(rate) = rate else { return Ok(10) };
    let most = if endpoint.is_here() { MAX_RATE_HERE } else { MAX_RATE };
    match u32::try_from(*rate.value()) {
        Ok(wanted) if (1..=most).contains(&wanted) => Ok(wanted),
        _ => Err(rate.refuse(outside(rate.value(), 1, most.into()))),
    }
}

/// Half of it is for a call's turn and half for the answer, which comes within a second.
fn call_limit(limit: Option<Placed<Time>>) -> Result<Duration, Refusal> {
    let Some(limit) = limit else { return Ok(Duration::from_secs(30)) };
    match CALL_LIMITS.contains(&limit.value().0) {
        true => Ok(limit.value().0),
        false => Err(limit.refuse(say!("expected \"2s\" to \"5m\"", "应为 \"2s\" 到 \"5m\""))),
    }
}

fn proxy(found: Placed<String>) -> Result<String, Refusal> {
    let host = found.value().strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let (name, port) = host.and_then(|host| host.rsplit_once(':')).unwrap_or_default();
    match !name.is_empty() && name.chars().all(fits) && port.parse::<u16>().is_ok() {
        true => Ok(found.into_value()),
        false => Err(found.refuse(say!(
            "expected \"http://host:port\", without user or password",
            "应为 \"http://host:port\"，不带用户名和密码"
        ))),
    }
}

fn word(found: Placed<String>) -> Result<String, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match (1..=64).contains(&found.value().len()) && found.value().chars().all(fits) {
        true => Ok(found.into_value()),
        false => Err(found.refuse(say!(
            "expected 1 to 64 of A-Z a-z 0-9 - _",
            "应为 1 到 64 个 A-Z a-z 0-9 - _"
        ))),
    }
}
