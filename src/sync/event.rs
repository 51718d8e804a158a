//! What a sync tells, with the field names of its JSON lines.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::{Deed, Waits};
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::outbox::Operation;
use crate::domain::registration::CloudStatus;
use crate::domain::say::Say;

/// How one certificate came out of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The cloud took it.
    Registered,
    /// It was found there, the same certificate.
    AlreadyRegistered,
    /// Another certificate stands there.
    Conflict,
    /// The cloud will never take it.
    Rejected,
    /// To be tried later.
    Deferred,
    /// Its status is what it should be.
    Done,
    /// There was nothing to do in the cloud.
    Nothing,
    /// It waits for credentials.
    Waiting,
}

/// One difference between the cloud and the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The ledger says that it stands there, and it does not.
    MissingInCloud,
    /// A certificate of a CA of this station alone, which the ledger does not know.
    ForeignInCloud,
    /// One that is not proven, or not any more, and can be used there.
    VoidInCloud,
    /// Two certificates that can be used have one client id.
    DuplicateClientId,
    /// It has another status there.
    StatusDiffers,
    /// Under its serial number, or for its client id, stands something else.
    CertificateDiffers,
}

/// One difference between the cloud and the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub kind: DifferenceKind,
    /// The serial number as the cloud spells it.
    pub certificate_sn: String,
    /// The unit, where the ledger knows one.
    pub serial: Option<Serial>,
    /// The client id as the cloud has it.
    pub client_id: Option<String>,
    /// One sentence with the values.
    pub detail: Say,
}

/// One line of a sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A certificate's registration.
    Registration {
        /// The unit.
        serial: Serial,
        /// The certificate.
        certificate_sn: CertificateSn,
        /// How it came out.
        outcome: Outcome,
        /// Calls so far, those of earlier runs included.
        tries: u32,
        /// What was wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        /// One sentence with the values.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Say>,
    },
    /// A certificate's change of status.
    Status {
        /// The unit.
        serial: Serial,
        /// The certificate.
        certificate_sn: CertificateSn,
        /// What was to be done.
        operation: Operation,
        /// How it came out.
        outcome: Outcome,
        /// Where it stands now.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<CloudStatus>,
        /// What was wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        /// One sentence with the values.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Say>,
    },
    /// A difference between the cloud and the ledger.
    Difference(Difference),
    /// What would be done.
    Planned {
        /// The unit.
        serial: Serial,
        /// The certificate.
        certificate_sn: CertificateSn,
        /// What is to be done in the end.
        operation: Operation,
        /// What would be done first.
        deed: &'static str,
    },
    /// The cloud is not ready: nothing is sent until it is.
    Paused {
        /// What the cloud said.
        message: Say,
    },
    /// The end of the run.
    Summary(Summary),
}

/// What a run did, and what it left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Certificates that the cloud took.
    pub registered: u64,
    /// Certificates that were found there.
    pub already_registered: u64,
    /// Serial numbers under which another certificate stands.
    pub conflict: u64,
    /// Certificates that the cloud will never take.
    pub rejected: u64,
    /// Certificates to be tried later.
    pub deferred: u64,
    /// Registrations that were not come to.
    pub pending: u64,
    /// Certificates activated.
    pub activated: u64,
    /// Certificates deactivated.
    pub deactivated: u64,
    /// Certificates revoked.
    pub revoked: u64,
    /// Changes of status that failed.
    pub status_failed: u64,
    /// Certificates that wait for credentials to deactivate and revoke them.
    pub waiting_for_revoker: u64,
    /// Certificates that wait for their devices to connect.
    #[serde(skip_serializing_if = "is_zero")]
    pub waiting_for_device: u64,
    /// Open operations in instances that are not the current one any more.
    #[serde(skip_serializing_if = "is_zero")]
    pub elsewhere: u64,
    /// Certificates of the station's CAs that other stations issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_others: Option<u64>,
    /// Differences found, by kind; only where the whole cloud was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<BTreeMap<DifferenceKind, u64>>,
    /// Requests sent to the cloud.
    pub requests: u64,
    /// Those that were refused for being too many.
    pub throttled: u64,
    /// How long it took.
    pub duration_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Summary {
    /// How many differences were found.
    pub fn different(&self) -> u64 {
        self.differences.as_ref().map_or(0, |kinds| kinds.values().sum())
    }

    /// Whether something needs another run or a person, beside what was not come to.
    pub fn has_failures(&self) -> bool {
        let failed = [self.conflict, self.rejected, self.deferred, self.status_failed];
        failed.iter().any(|count| *count > 0) || self.different() > 0
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Registered => self.registered += 1,
            Outcome::AlreadyRegistered => self.already_registered += 1,
            Outcome::Conflict => self.conflict += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::Deferred => self.deferred += 1,
            Outcome::Done | Outcome::Nothing | Outcome::Waiting => {}
        }
    }

    pub(super) fn count_status(&mut self, operation: Operation, outcome: Outcome) {
        match (outcome, operation) {
            (Outcome::Done, Operation::Activate) => self.activated += 1,
            (Outcome::Done, Operation::Deactivate) => self.deactivated += 1,
            (Outcome::Done, Operation::Revoke) => self.revoked += 1,
            (Outcome::Waiting, _) => self.waiting_for_revoker += 1,
            (Outcome::Deferred | Outcome::Rejected | Outcome::Conflict, _) => {
                self.status_failed += 1;
            }
            _ => {}
        }
    }

    pub(super) fn difference(&mut self, kind: DifferenceKind) {
        *self.differences.get_or_insert_default().entry(kind).or_default() += 1;
    }
}

impl Deed {
    /// What it is called in a plan.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Deed::LookUp => "look-up",
            Deed::Register => "register",
            Deed::Contradict(contradiction) => contradiction.as_str(),
            Deed::Set(CloudStatus::Active) => "activate",
            Deed::Set(CloudStatus::Revoked) => "revoke",
            Deed::Set(_) => "deactivate",
            Deed::Settle(_) => "record",
            Deed::Wait(Waits::ForDevice) => "wait-for-device",
            Deed::Wait(Waits::ForRevoker) => "wait-for-revoker",
            Deed::Wait(Waits::Rejected) => "stay-rejected",
        }
    }
}
