//! What a report counts: the attempts of a time, or those of a lot.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::clock::Timestamp;
use super::ids::{HardwareId, OperatorId, Serial, SlotName, WorkOrderId};
use super::local::Span;
use super::story::{Outcomes, Stats};

/// Which attempts are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those that began in this time.
    Within(Span),
    /// Those of this work order, whenever.
    Order(WorkOrderId),
}

/// What is counted of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// What every screen counts, in the same way; its units by state are empty.
    pub stats: Stats,
    /// The first and the last beginning.
    pub between: Option<(Timestamp, Timestamp)>,
    /// Ended attempts by the person who worked at the line; none where nobody was named.
    pub by_operator: BTreeMap<Option<String>, Outcomes>,
    /// Ended attempts by the device's firmware; none where no device had been identified.
    pub by_firmware: BTreeMap<Option<String>, Outcomes>,
    /// By the factory's day, counted from 1970-01-01.
    pub by_day: BTreeMap<i64, OfDay>,
    /// The attempts behind each code, the newest of them; [`Figures::BEHIND`] at most.
    pub behind: BTreeMap<String, Vec<Behind>>,
    /// How long each attempt that passed took, in milliseconds, the shortest first.
    pub durations_ms: Vec<i64>,
}

impl Figures {
    /// The most attempts that are named for a code.
    pub const BEHIND: usize = 200;
}

/// What is counted of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfDay {
    /// Ended attempts.
    pub attempts: Outcomes,
    /// Those of them that were a unit's first.
    pub first: Outcomes,
}

/// An attempt that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behind {
    /// The unit.
    pub serial: Serial,
    /// The attempt's number.
    pub attempt: u32,
    /// Where.
    pub slot: SlotName,
    /// Who, where one was named.
    pub operator: Option<OperatorId>,
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub time: Timestamp,
}

/// A unit on HOLD: its device may hold the certificate, and only that device can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnHold {
    /// The unit.
    pub serial: Serial,
    /// Where it was tried.
    pub slot: SlotName,
    /// Who, where one was named.
    pub operator: Option<OperatorId>,
    /// The device.
    pub device: Option<HardwareId>,
    /// When that attempt began.
    #[serde(serialize_with = "rfc3339")]
    pub time: Timestamp,
    /// What was wrong, where that is known.
    pub code: Option<String>,
}

/// The same of all units of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holds {
    /// How many there are.
    pub count: u64,
    /// The oldest of them, as many as anybody looks at.
    pub units: Vec<OnHold>,
}

/// RFC 3339 in UTC.
fn rfc3339<S: Serializer>(time: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(time)
}
