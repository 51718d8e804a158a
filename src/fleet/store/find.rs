//! One unit, by any of its ids, wherever it was made.

use std::collections::BTreeSet;

use super::super::error::FleetError;
use super::super::gather::ClaimKind;
use super::super::story::Story;
use super::claims::reading;
use super::pool::{Store, Work};
use super::rows::{Holder, instance_of, nonsense, station_of};
use crate::domain::ids::StationId;
use crate::ledger::InstanceId;

/// By what a unit was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedBy {
    /// Its serial.
    Serial,
    /// Its client id.
    ClientId,
    /// The number of a certificate.
    CertificateSn,
    /// The fingerprint of a certificate.
    Fingerprint,
    /// A device's key.
    PublicKey,
    /// A device.
    HardwareId,
}

impl NamedBy {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            NamedBy::Serial => "serial",
            NamedBy::ClientId => "client_id",
            NamedBy::CertificateSn => "certificate_sn",
            NamedBy::Fingerprint => "fingerprint_sha256",
            NamedBy::PublicKey => "public_key",
            NamedBy::HardwareId => "hardware_id",
        }
    }
}

/// A unit of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUnit {
    /// Its station.
    pub station: StationId,
    /// The ledger of that station.
    pub instance: InstanceId,
    /// By what it was found.
    pub by: NamedBy,
    /// Its story.
    pub story: Story,
}

/// A row of `units` by the beginning of its key.
type Key = (String, String, String);

impl Store {
    /// The units that a text names as a whole.
    pub async fn find(&self, text: &str) -> Result<Vec<FoundUnit>, FleetError> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (by, key) in work.keys_of(text).await? {
            if seen.insert(key.clone()) {
                found.extend(work.unit(by, &key).await?);
            }
        }
        Ok(found)
    }
}

impl Work<'_> {
    /// The keys of units that this text leads to; binary ids are written in either case.
    async fn keys_of(&mut self, text: &str) -> Result<Vec<(NamedBy, Key)>, FleetError> {
        let lower = text.to_ascii_lowercase();
        let mut keys = Vec::new();
        let sql = "SELECT kind, station, instance, serial FROM names WHERE value = ANY($1)";
        let sql = self.prepare(sql).await?;
        for row in self.transaction.query(&sql, &[&vec![text, &lower]]).await? {
            let by = match row.get::<_, &str>(0) {
                "fingerprint" => NamedBy::Fingerprint,
                _ => NamedBy::Serial,
            };
            keys.push((by, (row.get(1), row.get(2), row.get(3))));
        }
        let sql = "SELECT station, instance, serial FROM units WHERE client_id = $1";
        let sql = self.prepare(sql).await?;
        for row in self.transaction.query(&sql, &[&text]).await? {
            keys.push((NamedBy::ClientId, (row.get(0), row.get(1), row.get(2))));
        }
        for (kind, by) in [
            (ClaimKind::CertificateSn, NamedBy::CertificateSn),
            (ClaimKind::PublicKey, NamedBy::PublicKey),
            (ClaimKind::HardwareId, NamedBy::HardwareId),
        ] {
            let sql = self.prepare(reading(kind)).await?;
            for row in self.transaction.query(&sql, &[&vec![lower.as_str()]]).await? {
                let (holder, others): (String, Vec<String>) = (row.get(1), row.get(2));
                for who in std::iter::once(&holder).chain(&others) {
                    let who = Holder::parse(who)?;
                    keys.push((
                        by,
                        (who.station.to_string(), who.instance, who.serial.to_string()),
                    ));
                }
            }
        }
        Ok(keys)
    }

    async fn unit(&mut self, by: NamedBy, key: &Key) -> Result<Option<FoundUnit>, FleetError> {
        let (station, instance, serial) = key;
        let sql = "SELECT u.story FROM names n JOIN units u ON u.client_id = n.client_id
                AND u.station = n.station AND u.instance = n.instance AND u.serial = n.serial
            WHERE n.value = $3 AND n.kind = 'serial' AND n.station = $1 AND n.instance = $2";
        let sql = self.prepare(sql).await?;
        let found = self.transaction.query_opt(&sql, &[station, instance, serial]).await?;
        let Some(row) = found else { return Ok(None) };
        let story = serde_json::from_str(row.get(0)).map_err(|_| nonsense("a story"))?;
        let (station, instance) = (station_of(station)?, instance_of(instance)?);
        Ok(Some(FoundUnit { station, instance, by, story }))
    }
}
