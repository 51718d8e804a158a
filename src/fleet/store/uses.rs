//! What was used of each grant, over every ledger of its station. A ledger that was copied,
//! brought back or begun anew can use a grant twice only until its segments arrive: then it is a
//! conflict that names the units beyond.

use crate::domain::clock::Timestamp;
use crate::domain::ids::{StationId, WorkOrderId};

use super::super::error::FleetError;
use super::super::gather::{Gathered, GrantKey, GrantSeen};
use super::claims::{Clash, Owner};
use super::pool::{Store, Value, Work};
use super::rows::{count_of, station_of, stored};

/// Units beyond a grant that its conflict names; of those behind it says how many they are.
const NAMED: usize = 1_000;

/// How a grant stands over all ledgers of its station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantUse {
    /// The work order.
    pub work_order: String,
    /// The station.
    pub station: StationId,
    /// Its number.
    pub number: u64,
    /// For how many units it is.
    pub quantity: u64,
    /// How many were given back.
    pub given_back: u64,
    /// Units that were proven under it, counted in each ledger of the station.
    pub used: u64,
}

/// What a station gave back of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBackRow {
    /// The station.
    pub station: StationId,
    /// The grant's number.
    pub number: u64,
    /// How many units.
    pub quantity: u64,
}

impl Work<'_> {
    /// Keeps what a segment says of grants, and notes a conflict where one was used beyond what
    /// it is for.
    pub(super) async fn keep_grants(
        &mut self,
        owner: &Owner,
        gathered: &Gathered,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let used = gathered.uses.keys().map(|(key, _)| key);
        let mut keys: Vec<&GrantKey> = gathered.grants.keys().chain(used).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            // A row of no ledger is the turn: two ledgers are counted one after the other.
            self.keep_grant(owner, "", key, GrantSeen::default(), 0).await?;
            let used = self.keep_uses(owner, key, gathered).await?;
            let seen = gathered.grants.get(key).copied().unwrap_or_default();
            self.keep_grant(owner, &owner.instance, key, seen, used).await?;
            self.note_beyond(owner, key, now).await?;
        }
        Ok(())
    }

    async fn keep_grant(
        &mut self,
        owner: &Owner,
        instance: &str,
        key: &GrantKey,
        seen: GrantSeen,
        used: u64,
    ) -> Result<(), FleetError> {
        let sql = self
            .prepare(
                "INSERT INTO grants_taken AS g VALUES ($1, $2, $3, $4, $5, $6, $7)
                    ON CONFLICT (work_order, station, number, instance) DO UPDATE SET
                        quantity = greatest(g.quantity, excluded.quantity),
                        given_back = g.given_back + excluded.given_back,
                        used = g.used + excluded.used",
            )
            .await?;
        let (order, number) = (key.0.as_str(), stored(key.1.get()));
        let (quantity, given_back) =
            (i64::from(seen.quantity.unwrap_or(0)), i64::from(seen.given_back));
        let (station, used) = (owner.station.as_str(), stored(used));
        let values: [Value<'_>; 7] =
            [&order, &station, &number, &instance, &quantity, &given_back, &used];
        self.transaction.execute(&sql, &values).await?;
        Ok(())
    }

    /// How many units took a place that had none before.
    async fn keep_uses(
        &mut self,
        owner: &Owner,
        key: &GrantKey,
        gathered: &Gathered,
    ) -> Result<u64, FleetError> {
        let own = gathered.uses.iter().filter(|((of, _), _)| of == key);
        let (serials, times): (Vec<&str>, Vec<i64>) =
            own.map(|((_, serial), at)| (serial.as_str(), at.0)).unzip();
        let sql = self
            .prepare(
                "INSERT INTO grant_uses
                    SELECT $1, $2, $3, $4, u.serial, u.proven_us
                    FROM unnest($5::text[], $6::bigint[]) AS u (serial, proven_us)
                    ON CONFLICT (work_order, station, number, instance, serial) DO NOTHING",
            )
            .await?;
        let (order, number) = (key.0.as_str(), stored(key.1.get()));
        let station = owner.station.as_str();
        let values: [Value<'_>; 6] = [&order, &station, &number, &owner.instance, &serials, &times];
        Ok(self.transaction.execute(&sql, &values).await?)
    }

    /// For how many units a grant still is, and those that were proven beyond it, in the order
    /// in which they were proven.
    pub(super) async fn beyond(
        &mut self,
        station: &str,
        key: &GrantKey,
    ) -> Result<(i64, Vec<String>), FleetError> {
        let sql = self
            .prepare(
                "SELECT max(quantity) - max(given_back), sum(used)::bigint FROM grants_taken
                    WHERE work_order = $1 AND station = $2 AND number = $3 AND instance <> ''",
            )
            .await?;
        let (order, number) = (key.0.as_str(), stored(key.1.get()));
        let row = self.transaction.query_one(&sql, &[&order, &station, &number]).await?;
        let sum = |column: usize| row.get::<_, Option<i64>>(column).unwrap_or(0).max(0);
        let (allowed, used) = (sum(0), sum(1));
        // A unit that two copies of a ledger have counts once; it is counted where it matters.
        if used <= allowed {
            return Ok((allowed, Vec::new()));
        }
        let sql = self
            .prepare(
                "SELECT serial FROM grant_uses
                    WHERE work_order = $1 AND station = $2 AND number = $3
                    GROUP BY serial ORDER BY min(proven_us), serial OFFSET $4",
            )
            .await?;
        let values: [Value<'_>; 4] = [&order, &station, &number, &allowed];
        let rows = self.transaction.query(&sql, &values).await?;
        Ok((allowed, rows.iter().map(|row| row.get(0)).collect()))
    }

    /// One conflict a grant is open at a time, and names every unit beyond it; one that was
    /// settled stays as it was, and further units are a new one.
    async fn note_beyond(
        &mut self,
        owner: &Owner,
        key: &GrantKey,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let (allowed, beyond) = self.beyond(owner.station.as_str(), key).await?;
        if beyond.is_empty() {
            return Ok(());
        }
        let value = value_of(owner.station.as_str(), key);
        let who = format!("{}/{}", owner.station, owner.instance);
        let detail = format!(
            "grant {} of work order {} is for {allowed} units of {}, and was used for {} more: {}",
            key.1,
            key.0,
            owner.station,
            beyond.len(),
            serials(&beyond)
        );
        let (holder, other) = (format!("{who}/{}", key.1), format!("{who}/{}", beyond.len()));
        let clash =
            Clash { kind: GRANT, value: &value, holder: &holder, other: &other, detail: &detail };
        self.keep_growing_conflict(&clash, now).await
    }
}

impl Work<'_> {
    /// What stations gave back of the grants of a work order.
    pub(super) async fn given_back(
        &mut self,
        work_order: &WorkOrderId,
    ) -> Result<Vec<GivenBackRow>, FleetError> {
        // Of two ledgers of a station the one that gave back less may use the rest.
        let sql = "SELECT station, number, min(given_back) FROM grants_taken
            WHERE work_order = $1 AND instance <> '' GROUP BY 1, 2";
        let rows = self.transaction.query(sql, &[&work_order.as_str()]).await?;
        let of = |row: &tokio_postgres::Row| {
            let (station, number) = (station_of(row.get(0))?, count_of(row.get(1)));
            let quantity = count_of(row.get(2));
            Ok::<_, FleetError>(GivenBackRow { station, number, quantity })
        };
        rows.iter().map(of).collect()
    }
}

impl Store {
    /// Every grant that a station took, as the stations' journals say.
    pub async fn grants_used(&self) -> Result<Vec<GrantUse>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT work_order, station, number, max(quantity), max(given_back),
                sum(used)::bigint
            FROM grants_taken WHERE instance <> '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
        let rows = work.transaction.query(sql, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(GrantUse {
                    work_order: row.get(0),
                    station: station_of(row.get(1))?,
                    number: count_of(row.get(2)),
                    quantity: count_of(row.get(3)),
                    given_back: count_of(row.get(4)),
                    used: count_of(row.get(5)),
                })
            })
            .collect()
    }
}

/// The kind of a conflict about a grant that was used beyond what it is for.
pub(super) const GRANT: &str = "grant";

/// What a conflict about a grant is about.
pub(super) fn value_of(station: &str, key: &GrantKey) -> String {
    format!("{}/{station}/{}", key.0, key.1)
}

fn serials(beyond: &[String]) -> String {
    let more = beyond.len().saturating_sub(NAMED);
    let named = beyond[..beyond.len() - more].join(", ");
    match more {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
