//! Shares of the rate that a cloud takes: what each station may have in use. How it is dealt out
//! is decided by `domain::share`; here it is decided one after another, by the database's clock,
//! which all servers have in common.

use tokio_postgres::Row;

use crate::domain::clock::Timestamp;
use crate::domain::ids::StationId;
use crate::domain::share::{Answer, Given, Held, divide};

use super::super::error::FleetError;
use super::pool::{Store, Value};

impl Store {
    /// Gives a station a share of a cloud's `limit`: of at most what it wants, which has so
    /// far heard of this answer.
    pub async fn share(
        &self,
        cloud: &str,
        limit: u32,
        station: &StationId,
        asked: (u32, Option<i64>),
    ) -> Result<Answer, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        // A row of the cloud's own is the turn: whoever reads the shares of it holds that row.
        let turn = "INSERT INTO shares AS s VALUES ($1, '', 0, 0, 0)
            ON CONFLICT (cloud, station) DO UPDATE SET rate = s.rate";
        work.transaction.execute(turn, &[&cloud]).await?;
        let sql = "SELECT station, want, rate, until_us, earlier_rates, earlier_until_us,
            (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM shares
            WHERE cloud = $1";
        let rows = work.transaction.query(sql, &[&cloud]).await?;
        // The row of the turn is there in any case.
        let now = Timestamp(rows.first().map_or(0, |row| row.get(6)));
        let all: Vec<Held<StationId>> = rows.iter().filter_map(|row| held(row, now)).collect();
        let dealt = divide(limit, &all, station, asked, now);
        let sql = "INSERT INTO shares VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (cloud, station) DO UPDATE SET want = excluded.want,
                rate = excluded.rate, until_us = excluded.until_us,
                earlier_rates = excluded.earlier_rates,
                earlier_until_us = excluded.earlier_until_us";
        let Held { newest, earlier, .. } = &dealt.held;
        let rates: Vec<i32> = earlier.iter().map(|given| stored(given.rate)).collect();
        let ends: Vec<i64> = earlier.iter().map(|given| given.until.0).collect();
        let (want, rate) = (stored(dealt.held.want), stored(newest.rate));
        let until = newest.until;
        let values: [Value<'_>; 7] =
            [&cloud, &station.as_str(), &want, &rate, &until.0, &rates, &ends];
        work.transaction.execute(sql, &values).await?;
        work.transaction.commit().await?;
        Ok(Answer {
            rate_per_second: newest.rate,
            until: until.to_string(),
            number: until.0,
            lasts_ms: until.0.saturating_sub(now.0).max(0).unsigned_abs() / 1_000,
            again_ms: u64::try_from(dealt.again.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

fn stored(rate: u32) -> i32 {
    i32::try_from(rate).unwrap_or(i32::MAX)
}

/// A row of a station; none where it is the turn's.
fn held(row: &Row, now: Timestamp) -> Option<Held<StationId>> {
    let rate = |stored: i32| u32::try_from(stored).unwrap_or(0);
    let given = |(stored, until)| Given::read(rate(stored), Timestamp(until), now);
    let earlier = row.get::<_, Vec<i32>>(4).into_iter().zip(row.get::<_, Vec<i64>>(5));
    Some(Held {
        station: row.get::<_, &str>(0).parse().ok()?,
        want: rate(row.get(1)),
        newest: given((row.get(2), row.get(3))),
        earlier: earlier.map(given).collect(),
    })
}
