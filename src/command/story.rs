//! One unit's whole story, for people or as JSON.

use serde_json::{Value, json};

use super::context::Context;
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::ids::Serial;
use crate::domain::labelling::{LabelRow, LabelState};
use crate::domain::local::Zone;
use crate::domain::say::Say;
use crate::domain::story::ActStory;
use crate::ledger::views::{AttemptStory, CertificateStory, UnitStory};
use crate::ledger::{Reader, states};
use crate::say;
use crate::shell::Failure;
use crate::text::{
    Language, act_said, certificate_word, meaning, named, outcome_word, proof_word,
    registration_word, unit_state_said,
};

pub(super) fn reader(config: &Config) -> Result<Reader, Failure> {
    Ok(Reader::open(&config.station.data_dir, Some(&config.station.id))?)
}

/// Prints the story of the unit with this serial.
pub(super) fn show(config: &Config, serial: &Serial, context: &mut Context) -> Result<(), Failure> {
    let story = reader(config)?.unit_story(serial)?.ok_or_else(|| unknown(serial.as_str()))?;
    if context.out.is_json() {
        return context.out.json(&story);
    }
    lines(&story, &config.station.zone).iter().try_for_each(|line| context.out.say(line))
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::said(
        Code::UnitUnknown,
        say!("the ledger knows no unit {name}", "账本里没有单元 {name}"),
    )
}

pub(super) fn lines(story: &UnitStory, zone: &Zone) -> Vec<Say> {
    let order = match &story.work_order {
        Some(id) => say!("{id}", "工单 {id}"),
        None => say!("no work order", "无工单"),
    };
    let (client_id, since) = (&story.client_id, zone.show(story.created_at));
    let state = unit_state_said(story.state);
    let mut lines = vec![
        Say::same(story.serial.to_string()).then(&state),
        say!("client id {client_id}, ", "客户端 ID {client_id}，")
            .with(&order)
            .with(&say!(", since {since}", "，始于 {since}")),
    ];
    lines.extend(story.attempts.iter().map(|story| attempt(story, zone)));
    lines.extend(story.certificates.iter().map(certificate));
    lines.extend(story.acts.iter().map(|act| person_act(act, zone)));
    lines
}

fn person_act(act: &ActStory, zone: &Zone) -> Say {
    let who = act.operator.as_ref().map_or("-", |operator| operator.as_str());
    let why = act.reason.as_deref().unwrap_or("-");
    let (at, uid) = (zone.show(act.at), act.uid);
    let why = match act.act.as_str() {
        // What denied a unit stands in the journal in English.
        "denied" => recorded(why),
        _ => Say::same(why),
    };
    let done = Say::same(format!("{at} ")).with(&act_said(&act.act));
    done.with(&say!(" by {who} (user {uid})", "，{who}（用户 {uid}）")).then(&why)
}

/// What the ledger has in English alone, as its own words.
fn recorded(text: &str) -> Say {
    say!("{text}", "原文 \"{text}\"")
}

fn attempt(story: &AttemptStory, zone: &Zone) -> Say {
    let AttemptStory { attempt, slot, outcome, .. } = story;
    let at = zone.show(story.started_at);
    let begun =
        say!("attempt {attempt} in slot {slot} at {at}", "第 {attempt} 次尝试，工位 {slot}，{at}");
    let mut text = begun.then(&named(outcome.as_str(), outcome_word(*outcome)));
    let details = story.step.iter().chain(&story.code).map(Say::same).chain(what_was_wrong(story));
    for detail in details {
        text = text.with(&say!(", ", "，")).with(&detail);
    }
    let Some(label) = &story.label else { return text };
    let rule = label.rule.map(|rule| say!(" by rule {rule}", "（规则 {rule}）"));
    text.with(&say!(", label {}", "，标签 {}", label.text)).with(&rule.unwrap_or_default())
}

/// Why an attempt ended; in Chinese what its code means, since the ledger has its own sentence in
/// English.
fn what_was_wrong(story: &AttemptStory) -> Option<Say> {
    let english = story.message.clone()?;
    let code = story.code.as_deref().and_then(|code| code.parse::<Code>().ok());
    Some(match code {
        Some(code) => Say { english, chinese: meaning(code, Language::Chinese).to_owned() },
        None => recorded(&english),
    })
}

/// A label that was printed for it, and what came of it.
pub(super) fn label_line(label: &LabelRow, zone: &Zone) -> Say {
    let LabelRow { copy, state, verify, changed_at, .. } = label;
    let said = match (state, verify) {
        (LabelState::Wanted, _) => say!("is to be printed", "待打印"),
        (LabelState::Asked | LabelState::Unclear, _) => {
            say!("perhaps printed: look for it", "可能已打印：请查找")
        }
        (LabelState::Sent, true) => say!("sent, not scanned back yet", "已发送，尚未扫回"),
        (LabelState::Sent, false) => say!("sent", "已发送"),
        (LabelState::Right, _) => say!("scanned back, right", "已扫回，正确"),
        (LabelState::Wrong, _) => {
            say!("scanned back, wrong: keep the unit", "已扫回，不符：扣留该单元")
        }
    };
    let at = zone.show(*changed_at);
    let text = say!("label {copy}", "标签 {copy}").then(&said).with(&say!(", {at}", "，{at}"));
    let details = [
        label.printer.as_ref().map(|to| say!(", to {to}", "，打印机 {to}")),
        label.reason.as_ref().map(|why| say!(", again because {why}", "，重打原因：{why}")),
        label.message.as_deref().map(|what| say!(", ", "，").with(&said_of_label(*state, what))),
    ];
    details.into_iter().flatten().fold(text, |text, detail| text.with(&detail))
}

/// What was scanned, or what was in the way, which the ledger has in English.
pub(super) fn said_of_label(state: LabelState, message: &str) -> Say {
    match state {
        LabelState::Right | LabelState::Wrong => Say::same(message),
        _ => recorded(message),
    }
}

/// The same as JSON.
pub(super) fn label_json(label: &LabelRow) -> Value {
    json!({
        "copy": label.copy,
        "state": label.state,
        "certificate_sn": label.certificate_sn,
        "verify": label.verify,
        "sha256": label.digest,
        "printer": label.printer,
        "reason": label.reason,
        "message": label.message,
        "changed_at": label.changed_at.to_string(),
    })
}

fn certificate(story: &CertificateStory) -> Say {
    let CertificateStory { certificate_sn, state, registration, .. } = story;
    let proof = match story.proof {
        Some(proof) => named(proof.as_str(), proof_word(proof)),
        None => say!("not proven", "未验证"),
    };
    let origin = match story.origin {
        states::Origin::Issued => Say::default(),
        states::Origin::Adopted => say!(", adopted from its device", "，从设备登记"),
    };
    let cloud = named(registration.state.as_str(), registration_word(registration.state));
    say!("certificate {certificate_sn}", "证书 {certificate_sn}")
        .then(&named(state.as_str(), certificate_word(*state)))
        .with(&say!(", ", "，"))
        .with(&proof)
        .with(&origin)
        .with(&say!(", registration ", "，云端 "))
        .with(&cloud)
}
