//! Who belongs to the fleet: codes for enrolling, stations, their heads.

use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{PublicKey, StationId, to_hex};
use crate::ledger::{Head, InstanceId};

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::pool::{Store, Value};
use super::rows::{head_of, instance_of, station_of};
use crate::say;

/// A code that lets one station enrol once.
pub struct NewCode {
    /// The code.
    pub code: String,
    /// The station that it is for.
    pub station: StationId,
    /// The CA that the station must come with, SHA-256 of its DER, where it is known.
    pub authority: Option<[u8; 32]>,
    /// Until when.
    pub expires: Timestamp,
}

/// What a station enrols with.
pub struct Enrolment {
    /// The code.
    pub code: String,
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: InstanceId,
    /// Its CA, DER.
    pub authority: Vec<u8>,
    /// The journal key that this CA certified.
    pub key: PublicKey,
}

fn digest(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}

/// What a code was used for, so that the same may be asked again where the answer was lost.
fn use_of(enrolment: &Enrolment) -> String {
    let authority = to_hex(&Sha256::digest(&enrolment.authority));
    format!("{}/{authority}/{}", enrolment.instance, enrolment.key)
}

impl Store {
    /// Keeps a code; only its digest.
    pub async fn add_code(&self, new: &NewCode) -> Result<(), FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "INSERT INTO codes (digest, station, authority, expires_us)
            VALUES ($1, $2, $3, $4)";
        let authority = new.authority.map(|digest| digest.to_vec());
        let station = new.station.as_str();
        let values: [Value<'_>; 4] = [&digest(&new.code), &station, &authority, &new.expires.0];
        work.transaction.execute(sql, &values).await?;
        Ok(work.transaction.commit().await?)
    }

    /// Binds a station, its ledger and its CA. The same again changes nothing.
    pub async fn enrol(&self, enrolment: &Enrolment, now: Timestamp) -> Result<(), FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT station, authority, expires_us, used_by FROM codes
            WHERE digest = $1 FOR UPDATE";
        let found = work.transaction.query_opt(sql, &[&digest(&enrolment.code)]).await?;
        let wrong = FleetError::EnrolCode;
        let row =
            found.ok_or_else(|| wrong(say!("the fleet never gave it out", "总库没有发过它")))?;
        let station: String = row.get(0);
        if station != enrolment.station.as_str() {
            return Err(wrong(say!("it is for another station", "它是给另一个站的")));
        }
        let pinned: Option<Vec<u8>> = row.get(1);
        let shown = Sha256::digest(&enrolment.authority).to_vec();
        if pinned.is_some_and(|pinned| pinned != shown) {
            return Err(wrong(say!("it is for another CA", "它是给另一个 CA 的")));
        }
        let (used, use_now): (Option<String>, _) = (row.get(3), use_of(enrolment));
        match used {
            Some(used) if used == use_now => return Ok(()),
            Some(_) => return Err(wrong(say!("it was used", "它已用过"))),
            None if row.get::<_, i64>(2) < now.0 => {
                return Err(wrong(say!("it is too old", "它已过期")));
            }
            None => {}
        }
        let sql = "UPDATE codes SET used_by = $2 WHERE digest = $1";
        work.transaction.execute(sql, &[&digest(&enrolment.code), &use_now]).await?;
        // Once more with another CA or key: the older ones still verify what was sent under them.
        let sql = "INSERT INTO stations AS s VALUES ($1, $2, 'active', ARRAY[$3::bytea],
                ARRAY[$4::bytea], 0, $5, 0, $6, $6)
            ON CONFLICT (station, instance) DO UPDATE SET state = 'active',
                authorities = s.authorities || (CASE WHEN $3 = ANY(s.authorities)
                    THEN '{}'::bytea[] ELSE ARRAY[$3::bytea] END),
                keys = s.keys || (CASE WHEN $4 = ANY(s.keys)
                    THEN '{}'::bytea[] ELSE ARRAY[$4::bytea] END)";
        let (station, instance) = (enrolment.station.as_str(), enrolment.instance.to_string());
        let (key, none) = (enrolment.key.as_bytes().to_vec(), Head::NONE.hash.0.to_vec());
        let values: [Value<'_>; 6] =
            [&station, &instance, &enrolment.authority, &key, &none, &now.0];
        work.transaction.execute(sql, &values).await?;
        Ok(work.transaction.commit().await?)
    }

    /// What is known of a station's ledger; one that was revoked is none.
    pub async fn known(
        &self,
        station: &StationId,
        instance: InstanceId,
    ) -> Result<Option<Known>, FleetError> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let sql = work
            .prepare(
                "SELECT authorities, keys FROM stations
                    WHERE station = $1 AND instance = $2 AND state = 'active'",
            )
            .await?;
        let id = instance.to_string();
        let found = work.transaction.query_opt(&sql, &[&station.as_str(), &id]).await?;
        Ok(found.map(|row| known_of(station.clone(), instance, &row)))
    }

    /// A station is let in no more, or again.
    pub async fn let_in(&self, station: &StationId, may: bool) -> Result<u64, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let state = if may { "active" } else { "revoked" };
        let sql = "UPDATE stations SET state = $2 WHERE station = $1";
        let count = work.transaction.execute(sql, &[&station.as_str(), &state]).await?;
        work.transaction.commit().await?;
        Ok(count)
    }

    /// How far the fleet has a ledger, and that it was heard of now.
    pub async fn head(&self, known: &Known, now: Timestamp) -> Result<Head, FleetError> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let sql = work
            .prepare(
                "UPDATE stations SET seen_us = greatest(seen_us, $3)
                    WHERE station = $1 AND instance = $2 RETURNING head_seq, head_hash",
            )
            .await?;
        let (station, instance) = (known.station.as_str(), known.instance.to_string());
        let row = work.transaction.query_one(&sql, &[&station, &instance, &now.0]).await?;
        work.transaction.commit().await?;
        head_of(row.get(0), row.get(1))
    }

    /// The ends of the segments that the fleet has of a ledger, newest first.
    pub async fn ends(&self, known: &Known, most: i64) -> Result<Vec<Head>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT last, hash FROM segments WHERE station = $1 AND instance = $2
            ORDER BY last DESC LIMIT $3";
        let (station, instance) = (known.station.as_str(), known.instance.to_string());
        let rows = work.transaction.query(sql, &[&station, &instance, &most]).await?;
        rows.iter().map(|row| head_of(row.get(0), row.get(1))).collect()
    }

    /// Every ledger of the fleet.
    pub async fn every_ledger(&self) -> Result<Vec<Known>, FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        let sql = "SELECT authorities, keys, station, instance FROM stations ORDER BY 3, 4";
        let rows = work.transaction.query(sql, &[]).await?;
        rows.iter()
            .map(|row| Ok(known_of(station_of(row.get(2))?, instance_of(row.get(3))?, row)))
            .collect()
    }
}

fn known_of(station: StationId, instance: InstanceId, row: &Row) -> Known {
    let keys: Vec<Vec<u8>> = row.get(1);
    let keys = keys.iter().filter_map(|key| PublicKey::from_bytes(key).ok()).collect();
    Known { station, instance, authorities: row.get(0), keys }
}
