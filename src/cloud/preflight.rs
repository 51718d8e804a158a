//! What must hold before anything is registered: two reads, and what they are held against.
//!
//! The judgements are pure, so that `doctor` can tell each of them apart. None of them
//! changes anything in the cloud: an instance is set up by a person in its console.

use super::{CloudAuthority, InstanceFacts, Registrar};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::Fingerprint;
use crate::domain::registration::{CaSn, CloudInstance, CloudStatus, Registering};
use crate::domain::say::Say;
use crate::say;

/// Where in the console an instance learns how it knows its clients.
pub const X509_PATH: &str =
    "Cluster > Authentication > X.509 Certificate Management > One-device-one-certificate";

/// A CA that certificates which wait were issued by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeededAuthority {
    /// SHA-256 of its DER.
    pub issuer: Fingerprint,
    /// The end of the certificate that is valid for longest.
    pub not_after: Timestamp,
}

/// What the cloud said, found to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// What it said of the instance.
    pub facts: InstanceFacts,
    /// All CAs of the instance.
    pub authorities: Vec<CloudAuthority>,
}

impl Ready {
    /// A CA as the cloud has it, found by its certificate.
    pub fn authority(&self, issuer: &Fingerprint) -> Option<&CloudAuthority> {
        find(&self.authorities, issuer)
    }

    /// A CA's serial number as the cloud gave it.
    pub fn ca_sn(&self, issuer: &Fingerprint) -> Option<&CaSn> {
        self.authority(issuer).map(|authority| &authority.sn)
    }
}

/// Looks at the instance and its CAs, and refuses what can't work.
///
/// An instance that does not run is refused with [`Code::CloudNotReady`], which may pass.
pub async fn preflight(
    registrar: &impl Registrar,
    registering: Registering,
    needed: &[NeededAuthority],
) -> Result<Ready, Fault> {
    let facts = registrar.instance_facts().await?;
    judge_instance(registrar.instance(), &facts, registering)?;
    let authorities = registrar.authorities().await?;
    judge_clock(registrar)?;
    judge_authorities(&authorities, needed)?;
    Ok(Ready { facts, authorities })
}

/// Refuses a clock whose signatures the cloud would refuse.
pub fn judge_clock(registrar: &impl Registrar) -> Result<(), Fault> {
    match registrar.clock_skew() {
        Some(skew) if skew.is_too_large() => {
            let Say { english, chinese } = skew.sentence();
            let what = say!("the station's clock is {english}", "本站时钟{chinese}");
            Err(Fault::said(Code::CloudClock, what))
        }
        _ => Ok(()),
    }
}

/// Refuses an instance that does not run, or is not set up as the station takes it to be.
pub fn judge_instance(
    instance: &CloudInstance,
    facts: &InstanceFacts,
    registering: Registering,
) -> Result<(), Fault> {
    let id = &instance.instance;
    if facts.status != "RUNNING" {
        let what = say!(
            "instance {id} is {}, not RUNNING",
            "实例 {id} 的状态是 {}，不是 RUNNING",
            facts.status
        );
        return Err(Fault::said(Code::CloudNotReady, what));
    }
    let mode = |what: Say| Err(Fault::said(Code::CloudMode, what));
    if !matches!(facts.edition.as_str(), "PRO" | "PLATINUM") {
        return mode(say!(
            "instance {id} is {}; one device, one certificate needs Pro or Platinum",
            "实例 {id} 是 {}；一机一证需要专业版或铂金版",
            facts.edition
        ));
    }
    if facts.x509_mode != "BYOC" {
        return mode(say!(
            "instance {id} has X509Mode {:?}, not BYOC; in the console: {X509_PATH}",
            "实例 {id} 的 X509Mode 是 {:?}，不是 BYOC；在控制台：{X509_PATH}",
            facts.x509_mode
        ));
    }
    let (wanted, word, console) = match registering {
        Registering::Manual => ("API", "manual", "Manual"),
        Registering::Automatic => ("JITP", "automatic", "Automatic"),
    };
    if facts.provision_type != wanted {
        return mode(say!(
            "instance {id} registers client certificates by {:?}, and [cloud] registration is \
             \"{word}\"; set `registration` to what the instance does, or in the console: \
             {X509_PATH} > client certificates: {console}",
            "实例 {id} 注册客户端证书的方式是 {:?}，而 [cloud] registration 是 \"{word}\"；把 \
             `registration` 改成与实例一致，或在控制台：{X509_PATH} > client certificates: {console}",
            facts.provision_type
        ));
    }
    Ok(())
}

/// Refuses to go on where a CA that is needed is unknown, not active, or ends too early.
pub fn judge_authorities(
    authorities: &[CloudAuthority],
    needed: &[NeededAuthority],
) -> Result<(), Fault> {
    needed.iter().try_for_each(|one| judge_authority(authorities, one))
}

fn judge_authority(authorities: &[CloudAuthority], needed: &NeededAuthority) -> Result<(), Fault> {
    let NeededAuthority { issuer, not_after } = needed;
    let refused = |what: Say| Err(Fault::said(Code::CloudAuthority, what));
    let Some(found) = find(authorities, issuer) else {
        return refused(say!(
            "the CA {issuer} is not registered in the cloud",
            "CA {issuer} 没有在云端注册"
        ));
    };
    let sn = &found.sn.0;
    if found.status != Some(CloudStatus::Active) {
        let status = found.status.map_or("of an unknown status", CloudStatus::as_str);
        return refused(say!(
            "the CA {issuer} ({sn} in the cloud) is {status}, not ACTIVE",
            "CA {issuer}（云端编号 {sn}）的状态是 {status}，不是 ACTIVE"
        ));
    }
    // A cloud that does not say when it ends says nothing against it.
    if found.not_after.0 > 0 && found.not_after.seconds() < not_after.seconds() {
        return refused(say!(
            "the CA {issuer} ({sn} in the cloud) ends there at {}, certificates of it at {not_after}",
            "CA {issuer}（云端编号 {sn}）在云端于 {} 到期，它签发的证书到 {not_after}",
            found.not_after
        ));
    }
    Ok(())
}

/// A CA among those of the cloud, found by its certificate.
pub fn find<'a>(
    authorities: &'a [CloudAuthority],
    issuer: &Fingerprint,
) -> Option<&'a CloudAuthority> {
    authorities.iter().find(|authority| authority.fingerprint.as_ref() == Some(issuer))
}

#[cfg(test)]
mod tests;
