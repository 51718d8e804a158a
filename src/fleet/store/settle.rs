//! What a person decides about a conflict: whose value it is, or with which history a ledger
//! goes on. Who decided, and why, stays in the conflict's row.

use crate::domain::clock::Timestamp;
use crate::domain::ids::StationId;

use super::super::error::FleetError;
use super::super::gather::ClaimKind;
use super::overview::{Conflict, conflict_of};
use super::pool::{Store, Value, Work};
use super::rows::Holder;
use super::uses::GRANT;
use crate::say;

/// A person's decision.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The conflict.
    pub id: String,
    /// The station whose word counts.
    pub station: StationId,
    /// Who decides.
    pub by: String,
    /// Why.
    pub why: String,
}

const fn giving(kind: ClaimKind) -> &'static str {
    macro_rules! of {
        ($table:literal) => {
            concat!(
                "UPDATE ",
                $table,
                " SET holder = $2,
                    others = array_remove(others, $2) || holder
                    WHERE value = $1 AND holder <> $2 AND $2 = ANY(others)"
            )
        };
    }
    match kind {
        ClaimKind::ClientId => of!("claims_client_id"),
        ClaimKind::CertificateSn => of!("claims_certificate_sn"),
        ClaimKind::PublicKey => of!("claims_public_key"),
        ClaimKind::HardwareId => of!("claims_hardware_id"),
    }
}

impl Store {
    /// Settles a conflict, once.
    pub async fn settle(&self, settled: &Settled, now: Timestamp) -> Result<Conflict, FleetError> {
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let sql = "SELECT day, id, kind, value, holder, other, detail, noticed_us, settled_us,
                settled_by, settled_for, settled_why FROM conflicts
            WHERE id = $1 ORDER BY settled_us IS NOT NULL, day DESC LIMIT 1 FOR UPDATE";
        let found = work.transaction.query_opt(sql, &[&settled.id]).await?;
        let asked = FleetError::Asked;
        let row = found
            .ok_or_else(|| asked(say!("there is no conflict {}", "没有冲突 {}", settled.id)))?;
        let conflict = conflict_of(&row);
        if conflict.settled.is_some() {
            return Err(asked(say!(
                "conflict {} is settled already",
                "冲突 {} 已处理",
                settled.id
            )));
        }
        let prefix = format!("{}/", settled.station);
        let winner = [&conflict.holder, &conflict.other].into_iter();
        let Some(winner) = winner.into_iter().find(|who| who.starts_with(&prefix)).cloned() else {
            let what = say!(
                "{} has no part in conflict {}",
                "{} 与冲突 {} 无关",
                settled.station,
                settled.id
            );
            return Err(asked(what));
        };
        let kind = ClaimKind::ALL.into_iter().find(|kind| kind.as_str() == conflict.kind);
        match kind {
            Some(kind) => work.give(kind, &conflict, &winner).await?,
            // The units are made; what a person says of them is all there is.
            None if conflict.kind == GRANT => {}
            None => work.go_on(&conflict).await?,
        }
        let sql = "UPDATE conflicts SET settled_us = $3, settled_by = $4, settled_for = $5,
            settled_why = $6 WHERE day = $1 AND id = $2";
        let station = settled.station.as_str();
        let values: [Value<'_>; 6] =
            [&conflict.day, &conflict.id, &now.0, &settled.by, &station, &settled.why];
        work.transaction.execute(sql, &values).await?;
        work.transaction.commit().await?;
        let told = (now, settled.by.clone(), station.to_owned(), settled.why.clone());
        Ok(Conflict { settled: Some(told), ..conflict })
    }
}

impl Work<'_> {
    /// The value is the winner's; of a client id the loser hears that it is not its own.
    async fn give(
        &mut self,
        kind: ClaimKind,
        conflict: &Conflict,
        winner: &str,
    ) -> Result<(), FleetError> {
        let sql = self.prepare(giving(kind)).await?;
        self.transaction.execute(&sql, &[&conflict.value, &winner]).await?;
        if kind != ClaimKind::ClientId {
            return Ok(());
        }
        let loser = if winner == conflict.holder { &conflict.other } else { &conflict.holder };
        let (won, lost) = (Holder::parse(winner)?, Holder::parse(loser)?);
        let sql = "DELETE FROM claimed WHERE station = $1 AND instance = $2 AND client_id = $3
            AND serial = $4";
        let values: [Value<'_>; 4] =
            [&won.station.as_str(), &won.instance, &conflict.value, &won.serial.as_str()];
        self.transaction.execute(sql, &values).await?;
        let sql = "INSERT INTO claimed VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (station, instance, client_id, serial) DO UPDATE SET
                holder = excluded.holder, day = excluded.day, id = excluded.id";
        let values: [Value<'_>; 7] = [
            &lost.station.as_str(),
            &lost.instance,
            &conflict.value,
            &lost.serial.as_str(),
            &winner,
            &conflict.day,
            &conflict.id,
        ];
        self.transaction.execute(sql, &values).await?;
        Ok(())
    }

    /// The ledger goes on with what its station has now: the store keeps what it has, and takes
    /// the other history from where both were one. What only the older one has stays claimed.
    async fn go_on(&mut self, conflict: &Conflict) -> Result<(), FleetError> {
        let mut parts = conflict.holder.splitn(3, '/');
        let (station, instance) = (parts.next(), parts.next());
        let (station, instance) = (station.unwrap_or_default(), instance.unwrap_or_default());
        let sql = "UPDATE stations s SET branch = s.branch + 1, head_seq = f.first - 1,
                head_hash = f.before
            FROM (SELECT f.first, f.before FROM forks f
                WHERE f.station = $1 AND f.instance = $2 AND (f.first = 1 OR EXISTS
                    (SELECT 1 FROM segments g WHERE g.station = $1 AND g.instance = $2
                        AND g.last = f.first - 1 AND g.hash = f.before))
                ORDER BY f.noticed_us DESC LIMIT 1) f
            WHERE s.station = $1 AND s.instance = $2";
        let moved = self.transaction.execute(sql, &[&station, &instance]).await?;
        match moved {
            0 => Err(FleetError::Asked(say!(
                "nothing is known of where the histories part",
                "不知道两份历史从哪里分开"
            ))),
            _ => Ok(()),
        }
    }
}
