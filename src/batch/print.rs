//! A unit as a line: JSON for programs, a sentence for people.

use serde::Serialize;

use crate::domain::certificate::Proof;
use crate::domain::device::Fault;
use crate::domain::event::{LabelReport, Outcome, SlotStatus, UnitReport};
use crate::domain::ids::{CertificateSn, ClientId, Fingerprint, HardwareId, SlotName};
use crate::domain::record::Step;
use crate::domain::text::printable;
use crate::say;
use crate::text::{self, Language};

use super::summary::{Labels, Summary};

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One JSON object a line.
    Json,
    /// Sentences, in colour or not.
    People {
        /// Whether outcomes are coloured.
        color: bool,
        /// In which language.
        language: Language,
    },
}

#[derive(Serialize)]
struct UnitLine<'a> {
    event: &'static str,
    serial: &'a str,
    slot: Option<&'a SlotName>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_sn: Option<&'a CertificateSn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint_sha256: Option<&'a Fingerprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_id: Option<&'a HardwareId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycle_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resumed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    verified: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    uncertain: bool,
}

/// A unit's JSON object, without a line end.
pub fn unit_json(unit: &UnitReport) -> String {
    json("unit", unit)
}

fn json(event: &'static str, unit: &UnitReport) -> String {
    let line = UnitLine {
        event,
        serial: &unit.serial,
        slot: unit.slot.as_ref(),
        outcome: unit.outcome.as_str(),
        step: unit.step,
        code: unit.fault.as_ref().map(|fault| fault.code.as_str()),
        message: unit.fault.as_ref().map(|fault| fault.detail.as_str()),
        client_id: unit.client_id.as_ref(),
        certificate_sn: unit.certificate_sn.as_ref(),
        fingerprint_sha256: unit.fingerprint.as_ref(),
        hardware_id: unit.hardware.as_ref(),
        proof: unit.proof,
        duration_ms: unit.duration_ms,
        cycle_us: unit.cycle_us,
        attempt: unit.attempt,
        resumed: unit.resumed,
        verified: unit.verified,
        uncertain: unit.uncertain,
    };
    // Strings and numbers alone: this serialisation has no way to fail.
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct LabelLine<'a> {
    event: &'static str,
    serial: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    open: u32,
}

/// What came of a label, as a JSON object without a line end.
pub(super) fn label_json(label: &LabelReport) -> String {
    let line = LabelLine {
        event: "label",
        serial: &label.serial,
        outcome: label.outcome.as_str(),
        code: label.fault.as_ref().map(|fault| fault.code.as_str()),
        message: label.fault.as_ref().map(|fault| fault.detail.as_str()),
        open: label.open,
    };
    // As above.
    serde_json::to_string(&line).unwrap_or_default()
}

impl Style {
    pub(super) fn unit(self, unit: &UnitReport) -> String {
        match self {
            Style::Json => unit_json(unit),
            Style::People { color, language } => people(unit, color, language),
        }
    }

    /// A unit that had passed and is to be kept now.
    pub(super) fn denied(self, unit: &UnitReport) -> String {
        match self {
            Style::Json => json("denied", unit),
            Style::People { color, language } => people(unit, color, language),
        }
    }

    pub(super) fn warning(self, fault: &Fault) -> String {
        let told = text::told(fault);
        format!("warning[{}]: {}", fault.code, printable(text::said(&told, self.language())))
    }

    /// Which devices are in the way of the labels that wait.
    pub(super) fn to_be_pulled(self, slots: &[SlotName]) -> String {
        let names: Vec<&str> = slots.iter().map(SlotName::as_str).collect();
        let said = match names.as_slice() {
            [slot] => say!(
                "slot {slot}: pull the device, its unit has ended and a label waits",
                "工位 {slot}：请取出设备，它的单元已结束，有标签在等待"
            ),
            _ => say!(
                "slots {}: pull the devices, their units have ended and a label waits",
                "工位 {}：请取出设备，它们的单元已结束，有标签在等待",
                names.join(", ")
            ),
        };
        text::said(&said, self.language()).to_owned()
    }

    /// The language of sentences; programs read none.
    fn language(self) -> Language {
        match self {
            Style::Json => Language::English,
            Style::People { language, .. } => language,
        }
    }

    /// The sum of a run as a sentence.
    pub fn sum(self, summary: &Summary, duration_ms: u64) -> String {
        let Summary { passed, refused, already_proven, uncertain, labels, .. } = *summary;
        let (failed, interrupted) = summary.settled();
        let (seconds, rest) = (duration_ms / 1000, duration_ms % 1000);
        let said = say!(
            "{passed} passed, {failed} failed, {interrupted} cut off, {refused} refused, \
             {already_proven} proven before, {uncertain} uncertain; {seconds}.{rest:03} s",
            "合格 {passed}，不合格 {failed}，中断 {interrupted}，拒绝 {refused}，\
             以前已合格 {already_proven}，未定 {uncertain}；{seconds}.{rest:03} 秒"
        );
        let labels = labels.map(|Labels { sent, open }| {
            say!("; {sent} labels sent, {open} open", "；标签已发送 {sent}，未完成 {open}")
        });
        text::said(&said.with(&labels.unwrap_or_default()), self.language()).to_owned()
    }

    /// A slot's change, where a person without a screen would want to know it.
    pub(super) fn slot_note(self, slot: &SlotName, status: &SlotStatus) -> Option<String> {
        match status {
            SlotStatus::OutOfService(fault) => {
                let told = text::told(fault);
                let said = say!(
                    "slot {slot} is out of service: {}",
                    "工位 {slot} 停用：{}",
                    printable(text::said(&told, self.language()))
                );
                Some(format!("warning[{}]: {}", fault.code, text::said(&said, self.language())))
            }
            SlotStatus::Empty
            | SlotStatus::Identifying
            | SlotStatus::Ready(_)
            | SlotStatus::Silent(_)
            | SlotStatus::Twice(_)
            | SlotStatus::Busy(_)
            | SlotStatus::Done => None,
        }
    }
}

fn people(unit: &UnitReport, color: bool, language: Language) -> String {
    let slot = unit.slot.as_ref().map_or("-", SlotName::as_str);
    let (word, paint) = match (unit.outcome, unit.uncertain) {
        (Outcome::Pass, _) => ("PASS", "32"),
        (_, true) => ("HOLD", "33"),
        (Outcome::Fail, _) => ("FAIL", "31"),
        (Outcome::Interrupted, _) => ("CUT OFF", "33"),
        (Outcome::Refused, _) if unit.verified => ("PROVEN", "32"),
        (Outcome::Refused, _) => ("REFUSED", "33"),
    };
    let word = match color {
        true => format!("\u{1b}[1;{paint}m{word:<8}\u{1b}[0m"),
        false => format!("{word:<8}"),
    };
    let serial = printable(&unit.serial);
    let rest = match &unit.fault {
        None => format!("{} ms", unit.duration_ms),
        Some(fault) => {
            let told = text::told(fault);
            format!("{} {}", fault.code, printable(text::said(&told, language)))
        }
    };
    format!("{word} {slot:<4} {serial:<24} {rest}")
}
