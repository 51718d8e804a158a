//! Shares of the rate that a cloud takes: what each station was given last. How it is dealt out
//! is decided by `domain::share`; here it is decided one after another.

use tokio_postgres::Row;

use crate::domain::clock::Timestamp;
use crate::domain::ids::StationId;
use crate::domain::share::{Answer, Held, divide};

use super::super::error::FleetError;
use super::pool::{Store, Value};

impl Store {
    /// Gives a station a share of at most `want` of a cloud's `limit`, in place of what it had.
    pub async fn share(
        &self,
        cloud: &str,
        station: &StationId,
        (want, limit): (u32, u32),
        now: Timestamp,
    ) -> Result<Answer, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        // A row of the cloud's own is the turn: whoever reads the shares of it holds that row.
        let turn = "INSERT INTO shares AS s VALUES ($1, '', 0, 0, 0)
            ON CONFLICT (cloud, station) DO UPDATE SET rate = s.rate";
        work.transaction.execute(turn, &[&cloud]).await?;
        let sql = "SELECT station, want, rate, until_us FROM shares
            WHERE cloud = $1 AND station <> ''";
        let rows = work.transaction.query(sql, &[&cloud]).await?;
        let held: Vec<Held<StationId>> = rows.iter().filter_map(held).collect();
        let given = divide(limit, &held, station, want, now);
        let sql = "INSERT INTO shares VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (cloud, station) DO UPDATE SET want = excluded.want,
                rate = excluded.rate, until_us = excluded.until_us";
        let (want, rate) = (stored(given.want), stored(given.rate));
        let values: [Value<'_>; 5] = [&cloud, &station.as_str(), &want, &rate, &given.until.0];
        work.transaction.execute(sql, &values).await?;
        work.transaction.commit().await?;
        let lasts = given.until.0.saturating_sub(now.0).max(0) / 1_000;
        Ok(Answer {
            rate_per_second: given.rate,
            until: given.until.to_string(),
            lasts_ms: lasts.unsigned_abs(),
        })
    }
}

fn stored(rate: u32) -> i32 {
    i32::try_from(rate).unwrap_or(i32::MAX)
}

fn held(row: &Row) -> Option<Held<StationId>> {
    let rate = |column| u32::try_from(row.get::<_, i32>(column)).ok();
    Some(Held {
        station: row.get::<_, &str>(0).parse().ok()?,
        want: rate(1)?,
        rate: rate(2)?,
        until: Timestamp(row.get(3)),
    })
}
