//! What the fleet looks like as a whole: stations, days, work orders, conflicts. Read from sums,
//! so that it costs the same for a million units.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use crate::domain::clock::Timestamp;
use crate::domain::ids::StationId;

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::super::wire::Claimed;
use super::pool::{Store, Value};
use super::rows::{count_of, station_of};

/// One ledger of one station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StationRow {
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: String,
    /// Whether it is let in.
    pub is_active: bool,
    /// The last entry that the fleet has.
    pub head: u64,
    /// When it was last heard of.
    pub seen: Timestamp,
    /// Its units by their state.
    pub units: BTreeMap<String, u64>,
    /// Conflicts that nobody settled, in which it has a part.
    pub conflicts: u64,
}

/// Attempts that ended on one day, counted from 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// The station.
    pub station: StationId,
    /// The day.
    pub day: i32,
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Interrupted.
    pub interrupted: u64,
}

/// A work order at one station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// The work order; empty for units of none.
    pub work_order: String,
    /// The station.
    pub station: StationId,
    /// How many the station wants of it; 0 where it was not said.
    pub quantity: u64,
    /// Its units by their state.
    pub units: BTreeMap<String, u64>,
}

/// What contradicts what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The day, and an id within it.
    pub day: i32,
    /// The same contradiction has the same.
    pub id: String,
    /// Which kind of value, or `fork`.
    pub kind: String,
    /// The value.
    pub value: String,
    /// Who has it: station, ledger, serial.
    pub holder: String,
    /// Who says the same.
    pub other: String,
    /// In one sentence.
    pub detail: String,
    /// When it was noticed.
    pub noticed: Timestamp,
    /// When, by whom, for which station and why it was settled.
    pub settled: Option<(Timestamp, String, String, String)>,
}

impl Store {
    /// Every ledger of every station.
    pub async fn stations(&self) -> Result<Vec<StationRow>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT station, instance, state, units FROM standing WHERE units <> 0";
        let mut units: BTreeMap<(String, String), BTreeMap<String, u64>> = BTreeMap::new();
        for row in work.transaction.query(sql, &[]).await? {
            let of = units.entry((row.get(0), row.get(1))).or_default();
            *of.entry(row.get(2)).or_default() += count_of(row.get(3));
        }
        let sql = "SELECT s.station, s.instance, s.state = 'active', s.head_seq, s.seen_us,
                (SELECT count(*) FROM conflicts c WHERE c.settled_us IS NULL
                    AND (starts_with(c.holder, s.station || '/' || s.instance || '/')
                        OR starts_with(c.other, s.station || '/' || s.instance || '/')))
            FROM stations s ORDER BY 1, 2";
        let rows = work.transaction.query(sql, &[]).await?;
        rows.iter()
            .map(|row| {
                let (station, instance): (String, String) = (row.get(0), row.get(1));
                let units = units.remove(&(station.clone(), instance.clone())).unwrap_or_default();
                Ok(StationRow {
                    station: station_of(&station)?,
                    instance,
                    is_active: row.get(2),
                    head: count_of(row.get(3)),
                    seen: Timestamp(row.get(4)),
                    conflicts: count_of(row.get(5)),
                    units,
                })
            })
            .collect()
    }

    /// How many segments the fleet has of each ledger. They are counted one by one, of which a
    /// page has no time.
    pub async fn segments(&self) -> Result<BTreeMap<(String, String), u64>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT station, instance, count(*) FROM segments GROUP BY 1, 2";
        let rows = work.transaction.query(sql, &[]).await?;
        Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), count_of(row.get(2)))).collect())
    }

    /// Attempts that ended from one day to another, both included.
    pub async fn days(&self, from: i32, to: i32) -> Result<Vec<DayRow>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT station, day, sum(passed)::bigint, sum(failed)::bigint,
                sum(interrupted)::bigint
            FROM days WHERE day BETWEEN $1 AND $2 GROUP BY 1, 2 ORDER BY 2, 1";
        let rows = work.transaction.query(sql, &[&from, &to]).await?;
        rows.iter()
            .map(|row| {
                Ok(DayRow {
                    station: station_of(row.get(0))?,
                    day: row.get(1),
                    passed: count_of(row.get(2)),
                    failed: count_of(row.get(3)),
                    interrupted: count_of(row.get(4)),
                })
            })
            .collect()
    }

    /// Units by work order and station.
    pub async fn orders(&self) -> Result<Vec<OrderRow>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT work_order, station, sum(quantity)::bigint FROM work_orders
            GROUP BY 1, 2";
        let mut orders: BTreeMap<(String, String), OrderRow> = BTreeMap::new();
        for row in work.transaction.query(sql, &[]).await? {
            let (work_order, station): (String, String) = (row.get(0), row.get(1));
            let order = OrderRow {
                work_order: work_order.clone(),
                station: station_of(&station)?,
                quantity: count_of(row.get(2)),
                units: BTreeMap::new(),
            };
            orders.insert((work_order, station), order);
        }
        let sql = "SELECT work_order, station, state, sum(units)::bigint FROM standing
            GROUP BY 1, 2, 3 HAVING sum(units) <> 0";
        for row in work.transaction.query(sql, &[]).await? {
            let (work_order, station): (String, String) = (row.get(0), row.get(1));
            let empty = OrderRow {
                work_order: work_order.clone(),
                station: station_of(&station)?,
                quantity: 0,
                units: BTreeMap::new(),
            };
            let order = orders.entry((work_order, station)).or_insert(empty);
            order.units.insert(row.get(2), count_of(row.get(3)));
        }
        Ok(orders.into_values().collect())
    }

    /// Conflicts, the newest first.
    pub async fn conflicts(&self, open_only: bool, most: i64) -> Result<Vec<Conflict>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT day, id, kind, value, holder, other, detail, noticed_us, settled_us,
                settled_by, settled_for, settled_why FROM conflicts
            WHERE settled_us IS NULL OR NOT $1 ORDER BY noticed_us DESC, id LIMIT $2";
        let rows = work.transaction.query(sql, &[&open_only, &most]).await?;
        Ok(rows.iter().map(conflict_of).collect())
    }

    /// How many conflicts nobody settled, in which a station has a part; and which of its
    /// certificates must not be registered.
    pub async fn contradicted(&self, known: &Known) -> Result<(u64, Vec<Claimed>), FleetError> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let (station, instance) = (known.station.as_str(), known.instance.to_string());
        let own = format!("{station}/{instance}/");
        let sql = "SELECT count(*) FROM conflicts WHERE settled_us IS NULL
            AND (starts_with(holder, $1) OR starts_with(other, $1))";
        let sql = work.prepare(sql).await?;
        let open: i64 = work.transaction.query_one(&sql, &[&own]).await?.get(0);
        let sql = "SELECT client_id, serial, holder, id FROM claimed
            WHERE station = $1 AND instance = $2 ORDER BY client_id LIMIT 10000";
        let sql = work.prepare(sql).await?;
        let values: [Value<'_>; 2] = [&station, &instance];
        let rows = work.transaction.query(&sql, &values).await?;
        let claimed = rows.iter().filter_map(|row| {
            let serial = row.get::<_, &str>(1).parse().ok()?;
            Some(Claimed {
                client_id: row.get(0),
                serial,
                holder: row.get(2),
                conflict: row.get(3),
            })
        });
        Ok((count_of(open), claimed.collect()))
    }
}

pub(super) fn conflict_of(row: &Row) -> Conflict {
    let settled = row.get::<_, Option<i64>>(8).map(|us| {
        let text = |index| row.get::<_, Option<String>>(index).unwrap_or_default();
        (Timestamp(us), text(9), text(10), text(11))
    });
    Conflict {
        day: row.get(0),
        id: row.get(1),
        kind: row.get(2),
        value: row.get(3),
        holder: row.get(4),
        other: row.get(5),
        detail: row.get(6),
        noticed: Timestamp(row.get(7)),
        settled,
    }
}
