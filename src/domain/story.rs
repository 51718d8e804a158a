//! What people and other programs are told: plain structs with the field names of the JSON.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::certificate::{CertificateState, Proof};
use super::clock::Timestamp;
use super::code::Code;
use super::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, OperatorId, Serial, SlotName, WorkOrderId,
};

use super::record::LabelRead;
use super::state::{AttemptOutcome, Origin, RegistrationState, UnitState};

/// RFC 3339 in UTC.
fn rfc3339<S: Serializer>(time: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(time)
}

fn rfc3339_option<S: Serializer>(time: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, s),
        None => s.serialize_none(),
    }
}

/// One unit in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitLine {
    /// Its serial.
    pub serial: Serial,
    /// The furthest point that holds.
    pub state: UnitState,
    /// Its MQTT client id.
    pub client_id: ClientId,
    /// The certificate that is uncertain, otherwise the proven or issued one.
    pub certificate_sn: Option<CertificateSn>,
}

/// A unit of which only its own device can tell what it holds: it must be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UncertainUnit {
    /// Its serial.
    pub serial: Serial,
    /// Its work order.
    pub work_order: Option<WorkOrderId>,
    /// Where its attempt was made.
    pub slot: SlotName,
    /// Who worked at the line.
    pub operator: Option<OperatorId>,
    /// The device that may hold its certificate; none is known in an old ledger alone.
    pub hardware: Option<HardwareId>,
    /// When its attempt began.
    #[serde(serialize_with = "rfc3339")]
    pub since: Timestamp,
}

/// The units that are uncertain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uncertain {
    /// How many there are.
    pub count: u64,
    /// The oldest first; not all where there are many.
    pub units: Vec<UncertainUnit>,
}

/// Which units are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitFilter {
    /// Only those in this state.
    pub state: Option<UnitState>,
    /// Only those of this work order.
    pub work_order: Option<WorkOrderId>,
    /// Only those with an attempt that passes all of this.
    pub attempt: AttemptFilter,
}

/// Which attempts are meant; each part narrows the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptFilter {
    /// Only those that began from then on.
    pub from: Option<Timestamp>,
    /// Only those that began before.
    pub until: Option<Timestamp>,
    /// Only those of this person.
    pub operator: Option<OperatorId>,
    /// Only those of this slot.
    pub slot: Option<SlotName>,
    /// Only those with this code.
    pub code: Option<Code>,
    /// Only those on devices whose hardware id is this, or begins so: hexadecimal.
    pub device: Option<String>,
}

/// By what a unit was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// Its serial.
    Serial,
    /// Its MQTT client id.
    ClientId,
    /// The serial number of a certificate of it.
    CertificateSn,
    /// The fingerprint of a certificate of it.
    Fingerprint,
    /// The hardware id of a device that it was burned into, or was to be.
    Hardware,
}

impl NamedBy {
    /// What people call it.
    pub const fn in_words(self) -> &'static str {
        match self {
            NamedBy::Serial => "serial",
            NamedBy::ClientId => "client id",
            NamedBy::CertificateSn => "certificate number",
            NamedBy::Fingerprint => "fingerprint",
            NamedBy::Hardware => "hardware id",
        }
    }
}

/// A unit that was found by what somebody had at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUnit {
    /// Its serial.
    pub serial: Serial,
    /// By what it was found.
    pub by: NamedBy,
    /// Whether that was given as a whole, not its beginning alone.
    pub whole: bool,
}

/// One unit's whole story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitStory {
    /// Its serial.
    pub serial: Serial,
    /// The furthest point that holds.
    pub state: UnitState,
    /// Its work order.
    pub work_order: Option<WorkOrderId>,
    /// Its MQTT client id.
    pub client_id: ClientId,
    /// When its first attempt began.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: Timestamp,
    /// Every certificate issued for it, oldest first.
    pub certificates: Vec<CertificateStory>,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptStory>,
    /// What persons did to it, oldest first.
    pub acts: Vec<ActStory>,
}

/// One certificate of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateStory {
    /// Its serial number.
    pub certificate_sn: CertificateSn,
    /// SHA-256 of its DER.
    pub fingerprint_sha256: Fingerprint,
    /// Where it stands.
    pub state: CertificateState,
    /// How it was proven.
    pub proof: Option<Proof>,
    /// How it came into the ledger.
    pub origin: Origin,
    /// Start of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_before: Timestamp,
    /// End of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_after: Timestamp,
    /// The certificate.
    pub pem: String,
    /// Where its registration stands.
    pub registration: RegistrationStory,
}

/// A certificate's registration in the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationStory {
    /// Where it stands.
    pub state: RegistrationState,
    /// The status as the cloud says it.
    pub status: Option<String>,
    /// Calls so far.
    pub tries: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was found to be registered.
    #[serde(serialize_with = "rfc3339_option")]
    pub registered_at: Option<Timestamp>,
}

/// One attempt of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptStory {
    /// Its number.
    pub attempt: u32,
    /// Where.
    pub slot: SlotName,
    /// Who, where one was named.
    pub operator: Option<OperatorId>,
    /// On which device; none where it failed before one was reserved.
    pub hardware: Option<HardwareId>,
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(serialize_with = "rfc3339_option")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// How far it had come, unless it passed.
    pub step: Option<String>,
    /// What was wrong, unless it passed.
    pub code: Option<String>,
    /// One sentence with the values.
    pub message: Option<String>,
    /// How its certificate was proven.
    pub proof: Option<Proof>,
    /// What it was scanned from, where that said more than the serial.
    pub label: Option<LabelRead>,
}

/// What a person did to a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActStory {
    /// The entry's name, for example "unit-voided".
    pub act: String,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// Who, where one was named.
    pub operator: Option<OperatorId>,
    /// The system's user.
    pub uid: u32,
}

/// Counts and yield.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Stats {
    /// Units by state; each unit once.
    pub units: BTreeMap<String, u64>,
    /// Ended attempts.
    pub attempts: Outcomes,
    /// Of the units whose first attempt passed or failed, the share in which it passed.
    pub first_pass_yield: Option<f64>,
    /// Failed and interrupted attempts by code.
    pub by_code: BTreeMap<String, u64>,
    /// Ended attempts by slot.
    pub by_slot: BTreeMap<String, Outcomes>,
    /// Ended attempts by the hour of the factory's clock in which they began: when that hour
    /// does, in UTC.
    pub by_hour: BTreeMap<String, Outcomes>,
}

/// A share as people read it everywhere: rounded down, since 99.96 % are not 100.
pub fn percent(share: f64) -> String {
    // Shares are exact quotients; what a tenth lacks to a whole one is no more than noise.
    format!("{:.1} %", (share * 1000.0 + 1e-9).floor() / 10.0)
}

/// How attempts ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Outcomes {
    /// Proven and finished.
    pub passed: u64,
    /// Something was wrong.
    pub failed: u64,
    /// Cut off.
    pub interrupted: u64,
}

impl Outcomes {
    /// Of what passed or failed, the share that failed; none of nothing.
    pub fn failed_share(&self) -> f64 {
        self.failed as f64 / (self.passed + self.failed).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_expiry_reads_as_in_rfc_5280() {
        struct Time(Timestamp);
        impl Serialize for Time {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                rfc3339(&self.0, s)
            }
        }
        let text = serde_json::to_string(&Time(Timestamp::NO_EXPIRY)).unwrap();
        assert_eq!(text, "\"9999-12-31T23:59:59.000Z\"");
    }
}
