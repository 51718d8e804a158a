//! One unit's work in a slot: performs the flow's effects, one at a time.
//!
//! It knows the bytes that the flow only names: the certificate, the image, the key's
//! number in the vault. It decides nothing.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::cause::cause;
use crate::domain::certificate::{Certificate, Proof};
use crate::domain::code::Code;
use crate::domain::device::{Answer, Fault, Op, Seen, Verified};
use crate::domain::event::ProgressCell;
use crate::domain::evidence::{self, Sighting, Visit};
use crate::domain::identity::{Challenge, Identity, IdentityKey, KeyOrigin, Response};
use crate::domain::ids::{CertificateSn, HardwareId, ImageDigest, KeyId, PublicKey, SlotName};
use crate::domain::record::{
    AttemptRef, Begun, CertificateRow, Ended, FailedEarly, Finished, Issued, Looked, ProvenRecord,
    Record, Recorded, Refusal,
};
use crate::flow::{Effect, Entry, Input};
use crate::link::driver::Driver;
use crate::pki::{self, VerifiedCsr};
use crate::say;

use super::router::Job;
use super::shared::Shared;

/// What was made for the attempt.
struct Made {
    certificate: Arc<Certificate>,
    image: ImageDigest,
    identity: Identity,
}

/// One unit's work in a slot.
pub(super) struct Effects<'a> {
    shared: &'a Shared,
    slot: &'a SlotName,
    job: &'a Job,
    driver: &'a mut dyn Driver,
    progress: &'a ProgressCell,
    /// The device, where it said who it is just before the unit began.
    just_met: Option<Seen>,
    /// The device, as the ledger calls the one that answered last.
    hardware: Option<HardwareId>,
    /// What it said last, as it calls itself.
    met: Option<Seen>,
    /// When its newest restart was asked for.
    restarted: Option<Instant>,
    /// Who came to the station's broker after earlier ones, and was not it.
    visits: Vec<Visit>,
    reserved: Option<CertificateSn>,
    key: Option<KeyId>,
    /// What the device asked for, for the key that it made.
    request: Option<VerifiedCsr>,
    made: Option<Made>,
    ledger_failed: Option<Fault>,
}

impl Drop for Effects<'_> {
    /// However the work ends, a panic included, its key is gone.
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.vault.forget(key);
        }
    }
}

impl<'a> Effects<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        slot: &'a SlotName,
        job: &'a Job,
        driver: &'a mut dyn Driver,
        progress: &'a ProgressCell,
    ) -> Self {
        Self {
            shared,
            slot,
            job,
            driver,
            progress,
            just_met: None,
            hardware: None,
            met: None,
            restarted: None,
            visits: Vec::new(),
            reserved: None,
            key: None,
            request: None,
            made: None,
            ledger_failed: None,
        }
    }

    /// Begins with what a device said a moment ago instead of asking it again.
    pub(super) fn has_met(&mut self, seen: Option<Seen>) {
        self.just_met = seen;
    }

    /// The device's driver, for whoever must let time pass.
    pub(super) fn driver(&mut self) -> &mut dyn Driver {
        self.driver
    }

    /// The device that was worked on.
    pub(super) fn hardware(&self) -> Option<&HardwareId> {
        self.hardware.as_ref()
    }

    /// What it said last, as it calls itself.
    pub(super) fn met(&self) -> Option<&Seen> {
        self.met.as_ref()
    }

    /// Why the ledger can't write any more, where it can't.
    pub(super) fn ledger_failed(&self) -> Option<&Fault> {
        self.ledger_failed.as_ref()
    }

    /// Performs one effect; its result is the flow's next input.
    pub(super) fn perform(&mut self, effect: Effect) -> Input {
        match effect {
            Effect::Device(op) => Input::Device(self.ask(op)),
            Effect::Look(seen) => Input::Looked(self.look(&seen)),
            Effect::Record(entry) => Input::Recorded(self.record(entry)),
            Effect::Make => Input::Made(self.make()),
            Effect::Forget(key) => {
                self.forget(key);
                Input::Forgotten
            }
            // The loop ends at a verdict; nothing is left to perform.
            Effect::Finish(_) => Input::Forgotten,
        }
    }

    fn ask(&mut self, op: Op) -> Result<Answer, Fault> {
        match op {
            Op::Identify => Ok(Answer::Seen(self.identify()?)),
            Op::MakeKey => Ok(Answer::KeyMade(self.ask_for_key()?)),
            Op::Stage { .. } => self.stage(),
            Op::Commit { cert } => {
                let image = self.row(cert)?.image;
                self.driver.commit(image)?;
                Ok(Answer::Committed)
            }
            Op::Restart => {
                self.restarted = Some(Instant::now());
                let seen = self.driver.restart()?;
                Ok(Answer::Restarted(self.meet(seen)?))
            }
            Op::Prove { cert } => Ok(Answer::Proof(self.prove(cert)?)),
            Op::ReadBack { cert } => Ok(Answer::Proof(self.read_back(cert)?)),
            Op::Connect { cert } => Ok(Answer::Proof(self.await_connection(cert)?)),
            Op::Finish => {
                let seen = self.driver.finish(self.shared.policy.lock)?;
                Ok(Answer::Finished(self.meet(seen)?))
            }
            Op::Release => {
                self.driver.release()?;
                Ok(Answer::Released)
            }
        }
    }

    fn identify(&mut self) -> Result<Seen, Fault> {
        let seen = match self.just_met.take() {
            Some(seen) => seen,
            None => self.driver.identify()?,
        };
        self.meet(seen)
    }

    /// Gives a device the name that the ledger knows it by.
    fn meet(&mut self, mut seen: Seen) -> Result<Seen, Fault> {
        self.met = Some(seen.clone());
        seen.hardware = self.shared.known_as(&seen)?;
        self.hardware = Some(seen.hardware.clone());
        Ok(seen)
    }

    /// The device makes its key; what it hands in must be signed with it and be its own.
    fn ask_for_key(&mut self) -> Result<PublicKey, Fault> {
        let request = self.driver.make_key()?;
        let hardware = self.hardware.as_ref().ok_or_else(|| missing("a device"))?;
        let verified = pki::verify_csr(&request, hardware)?;
        let public_key = *verified.public_key();
        self.request = Some(verified);
        Ok(public_key)
    }

    fn stage(&mut self) -> Result<Answer, Fault> {
        let made = self.made.as_ref().ok_or_else(|| missing("an image"))?;
        let progress = self.progress;
        self.driver.stage(&made.identity, &self.shared.vault, &mut |done, total| {
            progress.update(|now| (now.done, now.total) = (done, total));
        })?;
        Ok(Answer::Staged)
    }

    fn prove(&mut self, cert: CertificateSn) -> Result<Verified, Fault> {
        let row = self.row(cert)?;
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|error| {
            Fault::said(Code::Bug, say!("no random numbers", "没有随机数").then(&cause(&error)))
        })?;
        let challenge = Challenge {
            nonce,
            hardware: self.hardware.clone().ok_or_else(|| missing("a device"))?,
            image: row.image,
            certificate: row.certificate.fingerprint,
        };
        Ok(match self.driver.prove(&challenge)? {
            Response::Signature { message, signature } => {
                pki::check_possession(&row.certificate, &message, &signature)
            }
            Response::NoKey => Verified::NoKey,
        })
    }

    fn read_back(&mut self, cert: CertificateSn) -> Result<Verified, Fault> {
        let row = self.row(cert)?;
        Ok(match self.driver.read_back()? {
            None => Verified::NoKey,
            Some(held)
                if held.certificate == row.certificate.fingerprint && held.image == row.image =>
            {
                Verified::Yes(Proof::ReadBack)
            }
            Some(_) => Verified::Wrong,
        })
    }

    /// Waits at the station's own broker for the device, which connects by itself after its
    /// restart.
    fn await_connection(&mut self, cert: CertificateSn) -> Result<Verified, Fault> {
        let witness = self.shared.witness.as_ref().ok_or_else(|| missing("a broker"))?;
        let since = self.restarted.ok_or_else(|| missing("a restart"))?;
        let row = self.row(cert)?;
        match witness.wait_for(&row.certificate.fingerprint, &row.client_id, since) {
            Sighting::Connected => Ok(Verified::Yes(Proof::Connect)),
            Sighting::OtherClientId(_) => Ok(Verified::Wrong),
            Sighting::Nobody(visits) => {
                // It is restarted and waited for once more; what the first wait saw is no less so.
                self.visits.extend(visits);
                let within = witness.patience().as_secs();
                let visits = evidence::told(&self.visits);
                let what = say!(
                    "the device did not connect to the station's broker within {within} s of its \
                     restart",
                    "设备重启后 {within} 秒内没有连接本站的代理服务器"
                );
                Err(Fault::said(Code::DevConnect, what.then(&visits)))
            }
        }
    }

    /// The certificate as this attempt made it, or as the ledger knows it.
    pub(super) fn row(&self, cert: CertificateSn) -> Result<CertificateRow, Fault> {
        if let Some(made) = self.made.as_ref().filter(|made| made.certificate.sn == cert) {
            return Ok(CertificateRow {
                serial: self.job.serial.clone(),
                client_id: self.job.client_id.clone(),
                certificate: Arc::clone(&made.certificate),
                image: made.image,
                state: crate::domain::certificate::CertificateState::Issued,
            });
        }
        let found = self.shared.inquiries.ask(move |reader| reader.certificate(&cert))??;
        found.ok_or_else(|| missing("the certificate in the ledger"))
    }

    fn look(&mut self, seen: &Seen) -> Result<Looked, Fault> {
        let serial = self.job.serial.clone();
        let (hardware, holds) = (seen.hardware.clone(), seen.holds);
        let looked = self
            .shared
            .inquiries
            .ask(move |reader| reader.look(&serial, &hardware, holds.as_ref()))?;
        looked.map_err(|error| {
            let fault = Fault::from(error);
            // On a ledger that is damaged nothing further may be decided.
            if fault.code == Code::LedgerCorrupt {
                self.ledger_failed = Some(fault.clone());
            }
            fault
        })
    }

    fn record(&mut self, entry: Entry) -> Result<Recorded, Refusal> {
        let record = self.complete(entry).map_err(Refusal::Row)?;
        let result = self.shared.writer.record(record);
        if let Err(Refusal::Ledger(fault)) = &result {
            self.ledger_failed = Some(fault.clone());
        }
        result
    }

    /// Adds who, where and the bytes to what the flow wants recorded.
    fn complete(&mut self, entry: Entry) -> Result<Record, Fault> {
        let serial = self.job.serial.clone();
        let attempt = |attempt| AttemptRef { serial: serial.clone(), attempt };
        Ok(match entry {
            Entry::Begun(seen) => Record::Begun(self.begun(seen)?),
            Entry::FailedEarly(end) => Record::FailedEarly(FailedEarly {
                serial,
                client_id: self.job.client_id.clone(),
                slot: self.slot.clone(),
                label: self.job.label.clone(),
                work_order: self.shared.lot.work_order(),
                operator: self.shared.signed_in.operator(),
                end,
            }),
            Entry::Issued { attempt: number, .. } => {
                let made = self.made.as_ref().ok_or_else(|| missing("a certificate"))?;
                Record::Issued(Issued {
                    attempt: attempt(number),
                    certificate: Arc::clone(&made.certificate),
                    image: made.image,
                })
            }
            Entry::CommitAsked { attempt: number } => Record::CommitAsked(attempt(number)),
            Entry::Proven { attempt: number, proof } => Record::Proven(ProvenRecord {
                attempt: attempt(number),
                proof,
                restart: self.driver.restart_kind().to_owned(),
            }),
            Entry::Finished { cert } => Record::Finished(Finished { serial, certificate_sn: cert }),
            Entry::Ended { attempt: number, end, void } => {
                Record::Ended(Ended { attempt: attempt(number), end, void })
            }
        })
    }

    fn begun(&mut self, seen: Seen) -> Result<Begun, Fault> {
        let certificate_sn = pki::random_sn()?;
        self.reserved = Some(certificate_sn);
        Ok(Begun {
            serial: self.job.serial.clone(),
            client_id: self.job.client_id.clone(),
            hardware: seen.hardware,
            model: seen.model,
            firmware: seen.firmware,
            certificate_sn,
            slot: self.slot.clone(),
            product: Some(self.shared.product.clone()),
            label: self.job.label.clone(),
            work_order: self.shared.lot.work_order(),
            // The ledger's, as it decides.
            grant: None,
            operator: self.shared.signed_in.operator(),
        })
    }

    fn make(&mut self) -> Result<(CertificateSn, IdentityKey), Fault> {
        match self.shared.policy.key_origin {
            KeyOrigin::Station => self.make_here(),
            KeyOrigin::Device => self.make_for_device(),
        }
    }

    fn make_here(&mut self) -> Result<(CertificateSn, IdentityKey), Fault> {
        let (key, public_key) = self.shared.vault.make_key_by(&pki::make_key)?;
        self.key = Some(key);
        let made = self.certify(public_key).and_then(|certificate| {
            let key = IdentityKey::Station(key);
            self.make_with(certificate, key, public_key)
        });
        if made.is_err() {
            self.forget(key);
        }
        let made = self.made.insert(made?);
        Ok((made.certificate.sn, IdentityKey::Station(key)))
    }

    fn make_for_device(&mut self) -> Result<(CertificateSn, IdentityKey), Fault> {
        let request = self.request.as_ref().ok_or_else(|| missing("a signing request"))?;
        let public_key = *request.public_key();
        let certificate = match self.certificate_again(&public_key)? {
            Some(certificate) => certificate,
            None => self.certify(public_key)?,
        };
        let key = IdentityKey::Device(public_key);
        let made = self.make_with(certificate, key, public_key)?;
        let made = self.made.insert(made);
        Ok((made.certificate.sn, key))
    }

    /// The certificate that an interrupted attempt left for this key, unit and device, as
    /// long as it is what would be issued now.
    fn certificate_again(&self, public_key: &PublicKey) -> Result<Option<Arc<Certificate>>, Fault> {
        let serial = self.job.serial.clone();
        let hardware = self.hardware.clone().ok_or_else(|| missing("a device"))?;
        let public_key = *public_key;
        let found = self
            .shared
            .inquiries
            .ask(move |reader| reader.resumable(&serial, &hardware, &public_key))??;
        let issuer = self.shared.authority.info()?.fingerprint;
        let now = self.shared.clock.now().wall;
        let is_current = |row: &CertificateRow| {
            let certificate = &row.certificate;
            row.client_id == self.job.client_id
                && certificate.issuer == issuer
                && certificate.not_after > now
        };
        Ok(found.filter(is_current).map(|row| row.certificate))
    }

    fn certify(&self, public_key: PublicKey) -> Result<Arc<Certificate>, Fault> {
        let sn = self.reserved.ok_or_else(|| missing("a reserved serial number"))?;
        let client_id = self.job.client_id.clone();
        let now = self.shared.clock.now().wall;
        let request = pki::IssueRequest { public_key, client_id, sn, now };
        Ok(Arc::new(self.shared.authority.issue(&request, &self.shared.profile)?))
    }

    fn make_with(
        &mut self,
        certificate: Arc<Certificate>,
        key: IdentityKey,
        public_key: PublicKey,
    ) -> Result<Made, Fault> {
        let shared = self.shared;
        let identity = Identity {
            key,
            public_key,
            key_format: shared.key_format,
            client_certificate: Arc::clone(&certificate.der),
            ca_chain: shared.authority.chain_der(),
            server_root: Arc::clone(&shared.broker.server_root),
            settings: shared.broker.settings(&self.job.client_id),
        };
        let image = self.driver.compose(&identity, &shared.vault)?;
        Ok(Made { certificate, image, identity })
    }

    fn forget(&mut self, key: KeyId) {
        self.shared.vault.forget(key);
        self.key = self.key.filter(|held| *held != key);
    }
}

fn missing(what: &str) -> Fault {
    Fault::new(Code::Bug, format!("{what} is missing where the flow counts on it"))
}
