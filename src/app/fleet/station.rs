//! The station's side: who it is to its fleet, enrolling, sending.

use std::path::Path;
use std::sync::Arc;

use crate::app::{from_config, named};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::evidence::HeadSigner;
use crate::domain::ids::{from_hex, to_hex};
use crate::fleet::{Client, ClientSettings, Enrolled, Heard, Pushed, Standing};
use crate::ledger::Reader;
use crate::pki::{self, JournalKey, Verifier};
use crate::say;
use crate::shell::Failure;

use super::wait::wait;

/// A station that is enrolled, and what it asks its fleet with.
pub struct Station {
    /// The way to the fleet.
    pub client: Client,
    /// Its ledger.
    pub reader: Reader,
    config: Config,
    clock: Arc<dyn Clock>,
}

impl Station {
    /// Opens what is needed; none where the station is not enrolled.
    pub fn open(config: &Config, clock: &Arc<dyn Clock>) -> Result<Option<Self>, Failure> {
        let Some(enrolled) = Enrolled::read(&config.station.data_dir)? else { return Ok(None) };
        let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
        let (_, instance) = reader.owner()?.ok_or_else(no_ledger)?;
        if instance.to_string() != enrolled.instance {
            let what = say!(
                "the station enrolled with another ledger than it has now",
                "本站加入总库时用的是另一个账本"
            );
            return Err(Failure::said(Code::FleetStation, what));
        }
        let key = from_config::journal_key(config)?;
        let certificate = from_hex("certificate", &enrolled.certificate)
            .map_err(|error| Failure::told(Code::FleetStation, &error))?;
        if pki::p256_key_in(&certificate) != Some(key.public_key()) {
            let what = say!(
                "the journal has another key than the station enrolled with",
                "日志密钥与本站加入总库时的不同"
            );
            return Err(Failure::said(Code::FleetStation, what));
        }
        let url = config.fleet.url.as_ref().map_or(enrolled.url.as_str(), |url| url.as_str());
        let client = Client::new(ClientSettings {
            url: url.to_owned(),
            roots: roots(config, &enrolled)?,
            station: config.station.id.clone(),
            instance,
            certificate,
            signer: Arc::new(key),
            clock: Arc::clone(clock),
        })?;
        Ok(Some(Self { client, reader, config: config.clone(), clock: Arc::clone(clock) }))
    }

    /// The same where it must be enrolled.
    pub fn enrolled(config: &Config, clock: &Arc<dyn Clock>) -> Result<Self, Failure> {
        Self::open(config, clock)?.ok_or_else(|| {
            Failure::said(
                Code::FleetStation,
                say!("this station is enrolled at no fleet", "本站没有加入任何总库"),
            )
        })
    }

    /// Sends what the fleet has not confirmed, and keeps what was heard.
    pub async fn push(&self, go_on: &dyn Fn() -> bool) -> Result<Pushed, Failure> {
        let data_dir = &self.config.station.data_dir;
        let confirmed = Heard::read(data_dir).ok().flatten().map(|heard| heard.head.seq);
        let pushed =
            crate::fleet::push(&self.client, &self.reader, &Verifier, confirmed, go_on).await?;
        Heard::of(&pushed, self.clock.now().wall).write(data_dir)?;
        Ok(pushed)
    }
}

/// The CAs under which the fleet's certificate is verified: those of `[fleet]`, or else those
/// that the station enrolled with.
fn roots(config: &Config, enrolled: &Enrolled) -> Result<Vec<Vec<u8>>, Failure> {
    if let Some(ca) = &config.fleet.ca {
        return Ok(pki::read_certificates(ca)?);
    }
    let roots = enrolled.roots.iter().map(|root| from_hex("certificate", root));
    let roots: Result<Vec<Vec<u8>>, _> = roots.collect();
    roots.map_err(|error| Failure::told(Code::FleetStation, &error))
}

fn no_ledger() -> Failure {
    Failure::said(Code::LedgerOpen, say!("the ledger has no entry yet", "账本还没有记录"))
}

/// Sends what the fleet has not confirmed yet.
pub fn push(config: &Config, clock: &Arc<dyn Clock>) -> Result<Pushed, Failure> {
    let station = Station::enrolled(config, clock)?;
    wait(station.push(&|| true))?
}

/// Enrols, and keeps where. The CA must be there: it says that the journal's key is the
/// station's.
pub fn enrol(
    config: &Config,
    clock: &Arc<dyn Clock>,
    url: &str,
    code: &str,
    ca: Option<&Path>,
) -> Result<Standing, Failure> {
    // The ledger is made here where there is none: what enrols is a ledger.
    let (ledger, _) = from_config::open_ledger(config, clock)?;
    drop(ledger);
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    let (station, instance) = reader.owner()?.ok_or_else(no_ledger)?;
    let key = from_config::journal_key(config)?;
    let authorities = pki::read_certificates(&config.authority.certificate)?;
    let certificate = certificate(config, clock, &reader, &key, &authorities)?;
    let authority =
        authorities.into_iter().find(|ca| pki::journal_key_of(&certificate, ca).is_ok());
    let authority = authority.ok_or_else(|| {
        Failure::said(
            Code::FleetStation,
            say!(
                "the CA of station.toml did not certify the journal key",
                "station.toml 的 CA 没有为日志密钥签发证书"
            ),
        )
    })?;
    let roots = match (ca, &config.fleet.ca) {
        (Some(ca), _) => named::certificates(ca)?,
        (None, Some(ca)) => pki::read_certificates(ca)?,
        (None, None) => Vec::new(),
    };
    let enrolled = Enrolled {
        url: url.to_owned(),
        station: station.clone(),
        instance: instance.to_string(),
        certificate: to_hex(&certificate),
        roots: roots.iter().map(|root| to_hex(root)).collect(),
    };
    let client = Client::new(ClientSettings {
        url: url.to_owned(),
        roots,
        station,
        instance,
        certificate,
        signer: Arc::new(key),
        clock: Arc::clone(clock),
    })?;
    let standing = wait(client.enrol(code, &authority))??;
    enrolled.write(&config.station.data_dir)?;
    Ok(standing)
}

/// The newest certificate of the station's CA for its journal key; made where there is none.
fn certificate(
    config: &Config,
    clock: &Arc<dyn Clock>,
    reader: &Reader,
    key: &JournalKey,
    authorities: &[Vec<u8>],
) -> Result<Vec<u8>, Failure> {
    for hex in reader.journal_certificates()? {
        let Some(der) = from_config::bytes_of(&hex) else { continue };
        let own = authorities.iter().find_map(|ca| pki::journal_key_of(&der, ca).ok());
        if own.is_some_and(|own| own.public_key == key.public_key()) {
            return Ok(der);
        }
    }
    let authority = from_config::authority(config)?;
    let now = clock.now().wall;
    Ok(authority.certify_journal_key(&key.public_key(), &config.station.id, now)?)
}
