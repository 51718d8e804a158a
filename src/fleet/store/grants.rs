//! Grants as they were given: signed files that the store keeps and hands out, and does not
//! look into.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{StationId, WorkOrderId};

use super::super::error::FleetError;
use super::pool::{Store, Value, Work};
use super::uses::GivenBackRow;
use crate::say;

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
    /// Keeps a grant where `check` has nothing against it, which is told what was granted for
    /// its work order before, and what was given back of that. The same again changes nothing;
    /// another under the same id is refused.
    pub async fn add_grant<E: From<FleetError>>(
        &self,
        grant: &GrantFile,
        now: Timestamp,
        check: impl FnOnce(&[String], &[GivenBackRow]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let (granted, given_back) = work.granted(&grant.work_order).await?;
        check(&granted, &given_back)?;
        Ok(work.keep_grant_file(grant, now).await?)
    }

    /// Every grant: its file, its station, when it was given.
    pub async fn every_grant(&self) -> Result<Vec<(GrantFile, Timestamp)>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT work_order, id, file, station, given_us FROM grants
            WHERE station <> '' ORDER BY 5 DESC LIMIT 500";
        let rows = work.transaction.query(sql, &[]).await?;
        let of = |row: &tokio_postgres::Row| {
            let station = row.get::<_, &str>(3).parse().ok()?;
            Some((file_of(row, station)?, Timestamp(row.get(4))))
        };
        Ok(rows.iter().filter_map(of).collect())
    }

    /// The grants of a station.
    pub async fn grants(&self, station: &StationId) -> Result<Vec<GrantFile>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT work_order, id, file FROM grants WHERE station = $1 ORDER BY 1, 2";
        let rows = work.transaction.query(sql, &[&station.as_str()]).await?;
        Ok(rows.iter().filter_map(|row| file_of(row, station.clone())).collect())
    }
}

fn file_of(row: &tokio_postgres::Row, station: StationId) -> Option<GrantFile> {
    let file = String::from_utf8(row.get(2)).ok()?;
    let work_order = row.get::<_, &str>(0).parse().ok()?;
    Some(GrantFile { work_order, station, id: row.get(1), file })
}

impl Work<'_> {
    /// What was granted for a work order, and what was given back of it; nobody else grants for
    /// it until this transaction ends.
    async fn granted(
        &mut self,
        work_order: &WorkOrderId,
    ) -> Result<(Vec<String>, Vec<GivenBackRow>), FleetError> {
        // A row of no station is the turn.
        let turn = "INSERT INTO grants AS g VALUES ($1, '', '', '', 0, NULL)
            ON CONFLICT (work_order, station, id) DO UPDATE SET given_us = g.given_us";
        self.transaction.execute(turn, &[&work_order.as_str()]).await?;
        let sql = "SELECT file FROM grants WHERE work_order = $1 AND station <> ''";
        let rows = self.transaction.query(sql, &[&work_order.as_str()]).await?;
        let text = |row: &tokio_postgres::Row| String::from_utf8_lossy(row.get(0)).into_owned();
        let granted = rows.iter().map(text).collect();
        Ok((granted, self.given_back(work_order).await?))
    }

    async fn keep_grant_file(self, grant: &GrantFile, now: Timestamp) -> Result<(), FleetError> {
        let work = self;
        let sql = "INSERT INTO grants VALUES ($1, $2, $3, $4, $5, NULL)
            ON CONFLICT (work_order, station, id) DO NOTHING";
        let file = grant.file.as_bytes();
        let key = (grant.work_order.as_str(), grant.station.as_str());
        let values: [Value<'_>; 5] = [&key.0, &key.1, &grant.id, &file, &now.0];
        if work.transaction.execute(sql, &values).await? == 0 {
            let sql = "SELECT file FROM grants WHERE work_order = $1 AND station = $2 AND id = $3";
            let row = work.transaction.query_one(sql, &[&key.0, &key.1, &grant.id]).await?;
            if row.get::<_, &[u8]>(0) != file {
                let what = say!(
                    "another grant {} of {} is here already",
                    "授权 {}（工单 {}）已有另一份",
                    grant.id,
                    key.0
                );
                return Err(FleetError::Asked(what));
            }
        }
        Ok(work.transaction.commit().await?)
    }
}
