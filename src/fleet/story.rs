//! One unit's story in short: what the records of its station add up to. Pure: the same entries
//! give the same story wherever they are read, so what a store says of a unit can be held
//! against its segments.

use serde::{Deserialize, Serialize};

use crate::domain::certificate::{Certificate, Proof};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::grant::GrantNumber;
use crate::domain::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, PublicKey, Serial, SlotName, WorkOrderId,
};
use crate::domain::record::{Adopted, Begun, End, Ended, FailedEarly, Issued, ProvenRecord};
use crate::domain::state::UnitState;

/// A unit of one station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Its serial.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// The work order that it was last begun for.
    pub work_order: Option<WorkOrderId>,
    /// The product's name.
    pub product: Option<String>,
    /// The slot of its newest attempt.
    pub slot: Option<SlotName>,
    /// How many attempts it had.
    pub attempts: u32,
    /// When its first attempt began.
    pub first_at: Timestamp,
    /// When something was last recorded of it.
    pub last_at: Timestamp,
    /// What is being tried.
    pub open: Option<OpenAttempt>,
    /// What was proven.
    pub proven: Option<Identity>,
    /// Why its last attempt did not pass.
    pub code: Option<Code>,
    /// What a person, the cloud or the gate made of it.
    pub marks: Marks,
}

/// What happened to a unit beside its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    /// It may be burned again.
    pub rework: bool,
    /// Its certificate stands in the cloud.
    pub registered: bool,
    /// It left the house.
    pub shipped: bool,
    /// A person voided its certificate.
    pub voided: bool,
    /// A person scrapped it.
    pub scrapped: bool,
}

/// An attempt that has no end yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAttempt {
    /// The device.
    pub hardware_id: HardwareId,
    /// The lot it counts for.
    pub work_order: Option<WorkOrderId>,
    /// The grant of that lot of which it takes a place.
    pub grant: Option<GrantNumber>,
    /// How far it came.
    pub position: Position,
    /// The certificate; none before it was issued.
    pub certificate: Option<Carried>,
}

/// How far an open attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// It was reserved.
    Begun,
    /// Its certificate was signed.
    Issued,
    /// The device was asked to make it active.
    Asked,
    /// The device proved it.
    Proven,
}

/// A certificate by what it is found by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Its serial number.
    pub certificate_sn: CertificateSn,
    /// SHA-256 of its DER.
    pub fingerprint_sha256: Fingerprint,
    /// The device's public key.
    pub public_key: PublicKey,
    /// The end of its validity.
    pub not_after: Timestamp,
}

impl Carried {
    fn of(certificate: &Certificate) -> Self {
        Self {
            certificate_sn: certificate.sn,
            fingerprint_sha256: certificate.fingerprint,
            public_key: certificate.public_key,
            not_after: certificate.not_after,
        }
    }
}

/// An identity that a device proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The device.
    pub hardware_id: HardwareId,
    /// The certificate.
    #[serde(flatten)]
    pub certificate: Carried,
    /// How it was proven.
    pub proof: Proof,
    /// When.
    pub at: Timestamp,
    /// The lot it counts for.
    pub work_order: Option<WorkOrderId>,
}

impl Story {
    /// A unit of which nothing is known yet.
    pub fn new(serial: Serial, client_id: ClientId, at: Timestamp) -> Self {
        Self {
            serial,
            client_id,
            work_order: None,
            product: None,
            slot: None,
            attempts: 0,
            first_at: at,
            last_at: at,
            open: None,
            proven: None,
            code: None,
            marks: Marks::default(),
        }
    }

    /// The furthest point that holds.
    pub fn state(&self) -> UnitState {
        let marks = self.marks;
        let position = self.open.as_ref().map(|open| open.position);
        match (position, &self.proven) {
            _ if marks.scrapped => UnitState::Scrapped,
            (Some(Position::Asked), _) => UnitState::Uncertain,
            (_, Some(_)) if marks.rework => UnitState::Rework,
            (_, Some(_)) if marks.shipped => UnitState::Shipped,
            (_, Some(_)) if marks.registered => UnitState::Registered,
            (_, Some(_)) => UnitState::Proven,
            (Some(Position::Begun), None) => UnitState::Reserved,
            (Some(_), None) => UnitState::Issued,
            (None, None) if marks.voided => UnitState::Void,
            (None, None) => UnitState::Failed,
        }
    }

    pub(super) fn begun(&mut self, begun: &Begun, attempt: u32) {
        self.attempts = attempt;
        self.slot = Some(begun.slot.clone());
        self.work_order = begun.work_order.clone().or_else(|| self.work_order.take());
        self.product = begun.product.clone().or_else(|| self.product.take());
        self.marks.voided = false;
        self.open = Some(OpenAttempt {
            hardware_id: begun.hardware.clone(),
            work_order: begun.work_order.clone(),
            grant: begun.grant,
            position: Position::Begun,
            certificate: None,
        });
    }

    pub(super) fn failed_early(&mut self, failed: &FailedEarly, attempt: u32) {
        self.attempts = attempt;
        self.slot = Some(failed.slot.clone());
        self.work_order = self.work_order.take().or_else(|| failed.work_order.clone());
        self.code = code_of(&failed.end);
    }

    pub(super) fn issued(&mut self, issued: &Issued) {
        if let Some(open) = &mut self.open {
            open.position = Position::Issued;
            open.certificate = Some(Carried::of(&issued.certificate));
        }
    }

    pub(super) fn asked(&mut self) {
        if let Some(open) = &mut self.open {
            open.position = Position::Asked;
        }
    }

    pub(super) fn proven(&mut self, proven: &ProvenRecord, at: Timestamp) {
        let Some(open) = &mut self.open else { return };
        open.position = Position::Proven;
        let Some(certificate) = open.certificate.clone() else { return };
        let old = self.proven.as_ref().map(|old| old.certificate.certificate_sn);
        let same = old == Some(certificate.certificate_sn);
        self.proven = Some(Identity {
            hardware_id: open.hardware_id.clone(),
            certificate,
            proof: proven.proof,
            at,
            work_order: open.work_order.clone(),
        });
        self.marks.registered &= same;
        (self.marks.rework, self.marks.shipped) = (false, false);
    }

    pub(super) fn ended(&mut self, ended: &Ended) {
        self.open = None;
        self.code = code_of(&ended.end);
    }

    pub(super) fn voided(&mut self) {
        if self.open.take().is_none() {
            self.forget();
        }
        self.marks.voided = true;
    }

    pub(super) fn scrapped(&mut self) {
        self.open = None;
        self.forget();
        self.marks.scrapped = true;
    }

    fn forget(&mut self) {
        self.proven = None;
        self.marks = Marks { voided: self.marks.voided, ..Marks::default() };
    }

    pub(super) fn adopted(&mut self, adopted: &Adopted, attempt: u32, at: Timestamp) {
        self.attempts = attempt;
        self.slot = Some(adopted.slot.clone());
        self.open = None;
        self.proven = Some(Identity {
            hardware_id: adopted.hardware.clone(),
            certificate: Carried::of(&adopted.certificate),
            proof: adopted.proof,
            at,
            work_order: self.work_order.clone(),
        });
        self.marks = Marks::default();
    }

    /// Whether that certificate is the one that its device holds.
    pub(super) fn holds(&self, sn: &CertificateSn) -> bool {
        self.proven.as_ref().is_some_and(|proven| proven.certificate.certificate_sn == *sn)
    }
}

fn code_of(end: &End) -> Option<Code> {
    match end {
        End::Passed => None,
        End::Failed { code, .. } | End::Interrupted { code, .. } => Some(*code),
    }
}
