//! Claims: a value belongs to whoever proved it first, and who says the same afterwards is
//! noted beside it and becomes a conflict, never an error that stops the others.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{Serial, StationId, to_hex};

use super::super::error::FleetError;
use super::super::gather::{Claim, ClaimKind, Gathered};
use super::pool::{Value, Work};
use super::rows::{Holder, day_of};

/// Whose entries are taken.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) station: StationId,
    pub(super) instance: String,
}

impl Owner {
    pub(super) fn holder(&self, serial: &Serial) -> Holder {
        let (station, instance) = (self.station.clone(), self.instance.clone());
        Holder { station, instance, serial: serial.clone() }
    }
}

/// The statements of one kind's table.
struct Statements {
    take: &'static str,
    note: &'static str,
    leave_alone: &'static str,
    leave_to_next: &'static str,
    leave_others: &'static str,
}

macro_rules! statements {
    ($table:literal) => {
        Statements {
            take: concat!(
                "INSERT INTO ",
                $table,
                " AS c (value, holder, others, since_us)
                    SELECT n.value, n.holder, '{}', $3
                    FROM unnest($1::text[], $2::text[]) AS n (value, holder)
                    ON CONFLICT (value) DO UPDATE SET others = c.others || excluded.holder
                        WHERE c.holder <> excluded.holder
                            AND NOT excluded.holder = ANY(c.others)
                    RETURNING value, holder"
            ),
            note: concat!("SELECT value, holder, others FROM ", $table, " WHERE value = ANY($1)"),
            leave_alone: concat!(
                "DELETE FROM ",
                $table,
                " c USING unnest($1::text[], $2::text[]) AS n (value, who)
                    WHERE c.value = n.value AND c.holder = n.who AND c.others = '{}'"
            ),
            leave_to_next: concat!(
                "UPDATE ",
                $table,
                " c SET holder = c.others[1], others = c.others[2:]
                    FROM unnest($1::text[], $2::text[]) AS n (value, who)
                    WHERE c.value = n.value AND c.holder = n.who AND c.others <> '{}'"
            ),
            leave_others: concat!(
                "UPDATE ",
                $table,
                " c SET others = array_remove(c.others, n.who)
                    FROM unnest($1::text[], $2::text[]) AS n (value, who)
                    WHERE c.value = n.value AND n.who = ANY(c.others)"
            ),
        }
    };
}

const fn statements(kind: ClaimKind) -> Statements {
    match kind {
        ClaimKind::ClientId => statements!("claims_client_id"),
        ClaimKind::CertificateSn => statements!("claims_certificate_sn"),
        ClaimKind::PublicKey => statements!("claims_public_key"),
        ClaimKind::HardwareId => statements!("claims_hardware_id"),
    }
}

/// The statement that reads claims of a kind by their values.
pub(super) const fn reading(kind: ClaimKind) -> &'static str {
    statements(kind).note
}

impl Work<'_> {
    /// Gives back what does not hold any more, and takes what was proven.
    pub(super) async fn claim(
        &mut self,
        owner: &Owner,
        gathered: &Gathered,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        for kind in ClaimKind::ALL {
            let of = |claims: &BTreeSet<Claim>| -> Vec<(String, String)> {
                let own = claims.iter().filter(|claim| claim.kind == kind);
                own.map(|claim| (claim.value.clone(), owner.holder(&claim.serial).to_string()))
                    .collect()
            };
            self.leave(kind, &of(&gathered.released), owner).await?;
            let mut left = of(&gathered.claimed);
            // A statement takes each value once; a ledger has none twice.
            while !left.is_empty() {
                let mut seen = BTreeSet::new();
                let (now_taken, later): (Vec<_>, Vec<_>) =
                    left.into_iter().partition(|(value, _)| seen.insert(value.clone()));
                self.take_claims(kind, &now_taken, owner, now).await?;
                left = later;
            }
        }
        Ok(())
    }

    async fn leave(
        &mut self,
        kind: ClaimKind,
        left: &[(String, String)],
        owner: &Owner,
    ) -> Result<(), FleetError> {
        if left.is_empty() {
            return Ok(());
        }
        let values: Vec<&str> = left.iter().map(|(value, _)| value.as_str()).collect();
        let holders: Vec<&str> = left.iter().map(|(_, holder)| holder.as_str()).collect();
        let statements = statements(kind);
        let all = [statements.leave_others, statements.leave_alone, statements.leave_to_next];
        for sql in all {
            let sql = self.prepare(sql).await?;
            self.transaction.execute(&sql, &[&values, &holders]).await?;
        }
        if kind == ClaimKind::ClientId {
            let sql = "DELETE FROM claimed WHERE station = $1 AND instance = $2
                AND client_id = ANY($3)";
            let sql = self.prepare(sql).await?;
            let given: [Value<'_>; 3] = [&owner.station.as_str(), &owner.instance, &values];
            self.transaction.execute(&sql, &given).await?;
        }
        Ok(())
    }

    async fn take_claims(
        &mut self,
        kind: ClaimKind,
        claims: &[(String, String)],
        owner: &Owner,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let values: Vec<&str> = claims.iter().map(|(value, _)| value.as_str()).collect();
        let holders: Vec<&str> = claims.iter().map(|(_, holder)| holder.as_str()).collect();
        let sql = self.prepare(statements(kind).take).await?;
        let rows = self.transaction.query(&sql, &[&values, &holders, &now.0]).await?;
        for row in rows {
            let (value, holder): (String, String) = (row.get(0), row.get(1));
            let own = claims.iter().find(|(own, _)| *own == value).map(|(_, who)| who.as_str());
            if let Some(other) = own.filter(|own| *own != holder) {
                self.conflict(kind, &value, &holder, other, owner, now).await?;
            }
        }
        Ok(())
    }

    /// Two units say that a value is their own.
    async fn conflict(
        &mut self,
        kind: ClaimKind,
        value: &str,
        holder: &str,
        other: &str,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let (first, second) = (Holder::parse(holder)?, Holder::parse(other)?);
        let detail = format!(
            "{} of {} proved it first, {} of {} says the same",
            first.serial, first.station, second.serial, second.station
        );
        let clash = Clash { kind: kind.as_str(), value, holder, other, detail: &detail };
        let (day, id) = self.keep_conflict(&clash, now).await?;
        if kind != ClaimKind::ClientId {
            return Ok(());
        }
        let serial = second.serial;
        let sql = "INSERT INTO claimed VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (station, instance, client_id, serial) DO UPDATE SET
                holder = excluded.holder, day = excluded.day, id = excluded.id";
        let sql = self.prepare(sql).await?;
        let values: [Value<'_>; 7] = [
            &owner.station.as_str(),
            &owner.instance,
            &value,
            &serial.as_str(),
            &holder,
            &day,
            &id,
        ];
        self.transaction.execute(&sql, &values).await?;
        Ok(())
    }

    /// Notes a conflict, once.
    pub(super) async fn keep_conflict(
        &mut self,
        clash: &Clash<'_>,
        now: Timestamp,
    ) -> Result<(i32, String), FleetError> {
        let (day, id) = (day_of(now), clash.id());
        let sql = "INSERT INTO conflicts (day, id, kind, value, holder, other, detail, noticed_us)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS
                (SELECT 1 FROM conflicts WHERE id = $2 AND settled_us IS NULL)
            ON CONFLICT (day, id) DO NOTHING";
        let sql = self.prepare(sql).await?;
        let values: [Value<'_>; 8] = [
            &day,
            &id,
            &clash.kind,
            &clash.value,
            &clash.holder,
            &clash.other,
            &clash.detail,
            &now.0,
        ];
        self.transaction.execute(&sql, &values).await?;
        Ok((day, id))
    }

    /// Notes a conflict that names more and more: as long as nobody settled it, there is one of
    /// its kind and value; what was settled in the same words is not told again.
    pub(super) async fn keep_growing_conflict(
        &mut self,
        clash: &Clash<'_>,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let sql = "UPDATE conflicts SET detail = $3
            WHERE kind = $1 AND value = $2 AND settled_us IS NULL";
        let sql = self.prepare(sql).await?;
        let values: [Value<'_>; 3] = [&clash.kind, &clash.value, &clash.detail];
        if self.transaction.execute(&sql, &values).await? > 0 {
            return Ok(());
        }
        let sql = "SELECT 1 FROM conflicts WHERE kind = $1 AND value = $2 AND detail = $3";
        let sql = self.prepare(sql).await?;
        if self.transaction.query(&sql, &values).await?.is_empty() {
            self.keep_conflict(clash, now).await?;
        }
        Ok(())
    }

    /// The units of one ledger whose proven certificates have these numbers.
    pub(super) async fn units_of_sns(
        &mut self,
        owner: &Owner,
        sns: &[String],
    ) -> Result<Vec<(String, Serial)>, FleetError> {
        let sql = self.prepare(reading(ClaimKind::CertificateSn)).await?;
        let mut found = Vec::new();
        for row in self.transaction.query(&sql, &[&sns]).await? {
            let (holder, others): (String, Vec<String>) = (row.get(1), row.get(2));
            for text in std::iter::once(&holder).chain(&others) {
                let who = Holder::parse(text)?;
                if who.station == owner.station && who.instance == owner.instance {
                    found.push((row.get(0), who.serial));
                }
            }
        }
        Ok(found)
    }
}

/// What contradicts what.
pub(super) struct Clash<'a> {
    pub(super) kind: &'a str,
    pub(super) value: &'a str,
    pub(super) holder: &'a str,
    pub(super) other: &'a str,
    pub(super) detail: &'a str,
}

impl Clash<'_> {
    /// The same contradiction has the same id.
    fn id(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [self.kind, self.value, self.holder, self.other] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        to_hex(&hasher.finalize()[..8])
    }
}
