//! `[connect]`: the station's own broker.

use crate::say;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kinds::{time_or, under};
use super::raw;
use super::refusal::Refusal;

/// `[connect]`: the station's own broker, to which devices connect as their last proof.
#[derive(Debug, Clone)]
pub struct ConnectSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate and what stands above it, PEM.
    pub certificate: PathBuf,
    /// Its key, encrypted PKCS#8, PEM.
    pub key: PathBuf,
    /// The file that holds the key's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// How long a device is waited for after its restart.
    pub within: Duration,
}

/// A device that boots and finds its network needs some seconds.
const WITHIN: Duration = Duration::from_secs(30);

pub(super) fn connect(raw: raw::Connect, dir: &Path) -> Result<ConnectSettings, Refusal> {
    let address = raw.listen.value().parse().map_err(|_| {
        raw.listen.refuse(say!(
            "is no address and port: write for example \"0.0.0.0:8883\"",
            "不是地址加端口：例如写 \"0.0.0.0:8883\""
        ))
    })?;
    Ok(ConnectSettings {
        listen: address,
        certificate: raw.certificate.under(dir),
        key: raw.key.under(dir),
        passphrase_file: under(raw.passphrase_file, dir),
        within: time_or(raw.within, WITHIN),
    })
}
