//! Grants as they were given: signed files that the store keeps and hands out, and does not
//! look into.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{StationId, WorkOrderId};

use super::super::error::FleetError;
use super::pool::{Store, Value};

/// A grant for a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFile {
    /// The work order.
    pub work_order: WorkOrderId,
    /// The station that it is for.
    pub station: StationId,
    /// What tells it from others of the same work order.
    pub id: String,
    /// The signed file, as text.
    pub file: String,
}

impl Store {
    /// Keeps a grant. The same again changes nothing; another under the same id is refused.
    pub async fn add_grant(&self, grant: &GrantFile, now: Timestamp) -> Result<(), FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "INSERT INTO grants VALUES ($1, $2, $3, $4, $5, NULL)
            ON CONFLICT (work_order, station, id) DO NOTHING";
        let file = grant.file.as_bytes();
        let key = (grant.work_order.as_str(), grant.station.as_str());
        let values: [Value<'_>; 5] = [&key.0, &key.1, &grant.id, &file, &now.0];
        if work.transaction.execute(sql, &values).await? == 0 {
            let sql = "SELECT file FROM grants WHERE work_order = $1 AND station = $2 AND id = $3";
            let row = work.transaction.query_one(sql, &[&key.0, &key.1, &grant.id]).await?;
            if row.get::<_, &[u8]>(0) != file {
                let what = format!("another grant {} of {} is here already", grant.id, key.0);
                return Err(FleetError::Asked(what));
            }
        }
        Ok(work.transaction.commit().await?)
    }

    /// The grants of a work order, of every station, as they were given.
    pub async fn granted(&self, work_order: &WorkOrderId) -> Result<Vec<String>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT file FROM grants WHERE work_order = $1";
        let rows = work.transaction.query(sql, &[&work_order.as_str()]).await?;
        let text = |row: &tokio_postgres::Row| String::from_utf8_lossy(row.get(0)).into_owned();
        Ok(rows.iter().map(text).collect())
    }

    /// Every grant: its work order, its station, when it was given.
    pub async fn every_grant(&self) -> Result<Vec<(String, String, i64)>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT work_order, station, given_us FROM grants ORDER BY 3 DESC LIMIT 500";
        let rows = work.transaction.query(sql, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
    }

    /// The grants of a station.
    pub async fn grants(&self, station: &StationId) -> Result<Vec<GrantFile>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT work_order, id, file FROM grants WHERE station = $1 ORDER BY 1, 2";
        let rows = work.transaction.query(sql, &[&station.as_str()]).await?;
        let of = |row: &tokio_postgres::Row| {
            let file = String::from_utf8(row.get(2)).ok()?;
            let work_order = row.get::<_, &str>(0).parse().ok()?;
            Some(GrantFile { work_order, station: station.clone(), id: row.get(1), file })
        };
        Ok(rows.iter().filter_map(of).collect())
    }
}
