//! How values stand in the store, and how they are read back.

use std::fmt;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{Serial, StationId, from_hex};
use crate::ledger::{Hash, Head, InstanceId};

use super::super::error::FleetError;
use crate::say;

/// A value of the store that this program never writes there.
pub(super) fn nonsense(what: &str) -> FleetError {
    FleetError::Database(say!("{what} in it is none", "其中的 {what} 无效"))
}

/// A number of the chain as the store has it.
pub(super) fn stored(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A count as it is read back; the store has none below zero.
pub(super) fn count_of(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn head_of(seq: i64, hash: &[u8]) -> Result<Head, FleetError> {
    let hash = hash.try_into().map(Hash).map_err(|_| nonsense("a hash"))?;
    Ok(Head { seq: u64::try_from(seq).map_err(|_| nonsense("a head"))?, hash })
}

pub(super) fn station_of(text: &str) -> Result<StationId, FleetError> {
    text.parse().map_err(|_| nonsense("a station's id"))
}

/// The id of a ledger by its hexadecimal text.
pub(crate) fn instance_of(text: &str) -> Result<InstanceId, FleetError> {
    let bytes = from_hex("instance", text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(InstanceId).ok_or_else(|| nonsense("a ledger's id"))
}

/// The day of a time, counted from 1970.
pub(super) fn day_of(at: Timestamp) -> i32 {
    i32::try_from(at.0.div_euclid(86_400_000_000)).unwrap_or(i32::MAX)
}

/// One unit of one ledger: who says that a value is its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: String,
    /// The unit.
    pub serial: Serial,
}

impl fmt::Display for Holder {
    /// Neither a station nor a ledger has a slash in its id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.station, self.instance, self.serial)
    }
}

impl Holder {
    /// Reads what is written of it.
    pub(super) fn parse(text: &str) -> Result<Self, FleetError> {
        let wrong = || nonsense("a claim's holder");
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next().ok_or_else(wrong);
        let (station, instance, serial) = (part()?, part()?, part()?);
        Ok(Self {
            station: station_of(station)?,
            instance: instance.to_owned(),
            serial: serial.parse().map_err(|_| wrong())?,
        })
    }
}
