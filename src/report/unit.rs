//! One unit's story as a page.

use maud::{Markup, html};

use super::layout::{Look, length, outside};
use super::page::in_words;
use crate::domain::clock::Timestamp;
use crate::domain::state::AttemptOutcome;
use crate::domain::story::{AttemptStory, CertificateStory, NamedBy, UnitStory};
use crate::say;
use crate::text::{certificate_word, named_by_word, proof_word, registration_word, unit_word};

/// The whole page of a unit; `found_by` says how it was found, where that was not its serial.
pub fn unit_html(
    story: &UnitStory,
    found_by: Option<NamedBy>,
    look: Look<'_>,
    now: Timestamp,
) -> String {
    let (serial, state) = (story.serial.as_str(), look.word(unit_word(story.state)));
    let title = look.say(say!("Unit {serial}", "单元 {serial}"));
    let since = look.time(story.created_at);
    let below = look.say(say!("{state}, since {since}", "{state}，自 {since}"));
    look.page(
        &title,
        html! {
            (look.header(&title, &below))
            main {
                @if let Some(by) = found_by.map(|by| look.word(named_by_word(by))) {
                    p class="note" { (look.say(say!("Found by its {by}.", "按 {by} 找到。"))) }
                }
                div class="cards" {
                    (facts(story, look))
                    @for certificate in story.certificates.iter().rev() { (certificate_card(certificate, look)) }
                    (attempts(story, look))
                    (acts(story, look))
                }
            }
            (look.footer(now))
        },
    )
}

fn facts(story: &UnitStory, look: Look<'_>) -> Markup {
    html! {
        section class="card sheet" {
            h2 { (look.say(say!("Unit", "单元"))) }
            dl {
                dt { (look.say(say!("Serial", "序列号"))) } dd class="code" { (outside(story.serial.as_str())) }
                dt { (look.say(say!("State", "状态"))) } dd { b { (look.word(unit_word(story.state))) } }
                dt { (look.say(say!("Client id", "客户端 ID"))) } dd class="code" { (outside(story.client_id.as_str())) }
                dt { (look.say(say!("Work order", "工单"))) }
                dd { @match &story.work_order { Some(id) => (outside(id.as_str())), None => "–" } }
                dt { (look.say(say!("Attempts", "处理次数"))) } dd { (story.attempts.len()) }
            }
        }
    }
}

fn certificate_card(story: &CertificateStory, look: Look<'_>) -> Markup {
    html! {
        section class="card sheet" {
            h2 { (look.say(say!("Certificate", "证书"))) }
            dl {
                dt { (look.say(say!("Number", "编号"))) } dd class="code" { (story.certificate_sn) }
                dt { "SHA-256" } dd class="code" { (story.fingerprint_sha256) }
                dt { (look.say(say!("State", "状态"))) } dd { b { (look.word(certificate_word(story.state))) } }
                dt { (look.say(say!("Proof", "证明方式"))) } dd { (story.proof.map_or("–", |proof| look.word(proof_word(proof)))) }
                dt { (look.say(say!("Valid", "有效期"))) } dd { (look.time(story.not_before)) " – " (look.time(story.not_after)) }
                dt { (look.say(say!("Registration", "云端注册"))) }
                dd { (look.word(registration_word(story.registration.state))) @if let Some(at) = story.registration.registered_at { ", " (look.time(at)) } }
                @if let Some(error) = &story.registration.last_error { dt { (look.say(say!("Last error", "最近的错误"))) } dd { (outside(error)) } }
            }
        }
    }
}

fn attempts(story: &UnitStory, look: Look<'_>) -> Markup {
    html! {
        section class="card wide long" {
            h2 { (look.say(say!("Attempts", "处理经过"))) }
            div class="scroll" { table {
                thead { tr {
                    th class="n" { "#" }
                    th { (look.say(say!("Began", "开始"))) }
                    th class="n" { (look.say(say!("Took", "用时"))) }
                    th { (look.say(say!("Slot", "工位"))) }
                    th { (look.say(say!("Person", "人员"))) }
                    th { (look.say(say!("Device", "设备"))) }
                    th { (look.say(say!("Outcome", "结果"))) }
                } }
                tbody { @for attempt in &story.attempts { (attempt_row(attempt, look)) } }
            } }
        }
    }
}

fn attempt_row(attempt: &AttemptStory, look: Look<'_>) -> Markup {
    let took = attempt.ended_at.map(|ended| length(ended.milliseconds_since(attempt.started_at)));
    let outcome = look.say(match attempt.outcome {
        AttemptOutcome::Pass => say!("passed", "合格"),
        AttemptOutcome::Fail => say!("failed", "不合格"),
        AttemptOutcome::Interrupted => say!("cut off", "中断"),
        AttemptOutcome::Running => say!("has no end yet", "尚未结束"),
    });
    html! {
        tr {
            td class="n" { (attempt.attempt) }
            td { (look.time(attempt.started_at)) }
            td class="n" { (took.unwrap_or_default()) }
            td { (outside(attempt.slot.as_str())) }
            td { @if let Some(operator) = &attempt.operator { (outside(operator.as_str())) } }
            td class="code" { @if let Some(device) = &attempt.hardware { (outside(&device.to_string())) } }
            td {
                b { (outcome) }
                @if let Some(code) = &attempt.code {
                    ": " (in_words(code, look)) " " span class="code dim" { (outside(code)) }
                }
                @if let Some(message) = &attempt.message { br; span class="dim" { (outside(message)) } }
                @if let Some(label) = &attempt.label { br; span class="code dim" { (outside(&label.text)) } }
            }
        }
    }
}

fn acts(story: &UnitStory, look: Look<'_>) -> Markup {
    html! {
        @if !story.acts.is_empty() {
            section class="card wide long" {
                h2 { (look.say(say!("What persons did", "人员操作"))) }
                table { tbody { @for act in &story.acts {
                    tr {
                        td { (look.time(act.at)) }
                        td { (outside(&act.act)) }
                        td { @if let Some(operator) = &act.operator { (outside(operator.as_str())) } }
                        td { @if let Some(reason) = &act.reason { (outside(reason)) } }
                    }
                } } }
            }
        }
    }
}
