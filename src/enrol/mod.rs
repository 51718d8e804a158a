//! Makes a CA known to the cloud: once, whatever is interrupted and tried again.
//!
//! A CA is recognised by its certificate, never by its number. What the CA signs for it is
//! in the journal before the cloud sees it, and the cloud's number for the CA afterwards.
//! Nothing in the cloud is changed but that: an inactive CA is a person's decision.
//! Start with [`enrol`].

use station_cloud as cloud;
use station_domain::{self as domain, say};
use station_ledger as ledger;
use station_pki as pki;

use std::future::Future;
use std::time::Duration;

use crate::cloud::preflight::{find, judge_clock, judge_instance};
use crate::cloud::{CallError, ErrorClass, InstanceFacts, Registrar};
use crate::domain::cause::Told;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{ClientId, IdError, to_hex};
use crate::domain::person::Person;
use crate::domain::record::{AuthoritySeen, Record};
use crate::domain::registration::{
    AuthorityRegistered, CaSn, CloudAuthority, CloudStatus, Registering,
};
use crate::ledger::{Reader, Writer};
use crate::pki::{Authority, certificate_pem};

/// How long a CA that was just registered may take until it is active. No number is
/// published; it is there at once wherever it was seen.
const ACTIVE_WITHIN: Duration = Duration::from_secs(60);

/// Between two looks at it, and before a look that failed is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Looks that fail in a row before a person has to decide.
const LOOKS: u32 = 5;

/// What is needed to make a CA known.
pub struct Enrolment<'a, R> {
    /// The cloud.
    pub registrar: &'a R,
    /// How the instance is to learn of certificates.
    pub registering: Registering,
    /// The CA.
    pub authority: &'a Authority,
    /// Where it is recorded.
    pub writer: &'a Writer,
    /// What is recorded of it already.
    pub reader: &'a Reader,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Who does it.
    pub by: Person,
}

/// A CA that the cloud knows and lets issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Its serial number as the cloud gave it.
    pub ca_sn: CaSn,
    /// Whether it was there before.
    pub found: bool,
}

/// Registers the CA, unless it is there already, and waits until it is active.
pub async fn enrol<R: Registrar>(enrolment: &Enrolment<'_, R>) -> Result<Enrolled, Fault> {
    let Enrolment { registrar, registering, .. } = enrolment;
    let facts = look(|| registrar.instance_facts()).await?;
    judge_instance(registrar.instance(), &facts, *registering)?;
    let authorities = look(|| registrar.authorities()).await?;
    judge_clock(*registrar)?;
    if let Some(there) = find(&authorities, &enrolment.authority.fingerprint()) {
        let ca_sn = active(there)?;
        enrolment.remember(&ca_sn)?;
        return Ok(Enrolled { ca_sn, found: true });
    }
    has_room(&facts, authorities.len())?;
    enrolment.register(&facts).await?;
    let ca_sn = enrolment.wait_until_active().await?;
    enrolment.record(None, Some(ca_sn.clone()))?;
    Ok(Enrolled { ca_sn, found: false })
}

/// A verification certificate, PEM, for a code that a person read in the console.
pub fn verification(authority: &Authority, code: &str, clock: &dyn Clock) -> Result<String, Fault> {
    let der = sign(authority, code, clock)?;
    Ok(certificate_pem(&der)?)
}

impl<R: Registrar> Enrolment<'_, R> {
    /// The call that registers. An unclear end is no error here: the look afterwards tells.
    async fn register(&self, facts: &InstanceFacts) -> Result<(), Fault> {
        let code = match &facts.registration_code {
            // A code that is there may have been given to someone who works with it now.
            Some(code) => code.clone(),
            None => look(|| self.registrar.apply_registration_code()).await?,
        };
        let verification = sign(self.authority, &code, self.clock)?;
        self.record(Some(&verification), None)?;
        let ca = certificate_pem(&self.authority.certificate_der())?;
        let verification = certificate_pem(&verification)?;
        match self.registrar.register_authority(&ca, &verification).await {
            Ok(_) => Ok(()),
            Err(error) if error.class == ErrorClass::LookUpFirst => self.is_there(error).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a call with an unclear end was carried out.
    async fn is_there(&self, error: CallError) -> Result<(), Fault> {
        tracing::info!(%error, "what came of it is looked up");
        let authorities = look(|| self.registrar.authorities()).await?;
        match find(&authorities, &self.authority.fingerprint()) {
            Some(_) => Ok(()),
            None => Err(error.into()),
        }
    }

    async fn wait_until_active(&self) -> Result<CaSn, Fault> {
        let begun = self.clock.now().monotonic;
        loop {
            let authorities = look(|| self.registrar.authorities()).await?;
            let there = find(&authorities, &self.authority.fingerprint());
            match there {
                Some(there) if there.status == Some(CloudStatus::Active) => {
                    return Ok(there.sn.clone());
                }
                _ if self.clock.now().monotonic.saturating_sub(begun) < ACTIVE_WITHIN => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Some(there) => return active(there),
                None => {
                    let what = say!(
                        "the cloud took the CA, and does not list it",
                        "云端收下了 CA，却没有列出它"
                    );
                    return Err(Fault::said(Code::CloudAuthority, what));
                }
            }
        }
    }

    /// Records the number of a CA that was found, unless it is known.
    fn remember(&self, ca_sn: &CaSn) -> Result<(), Fault> {
        let (authority, cloud) = (self.authority.fingerprint(), self.registrar.instance());
        match self.reader.ca_sn(&authority, cloud)? {
            Some(known) if known == *ca_sn => Ok(()),
            _ => self.record(None, Some(ca_sn.clone())),
        }
    }

    fn record(&self, verification: Option<&[u8]>, ca_sn: Option<CaSn>) -> Result<(), Fault> {
        let authority = self.authority.fingerprint();
        let seen = AuthoritySeen {
            fingerprint: authority,
            der: to_hex(&self.authority.certificate_der()),
        };
        let registered = AuthorityRegistered {
            authority,
            cloud: self.registrar.instance().clone(),
            verification: verification.map(to_hex),
            ca_sn,
            by: self.by.clone(),
        };
        for record in [Record::AuthoritySeen(seen), Record::AuthorityRegistered(registered)] {
            self.writer.record(record).map_err(|refusal| refusal.fault().clone())?;
        }
        Ok(())
    }
}

fn sign(authority: &Authority, code: &str, clock: &dyn Clock) -> Result<Vec<u8>, Fault> {
    // It becomes a CN: what a client id may not have is no code.
    let code: ClientId = code.trim().parse().map_err(|error: IdError| {
        let what = say!("{code:?} is no registration code", "{code:?} 不是注册码");
        Fault::said(Code::CloudVerification, what.then(&error.sentence()))
    })?;
    Ok(authority.verification_certificate(&code, clock.now().wall)?)
}

/// The number of a CA that is active.
fn active(there: &CloudAuthority) -> Result<CaSn, Fault> {
    match there.status {
        Some(CloudStatus::Active) => Ok(there.sn.clone()),
        status => {
            let status = status.map_or("of an unknown status", CloudStatus::as_str);
            let what = say!(
                "the CA is in the cloud as {}, and {status}, not ACTIVE",
                "CA 在云端的编号是 {}，状态是 {status}，不是 ACTIVE",
                there.sn.0
            );
            Err(Fault::said(Code::CloudAuthority, what))
        }
    }
}

/// Refuses one CA more than the instance takes.
fn has_room(facts: &InstanceFacts, there: usize) -> Result<(), Fault> {
    match facts.max_authorities {
        Some(most) if there as u64 >= most => {
            let what = say!(
                "the instance has {there} CAs and takes {most}",
                "实例已有 {there} 个 CA，最多 {most} 个"
            );
            Err(Fault::said(Code::CloudQuota, what))
        }
        _ => Ok(()),
    }
}

/// A question that changes nothing may be asked again.
async fn look<T, F>(ask: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, CallError>>,
{
    let again = |class| {
        matches!(class, ErrorClass::Throttled | ErrorClass::NotReady | ErrorClass::LookUpFirst)
    };
    let mut tries = 1;
    loop {
        match ask().await {
            Err(error) if again(error.class) && tries < LOOKS => {
                tracing::info!(%error, tries, "asked again");
                tries += 1;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Err(error) => return Err(error.into()),
            Ok(answer) => return Ok(answer),
        }
    }
}
