//! What a station says of the grants of one work order when it gives something back.

use serde::{Deserialize, Serialize};

use super::granted::GrantNumber;
use crate::clock::Timestamp;
use crate::ids::{StationId, WorkOrderId};

/// How the grants of a work order stand in one ledger at one of its entries.
///
/// It tells sums and not steps: of two such words the one with the higher entry counts, and the
/// same word heard twice changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenBack {
    /// The work order.
    pub work_order: WorkOrderId,
    /// Whose ledger.
    pub station: StationId,
    /// Which ledger of that station, lowercase hex.
    pub instance: String,
    /// Its last entry when this was said.
    pub seq: u64,
    /// When.
    pub made_at: Timestamp,
    /// Each grant, in the order of the numbers.
    pub grants: Vec<GivenBackLine>,
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenBackLine {
    /// Its number.
    pub number: GrantNumber,
    /// What was granted.
    pub quantity: u32,
    /// What was given back altogether.
    pub given_back: u32,
    /// Units that were proven under it.
    pub used: u32,
    /// Units under way or uncertain.
    pub under_way: u32,
}
