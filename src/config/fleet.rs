//! `[fleet]`: the fleet that this station belongs to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kinds::{time_or, under};
use super::raw;
use super::values::Endpoint;

/// `[fleet]`
#[derive(Debug, Clone)]
pub struct FleetSettings {
    /// Where it is; none is where the station enrolled.
    pub url: Option<Endpoint>,
    /// The CA of its certificate, PEM; none is what the station enrolled with.
    pub ca: Option<PathBuf>,
    /// How often the line sends what is new.
    pub push_every: Duration,
    /// After how long without a word from it `doctor` warns.
    pub max_silence: Duration,
}

pub(super) fn fleet(raw: raw::Fleet, dir: &Path) -> FleetSettings {
    FleetSettings {
        url: raw.url.map(|url| url.0),
        ca: under(raw.ca, dir),
        push_every: time_or(raw.push_every, Duration::from_secs(5)),
        max_silence: time_or(raw.max_silence, Duration::from_secs(24 * 3_600)),
    }
}
