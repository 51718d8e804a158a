//! A cloud in memory. It shares nothing with a client, so what it says is what it holds.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::cloud::{
    CallError, CertificateFilter, CertificatePage, ClockSkew, ErrorClass, InstanceFacts, Registrar,
    Usage,
};
use crate::domain::code::Code;
use crate::domain::ids::Fingerprint;
use crate::domain::registration::{
    CaSn, CloudAuthority, CloudCertificate, CloudInstance, CloudStatus, NewRegistration, SnValue,
};
use crate::domain::say::Say;

pub(super) const CA_DER: &[u8] = b"the DER of a test CA";

pub(super) fn ca() -> Fingerprint {
    fingerprint(CA_DER)
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is carried out and answered.
    Answered,
    /// It is not carried out, and nobody says so.
    LostBefore,
    /// It is carried out, and nobody says so.
    LostAfter,
    /// It is not carried out, and the cloud says why.
    Refused(ErrorClass),
}

#[derive(Default)]
pub(super) struct Sky {
    pub(super) certificates: BTreeMap<SnValue, CloudCertificate>,
    /// Calls that changed or were to change something, in their order.
    pub(super) calls: Vec<String>,
    pub(super) reads: u64,
    /// The fate of the next changing calls; then all are answered.
    pub(super) fates: VecDeque<Fate>,
    /// The fate of the next reads.
    pub(super) read_fates: VecDeque<Fate>,
    /// Draws fates where it is not 0.
    pub(super) seed: u64,
    pub(super) most_at_once: usize,
    /// The rates that were set.
    pub(super) rates: Vec<u32>,
    /// After how many of them a call that had its turn has not left yet.
    pub(super) unsent_at: Vec<usize>,
    at_once: usize,
    /// Certificates register themselves when their devices first connect.
    pub(super) automatic: bool,
    /// How often it says that it is not ready when it is asked.
    pub(super) not_ready: u32,
}

/// A registrar for the cloud in memory; clones are of one cloud.
#[derive(Clone)]
pub(super) struct MemoryCloud {
    pub(super) sky: Rc<RefCell<Sky>>,
    name: CloudInstance,
    pub(super) call_limit: Duration,
}

pub(super) fn name(instance: &str) -> CloudInstance {
    let (site, region) = ("mqtt.example.com".to_owned(), "ap-guangzhou".to_owned());
    CloudInstance { site, region, instance: instance.to_owned() }
}

pub(super) fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(der).into())
}

impl MemoryCloud {
    pub(super) fn new() -> MemoryCloud {
        let sky = Rc::new(RefCell::new(Sky::default()));
        MemoryCloud { sky, name: name("mqtt-a"), call_limit: Duration::ZERO }
    }

    pub(super) fn authority(&self, fingerprint: Fingerprint) -> CloudAuthority {
        CloudAuthority {
            sn: CaSn("0abc".to_owned()),
            fingerprint: Some(fingerprint),
            status: Some(CloudStatus::Active),
            not_after: crate::domain::clock::Timestamp::NO_EXPIRY,
        }
    }

    pub(super) fn status(&self, sn: &str) -> Option<CloudStatus> {
        let sky = self.sky.borrow();
        sky.certificates.get(&sn.parse().unwrap()).and_then(|found| found.status)
    }

    async fn call<T>(
        &self,
        action: &'static str,
        log: String,
        carry_out: impl FnOnce(&mut Sky) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let fate = {
            let mut sky = self.sky.borrow_mut();
            sky.calls.push(log);
            sky.at_once += 1;
            sky.most_at_once = sky.most_at_once.max(sky.at_once);
            match sky.fates.pop_front() {
                Some(fate) => fate,
                None if sky.seed > 0 => drawn(&mut sky.seed),
                None => Fate::Answered,
            }
        };
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut sky = self.sky.borrow_mut();
        sky.at_once -= 1;
        match fate {
            Fate::Answered => carry_out(&mut sky),
            Fate::LostBefore => Err(error(action, ErrorClass::LookUpFirst)),
            Fate::LostAfter => {
                carry_out(&mut sky)?;
                Err(error(action, ErrorClass::LookUpFirst))
            }
            Fate::Refused(class) => {
                if class == ErrorClass::NotReady {
                    sky.not_ready = 2;
                }
                Err(error(action, class))
            }
        }
    }

    fn read<T>(
        &self,
        action: &'static str,
        answer: impl FnOnce(&Sky) -> T,
    ) -> Result<T, CallError> {
        let mut sky = self.sky.borrow_mut();
        sky.reads += 1;
        match sky.read_fates.pop_front() {
            Some(Fate::Refused(class)) => Err(error(action, class)),
            Some(Fate::LostBefore | Fate::LostAfter) => Err(error(action, ErrorClass::LookUpFirst)),
            _ => Ok(answer(&sky)),
        }
    }
}

/// Two of three calls are answered.
fn drawn(seed: &mut u64) -> Fate {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    match (*seed >> 33) % 12 {
        0 => Fate::LostBefore,
        1 => Fate::LostAfter,
        2 | 3 => Fate::Refused(ErrorClass::Throttled),
        _ => Fate::Answered,
    }
}

fn error(action: &'static str, class: ErrorClass) -> CallError {
    let message = Say::same(format!("{class:?}"));
    CallError { action, class, code: Code::CloudUnclear, cloud_code: None, message }
}

impl Registrar for MemoryCloud {
    fn instance(&self) -> &CloudInstance {
        &self.name
    }

    fn call_limit(&self) -> Duration {
        self.call_limit
    }

    fn set_rate(&self, per_second: u32, _until: Option<Instant>) {
        self.sky.borrow_mut().rates.push(per_second);
    }

    fn unsent(&self) -> usize {
        let sky = self.sky.borrow();
        usize::from(sky.unsent_at.contains(&sky.rates.len()))
    }

    fn usage(&self) -> Usage {
        let sky = self.sky.borrow();
        let requests = u64::try_from(sky.calls.len()).unwrap() + sky.reads;
        Usage { requests, throttled: 0 }
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        None
    }

    async fn instance_facts(&self) -> Result<InstanceFacts, CallError> {
        let mut sky = self.sky.borrow_mut();
        let status = match sky.not_ready {
            0 => "RUNNING",
            _ => "MAINTAINING",
        };
        sky.not_ready = sky.not_ready.saturating_sub(1);
        Ok(InstanceFacts {
            status: status.to_owned(),
            edition: "PRO".to_owned(),
            x509_mode: "BYOC".to_owned(),
            provision_type: if sky.automatic { "JITP" } else { "API" }.to_owned(),
            tls_versions: vec![],
            registration_code: None,
            max_authorities: None,
        })
    }

    async fn endpoints(&self) -> Result<Vec<(String, u16)>, CallError> {
        Ok(vec![])
    }

    async fn authorities(&self) -> Result<Vec<CloudAuthority>, CallError> {
        Ok(vec![self.authority(ca())])
    }

    async fn apply_registration_code(&self) -> Result<String, CallError> {
        Ok(String::new())
    }

    async fn register_authority(&self, _: &str, _: &str) -> Result<CaSn, CallError> {
        Ok(CaSn(String::new()))
    }

    async fn register(&self, certificate: &NewRegistration) -> Result<String, CallError> {
        let log = format!("register {} for {}", certificate.sn, certificate.client_id);
        let certificate = certificate.clone();
        self.call("register", log, move |sky| {
            let sn = SnValue::from(&certificate.sn);
            if sky.certificates.contains_key(&sn) {
                return Err(error("register", ErrorClass::LookUpFirst));
            }
            // This cloud prints a zero in front.
            let spelt = format!("0{sn}");
            let found = CloudCertificate {
                sn: spelt.clone(),
                fingerprint: Some(fingerprint(&certificate.der)),
                ca: certificate.ca,
                client_id: certificate.client_id.to_string(),
                status: Some(certificate.status),
                automatic: false,
            };
            sky.certificates.insert(sn, found);
            Ok(spelt)
        })
        .await
    }

    async fn certificates(
        &self,
        filter: &CertificateFilter,
        offset: u64,
        limit: u64,
    ) -> Result<CertificatePage, CallError> {
        self.read("look-up", |sky| {
            let fits = |found: &&CloudCertificate| match filter {
                CertificateFilter::Authority(ca) => found.ca == *ca,
                CertificateFilter::Sn(sn) => found.sn.parse::<SnValue>() == sn.parse(),
                CertificateFilter::ClientId(id) => found.client_id == *id,
            };
            let all: Vec<_> = sky.certificates.values().filter(fits).cloned().collect();
            let total = u64::try_from(all.len()).unwrap();
            let (offset, limit) =
                (usize::try_from(offset).unwrap(), usize::try_from(limit).unwrap());
            let certificates = all.into_iter().skip(offset).take(limit).collect();
            CertificatePage { total, certificates }
        })
    }

    async fn set_status(&self, sn: &str, status: CloudStatus) -> Result<(), CallError> {
        let value: SnValue = sn.parse().unwrap();
        let log = format!("{} {value}", status.as_str());
        self.call("set status", log, move |sky| match sky.certificates.get_mut(&value) {
            Some(found) if found.status != Some(CloudStatus::Revoked) => {
                found.status = Some(status);
                Ok(())
            }
            _ => Err(error("set status", ErrorClass::LookUpFirst)),
        })
        .await
    }
}
