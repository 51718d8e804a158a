//! Taking one segment, in one transaction: the head moves only from the head that the segment
//! continues, then what its entries say follows. The same segment again changes nothing.

use std::collections::BTreeMap;

use crate::domain::clock::Timestamp;
use crate::domain::ids::Serial;
use crate::ledger::Head;

use super::super::arrival::{Arrival, Known};
use super::super::error::FleetError;
use super::super::gather::{Gathered, Named};
use super::super::story::Story;
use super::claims::Owner;
use super::forks::Place;
use super::pool::{Store, Value, Work};
use super::rows::{head_of, nonsense, stored};
use crate::say;

/// Tries where two servers got into each other's way.
const TRIES: u32 = 6;

/// What became of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the store now.
    Taken,
    /// It was there.
    Had,
}

/// What the fleet confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// What became of what was sent.
    pub outcome: Outcome,
    /// How far the fleet has this ledger.
    pub head: Head,
}

impl Store {
    /// Takes a segment, which was verified.
    pub async fn take(
        &self,
        known: &Known,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Confirmed, FleetError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.take_once(known, arrival, now).await {
                // Rows of claims that two servers took in turn: one of them does it again.
                Err(FleetError::Turn(_)) if tried < TRIES => {}
                other => return other,
            }
        }
    }

    async fn take_once(
        &self,
        known: &Known,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Confirmed, FleetError> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let owner = Owner { station: known.station.clone(), instance: known.instance.to_string() };
        let Some(branch) = move_head(&mut work, &owner, arrival, now).await? else {
            return place(work, &owner, arrival, now).await;
        };
        keep_bytes(&mut work, &owner, arrival, branch, now).await?;
        let mut gathered = load(&mut work, &owner, arrival).await?;
        let before = gathered.units.clone();
        arrival.entries.iter().for_each(|entry| gathered.take(entry));
        keep_units(&mut work, &owner, &gathered, &before).await?;
        keep_standing(&mut work, &owner, &before, &gathered.units).await?;
        keep_days(&mut work, &owner, &gathered).await?;
        work.keep_grants(&owner, &gathered, now).await?;
        work.claim(&owner, &gathered, now).await?;
        work.transaction.commit().await?;
        Ok(Confirmed { outcome: Outcome::Taken, head: arrival.head })
    }
}

/// Compare and set: the branch on which the head moved, none where it stands elsewhere.
async fn move_head(
    work: &mut Work<'_>,
    owner: &Owner,
    arrival: &Arrival,
    now: Timestamp,
) -> Result<Option<i32>, FleetError> {
    let sql = work
        .prepare(
            "UPDATE stations SET head_seq = $5, head_hash = $6, seen_us = greatest(seen_us, $7),
                    keys = keys || (CASE WHEN $8 = ANY(keys) THEN '{}'::bytea[]
                        ELSE ARRAY[$8::bytea] END)
                WHERE station = $1 AND instance = $2 AND head_seq = $3 AND head_hash = $4
                    AND state = 'active'
                RETURNING branch",
        )
        .await?;
    let (behind, head) = (arrival.behind, arrival.head);
    let values: [Value<'_>; 8] = [
        &owner.station.as_str(),
        &owner.instance,
        &stored(behind.seq),
        &behind.hash.0.as_slice(),
        &stored(head.seq),
        &head.hash.0.as_slice(),
        &now.0,
        &arrival.key.as_bytes().as_slice(),
    ];
    Ok(work.transaction.query_opt(&sql, &values).await?.map(|row| row.get(0)))
}

/// What a segment is that does not continue the head: had already, too early, or a fork.
async fn place(
    mut work: Work<'_>,
    owner: &Owner,
    arrival: &Arrival,
    now: Timestamp,
) -> Result<Confirmed, FleetError> {
    let sql = work
        .prepare(
            "SELECT head_seq, head_hash, branch FROM stations
                WHERE station = $1 AND instance = $2 AND state = 'active'",
        )
        .await?;
    let values: [Value<'_>; 2] = [&owner.station.as_str(), &owner.instance];
    let found = work.transaction.query_opt(&sql, &values).await?;
    let gone = || FleetError::Station(say!("the station is let in no more", "该站已不被接纳"));
    let row = found.ok_or_else(gone)?;
    let head = head_of(row.get(0), row.get(1))?;
    match work.place_of(owner, row.get(2), head, arrival).await? {
        Place::Had => Ok(Confirmed { outcome: Outcome::Had, head }),
        Place::Elsewhere => Err(FleetError::Behind(head.seq)),
        Place::Fork(from) => {
            let what = work.keep_fork(owner, arrival, from, now).await?;
            work.transaction.commit().await?;
            Err(FleetError::Fork(what))
        }
    }
}

async fn keep_bytes(
    work: &mut Work<'_>,
    owner: &Owner,
    arrival: &Arrival,
    branch: i32,
    now: Timestamp,
) -> Result<(), FleetError> {
    let sql = work
        .prepare("INSERT INTO segments VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .await?;
    let (behind, head) = (arrival.behind, arrival.head);
    let values: [Value<'_>; 10] = [
        &owner.station.as_str(),
        &owner.instance,
        &branch,
        &stored(behind.seq + 1),
        &stored(head.seq),
        &behind.hash.0.as_slice(),
        &head.hash.0.as_slice(),
        &arrival.digest.as_slice(),
        &arrival.bytes,
        &now.0,
    ];
    work.transaction.execute(&sql, &values).await?;
    Ok(())
}

/// The units that the entries speak of, as they stand.
async fn load(
    work: &mut Work<'_>,
    owner: &Owner,
    arrival: &Arrival,
) -> Result<Gathered, FleetError> {
    let named = Named::of(&arrival.entries);
    let mut gathered = Gathered::default();
    let sns: Vec<String> = named.sns.iter().map(ToString::to_string).collect();
    let mut serials: Vec<Serial> = named.serials.into_iter().collect();
    if !sns.is_empty() {
        for (sn, serial) in work.units_of_sns(owner, &sns).await? {
            let sn = sn.parse().map_err(|_| nonsense("a certificate's number"))?;
            gathered.by_sn.insert(sn, serial.clone());
            serials.push(serial);
        }
    }
    // Most are new with the segment in which they begin.
    let serials: Vec<&str> = serials.iter().map(Serial::as_str).collect();
    let sql = work
        .prepare(
            "SELECT u.story FROM names n JOIN units u ON u.client_id = n.client_id
                    AND u.station = n.station AND u.instance = n.instance AND u.serial = n.serial
                WHERE n.value = ANY($1) AND n.kind = 'serial' AND n.station = $2
                    AND n.instance = $3",
        )
        .await?;
    let values: [Value<'_>; 3] = [&serials, &owner.station.as_str(), &owner.instance];
    for row in work.transaction.query(&sql, &values).await? {
        let story: Story = serde_json::from_str(row.get(0)).map_err(|_| nonsense("a story"))?;
        gathered.units.insert(story.serial.clone(), story);
    }
    Ok(gathered)
}

async fn keep_units(
    work: &mut Work<'_>,
    owner: &Owner,
    gathered: &Gathered,
    before: &BTreeMap<Serial, Story>,
) -> Result<(), FleetError> {
    let changed = |story: &&Story| before.get(&story.serial) != Some(story);
    let mut stories: Vec<&Story> = gathered.units.values().filter(changed).collect();
    stories.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    let client_ids: Vec<&str> = stories.iter().map(|story| story.client_id.as_str()).collect();
    let serials: Vec<&str> = stories.iter().map(|story| story.serial.as_str()).collect();
    let states: Vec<&str> = stories.iter().map(|story| story.state().as_str()).collect();
    let orders: Vec<&str> = stories.iter().map(|story| order_of(story)).collect();
    let times: Vec<i64> = stories.iter().map(|story| story.last_at.0).collect();
    let texts: Result<Vec<String>, _> = stories.iter().map(serde_json::to_string).collect();
    let texts = texts.map_err(|_| nonsense("a story"))?;
    let sql = work
        .prepare(
            "INSERT INTO units (client_id, station, instance, serial, state, work_order, last_us,
                    story)
                SELECT u.client_id, $1, $2, u.serial, u.state, u.work_order, u.last_us, u.story
                FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                    $8::text[]) AS u (client_id, serial, state, work_order, last_us, story)
                ON CONFLICT (client_id, station, instance, serial) DO UPDATE SET
                    state = excluded.state, work_order = excluded.work_order,
                    last_us = excluded.last_us, story = excluded.story",
        )
        .await?;
    let values: [Value<'_>; 8] = [
        &owner.station.as_str(),
        &owner.instance,
        &client_ids,
        &serials,
        &states,
        &orders,
        &times,
        &texts,
    ];
    work.transaction.execute(&sql, &values).await?;
    keep_names(work, owner, &stories, before).await
}

/// What a unit is found by beside what it claims.
async fn keep_names(
    work: &mut Work<'_>,
    owner: &Owner,
    stories: &[&Story],
    before: &BTreeMap<Serial, Story>,
) -> Result<(), FleetError> {
    let mut names: Vec<(String, &str, &Story)> = Vec::new();
    for story in stories {
        let old = before.get(&story.serial);
        if old.is_none() {
            names.push((story.serial.to_string(), "serial", story));
        }
        let of = |story: &Story| {
            let proven = story.proven.as_ref();
            proven.map(|identity| identity.certificate.fingerprint_sha256)
        };
        let fingerprint = of(story).filter(|new| old.and_then(of) != Some(*new));
        names.extend(fingerprint.map(|new| (new.to_string(), "fingerprint", *story)));
    }
    let values: Vec<&str> = names.iter().map(|(value, ..)| value.as_str()).collect();
    let kinds: Vec<&str> = names.iter().map(|(_, kind, _)| *kind).collect();
    let serials: Vec<&str> = names.iter().map(|(.., story)| story.serial.as_str()).collect();
    let clients: Vec<&str> = names.iter().map(|(.., story)| story.client_id.as_str()).collect();
    let sql = work
        .prepare(
            "INSERT INTO names (value, kind, station, instance, serial, client_id)
                SELECT n.value, n.kind, $1, $2, n.serial, n.client_id
                FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])
                    AS n (value, kind, serial, client_id)
                ON CONFLICT (value, kind, station, instance, serial) DO NOTHING",
        )
        .await?;
    let values: [Value<'_>; 6] =
        [&owner.station.as_str(), &owner.instance, &values, &kinds, &serials, &clients];
    work.transaction.execute(&sql, &values).await?;
    Ok(())
}

/// The work order that a unit is counted under; one that has none under an empty text.
pub(super) fn order_of(story: &Story) -> &str {
    story.work_order.as_ref().map_or("", |order| order.as_str())
}

/// How many units of each work order stand in each state, kept as sums.
async fn keep_standing(
    work: &mut Work<'_>,
    owner: &Owner,
    before: &BTreeMap<Serial, Story>,
    after: &BTreeMap<Serial, Story>,
) -> Result<(), FleetError> {
    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for story in before.values() {
        *sums.entry((order_of(story), story.state().as_str())).or_default() -= 1;
    }
    for story in after.values() {
        *sums.entry((order_of(story), story.state().as_str())).or_default() += 1;
    }
    sums.retain(|_, sum| *sum != 0);
    let orders: Vec<&str> = sums.keys().map(|(order, _)| *order).collect();
    let states: Vec<&str> = sums.keys().map(|(_, state)| *state).collect();
    let units: Vec<i64> = sums.values().copied().collect();
    let sql = work
        .prepare(
            "INSERT INTO standing AS s (station, instance, work_order, state, units)
                SELECT $1, $2, n.work_order, n.state, n.units
                FROM unnest($3::text[], $4::text[], $5::bigint[]) AS n (work_order, state, units)
                ON CONFLICT (station, instance, work_order, state) DO UPDATE SET
                    units = s.units + excluded.units",
        )
        .await?;
    let values: [Value<'_>; 5] =
        [&owner.station.as_str(), &owner.instance, &orders, &states, &units];
    work.transaction.execute(&sql, &values).await?;
    Ok(())
}

async fn keep_days(
    work: &mut Work<'_>,
    owner: &Owner,
    gathered: &Gathered,
) -> Result<(), FleetError> {
    let station = owner.station.as_str();
    let sql = work
        .prepare(
            "INSERT INTO days AS d VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (station, instance, day) DO UPDATE SET
                    passed = d.passed + excluded.passed, failed = d.failed + excluded.failed,
                    interrupted = d.interrupted + excluded.interrupted",
        )
        .await?;
    for (day, count) in &gathered.days {
        let values: [Value<'_>; 6] =
            [&station, &owner.instance, day, &count.passed, &count.failed, &count.interrupted];
        work.transaction.execute(&sql, &values).await?;
    }
    let sql = work
        .prepare(
            "INSERT INTO work_orders AS w VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (work_order, station, instance) DO UPDATE SET
                    quantity = greatest(w.quantity, excluded.quantity),
                    closed = w.closed OR excluded.closed",
        )
        .await?;
    for (order, seen) in &gathered.orders {
        let quantity = i64::from(seen.quantity.unwrap_or(0));
        let values: [Value<'_>; 5] =
            [&order.as_str(), &station, &owner.instance, &quantity, &seen.closed];
        work.transaction.execute(&sql, &values).await?;
    }
    Ok(())
}
