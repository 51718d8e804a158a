//! Auditing the store by its segments alone: each is verified from its bytes, they must follow
//! each other, and what they add up to must be what the tables say. Whoever changed a row or a
//! segment is found; whoever took the newest segments away and set the head back is found by
//! the station, whose own note of what was confirmed goes further.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::cause::Told;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{Serial, StationId};
use crate::domain::say::Say;
use crate::ledger::Head;

use super::super::arrival::{Arrival, Known};
use super::super::error::FleetError;
use super::super::gather::{Claim, ClaimKind, DayCount, Gathered, GrantKey};
use super::super::story::Story;
use super::intake::order_of;
use super::pool::{Store, Value, Work};
use super::rows::{Holder, head_of, stored};
use super::uses::{GRANT, value_of};
use crate::say;

/// Findings that are told; the others are counted.
const TOLD: usize = 100;

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: String,
    /// The table.
    pub table: &'static str,
    /// What is wrong, in one sentence.
    pub what: Say,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// Ledgers that were looked at.
    pub ledgers: u64,
    /// Segments that were verified.
    pub segments: u64,
    /// Entries in them.
    pub entries: u64,
    /// Units that they tell of.
    pub units: u64,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// Findings that are not told.
    pub more: u64,
}

/// One ledger's audit.
struct Look<'a> {
    known: &'a Known,
    instance: String,
    report: &'a mut AuditReport,
}

impl Look<'_> {
    fn wrong(&mut self, table: &'static str, what: Say) {
        if self.report.findings.len() >= TOLD {
            self.report.more += 1;
            return;
        }
        self.report.findings.push(Finding {
            station: self.known.station.clone(),
            instance: self.instance.clone(),
            table,
            what,
        });
    }

    fn keys(&self) -> (&str, &str) {
        (self.known.station.as_str(), &self.instance)
    }
}

impl Store {
    /// Audits every ledger, or those of one station, in one snapshot.
    pub async fn audit(
        &self,
        station: Option<&StationId>,
        verifier: &dyn HeadVerifier,
    ) -> Result<AuditReport, FleetError> {
        let ledgers = self.every_ledger().await?;
        let mut lease = self.lease().await?;
        let mut work = lease.begin().await?;
        let snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        work.transaction.batch_execute(snapshot).await?;
        let mut report = AuditReport::default();
        let wanted = |known: &&Known| station.is_none_or(|station| known.station == *station);
        for known in ledgers.iter().filter(wanted) {
            report.ledgers += 1;
            let instance = known.instance.to_string();
            work.audit(&mut Look { known, instance, report: &mut report }, verifier).await?;
        }
        if report.ledgers == 0
            && let Some(station) = station
        {
            return Err(FleetError::Asked(say!(
                "the fleet knows no station {station}",
                "总库里没有站 {station}"
            )));
        }
        Ok(report)
    }
}

impl Work<'_> {
    async fn audit(
        &mut self,
        look: &mut Look<'_>,
        verifier: &dyn HeadVerifier,
    ) -> Result<(), FleetError> {
        let Some(gathered) = self.segments(look, verifier).await? else { return Ok(()) };
        look.report.units += gathered.units.len() as u64;
        self.check_units(look, &gathered).await?;
        self.check_names(look, &gathered).await?;
        self.check_standing(look, &gathered).await?;
        self.check_days(look, &gathered).await?;
        self.check_orders(look, &gathered).await?;
        self.check_grants(look, &gathered).await?;
        for kind in ClaimKind::ALL {
            self.check_claims(look, kind, &gathered).await?;
        }
        Ok(())
    }

    /// Verifies the segments in the order in which they were taken; none where one does not
    /// hold, since nothing behind it means anything.
    async fn segments(
        &mut self,
        look: &mut Look<'_>,
        verifier: &dyn HeadVerifier,
    ) -> Result<Option<Gathered>, FleetError> {
        let (station, instance) = look.keys();
        let sql = "SELECT branch, first FROM segments WHERE station = $1 AND instance = $2
            ORDER BY branch, first";
        let keys = self.transaction.query(sql, &[&station, &instance]).await?;
        let sql = "SELECT last, before, hash, digest, bytes FROM segments WHERE station = $1
            AND instance = $2 AND branch = $3 AND first = $4";
        let one = self.transaction.prepare(sql).await?;
        let (mut gathered, mut head, mut on) = (Gathered::default(), Head::NONE, 0);
        let mut ends = BTreeSet::from([(0, Head::NONE.hash.0)]);
        for key in keys {
            let (branch, first): (i32, i64) = (key.get(0), key.get(1));
            let (station, instance) = look.keys();
            let row =
                self.transaction.query_one(&one, &[&station, &instance, &branch, &first]).await?;
            let told = (head_of(first - 1, row.get(1))?, head_of(row.get(0), row.get(2))?);
            let arrival = match Arrival::verify(row.get(4), look.known, verifier) {
                Ok(arrival) => arrival,
                Err(error) => {
                    let segment =
                        say!("the one from entry {first} on", "从第 {first} 条起的日志段");
                    look.wrong("segments", segment.then(&error.sentence()));
                    return Ok(None);
                }
            };
            let digest: &[u8] = row.get(3);
            if digest != arrival.digest || told != (arrival.behind, arrival.head) {
                let what = say!(
                    "the row from entry {first} on is not that of its bytes",
                    "从第 {first} 条起的那一行与其内容不符"
                );
                look.wrong("segments", what);
            }
            let continues = match branch == on {
                true => arrival.behind == head,
                false => ends.contains(&(arrival.behind.seq, arrival.behind.hash.0)),
            };
            if !continues {
                let what = say!(
                    "the one from entry {first} on does not continue entry {}",
                    "从第 {first} 条起的日志段接不上第 {} 条",
                    head.seq
                );
                look.wrong("segments", what);
                return Ok(None);
            }
            (head, on) = (arrival.head, branch);
            ends.insert((head.seq, head.hash.0));
            look.report.segments += 1;
            look.report.entries += arrival.entries.len() as u64;
            arrival.entries.iter().for_each(|entry| gathered.take(entry));
        }
        let sql = "SELECT head_seq, head_hash, branch FROM stations
            WHERE station = $1 AND instance = $2";
        let (station, instance) = look.keys();
        let row = self.transaction.query_one(sql, &[&station, &instance]).await?;
        let stands = head_of(row.get(0), row.get(1))?;
        // Right behind a settled fork the newer branch has no segment yet.
        let between = row.get::<_, i32>(2) != on && ends.contains(&(stands.seq, stands.hash.0));
        if stands != head && !between {
            let what = say!(
                "its head is entry {}, its segments end with {}",
                "它的头是第 {} 条，日志段到第 {} 条为止",
                stands.seq,
                head.seq
            );
            look.wrong("stations", what);
        }
        Ok(Some(gathered))
    }

    async fn check_units(
        &mut self,
        look: &mut Look<'_>,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let sql = "SELECT client_id, serial, state, work_order, last_us, story FROM units
            WHERE station = $1 AND instance = $2";
        let (station, instance) = look.keys();
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let mut left: BTreeMap<&str, &Story> =
            gathered.units.values().map(|story| (story.serial.as_str(), story)).collect();
        for row in rows {
            let serial: &str = row.get(1);
            let Some(story) = left.remove(serial) else {
                look.wrong(
                    "units",
                    say!("unit {serial} is in no segment", "日志段里没有单元 {serial}"),
                );
                continue;
            };
            let told: Option<Story> = serde_json::from_str(row.get(5)).ok();
            let same = told.as_ref() == Some(story)
                && row.get::<_, &str>(0) == story.client_id.as_str()
                && row.get::<_, &str>(2) == story.state().as_str()
                && row.get::<_, &str>(3) == order_of(story)
                && row.get::<_, i64>(4) == story.last_at.0;
            if !same {
                look.wrong(
                    "units",
                    say!("unit {serial} is not as its segments say", "单元 {serial} 与日志段不符"),
                );
            }
        }
        for serial in left.keys() {
            look.wrong("units", say!("unit {serial} is missing", "缺少单元 {serial}"));
        }
        Ok(())
    }

    async fn check_names(
        &mut self,
        look: &mut Look<'_>,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let sql = "SELECT kind, value, serial, client_id FROM names
            WHERE station = $1 AND instance = $2";
        let (station, instance) = look.keys();
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let mut serials: BTreeSet<&str> = gathered.units.keys().map(Serial::as_str).collect();
        for row in rows {
            let (kind, value, serial): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
            let client_id = serial.parse::<Serial>().ok();
            let story = client_id.and_then(|serial| gathered.units.get(&serial));
            let client_id = story.map(|story| story.client_id.as_str());
            let right = client_id == Some(row.get(3))
                && match kind {
                    "serial" => value == serial && serials.remove(value),
                    _ => kind == "fingerprint",
                };
            if !right {
                look.wrong(
                    "names",
                    say!("{kind} {value} is in no segment", "日志段里没有 {kind} {value}"),
                );
            }
        }
        for serial in serials {
            look.wrong("names", say!("serial {serial} is missing", "缺少序列号 {serial}"));
        }
        Ok(())
    }

    async fn check_standing(
        &mut self,
        look: &mut Look<'_>,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
        for story in gathered.units.values() {
            let key = (order_of(story).to_owned(), story.state().as_str().to_owned());
            *sums.entry(key).or_default() += 1;
        }
        let sql = "SELECT work_order, state, units FROM standing
            WHERE station = $1 AND instance = $2 AND units <> 0";
        let (station, instance) = look.keys();
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let told: BTreeMap<(String, String), i64> =
            rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
        if told != sums {
            look.wrong("standing", say!("its sums are not those of its units", "合计与单元不符"));
        }
        Ok(())
    }

    async fn check_days(
        &mut self,
        look: &mut Look<'_>,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let sql = "SELECT day, passed, failed, interrupted FROM days
            WHERE station = $1 AND instance = $2";
        let (station, instance) = look.keys();
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let told: BTreeMap<i32, DayCount> = rows
            .iter()
            .map(|row| {
                let (passed, failed, interrupted) = (row.get(1), row.get(2), row.get(3));
                (row.get(0), DayCount { passed, failed, interrupted })
            })
            .collect();
        if told != gathered.days {
            look.wrong("days", say!("its sums are not those of its attempts", "合计与尝试不符"));
        }
        Ok(())
    }

    async fn check_orders(
        &mut self,
        look: &mut Look<'_>,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let sql = "SELECT work_order, quantity, closed FROM work_orders
            WHERE station = $1 AND instance = $2";
        let (station, instance) = look.keys();
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let told: BTreeMap<String, (i64, bool)> =
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        let said = gathered.orders.iter().map(|(order, seen)| {
            (order.to_string(), (i64::from(seen.quantity.unwrap_or(0)), seen.closed))
        });
        if told != said.collect() {
            look.wrong(
                "work_orders",
                say!("its work orders are not those of its segments", "工单与日志段不符"),
            );
        }
        Ok(())
    }

    /// What was taken and used of each grant is what the segments say; where that is too much,
    /// there is a conflict.
    async fn check_grants(
        &mut self,
        look: &mut Look<'_>,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let (station, instance) = look.keys();
        let (station, instance) = (station.to_owned(), instance.to_owned());
        let sql = "SELECT work_order, number, quantity, given_back, used FROM grants_taken
            WHERE station = $1 AND instance = $2";
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let told: BTreeMap<(String, i64), (i64, i64, i64)> = rows
            .iter()
            .map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3), row.get(4))))
            .collect();
        let of_uses = gathered.uses.keys().map(|(key, _)| key);
        let keys: BTreeSet<&GrantKey> = gathered.grants.keys().chain(of_uses).collect();
        let mut used: BTreeMap<&GrantKey, i64> = BTreeMap::new();
        gathered.uses.keys().for_each(|(key, _)| *used.entry(key).or_default() += 1);
        let said = keys.iter().map(|key| {
            let seen = gathered.grants.get(*key).copied().unwrap_or_default();
            let used = used.get(*key).copied().unwrap_or(0);
            let quantity = i64::from(seen.quantity.unwrap_or(0));
            let sums = (quantity, i64::from(seen.given_back), used);
            ((key.0.to_string(), stored(key.1.get())), sums)
        });
        if told != said.collect() {
            look.wrong(
                "grants_taken",
                say!("its grants are not those of its segments", "授权与日志段不符"),
            );
        }
        let sql = "SELECT work_order, number, serial, proven_us FROM grant_uses
            WHERE station = $1 AND instance = $2";
        let rows = self.transaction.query(sql, &[&station, &instance]).await?;
        let told: BTreeMap<(String, i64, String), i64> =
            rows.iter().map(|row| ((row.get(0), row.get(1), row.get(2)), row.get(3))).collect();
        let said = gathered.uses.iter().map(|((key, serial), at)| {
            ((key.0.to_string(), stored(key.1.get()), serial.to_string()), at.0)
        });
        if told != said.collect() {
            look.wrong(
                "grant_uses",
                say!(
                    "the units of its grants are not those of its segments",
                    "授权的单元与日志段不符"
                ),
            );
        }
        for key in keys {
            let (_, beyond) = self.beyond(&station, key).await?;
            let sql = "SELECT 1 FROM conflicts WHERE kind = $1 AND value = $2";
            let value = value_of(&station, key);
            let given: [Value<'_>; 2] = [&GRANT, &value];
            if !beyond.is_empty() && self.transaction.query(sql, &given).await?.is_empty() {
                look.wrong(
                    "conflicts",
                    say!("the one about grant {value} is missing", "缺少关于授权 {value} 的冲突"),
                );
            }
        }
        Ok(())
    }

    /// Each claim stands in the row of its value, as the holder's or beside it; where it stands
    /// beside it, there is a conflict.
    async fn check_claims(
        &mut self,
        look: &mut Look<'_>,
        kind: ClaimKind,
        gathered: &Gathered,
    ) -> Result<(), FleetError> {
        let (station, instance) = look.keys();
        let own = format!("{station}/{instance}/");
        let table = table_of(kind);
        let sql = format!(
            "SELECT value, holder, others FROM {table} WHERE starts_with(holder, $1)
                OR EXISTS (SELECT 1 FROM unnest(others) AS o WHERE starts_with(o, $1))"
        );
        let rows = self.transaction.query(&sql, &[&own]).await?;
        let mut told = BTreeSet::new();
        let mut beside = Vec::new();
        for row in rows {
            let (value, holder, others): (String, String, Vec<String>) =
                (row.get(0), row.get(1), row.get(2));
            for who in std::iter::once(&holder).chain(&others).filter(|who| who.starts_with(&own)) {
                let serial = Holder::parse(who)?.serial;
                if *who != holder {
                    beside.push((value.clone(), who.clone()));
                }
                told.insert(Claim { kind, value: value.clone(), serial });
            }
        }
        let said: BTreeSet<Claim> =
            gathered.claimed.iter().filter(|claim| claim.kind == kind).cloned().collect();
        for claim in told.difference(&said) {
            let (value, serial) = (&claim.value, &claim.serial);
            let what = say!(
                "{value} of unit {serial} is in no segment",
                "日志段里没有单元 {serial} 的 {value}"
            );
            look.wrong(table, what);
        }
        for claim in said.difference(&told) {
            let (value, serial) = (&claim.value, &claim.serial);
            look.wrong(
                table,
                say!("{value} of unit {serial} is missing", "缺少单元 {serial} 的 {value}"),
            );
        }
        let sql = "SELECT 1 FROM conflicts WHERE kind = $1 AND value = $2
            AND (other = $3 OR holder = $3)";
        for (value, who) in beside {
            let given: [Value<'_>; 3] = [&kind.as_str(), &value, &who];
            if self.transaction.query(sql, &given).await?.is_empty() {
                look.wrong(
                    "conflicts",
                    say!(
                        "the one about {value} of {who} is missing",
                        "缺少关于 {who} 的 {value} 的冲突"
                    ),
                );
            }
        }
        Ok(())
    }
}

const fn table_of(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::ClientId => "claims_client_id",
        ClaimKind::CertificateSn => "claims_certificate_sn",
        ClaimKind::PublicKey => "claims_public_key",
        ClaimKind::HardwareId => "claims_hardware_id",
    }
}
