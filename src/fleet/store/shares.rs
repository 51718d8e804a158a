//! Shares of the rate that a cloud takes: the sum of what is given out never exceeds the limit,
//! and one that nobody gives back ends by itself.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::StationId;

use super::super::error::FleetError;
use super::pool::{Store, Value};

/// How long a share lasts. One that is renewed begins anew.
const LASTS_US: i64 = 60_000_000;

/// A share of a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Registrations a second; 0 where nothing is left just now.
    pub rate_per_second: u32,
    /// Until when.
    pub until: String,
    /// How long that is from now on, for a station whose clock differs.
    pub for_ms: i64,
}

impl Store {
    /// Gives a station a share of a cloud's limit: what it wants, as far as the others' shares
    /// leave it, and no more than an even part of it while others hold one.
    pub async fn share(
        &self,
        cloud: &str,
        station: &StationId,
        (want, limit): (u32, u32),
        now: Timestamp,
    ) -> Result<Share, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        // A row of the cloud's own is the turn: whoever reads the shares of it holds that row.
        let turn = "INSERT INTO shares AS s VALUES ($1, '', 0, 0)
            ON CONFLICT (cloud, station) DO UPDATE SET rate = s.rate";
        work.transaction.execute(turn, &[&cloud]).await?;
        let sql = "SELECT count(*), coalesce(sum(rate), 0)::bigint FROM shares
            WHERE cloud = $1 AND station <> $2 AND until_us > $3";
        let values: [Value<'_>; 3] = [&cloud, &station.as_str(), &now.0];
        let row = work.transaction.query_one(sql, &values).await?;
        let (others, held): (i64, i64) = (row.get(0), row.get(1));
        let (limit, want) = (i64::from(limit), i64::from(want));
        let even = (limit / (others + 1)).max(1);
        let rate = want.min(even).min(limit - held).max(0);
        let until = now.0.saturating_add(LASTS_US);
        let sql = "INSERT INTO shares VALUES ($1, $2, $3, $4)
            ON CONFLICT (cloud, station) DO UPDATE SET rate = excluded.rate,
                until_us = excluded.until_us";
        let rate = i32::try_from(rate).unwrap_or(0);
        let values: [Value<'_>; 4] = [&cloud, &station.as_str(), &rate, &until];
        work.transaction.execute(sql, &values).await?;
        work.transaction.commit().await?;
        let rate_per_second = u32::try_from(rate).unwrap_or(0);
        Ok(Share { rate_per_second, until: Timestamp(until).to_string(), for_ms: LASTS_US / 1_000 })
    }
}
