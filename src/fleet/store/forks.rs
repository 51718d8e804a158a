//! A segment that does not continue the head: it was had, it comes too early, or two machines
//! went on from one ledger, which neither of them can notice alone.

use std::collections::BTreeSet;

use crate::domain::clock::Timestamp;
use crate::domain::ids::Serial;
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::ledger::{Head, segment_head};

use super::super::arrival::Arrival;
use super::super::error::FleetError;
use super::claims::{Clash, Owner};
use super::pool::{Value, Work};
use super::rows::{head_of, stored};
use crate::say;

/// Serials that the station is told where a history splits; the conflict names them all.
const TOLD: usize = 20;

/// Where a segment belongs that does not continue the head.
pub(super) enum Place {
    /// All of it is in the store.
    Had,
    /// It follows on what is not here yet, or begins in the middle of what is.
    Elsewhere,
    /// It contradicts the entry of that number.
    Fork(Head),
}

impl Work<'_> {
    /// Compares what both have: the ends of the store's segments within this one, and the end
    /// of this one within the store's.
    pub(super) async fn place_of(
        &mut self,
        owner: &Owner,
        branch: i32,
        head: Head,
        arrival: &Arrival,
    ) -> Result<Place, FleetError> {
        if arrival.behind.seq > head.seq {
            return Ok(Place::Elsewhere);
        }
        let sql = "SELECT first, before, last, hash, bytes FROM segments
            WHERE station = $1 AND instance = $2 AND branch = $3 AND first <= $5 AND last >= $4
            ORDER BY first";
        let sql = self.prepare(sql).await?;
        let values: [Value<'_>; 5] = [
            &owner.station.as_str(),
            &owner.instance,
            &branch,
            &stored(arrival.behind.seq),
            &stored(arrival.head.seq),
        ];
        let mut agrees = arrival.behind == Head::NONE;
        for row in self.transaction.query(&sql, &values).await? {
            let first: i64 = row.get(0);
            let before = head_of(first - 1, row.get(1))?;
            let last = head_of(row.get(2), row.get(3))?;
            let bytes: Vec<u8> = row.get(4);
            for known in [before, last] {
                match arrival.hash_at(known.seq) {
                    Some(own) if own != known => return Ok(Place::Fork(known)),
                    Some(_) => agrees = true,
                    None => {}
                }
            }
            for own in [arrival.behind, arrival.head] {
                match segment_head(&bytes, own.seq) {
                    Some(known) if known != own => return Ok(Place::Fork(known)),
                    Some(_) => agrees = true,
                    None => {}
                }
            }
        }
        Ok(match agrees && arrival.head.seq <= head.seq {
            true => Place::Had,
            false => Place::Elsewhere,
        })
    }

    /// Keeps the other history as evidence, and makes it a conflict.
    pub(super) async fn keep_fork(
        &mut self,
        owner: &Owner,
        arrival: &Arrival,
        known: Head,
        now: Timestamp,
    ) -> Result<Say, FleetError> {
        let sql = "INSERT INTO forks VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (station, instance, digest) DO NOTHING";
        let sql = self.prepare(sql).await?;
        let (station, instance) = (owner.station.as_str(), &owner.instance);
        let values: [Value<'_>; 9] = [
            &station,
            instance,
            &arrival.digest.as_slice(),
            &stored(arrival.behind.seq + 1),
            &stored(arrival.head.seq),
            &arrival.behind.hash.0.as_slice(),
            &arrival.head.hash.0.as_slice(),
            &arrival.bytes,
            &now.0,
        ];
        self.transaction.execute(&sql, &values).await?;
        let words = |most| {
            let Say { english, chinese } = named(arrival, most);
            say!(
                "two histories of one ledger: the fleet has another entry {} than this \
                 station{english}",
                "一个账本有两份历史：总库的第 {} 条与本站的不同{chinese}",
                known.seq
            )
        };
        let (what, detail) = (words(TOLD), words(usize::MAX).english);
        let holder = format!("{station}/{instance}/{}", known.seq);
        // A history is told by its first entry: however far it has come, it is the same.
        let first = arrival.hash_at(arrival.behind.seq + 1).unwrap_or(arrival.head);
        let value = first.hash.to_string();
        let clash =
            Clash { kind: "fork", value: &value, holder: &holder, other: &holder, detail: &detail };
        // The other history goes on: what it began meanwhile is named too.
        self.keep_growing_conflict(&clash, now).await?;
        Ok(what)
    }
}

/// The units of the other history, the first of them by name.
fn named(arrival: &Arrival, most: usize) -> Say {
    let begun = arrival.entries.iter().filter_map(|entry| match &entry.record {
        Some(Record::Begun(begun)) => Some(&begun.serial),
        _ => None,
    });
    let mut serials: Vec<&str> = begun.map(Serial::as_str).collect();
    let mut seen = BTreeSet::new();
    serials.retain(|serial| seen.insert(*serial));
    let more = serials.len().saturating_sub(most);
    serials.truncate(most);
    match (serials.is_empty(), more) {
        (true, _) => Say::default(),
        (false, 0) => say!("; it began {}", "；它开始了 {}", serials.join(", ")),
        (false, more) => say!(
            "; it began {} and {more} more",
            "；它开始了 {} 等，另有 {more} 个",
            serials.join(", ")
        ),
    }
}
