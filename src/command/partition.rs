//! `station unit show --partition`: what the chip in a slot holds, but its key.

use serde::Serialize;

use super::context::Context;
use super::find;
use super::story::reader;
use crate::app::partition::{self, Partition};
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::esp::EspEntry;
use crate::domain::ids::{AnyName, Fingerprint, HardwareId, SlotName};
use crate::say;
use crate::shell::Failure;

#[derive(Serialize)]
struct Shown<'a> {
    slot: &'a SlotName,
    hardware_id: &'a HardwareId,
    model: &'a str,
    /// Of the client certificate, where the identity is whole.
    fingerprint_sha256: Option<Fingerprint>,
    entries: Vec<ShownEntry<'a>>,
}

#[derive(Serialize)]
struct ShownEntry<'a> {
    offset: String,
    name: &'a str,
    length: u32,
    /// Only where it is a text, and none of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// Prints what is in the partition; with a unit, only where its identity is there.
pub(super) fn show(
    config: &Config,
    any: Option<&AnyName>,
    slot: &SlotName,
    context: &mut Context,
) -> Result<(), Failure> {
    let found = partition::read(config, slot)?;
    if let Some(any) = any {
        is_of(config, any, &found)?;
    }
    let Partition { seen, entries } = &found;
    if context.out.is_json() {
        return context.out.json(&Shown {
            slot,
            hardware_id: &seen.hardware,
            model: &seen.model,
            fingerprint_sha256: seen.holds.map(|held| held.certificate),
            entries: entries.iter().map(shown).collect(),
        });
    }
    let (hardware, model) = (&seen.hardware, &seen.model);
    context
        .out
        .say(&say!("{model} {hardware} in slot {slot}", "{model} {hardware}，工位 {slot}"))?;
    if entries.is_empty() {
        return context.out.say(&say!("its partition holds nothing", "它的分区是空的"));
    }
    for entry in entries {
        let EspEntry { at, name, length, text } = entry;
        context
            .out
            .say(&say!("{at:#x} {name}, {length} bytes", "{at:#x} {name}，{length} 字节"))?;
        for line in text.iter().flat_map(|text| text.lines()) {
            context.out.line(format_args!("    {}", line.escape_debug()))?;
        }
    }
    Ok(())
}

fn shown(entry: &EspEntry) -> ShownEntry<'_> {
    ShownEntry {
        offset: format!("{:#x}", entry.at),
        name: &entry.name,
        length: entry.length,
        text: entry.text.as_deref(),
    }
}

/// Holds what was found against the certificates of a unit.
fn is_of(config: &Config, any: &AnyName, found: &Partition) -> Result<(), Failure> {
    let reader = reader(config)?;
    let serial = find::one(&reader, any.as_str())?.serial;
    let held = found.seen.holds.map(|held| held.certificate);
    let story = reader.unit_story(&serial)?;
    let certificates = story.iter().flat_map(|story| &story.certificates);
    let fingerprints = certificates.map(|certificate| certificate.fingerprint_sha256);
    match held.is_some_and(|held| fingerprints.into_iter().any(|known| known == held)) {
        true => Ok(()),
        false => {
            let hardware = &found.seen.hardware;
            let what = say!(
                "chip {hardware} holds no identity of unit {serial}",
                "芯片 {hardware} 里没有单元 {serial} 的身份"
            );
            Err(Failure::said(Code::DevOtherLabel, what))
        }
    }
}
