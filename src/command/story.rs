//! One unit's whole story, for people or as JSON.

use serde_json::{Value, json};

use super::context::Context;
use crate::config::Config;
use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::{Serial, WorkOrderId};
use crate::domain::labelling::{LabelRow, LabelState};
use crate::domain::local::Zone;
use crate::ledger::views::{AttemptStory, CertificateStory, UnitStory};
use crate::ledger::{Reader, states};
use crate::say;
use crate::shell::Failure;

pub(super) fn reader(config: &Config) -> Result<Reader, Failure> {
    Ok(Reader::open(&config.station.data_dir, Some(&config.station.id))?)
}

/// Prints the story of the unit with this serial.
pub(super) fn show(config: &Config, serial: &Serial, context: &mut Context) -> Result<(), Failure> {
    let story = reader(config)?.unit_story(serial)?.ok_or_else(|| unknown(serial.as_str()))?;
    if context.out.is_json() {
        return context.out.json(&story);
    }
    lines(&story, &config.station.zone).into_iter().try_for_each(|line| context.out.line(line))
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::said(
        Code::UnitUnknown,
        say!("the ledger knows no unit {name}", "账本里没有单元 {name}"),
    )
}

pub(super) fn lines(story: &UnitStory, zone: &Zone) -> Vec<String> {
    let work_order = story.work_order.as_ref().map_or("no work order", WorkOrderId::as_str);
    let mut lines = vec![
        format!("{}: {}", story.serial, story.state),
        format!(
            "client id {}, {work_order}, since {}",
            story.client_id,
            zone.show(story.created_at)
        ),
    ];
    lines.extend(story.attempts.iter().map(|story| attempt(story, zone)));
    lines.extend(story.certificates.iter().map(certificate));
    lines.extend(story.acts.iter().map(|act| {
        let who = act.operator.as_ref().map_or("-", |operator| operator.as_str());
        let why = act.reason.as_deref().unwrap_or("-");
        format!("{} {} by {who} (user {}): {why}", zone.show(act.at), act.act, act.uid)
    }));
    lines
}

fn attempt(story: &AttemptStory, zone: &Zone) -> String {
    let mut text = format!(
        "attempt {} in slot {} at {}: {}",
        story.attempt,
        story.slot,
        zone.show(story.started_at),
        story.outcome
    );
    let details = [&story.step, &story.code, &story.message];
    for detail in details.into_iter().flatten() {
        text.push_str(", ");
        text.push_str(detail);
    }
    if let Some(label) = &story.label {
        let rule = label.rule.map_or(String::new(), |rule| format!(" by rule {rule}"));
        text.push_str(&format!(", label {}{rule}", label.text));
    }
    text
}

/// A label that was printed for it, and what came of it.
pub(super) fn label_line(label: &LabelRow, zone: &Zone) -> String {
    let LabelRow { copy, state, verify, changed_at, .. } = label;
    let said = match (state, verify) {
        (LabelState::Wanted, _) => "is to be printed",
        (LabelState::Asked | LabelState::Unclear, _) => "perhaps printed: look for it",
        (LabelState::Sent, true) => "sent, not scanned back yet",
        (LabelState::Sent, false) => "sent",
        (LabelState::Right, _) => "scanned back, right",
        (LabelState::Wrong, _) => "scanned back, wrong: keep the unit",
    };
    let mut text = format!("label {copy}: {said}, {}", zone.show(*changed_at));
    let details = [("to", &label.printer), ("again because", &label.reason), ("", &label.message)];
    for (name, detail) in details {
        if let Some(detail) = detail {
            text.push_str(&format!(", {name}{}{detail}", if name.is_empty() { "" } else { " " }));
        }
    }
    text
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

const fn state_of(story: &CertificateStory) -> &'static str {
    match story.state {
        CertificateState::Issued => "issued",
        CertificateState::Uncertain => "uncertain",
        CertificateState::Proven => "proven",
        CertificateState::Superseded => "superseded",
        CertificateState::Void => "void",
    }
}

fn certificate(story: &CertificateStory) -> String {
    let proof = story.proof.map_or("not proven", |proof| proof.as_str());
    let origin = match story.origin {
        states::Origin::Issued => "",
        states::Origin::Adopted => ", adopted from its device",
    };
    format!(
        "certificate {}: {}, {proof}{origin}, registration {}",
        story.certificate_sn,
        state_of(story),
        story.registration.state
    )
}
