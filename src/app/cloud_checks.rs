//! What `doctor` and the line's start look at in the cloud, joined from station.toml and
//! the ledger.

use super::{cloud, from_config};
use crate::checks::{self, CloudCheck, Finding};
use crate::cloud::preflight::NeededAuthority;
use crate::cloud::probe::Broker;
use crate::config::{self, Config};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::Fingerprint;
use crate::ledger::{self, Reader};
use crate::pki::{self, AuthorityInfo};
use crate::say;
use crate::shell::Failure;

/// Every check that has to do with the cloud; one where there is none.
pub fn findings(config: &Config) -> Vec<Finding> {
    let Some(section) = config.cloud.as_ref() else { return vec![checks::no_cloud()] };
    let mut findings = asked(config, section).unwrap_or_else(|finding| vec![*finding]);
    findings.extend(accepted(config).map(checks::first_article));
    findings.extend(cloud::international(config).map(checks::international));
    let found = reader(config).and_then(|reader| reader.contradicted().ok());
    findings.extend(found.map(checks::contradicted));
    findings
}

/// A warning for the line: nothing of what it makes was ever accepted.
pub fn first_article(config: &Config) -> Option<Fault> {
    accepted(config).and_then(checks::first_article_fault)
}

/// How many certificates of the CA and product of station.toml the cloud accepted; none where there is
/// no cloud, no CA or no ledger, of which other checks tell.
fn accepted(config: &Config) -> Option<u64> {
    let issuer = issuer(config)?;
    let cloud = cloud::instance(config).ok()?;
    let Some(reader) = reader(config) else { return Some(0) };
    reader.accepted(&issuer, &cloud, &config.product.name).ok()
}

fn asked(config: &Config, section: &config::Cloud) -> Result<Vec<Finding>, Box<Finding>> {
    let wrong = |failure: Failure| Box::new(checks::cloud_wrong(failure.into()));
    let registrar = cloud::client_if_given(config).map_err(wrong)?;
    let Some(registrar) = registrar else {
        let what = say!(
            "not known: no credentials for the cloud are given here",
            "不清楚：这里没有给出云端凭据"
        );
        return Err(Box::new(checks::cloud_unasked(Fault::said(Code::CloudCredentials, what))));
    };
    let needed = needed(config);
    let roots = pki::server_roots(&config.broker.server_root)
        .and_then(|_| pki::read_certificates(&config.broker.server_root));
    let (roots, fault) = match roots {
        Ok(roots) => (roots, None),
        Err(error) => (Vec::new(), Some(Fault::from(error))),
    };
    let broker = Broker {
        host: &config.broker.host,
        port: config.broker.port,
        tls_min: config.broker.tls_min,
        tls_max: config.broker.tls_max,
        roots: &roots,
    };
    let check = CloudCheck {
        registering: cloud::registering(section),
        needed: &needed,
        broker: fault.map_or(Ok(broker), Err),
        own_name: section.own_broker_name,
    };
    Ok(cloud::runtime().map_err(wrong)?.block_on(checks::cloud(&registrar, &check)))
}

/// The CAs of what waits, and the one of station.toml, of which more will come.
fn needed(config: &Config) -> Vec<NeededAuthority> {
    let open = reader(config).and_then(|reader| reader.open_issuers().ok()).unwrap_or_default();
    let mut needed: Vec<NeededAuthority> = open
        .iter()
        .map(|open| NeededAuthority { issuer: open.issuer, not_after: open.not_after })
        .collect();
    if let Some(issuer) = issuer(config).filter(|own| needed.iter().all(|n| n.issuer != *own)) {
        needed.push(NeededAuthority { issuer, not_after: Timestamp(0) });
    }
    needed
}

fn issuer(config: &Config) -> Option<Fingerprint> {
    AuthorityInfo::read(&from_config::authority_place(&config.authority))
        .ok()
        .map(|info| info.fingerprint)
}

fn reader(config: &Config) -> Option<Reader> {
    let data_dir = &config.station.data_dir;
    let there = data_dir.join(ledger::LEDGER_FILE).exists();
    there.then(|| Reader::open(data_dir, Some(&config.station.id)).ok()).flatten()
}
