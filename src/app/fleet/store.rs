//! The fleet's side: its store and its server, from what the command line says.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::app::named;
use crate::domain::bounds;
use crate::domain::cause::cause;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::ids::StationId;
use crate::fleet::{self, NewCode, Pages, Server, ServerSettings, ServerTls, Settings, Store};
use crate::pki;
use crate::say;
use crate::secret::{self, Process};
use crate::shell::Failure;

use super::page::FleetPages;

/// Where a store is, as the command line says it.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'a> {
    /// Its address.
    pub url: &'a str,
    /// The file with the CA of its certificate.
    pub ca: Option<&'a Path>,
}

impl Opened<'_> {
    /// What the store is opened with.
    pub fn settings(&self, partitions: u16, connections: usize) -> Result<Settings, Failure> {
        let password = secret::fleet_database_password().configured_only(&Process)?;
        let roots = self.ca.map(named::certificates).transpose()?.unwrap_or_default();
        Ok(Settings {
            url: self.url.to_owned(),
            password: password.map(|password| password.as_bytes().to_vec()),
            roots,
            partitions,
            connections,
        })
    }

    /// Opens the store for one command.
    pub async fn open(&self) -> Result<Store, Failure> {
        Ok(Store::open(self.settings(0, 1)?).await?)
    }
}

/// Serves a fleet until it is dropped.
pub fn server(
    store: Settings,
    listen: SocketAddr,
    files: Option<(&Path, &Path)>,
    cloud_rate: u32,
    pages: Option<Arc<dyn Pages>>,
    clock: Arc<dyn Clock>,
) -> Result<Server, Failure> {
    let tls = files.map(|(certificate, key)| tls(certificate, key)).transpose()?;
    Ok(fleet::start(ServerSettings { listen, tls, store, clock, cloud_rate, pages })?)
}

fn tls(certificate: &Path, key: &Path) -> Result<ServerTls, Failure> {
    let pem = bounds::read_file(certificate, bounds::CERTIFICATES);
    let pem = pem.map_err(|error| {
        Failure::said(Code::Input, say!("{} can't be read", "{} 无法读取", certificate.display()))
            .caused_by(&error)
    })?;
    let key = secret::fleet_key(Some(key)).read_if_given(&Process)?;
    let key = key.map(|key| key.as_bytes().to_vec()).unwrap_or_default();
    Ok(ServerTls { certificate: pem, key })
}

/// The page of a fleet: for whoever knows the token, or on this machine alone; none where
/// others could look and there is no token.
pub fn pages(
    store: Opened<'_>,
    listen: SocketAddr,
    token_file: Option<&Path>,
    clock: Arc<dyn Clock>,
) -> Result<Option<Arc<dyn Pages>>, Failure> {
    let token = secret::fleet_token(token_file).configured_only(&Process)?;
    let token = token.map(|token| token.as_bytes().to_vec());
    if token.is_none() && !listen.ip().is_loopback() {
        return Ok(None);
    }
    let (url, ca) = (store.url.to_owned(), store.ca.map(Path::to_path_buf));
    let settings = move || Opened { url: &url, ca: ca.as_deref() }.settings(0, 1);
    Ok(Some(Arc::new(FleetPages::new(Box::new(settings), token, clock))))
}

/// Letters and digits that nobody takes for each other.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A new code for a station: 100 random bits.
pub fn code(
    station: &StationId,
    ca: Option<&Path>,
    valid_for: Duration,
    clock: &dyn Clock,
) -> Result<NewCode, Failure> {
    let mut random = [0_u8; 20];
    getrandom::fill(&mut random).map_err(|error| {
        Failure::said(
            Code::Shortage,
            say!("the system gives no random bytes", "系统不给随机数").then(&cause(&error)),
        )
    })?;
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let letters: Vec<char> = letters.collect();
    let code: Vec<String> = letters.chunks(4).map(|part| part.iter().collect()).collect();
    let authority = ca.map(named::certificates).transpose()?;
    let authority = authority.and_then(|found| found.into_iter().next());
    let micros = i64::try_from(valid_for.as_micros()).unwrap_or(i64::MAX);
    let mut expires = clock.now().wall;
    expires.0 = expires.0.saturating_add(micros);
    Ok(NewCode {
        code: code.join("-"),
        station: station.clone(),
        authority: authority.map(|der| *pki::fingerprint_of(&der).as_bytes()),
        expires,
    })
}
