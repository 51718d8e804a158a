//! `station selftest`: a new device against the protocol, or the way into a broker; one line
//! for each rule.

use serde_json::json;

use super::context::Context;
use crate::app;
use crate::cli::Selftest;
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::link::driver::framed::conformance::{Finding, Notice, Options, Summary, Verdict};
use crate::link::settings::PortSettings;
use crate::say;
use crate::shell::{Exit, Failure, Output};

/// Where what was found of a rule begins.
const DETAIL: usize = 30;

/// Tries a device or a broker, and says what was found.
pub(super) fn run(selftest: &Selftest, context: &mut Context) -> Result<Exit, Failure> {
    match selftest.broker {
        true => try_broker(selftest, context),
        false => try_device(selftest, context),
    }
}

fn try_broker(selftest: &Selftest, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let broker = app::broker_selftest::Broker {
        program: selftest.mosquitto.as_deref(),
        revoked: selftest.crl.as_deref(),
        trusted: selftest.trusted.as_deref(),
    };
    let now = context.now();
    let out = &mut context.out;
    let (mut told, mut passed, mut failed) = (Ok(()), 0, 0);
    app::broker_selftest::run(&config, &broker, now, &mut |finding| {
        *if finding.outcome.is_ok() { &mut passed } else { &mut failed } += 1;
        if told.is_ok() {
            told = tell_of_broker(finding, out);
        }
    })?;
    told?;
    match out.is_json() {
        true => out.json(&json!({ "event": "summary", "passed": passed, "failed": failed }))?,
        false => {
            out.say(&say!("{passed} passed, {failed} failed", "通过 {passed}，不符 {failed}"))?;
        }
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::NotAll })
}

fn tell_of_broker(
    finding: &app::broker_selftest::Finding,
    out: &mut Output,
) -> Result<(), Failure> {
    let app::broker_selftest::Finding { check, rule, outcome, took } = finding;
    let (word, detail) = match outcome {
        Ok(detail) => ("pass", detail),
        Err(detail) => ("fail", detail),
    };
    if out.is_json() {
        return out.json(&json!({
            "event": "check", "check": check, "rule": rule, "verdict": word, "detail": detail,
            "duration_ms": took.as_millis(),
        }));
    }
    let shown = if outcome.is_ok() { say!("PASS", "通过") } else { say!("FAIL", "不符") };
    let head = shown.with(&Say::same(format!("  {check:<22}  ")));
    out.say(&head.with(rule))?;
    out.say(&Say::same(" ".repeat(DETAIL)).with(detail))
}

fn try_device(selftest: &Selftest, context: &mut Context) -> Result<Exit, Failure> {
    let port = selftest.port.as_deref();
    let port =
        port.ok_or_else(|| Failure::said(Code::Usage, say!("--port is missing", "缺少 --port")))?;
    let settings = PortSettings::new(port, selftest.baud);
    let power_cuts = selftest.power_cut.unwrap_or(0);
    let options = Options { overwrite: selftest.overwrite, lock: selftest.lock, power_cuts };
    let now = context.now();
    let out = &mut context.out;
    let mut told = Ok(());
    let summary = app::selftest::run(settings, options, now, &mut |notice| {
        if told.is_ok() {
            told = tell(notice, out);
        }
    })?;
    told?;
    tell_summary(&summary, options, out)?;
    match summary.failed + summary.not_run {
        0 => Ok(Exit::Done),
        _ => Ok(Exit::NotAll),
    }
}

fn tell(notice: Notice<'_>, out: &mut Output) -> Result<(), Failure> {
    match notice {
        Notice::Finding(finding) => tell_finding(finding, out),
        Notice::Instruction { round, rounds, text } if out.is_json() => out.json(&json!({
            "event": "instruction", "round": round, "rounds": rounds, "text": text.english,
        })),
        Notice::Instruction { round, rounds, text } => {
            let now = say!("NOW   {round} of {rounds}", "现在  第 {round} 次，共 {rounds} 次");
            out.say(&now.then(&text.into()))
        }
    }
}

fn tell_finding(finding: &Finding, out: &mut Output) -> Result<(), Failure> {
    let Finding { check, section, rule, verdict, took } = finding;
    let (word, detail) = match verdict {
        Verdict::Pass(note) => ("pass", note.clone()),
        Verdict::Fail(how) => ("fail", Some(how.clone())),
        Verdict::Skipped(why) => ("skipped", Some((*why).into())),
    };
    if out.is_json() {
        return out.json(&json!({
            "event": "check", "check": check, "section": section, "rule": rule.english,
            "verdict": word, "detail": detail, "duration_ms": took.as_millis(),
        }));
    }
    let shown = match verdict {
        Verdict::Pass(_) => say!("PASS", "通过"),
        Verdict::Fail(_) => say!("FAIL", "不符"),
        Verdict::Skipped(_) => say!("skip", "跳过"),
    };
    let head = shown.with(&Say::same(format!("  {check:<22}  "))).with(&section_said(section));
    out.say(&head.then(&(*rule).into()))?;
    match detail {
        Some(detail) => out.say(&Say::same(" ".repeat(DETAIL)).with(&detail)),
        None => Ok(()),
    }
}

/// A section of `docs/protocol.md`, whose titles are in English.
fn section_said(section: &str) -> Say {
    let number = section.split(' ').next().unwrap_or_default();
    say!("{section}", "第 {number} 节")
}

fn tell_summary(summary: &Summary, options: Options, out: &mut Output) -> Result<(), Failure> {
    let Summary { passed, failed, skipped, not_run } = *summary;
    let not_asked = not_asked(options);
    let not_shown = not_shown(options);
    if out.is_json() {
        return out.json(&json!({
            "event": "summary", "passed": passed, "failed": failed, "skipped": skipped,
            "not_run": not_run, "not_asked_for": not_asked, "not_shown": not_shown,
        }));
    }
    out.say(&say!(
        "{passed} passed, {failed} failed, {skipped} skipped",
        "通过 {passed}，不符 {failed}，跳过 {skipped}"
    ))?;
    if not_run > 0 {
        out.say(&say!(
            "{not_run} were not run: the device answers nothing any more",
            "未运行 {not_run}：设备不再应答"
        ))?;
    }
    for what in not_shown {
        out.say(&say!("not shown", "没有证明").then(&what))?;
    }
    match not_asked.is_empty() {
        true => Ok(()),
        false => out.say(&say!("not asked for", "没有要求").then(&Say::same(not_asked.join(", ")))),
    }
}

/// What all these checks together do not show.
fn not_shown(options: Options) -> Vec<Say> {
    let power = say!(
        "that what it holds outlives its power, and that a boot hashes it: --power-cut",
        "断电后内容仍在，启动时会校验哈希：--power-cut"
    );
    let wiped = say!(
        "that what is wiped is gone from the medium: read the flash",
        "擦除的内容已从介质上消失：请读取闪存"
    );
    let all = [(power, options.power_cuts == 0), (wiped, true)];
    all.into_iter().filter(|(_, missing)| *missing).map(|(what, _)| what).collect()
}

/// What a run leaves out unless it is asked for, by its option.
fn not_asked(options: Options) -> Vec<&'static str> {
    let all = [("--lock", options.lock), ("--power-cut", options.power_cuts > 0)];
    all.into_iter().filter(|(_, asked)| !asked).map(|(option, _)| option).collect()
}
