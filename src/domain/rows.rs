//! Attempts and units as rows of a table, each with all that is told of it: what is handed on
//! to people with a spreadsheet and to other programs. The names of the fields are those of
//! the columns.

use serde::{Serialize, Serializer};

use super::certificate::{CertificateState, Proof};
use super::clock::Timestamp;
use super::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, OperatorId, Serial, SlotName, WorkOrderId,
};
use super::state::{AttemptOutcome, RegistrationState, UnitState};

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

/// A certificate with its registration, in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateCells {
    /// Its serial number.
    pub certificate_sn: CertificateSn,
    /// SHA-256 of its DER.
    pub fingerprint_sha256: Fingerprint,
    /// Where it stands.
    pub certificate_state: CertificateState,
    /// The end of its validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_after: Timestamp,
    /// Where its registration in the cloud stands.
    pub registration: RegistrationState,
    /// When it was found to be registered.
    #[serde(serialize_with = "rfc3339_option")]
    pub registered_at: Option<Timestamp>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptRow {
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub time: Timestamp,
    /// The unit.
    pub serial: Serial,
    /// Where.
    pub slot: SlotName,
    /// Who, where one was named.
    pub operator: Option<OperatorId>,
    /// On which device; none where it failed before one was reserved.
    pub device: Option<HardwareId>,
    /// That device's firmware, as it says.
    pub firmware: Option<String>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What was wrong, unless it passed.
    pub code: Option<String>,
    /// Its number among the unit's.
    pub attempt: u32,
    /// When it ended.
    #[serde(serialize_with = "rfc3339_option")]
    pub ended: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// How far it had come, unless it passed.
    pub step: Option<String>,
    /// One sentence with the values.
    pub message: Option<String>,
    /// The work order.
    pub work_order: Option<WorkOrderId>,
    /// The product.
    pub product: Option<String>,
    /// The device's model, as it says.
    pub model: Option<String>,
    /// How its certificate was proven.
    pub proof: Option<Proof>,
    /// Its certificate, where one was issued.
    #[serde(flatten)]
    pub certificate: Option<CertificateCells>,
}

/// One unit, with its last attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitRow {
    /// When its first attempt began.
    #[serde(serialize_with = "rfc3339")]
    pub time: Timestamp,
    /// Its serial.
    pub serial: Serial,
    /// Where its last attempt was.
    pub slot: Option<SlotName>,
    /// Who made that attempt, where one was named.
    pub operator: Option<OperatorId>,
    /// The device of that attempt.
    pub device: Option<HardwareId>,
    /// That device's firmware, as it says.
    pub firmware: Option<String>,
    /// How that attempt ended.
    pub outcome: Option<AttemptOutcome>,
    /// What was wrong, unless it passed.
    pub code: Option<String>,
    /// Where the unit stands: the furthest point that holds.
    pub state: UnitState,
    /// How many attempts it took.
    pub attempts: u32,
    /// Its MQTT client id.
    pub client_id: ClientId,
    /// Its work order.
    pub work_order: Option<WorkOrderId>,
    /// How its certificate was proven.
    pub proof: Option<Proof>,
    /// The certificate that is uncertain, otherwise the proven or issued one.
    #[serde(flatten)]
    pub certificate: Option<CertificateCells>,
}
