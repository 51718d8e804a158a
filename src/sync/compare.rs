//! The whole cloud against the ledger: every certificate of this station's CAs, page by
//! page, and then every certificate that the ledger says stands there.
//!
//! Pages are no snapshot: what is registered or removed meanwhile shifts them. So what
//! was not seen is looked up by itself before it is told to be missing.

use std::collections::{HashMap, HashSet};

use super::event::{Difference, DifferenceKind, Event};
use super::run::{Run, Stop};
use super::stands::REVOKED;
use crate::cloud::{CertificateFilter, Registrar};
use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, to_hex};
use crate::domain::outbox::{Contradicted, Contradiction, Found};
use crate::domain::record::{Record, Refusal};
use crate::domain::registration::{CloudCertificate, CloudStatus, Registering, SnValue};
use crate::domain::say::Say;
use crate::ledger::outbox::{Gate, Known};
use crate::ledger::states::RegistrationState;
use crate::say;

/// The most that the API gives at a time.
const CLOUD_PAGE: u64 = 100;

/// Rows of the ledger that are read at a time.
const LEDGER_PAGE: u32 = 500;

/// What one certificate in the cloud means for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Cloud and ledger agree, or what differs is about to change.
    Agrees,
    /// The ledger knows it, and should know where it stands now.
    News,
    /// A certificate of a CA that other stations issue with too.
    OfOthers,
    /// They differ.
    Differs(DifferenceKind, Say),
}

/// Judges one certificate that the cloud shows. `exclusive`: its CA issues for this
/// station alone.
pub fn judge(
    known: Option<&Known>,
    found: &CloudCertificate,
    exclusive: bool,
    registering: Registering,
) -> Verdict {
    use DifferenceKind::{CertificateDiffers, ForeignInCloud, StatusDiffers, VoidInCloud};
    let status = found.status.map_or("an unknown status", CloudStatus::as_str);
    let status_zh = found.status.map_or("未知状态", CloudStatus::as_str);
    let Some(known) = known else {
        return match exclusive {
            true => Verdict::Differs(
                ForeignInCloud,
                say!(
                    "the ledger has no such certificate; it is {status} there",
                    "账本里没有这张证书；它在云端是 {status_zh}"
                ),
            ),
            false => Verdict::OfOthers,
        };
    };
    if found.fingerprint != Some(known.fingerprint) {
        let detail =
            say!("another certificate stands under this serial number", "这个序列号下是另一张证书");
        return Verdict::Differs(CertificateDiffers, detail);
    }
    if !found.client_id.is_empty() && found.client_id != known.client_id.as_str() {
        let detail = say!(
            "it stands there for client id {:?}",
            "它在云端属于客户端 ID {:?}",
            found.client_id
        );
        return Verdict::Differs(CertificateDiffers, detail);
    }
    if known.open {
        return match (registering, known.certificate) {
            // Its row waits for just this.
            (Registering::Automatic, CertificateState::Proven)
                if known.registration != RegistrationState::Registered =>
            {
                Verdict::News
            }
            _ => Verdict::Agrees,
        };
    }
    let is_revoked = found.status == Some(CloudStatus::Revoked);
    if known.certificate != CertificateState::Proven && !is_revoked {
        let detail = say!(
            "it is {} and {status} there",
            "它在本站是 {}，在云端是 {status_zh}",
            known.certificate.as_str()
        );
        return Verdict::Differs(VoidInCloud, detail);
    }
    let agrees = match known.registration {
        RegistrationState::Registered => known.status == found.status,
        RegistrationState::Revoked => is_revoked,
        // Not proven and revoked there: nobody uses it.
        _ => known.certificate != CertificateState::Proven,
    };
    match (agrees, known.registration, registering) {
        (true, ..) => Verdict::Agrees,
        (false, RegistrationState::Registered | RegistrationState::Revoked, _) => {
            let ours = known.status.map_or("unknown", CloudStatus::as_str);
            let detail = say!(
                "it is {status} there, {ours} in the ledger",
                "它在云端是 {status_zh}，在账本里是 {ours}"
            );
            Verdict::Differs(StatusDiffers, detail)
        }
        (false, _, _) => Verdict::News,
    }
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    ours: HashSet<CertificateSn>,
    /// The serial number of a certificate that can be used, by its client id.
    client_ids: HashMap<String, String>,
    of_others: u64,
}

/// Compares, tells each difference, and records what is news.
pub(super) async fn compare<R: Registrar + 'static>(run: &Run<R>) {
    if run.is_stopped() {
        return;
    }
    run.summary.borrow_mut().differences.get_or_insert_default();
    let mut seen = Seen::default();
    let ended = async {
        let own = run.reader.authorities().map_err(|error| Stop::Ledger(error.into()))?;
        for ca in run.authorities() {
            if ca.fingerprint.is_some_and(|fingerprint| own.contains(&fingerprint)) {
                run.compare_authority(ca.sn.clone(), &mut seen).await?;
            }
        }
        run.look_for_the_rest(&seen).await
    };
    if let Err(stop) = ended.await {
        run.end(stop);
    }
    run.summary.borrow_mut().of_others = Some(seen.of_others);
}

/// Where a sample did not show what the cloud said it took, what counts by its word alone is
/// looked up too.
pub(super) async fn look_at_the_doubtful<R: Registrar + 'static>(run: &Run<R>) {
    let doubtful = run.doubtful();
    if doubtful.is_empty() {
        return;
    }
    run.summary.borrow_mut().differences.get_or_insert_default();
    let ended = async {
        for sn in &doubtful {
            let known = run.reader.known(sn).map_err(|error| Stop::Ledger(error.into()))?;
            if let Some(known) = known.filter(Known::counts_as_registered)
                && !run.is_stopped()
            {
                run.look_for(&known).await?;
            }
        }
        Ok(())
    };
    if let Err(stop) = ended.await {
        run.end(stop);
    }
}

impl<R: Registrar + 'static> Run<R> {
    async fn compare_authority(
        &self,
        ca: crate::domain::registration::CaSn,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        let filter = CertificateFilter::Authority(ca);
        let mut offset = 0;
        while !self.is_stopped() {
            let page = self
                .page(&filter, offset, CLOUD_PAGE)
                .await
                .map_err(|error| Stop::Cloud(error.into()))?;
            for found in &page.certificates {
                self.compare_one(found, seen).await?;
            }
            offset += u64::try_from(page.certificates.len()).unwrap_or(CLOUD_PAGE);
            if page.certificates.is_empty() || offset >= page.total {
                break;
            }
        }
        Ok(())
    }

    async fn compare_one(&self, found: &CloudCertificate, seen: &mut Seen) -> Result<(), Stop> {
        let known = match own_sn(&found.sn) {
            Some(sn) => {
                seen.ours.insert(sn);
                self.reader.known(&sn).map_err(|error| Stop::Ledger(error.into()))?
            }
            None => None,
        };
        self.compare_client_id(found, known.as_ref(), seen);
        let registering = self.settings.rules.registering;
        match judge(known.as_ref(), found, self.settings.exclusive, registering) {
            Verdict::Agrees => {}
            Verdict::OfOthers => seen.of_others += 1,
            Verdict::News => self.record_found(known.as_ref(), found).await?,
            Verdict::Differs(DifferenceKind::CertificateDiffers, detail) => {
                let kind = DifferenceKind::CertificateDiffers;
                self.tell_difference(kind, found, known.as_ref(), detail.clone());
                if let Some(known) = &known {
                    self.contradicted(known, Contradiction::Differs, detail.english).await?;
                }
            }
            Verdict::Differs(DifferenceKind::StatusDiffers, detail)
                if self.is_revoked_under_us(known.as_ref(), found)? =>
            {
                self.tell_difference(DifferenceKind::StatusDiffers, found, known.as_ref(), detail);
                if let Some(known) = &known {
                    self.contradicted(known, Contradiction::Differs, REVOKED.to_owned()).await?;
                }
            }
            Verdict::Differs(kind, detail) => {
                let is_news = kind == DifferenceKind::StatusDiffers
                    || (kind == DifferenceKind::VoidInCloud
                        && registering == Registering::Automatic);
                self.tell_difference(kind, found, known.as_ref(), detail);
                if is_news {
                    self.record_found(known.as_ref(), found).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether somebody else revoked what is to leave yet: a person has to look. What left already
    /// may be revoked in the field, which the ledger takes over.
    fn is_revoked_under_us(
        &self,
        known: Option<&Known>,
        found: &CloudCertificate,
    ) -> Result<bool, Stop> {
        let is_manual = self.settings.rules.registering == Registering::Manual;
        let known = known.filter(|known| is_manual && known.counts_as_registered());
        let Some(known) = known.filter(|_| found.status == Some(CloudStatus::Revoked)) else {
            return Ok(false);
        };
        let gate = self.reader.gate(&known.serial);
        let gate = gate.map_err(|error| Stop::Ledger(error.into()))?;
        Ok(!matches!(gate, Some(Gate::Gone(_))))
    }

    fn compare_client_id(&self, found: &CloudCertificate, known: Option<&Known>, seen: &mut Seen) {
        let is_usable = found.status != Some(CloudStatus::Revoked);
        if !is_usable || found.client_id.is_empty() {
            return;
        }
        let first = seen.client_ids.insert(found.client_id.clone(), found.sn.clone());
        if let Some(other) = first.filter(|other| *other != found.sn) {
            let detail = say!(
                "certificate {other} has the same client id",
                "证书 {other} 的客户端 ID 与它相同"
            );
            self.tell_difference(DifferenceKind::DuplicateClientId, found, known, detail);
        }
    }

    fn tell_difference(
        &self,
        kind: DifferenceKind,
        found: &CloudCertificate,
        known: Option<&Known>,
        detail: Say,
    ) {
        self.summary.borrow_mut().difference(kind);
        let (certificate_sn, client_id) = (found.sn.clone(), Some(found.client_id.clone()));
        let serial = known.map(|known| known.serial.clone());
        let difference = Difference { kind, certificate_sn, serial, client_id, detail };
        self.tell(Event::Difference(difference));
    }

    async fn record_found(
        &self,
        known: Option<&Known>,
        found: &CloudCertificate,
    ) -> Result<(), Stop> {
        let (Some(known), Some(records)) = (known, &self.records) else { return Ok(()) };
        let record = Record::Found(Found {
            certificate_sn: known.sn,
            sn: found.sn.clone(),
            status: found.status,
            revoke: self.settings.rules.registering == Registering::Automatic,
        });
        match records.record(record).await {
            Ok(_) => Ok(()),
            Err(Refusal::Row(fault) | Refusal::Ledger(fault)) => Err(Stop::Ledger(fault)),
        }
    }

    /// What counted as registered and is not is work that is open from here on.
    async fn contradicted(
        &self,
        known: &Known,
        contradiction: Contradiction,
        message: String,
    ) -> Result<(), Stop> {
        let Some(records) = self.records.as_ref().filter(|_| known.counts_as_registered()) else {
            return Ok(());
        };
        let certificate_sn = known.sn;
        let record = Contradicted { certificate_sn, contradiction, message };
        match records.record(Record::Contradicted(record)).await {
            Ok(_) => {
                if contradiction == Contradiction::Missing {
                    self.missing.borrow_mut().push(known.serial.clone());
                }
                Ok(())
            }
            // The line was quicker: it is void by now, or on its way again.
            Err(Refusal::Row(fault)) if fault.code == Code::UnitState => Ok(()),
            Err(Refusal::Row(fault) | Refusal::Ledger(fault)) => Err(Stop::Ledger(fault)),
        }
    }

    /// Tells what the ledger says stands there and no page showed.
    async fn look_for_the_rest(&self, seen: &Seen) -> Result<(), Stop> {
        let mut last: Option<CertificateSn> = None;
        while !self.is_stopped() {
            let page = self.reader.standing_in_cloud(last.as_ref(), LEDGER_PAGE);
            let page = page.map_err(|error| Stop::Ledger(error.into()))?;
            let Some(row) = page.last() else { break };
            last = Some(row.sn);
            for known in page.iter().filter(|known| !seen.ours.contains(&known.sn)) {
                self.look_for(known).await?;
            }
        }
        Ok(())
    }

    async fn look_for(&self, known: &Known) -> Result<(), Stop> {
        let filter = CertificateFilter::Sn(to_hex(known.sn.as_bytes()));
        let page = self.page(&filter, 0, 1).await.map_err(|error| Stop::Cloud(error.into()))?;
        if page.total == 0 && page.certificates.is_empty() && !self.is_stopped() {
            let kind = DifferenceKind::MissingInCloud;
            self.summary.borrow_mut().difference(kind);
            self.tell(Event::Difference(Difference {
                kind,
                certificate_sn: known.sn.to_string(),
                serial: Some(known.serial.clone()),
                client_id: Some(known.client_id.to_string()),
                detail: say!("the ledger says that it stands there", "账本记录它在云端"),
            }));
            let missing = Contradiction::Missing;
            return self.contradicted(known, missing, missing.told().to_owned()).await;
        }
        Ok(())
    }
}

/// A serial number of the station's own form, however the cloud spells it.
fn own_sn(text: &str) -> Option<CertificateSn> {
    text.parse::<SnValue>().ok()?.to_string().parse().ok()
}
