//! The ledger and the clock that it is held against.

use std::time::Duration;

use super::finding::{Finding, Status};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{Fingerprint, PublicKey};
use crate::domain::operators::Pin;
use crate::domain::outbox::NewestList;
use crate::domain::say::Say;
use crate::domain::story::Uncertain;
use crate::ledger::{self, Audit, Backups, FileCheck, LedgerError, Reader, Settings};
use crate::say;

/// 2024-01-01T00:00:00Z: this program is younger, so an earlier clock was never set.
const OLDEST: Timestamp = Timestamp(1_704_067_200_000_000);

/// Checks that the ledger can be used, that it is this station's own and that its journal
/// verifies. `certified` are the journal keys that the CA certified in it, as for [`Audit`].
///
/// The newest head and samples of the older ones are checked; `station ledger verify`
/// checks the tables too, and with `--every-head` all of them.
pub fn ledger(
    settings: &Settings,
    certified: Option<Vec<PublicKey>>,
    verifier: &dyn HeadVerifier,
) -> Finding {
    const NAME: &str = "ledger";
    let audit = Audit {
        anchor: settings.anchor.clone(),
        certified,
        skip_tables: true,
        file: FileCheck::BySize,
        ..Audit::default()
    };
    let place = settings.check_place(verifier);
    let whose = place.and_then(|()| Reader::open(&settings.data_dir, Some(&settings.station)));
    match whose.map(drop).and_then(|()| ledger::verify(&settings.data_dir, verifier, &audit)) {
        Ok(found) if found.valid => match settings.altered_notes(verifier) {
            Some(fault) => Finding::warn(NAME, fault),
            None => {
                let entries = found.entries;
                Finding::ok(NAME, say!("{entries} entries hold", "{entries} 条记录校验通过"))
            }
        },
        Ok(found) => {
            let code = found.code.unwrap_or(Code::LedgerJournal);
            let detail = found.why.unwrap_or_default();
            Finding::fail(NAME, Fault { code, detail, chinese: found.why_zh })
        }
        Err(LedgerError::Missing(_)) => Finding::ok(
            NAME,
            say!(
                "there is none yet; the first run of the line makes it",
                "尚无账本，产线首次运行时建立"
            ),
        ),
        Err(error) => Finding::fail(NAME, error.into()),
    }
}

/// What there is to say without a ledger: `none` where there is none yet. One that can't be read
/// doesn't tell; its own check tells what is wrong with it.
pub fn without_ledger(name: &'static str, error: &LedgerError, none: Say) -> Finding {
    if let LedgerError::Missing(_) = error {
        return Finding::ok(name, none);
    }
    let what = say!("not known while the ledger can't be read", "账本无法读取，无法得知");
    Finding::warn(name, Fault::said(error.code(), what))
}

/// So many units are named; the others are counted.
const NAMED: u32 = 5;

/// Checks that no unit is left of which nobody knows what its device holds.
pub fn uncertain(settings: &Settings) -> Finding {
    const NAME: &str = "uncertain";
    let none = say!("no unit is uncertain", "没有未定单元");
    let reader = match Reader::open(&settings.data_dir, Some(&settings.station)) {
        Ok(reader) => reader,
        Err(error) => return without_ledger(NAME, &error, none),
    };
    match reader.uncertain(NAMED) {
        Ok(found) => match uncertain_fault(&found) {
            Some(fault) => Finding::warn(NAME, fault),
            None => Finding::ok(NAME, none),
        },
        Err(error) => Finding::fail(NAME, error.into()),
    }
}

/// A word about units that are uncertain, where there are any.
pub fn uncertain_fault(found: &Uncertain) -> Option<Fault> {
    let Uncertain { count, units } = found;
    let shown = units.len().min(NAMED as usize);
    let named = |slot: &str| -> String {
        let units = units.iter().take(shown);
        let named = units.map(|unit| format!("{} ({slot} {})", unit.serial, unit.slot));
        named.collect::<Vec<_>>().join(", ")
    };
    let (english, chinese) = (named("slot"), named("工位"));
    let what = match count.saturating_sub(shown as u64) {
        0 => say!("units that are uncertain: {count}: {english}", "未定单元 {count} 个：{chinese}"),
        more => say!(
            "units that are uncertain: {count}: {english} and {more} more",
            "未定单元 {count} 个：{chinese}，另有 {more} 个"
        ),
    };
    (*count > 0).then(|| Fault::said(Code::UnitsUncertain, what))
}

/// So long before a list's end it is a warning, or a third of the time that it is for, where
/// that is less: the next one has to reach every broker.
const LIST_WARN: i64 = 7 * 86_400_000_000;

/// Checks that the newest list of this CA is still taken, where there is one.
pub fn list(settings: &Settings, authority: &Fingerprint, now: Timestamp) -> Option<Finding> {
    const NAME: &str = "revocations";
    // The ledger's own check tells what is wrong with it.
    let reader = Reader::open(&settings.data_dir, Some(&settings.station)).ok()?;
    let newest = match reader.newest_list(authority) {
        Ok(newest) => newest?,
        Err(error) => return Some(Finding::fail(NAME, error.into())),
    };
    if let Some(fault) = list_fault(&newest, now) {
        return Some(Finding::warn(NAME, fault));
    }
    let made = newest.made;
    Some(Finding::ok(
        NAME,
        match newest.next {
            Some(next) => say!(
                "the newest list is of {made} and ends on {next}",
                "最新吊销列表为 {made}，{next} 到期"
            ),
            None => say!(
                "the newest list is of {made}; its entry does not say when it ends",
                "最新吊销列表为 {made}，记录中没有到期时间"
            ),
        },
    ))
}

const WHY: &str = "brokers that were given it refuse every device from then on";
const WHY_ZH: &str = "用它的代理服务器从那时起拒绝所有设备";

/// A word about a list that ends soon, or has ended: most verifiers then refuse every device.
pub fn list_fault(newest: &NewestList, now: Timestamp) -> Option<Fault> {
    let next = newest.next?;
    let warn = LIST_WARN.min(next.0.saturating_sub(newest.made.0) / 3);
    let what = match () {
        () if now >= next => {
            say!(
                "the newest list of revoked certificates ended on {next}; {WHY}",
                "最新的吊销列表已于 {next} 到期；{WHY_ZH}"
            )
        }
        () if now.0 >= next.0.saturating_sub(warn) => {
            say!(
                "the newest list of revoked certificates ends on {next}; {WHY}",
                "最新的吊销列表将于 {next} 到期；{WHY_ZH}"
            )
        }
        () => return None,
    };
    Some(Fault::said(Code::CaList, what))
}

/// Checks that no other user of the machine can read or change what lies in the data
/// directory.
pub fn files(settings: &Settings) -> Finding {
    const NAME: &str = "files";
    match settings.open_to_others() {
        None => Finding::ok(
            NAME,
            say!("the data directory is its owner's alone", "数据目录仅所有者可访问"),
        ),
        Some(fault) => Finding::warn(NAME, fault),
    }
}

/// So many times [`BackupRule::every`](crate::ledger::BackupRule) the newest backup may be
/// old before someone is told: a shift ends, and the next line start backs up.
const AMBER: u32 = 2;

/// And so long before it is red, if that is longer.
const RED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Checks that what the ledger holds is in a backup that is not too old.
pub fn backups(backups: &Backups, settings: &Settings, now: Timestamp) -> Finding {
    const NAME: &str = "backups";
    let rule = backups.rule();
    let fault = |detail: Say| Fault::said(Code::LedgerBackup, detail);
    let known = Reader::open(&settings.data_dir, Some(&settings.station))
        .and_then(|reader| Ok((reader.head()?, !reader.journal_certificates()?.is_empty())));
    let (head, line_has_run) = match known {
        Ok(known) => known,
        Err(error) => {
            let none = say!("there is nothing to back up", "没有需要备份的内容");
            return without_ledger(NAME, &error, none);
        }
    };
    if rule.keep == 0 {
        return Finding::ok(
            NAME,
            say!(
                "the line makes none (`[ledger] backup_keep = 0`)",
                "产线不做备份（`[ledger] backup_keep = 0`）"
            ),
        );
    }
    let dir = backups.dir();
    if rule.dir.is_some() && !dir.is_dir() {
        return Finding::fail(NAME, fault(say!("{} is not there", "{} 不存在", dir.display())));
    }
    let newest = match backups.newest_of(head.seq) {
        Ok(found) => found,
        Err(error) => return Finding::fail(NAME, error.into()),
    };
    let Some(newest) = newest else {
        return match line_has_run {
            true => {
                Finding::warn(NAME, fault(say!("there is none in {}", "{} 里没有", dir.display())))
            }
            false => Finding::ok(
                NAME,
                say!("the line makes the first one when it starts", "产线启动时做第一次备份"),
            ),
        };
    };
    let unsaved = head.seq.saturating_sub(newest.seq);
    let time = &newest.time;
    let found = match backups.are_beside_the_ledger() {
        true => say!(
            "the newest is of {time}, {unsaved} entries came after it; it lies on the ledger's \
             own disk",
            "最新备份为 {time}，其后有 {unsaved} 条记录；它与账本在同一磁盘上"
        ),
        false => say!(
            "the newest is of {time}, {unsaved} entries came after it",
            "最新备份为 {time}，其后有 {unsaved} 条记录"
        ),
    };
    let older = |than| unsaved > 0 && backups.is_older(&newest, than, now);
    match () {
        () if older(RED.max(rule.every.saturating_mul(AMBER))) => Finding::fail(NAME, fault(found)),
        () if older(rule.every.saturating_mul(AMBER)) => Finding::warn(NAME, fault(found)),
        () => Finding::ok(NAME, found),
    }
}

/// Checks the clock against the journal, or at least against the past.
pub fn clock(settings: &Settings, now: Timestamp) -> Finding {
    const NAME: &str = "clock";
    if now < OLDEST {
        let detail = say!("the clock says {now}; it was never set", "时钟是 {now}，从未校准过");
        return Finding::fail(NAME, Fault::said(Code::ClockGap, detail));
    }
    let ok =
        Finding { check: NAME, status: Status::Ok, detail: Say::same(now.to_string()), code: None };
    let Ok(reader) = Reader::open(&settings.data_dir, Some(&settings.station)) else { return ok };
    match reader.clock_check(now, settings.max_clock_gap) {
        Ok(()) => ok,
        Err(error @ LedgerError::ClockGap { .. }) => Finding::fail(NAME, error.into()),
        // The ledger's own check tells it.
        Err(_) => ok,
    }
}

/// A note where a supervisor's PIN is shorter than is advised.
pub fn pins(settings: &Settings) -> Option<Finding> {
    // The ledger's own check tells what is wrong with it.
    let reader = Reader::open(&settings.data_dir, Some(&settings.station)).ok()?;
    let count = match reader.has_supervisor() {
        Ok(true) => reader.short_pins().ok()?,
        _ => 0,
    };
    let advised = Pin::ADVISED;
    let what = say!(
        "{count} supervisors have a PIN of fewer than {advised} characters",
        "有 {count} 位主管的 PIN 少于 {advised} 个字符"
    );
    (count > 0).then(|| Finding::warn("pins", Fault::said(Code::PinWeak, what)))
}
