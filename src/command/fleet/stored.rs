//! `station fleet status`, `find`, `verify`, `grant`, `settle`, `report`: what the store says.

use std::collections::BTreeMap;

use serde_json::json;

use super::opened::opened;
use crate::app::fleet::{self, Opened};
use crate::cli::{FleetGrant, FleetReport, FleetSettle, FleetVerify};
use crate::command::context::Context;
use crate::command::person::sentence;
use crate::domain::bounds;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::grant::Grant;
use crate::domain::say::Say;
use crate::fleet::{FoundUnit, GivenBackRow, GrantFile, Settled};
use crate::handoff::grant::read_grant;
use crate::pki::{self, Verifier};
use crate::say;
use crate::shell::{Exit, Failure};
use crate::text::unit_state_said;

const DAY_US: i64 = 86_400_000_000;

/// Every station, and how far the fleet has it.
pub(super) fn status(store: Opened<'_>, context: &mut Context) -> Result<Exit, Failure> {
    let (stations, segments, conflicts) = fleet::wait(async {
        let store = store.open().await?;
        let stations = store.stations().await?;
        let segments = store.segments().await?;
        Ok::<_, Failure>((stations, segments, store.conflicts(true, 1_000).await?))
    })??;
    for row in &stations {
        let ledger = (row.station.to_string(), row.instance.clone());
        let of_ledger = segments.get(&ledger).copied().unwrap_or(0);
        match context.out.is_json() {
            true => context.out.json(&json!({
                "event": "station", "station": row.station, "instance": row.instance,
                "state": if row.is_active { "active" } else { "revoked" },
                "confirmed": row.head, "segments": of_ledger, "seen_at": row.seen.to_string(),
                "units": row.units, "conflicts": row.conflicts,
            }))?,
            false => {
                let units: u64 = row.units.values().sum();
                let (entries, conflicts, seen) = (&row.head, &row.conflicts, &row.seen);
                let standing = say!(
                    "{entries} entries, {units} units, {conflicts} conflicts, heard of {seen}",
                    "记录 {entries}，单元 {units}，冲突 {conflicts}，最近 {seen}"
                );
                let revoked = (!row.is_active).then(|| say!(", revoked", "，已禁止接入"));
                let standing = standing.with(&revoked.unwrap_or_default());
                context.out.say(&Say::same(row.station.to_string()).then(&standing))?;
            }
        }
    }
    for conflict in &conflicts {
        match context.out.is_json() {
            true => context.out.json(&json!({
                "event": "conflict", "id": conflict.id, "kind": conflict.kind,
                "value": conflict.value, "holder": conflict.holder, "other": conflict.other,
                "noticed_at": conflict.noticed.to_string(), "detail": conflict.detail,
            }))?,
            false => {
                let about = conflict.kind_said().with(&say!(" {}", " {}", conflict.value));
                let conflict_id = say!("conflict {}", "冲突 {}", conflict.id);
                context.out.say(&conflict_id.then(&about).then(&conflict.said()))?;
            }
        }
    }
    if context.out.is_json() {
        let units: u64 = stations.iter().flat_map(|row| row.units.values()).sum();
        let segments: u64 = segments.values().sum();
        context.out.json(&json!({
            "event": "summary", "stations": stations.len(), "units": units, "segments": segments,
            "conflicts": conflicts.len(),
        }))?;
    }
    Ok(Exit::Done)
}

/// That nothing has this name.
pub(super) fn unknown(text: &str) -> Failure {
    Failure::said(
        Code::UnitUnknown,
        say!("the fleet knows no unit {text}", "总库里没有单元 {text}"),
    )
}

/// Finds a unit in the store.
pub(super) fn find(store: Opened<'_>, text: &str, context: &mut Context) -> Result<Exit, Failure> {
    let found = fleet::wait(async {
        let store = store.open().await?;
        Ok::<_, Failure>(store.find(text).await?)
    })??;
    if found.is_empty() {
        return Err(unknown(text));
    }
    for unit in &found {
        match context.out.is_json() {
            true => context.out.json(&as_json(unit))?,
            false => {
                let story = &unit.story;
                let order = match &story.work_order {
                    Some(order) => say!("work order {order}", "工单 {order}"),
                    None => say!("work order none", "无工单"),
                };
                let at = say!(" at station {}, ", "，站 {}，", unit.station);
                let (attempts, last) = (story.attempts, story.last_at);
                let tries = say!(
                    ", {attempts} attempts, last seen {last}",
                    "，尝试 {attempts} 次，最近 {last}"
                );
                let state = unit_state_said(story.state()).with(&at).with(&order).with(&tries);
                context.out.say(&Say::same(story.serial.to_string()).then(&state))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// A unit as JSON.
fn as_json(unit: &FoundUnit) -> serde_json::Value {
    let story = &unit.story;
    let proven = story.proven.as_ref();
    let certificate = proven.map(|proven| &proven.certificate);
    json!({
        "station": unit.station, "instance": unit.instance.to_string(), "by": unit.by.as_str(),
        "serial": story.serial, "client_id": story.client_id, "state": story.state(),
        "work_order": story.work_order, "product": story.product, "slot": story.slot,
        "attempts": story.attempts, "first_at": story.first_at.to_string(),
        "last_at": story.last_at.to_string(), "code": story.code,
        "hardware_id": proven.map(|proven| &proven.hardware_id),
        "proven_at": proven.map(|proven| proven.at.to_string()),
        "proof": proven.map(|proven| proven.proof),
        "certificate_sn": certificate.map(|found| found.certificate_sn),
        "fingerprint_sha256": certificate.map(|found| found.fingerprint_sha256),
        "public_key": certificate.map(|found| found.public_key),
    })
}

/// Audits the store by its segments.
pub(super) fn verify(asked: &FleetVerify, context: &mut Context) -> Result<Exit, Failure> {
    let report = fleet::wait(async {
        let store = opened(&asked.database).open().await?;
        Ok::<_, Failure>(store.audit(asked.station.as_ref(), &Verifier).await?)
    })??;
    let found = report.findings.len() as u64 + report.more;
    for finding in &report.findings {
        match context.out.is_json() {
            true => context.out.json(&json!({
                "event": "finding", "station": finding.station, "instance": finding.instance,
                "table": finding.table, "what": finding.what,
            }))?,
            false => {
                let (table, station) = (finding.table, &finding.station);
                let place = say!("{table} of station {station}", "站 {station} 的 {table}");
                context.out.say(&place.then(&finding.what))?;
            }
        }
    }
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "summary", "valid": found == 0, "ledgers": report.ledgers,
            "segments": report.segments, "entries": report.entries, "units": report.units,
            "findings": found,
        }))?,
        false => context.out.say(&say!(
            "{} segments with {} entries of {} ledgers, {} units",
            "日志段 {}，记录 {}，账本 {}，单元 {}",
            report.segments,
            report.entries,
            report.ledgers,
            report.units
        ))?,
    }
    match found {
        0 => Ok(Exit::Done),
        found => {
            let what = say!(
                "the fleet's database does not hold: {found} findings",
                "总库的数据库核对不通过：{found} 处"
            );
            Err(Failure::said(Code::FleetVerify, what))
        }
    }
}

/// Refuses a grant with which all stations together could make more than was ordered; what a
/// station gave back can be granted again.
fn within_the_order(
    new: &Grant,
    granted: &[String],
    given_back: &[GivenBackRow],
) -> Result<(), Failure> {
    let others = granted.iter().filter_map(|file| read_grant(file.as_bytes()).ok());
    let others = others.map(|signed| signed.grant);
    let others = others.filter(|one| (&one.station, one.number) != (&new.station, new.number));
    let stands = |one: Grant| {
        let own =
            |row: &&GivenBackRow| (&row.station, row.number) == (&one.station, one.number.get());
        let back = given_back.iter().find(own).map_or(0, |row| row.quantity);
        u64::from(one.quantity).saturating_sub(back)
    };
    let before: u64 = others.map(stands).sum();
    if before + u64::from(new.quantity) <= u64::from(new.order_quantity) {
        return Ok(());
    }
    let Grant { quantity, order_quantity, .. } = new;
    let what = say!(
        "{before} of {order_quantity} were granted before, and {quantity} more",
        "{order_quantity} 个中之前已授权 {before} 个，现在又要 {quantity} 个"
    );
    Err(Failure::said(Code::WorkOrderFull, what))
}

/// Keeps a grant for a station.
pub(super) fn grant(asked: &FleetGrant, context: &mut Context) -> Result<Exit, Failure> {
    let text = bounds::read_text_file(&asked.file, bounds::SETTINGS);
    let file = text.map_err(|error| {
        let what = say!("{} can't be read", "{} 无法读取", asked.file.display());
        Failure::said(Code::Input, what).caused_by(&error)
    })?;
    let signed = read_grant(file.as_bytes())?.grant;
    if (&signed.work_order, &signed.station) != (&asked.work_order, &asked.station) {
        let what = say!(
            "the grant is one of {} for {}",
            "这份授权属于 {}，给 {}",
            signed.work_order,
            signed.station
        );
        return Err(Failure::said(Code::Usage, what));
    }
    let id = pki::fingerprint_of(file.as_bytes()).to_string();
    let (work_order, station) = (asked.work_order.clone(), asked.station.clone());
    let grant = GrantFile { work_order, station, id, file };
    let now = context.now();
    fleet::wait(async {
        let store = opened(&asked.database).open().await?;
        let check = |granted: &[String], given_back: &[GivenBackRow]| {
            within_the_order(&signed, granted, given_back)
        };
        store.add_grant(&grant, now, check).await
    })??;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "grant", "work_order": grant.work_order, "station": grant.station,
            "id": grant.id,
        }))?,
        false => context.out.say(&say!(
            "station {} can take its grant of {} from the fleet",
            "站 {} 可以从总库接收工单 {} 的授权",
            grant.station,
            grant.work_order
        ))?,
    }
    Ok(Exit::Done)
}

/// Decides a conflict.
pub(super) fn settle(asked: &FleetSettle, context: &mut Context) -> Result<Exit, Failure> {
    let settled = Settled {
        id: asked.conflict.clone(),
        station: asked.station.clone(),
        by: asked.by.to_string(),
        why: sentence("--reason", &asked.reason)?,
    };
    let now = context.now();
    let conflict = fleet::wait(async {
        let store = opened(&asked.database).open().await?;
        Ok::<_, Failure>(store.settle(&settled, now).await?)
    })??;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "settled", "id": conflict.id, "kind": conflict.kind,
            "value": conflict.value, "for": settled.station, "by": settled.by,
        }))?,
        false => {
            let of = say!(" {} is {}'s", " {} 归站 {}", conflict.value, settled.station);
            context.out.say(&conflict.kind_said().with(&of))?;
        }
    }
    Ok(Exit::Done)
}

/// Counts what was made.
pub(super) fn report(asked: &FleetReport, context: &mut Context) -> Result<Exit, Failure> {
    let from = asked.from.as_deref().map(day).transpose()?.unwrap_or(i32::MIN);
    let to = asked.to.as_deref().map(day).transpose()?.unwrap_or(i32::MAX);
    let (stations, days, orders) = fleet::wait(async {
        let store = opened(&asked.database).open().await?;
        let stations = store.stations().await?;
        Ok::<_, Failure>((stations, store.days(from, to).await?, store.orders().await?))
    })??;
    let (passed, failed): (u64, u64) =
        days.iter().fold((0, 0), |sum, day| (sum.0 + day.passed, sum.1 + day.failed));
    let interrupted: u64 = days.iter().map(|day| day.interrupted).sum();
    let uncertain: u64 = stations.iter().filter_map(|row| row.units.get("uncertain")).sum();
    for row in &days {
        let date = date(row.day);
        match context.out.is_json() {
            true => context.out.json(&json!({
                "event": "day", "date": date, "station": row.station, "passed": row.passed,
                "failed": row.failed, "interrupted": row.interrupted,
            }))?,
            false => {
                let (passed, failed, interrupted) = (row.passed, row.failed, row.interrupted);
                let counts = say!(
                    "{passed} passed, {failed} failed, {interrupted} interrupted",
                    "合格 {passed}，不合格 {failed}，中断 {interrupted}"
                );
                context.out.say(&Say::same(format!("{date} {}", row.station)).then(&counts))?;
            }
        }
    }
    for row in &orders {
        let name = match row.work_order.is_empty() {
            true => say!("no work order", "无工单"),
            false => Say::same(row.work_order.clone()),
        };
        match context.out.is_json() {
            true => context.out.json(&json!({
                "event": "work_order", "work_order": row.work_order, "station": row.station,
                "quantity": row.quantity, "units": row.units,
            }))?,
            false => {
                let place = name.with(&say!(" at {}", "，站 {}", row.station));
                context.out.say(&place.then(&units_by_state(&row.units)))?;
            }
        }
    }
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "summary", "stations": stations.len(), "passed": passed, "failed": failed,
            "interrupted": interrupted, "uncertain": uncertain,
        }))?,
        false => context.out.say(&say!(
            "{passed} passed, {failed} failed, {interrupted} interrupted, {uncertain} uncertain",
            "合格 {passed}，不合格 {failed}，中断 {interrupted}，未定 {uncertain}"
        ))?,
    }
    Ok(Exit::Done)
}

/// Where a unit stands, by the word that a store has for it.
pub(super) fn state_said(word: &str) -> Say {
    word.parse().map_or_else(|_| Say::same(word), unit_state_said)
}

fn units_by_state(units: &BTreeMap<String, u64>) -> Say {
    let one = |(state, count): (&String, &u64)| {
        let Say { english, chinese } = state_said(state);
        Say { english: format!("{count} {english}"), chinese: format!("{chinese} {count}") }
    };
    let mut all = units.iter().map(one);
    let first = all.next().unwrap_or_default();
    all.fold(first, |said, next| said.with(&say!(", ", "，")).with(&next))
}

/// A date as the day counted from 1970.
fn day(text: &str) -> Result<i32, Failure> {
    let at = Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"));
    let day = at.and_then(|at| i32::try_from(at.0.div_euclid(DAY_US)).ok());
    day.ok_or_else(|| {
        Failure::said(
            Code::Usage,
            say!("{text} is no date: write 2026-03-01", "{text} 不是日期：写成 2026-03-01"),
        )
    })
}

fn date(day: i32) -> String {
    let text = Timestamp(i64::from(day).saturating_mul(DAY_US)).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
