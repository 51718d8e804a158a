//! What people and other programs are told: plain structs with the field names of the JSON.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::domain::certificate::{CertificateState, Proof};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, OperatorId, Serial, SlotName, WorkOrderId,
};
use crate::domain::record::CertificateRow;

use super::states::{AttemptOutcome, Origin, RegistrationState, UnitState};

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

/// Which units are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitFilter {
    /// Only those in this state.
    pub state: Option<UnitState>,
    /// Only those of this work order.
    pub work_order: Option<WorkOrderId>,
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

/// A proven certificate to hand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// The certificate and its unit.
    pub row: CertificateRow,
    /// How it was proven.
    pub proof: Option<Proof>,
    /// The unit's work order.
    pub work_order: Option<WorkOrderId>,
    /// Whether it stands in the cloud already.
    pub registered: bool,
}

/// Counts and yield.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// Ended attempts by the hour in which they ended, UTC.
    pub by_hour: BTreeMap<String, Outcomes>,
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

/// A certificate's DER as PEM.
pub(super) fn pem(der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = bits >> (18 - 6 * place) & 63;
            let padded = place > group.len();
            let letter = ALPHABET.get(usize::try_from(digit).unwrap_or(0)).copied();
            text.push(if padded { '=' } else { char::from(letter.unwrap_or(b'=')) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn pem_has_lines_of_64() {
        let pem = pem(&[0; 50]);
        assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
        assert_eq!(pem.lines().nth(2).unwrap(), "AAA=");
    }

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
