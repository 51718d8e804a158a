//! What a station and its fleet say to each other: JSON bodies, paths, and how a station shows
//! who it is where there is no TLS to show it by.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::ids::{Serial, StationId, from_hex, to_hex};
use crate::ledger::{Hash, Head};

/// The ledger that a request is about: `STATION/INSTANCE`.
pub(super) const LEDGER: &str = "station-ledger";
/// Without TLS: the journal's certificate, hexadecimal DER.
pub(super) const CERTIFICATE: &str = "station-certificate";
/// Without TLS: seconds since 1970.
pub(super) const TIME: &str = "station-time";
/// Without TLS: the journal key's signature of the request, hexadecimal.
pub(super) const SIGNATURE: &str = "station-signature";

/// Where a station enrols.
pub(super) const ENROL: &str = "/v1/enrol";
/// How far the fleet has a ledger.
pub(super) const STANDING: &str = "/v1/station";
/// Where segments go.
pub(super) const SEGMENTS: &str = "/v1/segments";
/// The ends of the segments that the fleet has.
pub(super) const ENDS: &str = "/v1/ends";
/// A unit of the fleet.
pub(super) const FIND: &str = "/v1/find";
/// Grants.
pub(super) const GRANTS: &str = "/v1/grants";
/// A share of a rate.
pub(super) const SHARES: &str = "/v1/shares";

/// The text that a station signs where there is no TLS: nothing else begins like it.
pub(super) fn signed_text(method: &str, target: &str, time: i64, body: &[u8]) -> Vec<u8> {
    let digest = to_hex(&Sha256::digest(body));
    format!("provisioning-station fleet request 1\n{method}\n{target}\n{time}\n{digest}\n")
        .into_bytes()
}

/// A head in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadText {
    /// Its number.
    pub seq: u64,
    /// Its hash, hexadecimal.
    pub hash: String,
}

impl From<Head> for HeadText {
    fn from(head: Head) -> Self {
        Self { seq: head.seq, hash: head.hash.to_string() }
    }
}

impl HeadText {
    /// The head; none where the hash is none.
    pub fn head(&self) -> Option<Head> {
        let hash = from_hex("hash", &self.hash).ok()?.try_into().ok()?;
        Some(Head { seq: self.seq, hash: Hash(hash) })
    }
}

/// What a station enrols with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolRequest {
    pub(super) code: String,
    pub(super) station: StationId,
    pub(super) instance: String,
    pub(super) authority: String,
    pub(super) certificate: String,
}

/// A certificate that must not be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The client id that another station holds as proven.
    pub client_id: String,
    /// The unit here.
    pub serial: Serial,
    /// Who holds it: station, ledger, serial.
    pub holder: String,
    /// The conflict that a person settles.
    pub conflict: String,
}

/// How a ledger stands at the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The last entry that the fleet confirms.
    pub head: HeadText,
    /// Conflicts that nobody settled, in which the station has a part.
    pub conflicts: u64,
    /// What it must not register.
    pub claimed: Vec<Claimed>,
}

/// A refusal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) message: String,
    /// The same in Chinese; an older program sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_zh: Option<String>,
}
