//! `station unit show` and `unit list`: units by whatever a person has at hand.

use serde::Serialize;
use serde_json::Value;

use super::context::Context;
use super::filter::of;
use super::story::{label_json, label_line, lines, reader, unknown};
use crate::cli::UnitList;
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::ids::Serial;
use crate::domain::say::Say;
use crate::ledger::Reader;
use crate::ledger::views::{FoundUnit, NamedBy, UnitFilter, UnitLine};
use crate::say;
use crate::shell::Failure;
use crate::text::{named, named_by_word, unit_state_said};

/// Units that are read at a time.
const PAGE: u32 = 500;

/// Units that are named where one text means several.
const NAMED: u32 = 5;

/// Units that a list by name holds: whoever wants more has typed too little.
const LISTED: u32 = 10_000;

#[derive(Serialize)]
struct Found<'a, T> {
    #[serde(flatten)]
    unit: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<Value>>,
    found_by: NamedBy,
}

/// Shows the one unit that a text names.
pub(super) fn show(config: &Config, text: &str, context: &mut Context) -> Result<(), Failure> {
    let reader = reader(config)?;
    let unit = &one(&reader, text)?;
    let story = reader.unit_story(&unit.serial)?.ok_or_else(|| unknown(text))?;
    let labels = reader.labels_of(&unit.serial)?;
    if context.out.is_json() {
        let labels = Some(labels.iter().map(label_json).collect());
        return context.out.json(&Found { unit: &story, labels, found_by: unit.by });
    }
    if unit.by != NamedBy::Serial || !unit.whole {
        context.out.say(&say!("found by ", "查找依据：").with(&how(unit)))?;
    }
    let zone = &config.station.zone;
    let of_labels = labels.iter().map(|label| label_line(label, zone));
    let mut shown = lines(&story, zone).into_iter().chain(of_labels);
    shown.try_for_each(|line| context.out.say(&line))
}

/// The one unit that a text names.
pub(super) fn one(reader: &Reader, text: &str) -> Result<FoundUnit, Failure> {
    let mut found = reader.find(text, NAMED)?;
    match found.len() {
        1 => found.pop().ok_or_else(|| unknown(text)),
        0 => Err(unknown(text)),
        _ => Err(ambiguous(text, &found)),
    }
}

fn how(unit: &FoundUnit) -> Say {
    let by = named(unit.by.in_words(), named_by_word(unit.by));
    match unit.whole {
        true => by,
        false => say!("the beginning of its ", "").with(&by).with(&say!("", "的开头")),
    }
}

fn ambiguous(text: &str, several: &[FoundUnit]) -> Failure {
    let name = |unit: &FoundUnit| format!("{} (by {})", unit.serial, unit.by.in_words());
    let shown = several.iter().take(NAMED as usize).map(name).collect::<Vec<_>>().join(", ");
    let more = if several.len() > NAMED as usize { " and more" } else { "" };
    let what =
        say!("{text:?} names several units: {shown}{more}", "{text:?} 对应几个单元：{shown}{more}");
    let help = say!(
        "write more of it, or list them: station unit list {text}",
        "多写几位，或列出它们：station unit list {text}"
    );
    Failure::said(Code::Usage, what).with_help(help)
}

/// Lists the units that pass what was asked for.
pub(super) fn list(
    config: &Config,
    wanted: UnitList,
    context: &mut Context,
) -> Result<(), Failure> {
    let any = wanted.any.clone();
    let filter = of(config, wanted.filters)?;
    match any {
        Some(any) => list_named(config, any.as_str(), &filter, context),
        None => list_all(config, &filter, context),
    }
}

fn list_named(
    config: &Config,
    text: &str,
    filter: &UnitFilter,
    context: &mut Context,
) -> Result<(), Failure> {
    let reader = reader(config)?;
    let found = reader.find(text, LISTED)?;
    if found.len() > LISTED as usize {
        let what =
            say!("{text:?} names more than {LISTED} units", "{text:?} 对应的单元超过 {LISTED} 个");
        return Err(
            Failure::said(Code::Usage, what).with_help(say!("write more of it", "多写几位"))
        );
    }
    for unit in &found {
        let Some(line) = reader.unit_line(&unit.serial, filter)? else { continue };
        match context.out.is_json() {
            true => context.out.json(&Found { unit: &line, labels: None, found_by: unit.by })?,
            false => {
                let by = say!("  by ", "  依据：").with(&how(unit));
                context.out.say(&in_words(&line).with(&by))?;
            }
        }
    }
    Ok(())
}

fn list_all(config: &Config, filter: &UnitFilter, context: &mut Context) -> Result<(), Failure> {
    let reader = reader(config)?;
    let mut last: Option<Serial> = None;
    loop {
        let page = reader.units(filter, last.as_ref(), PAGE)?;
        for unit in &page {
            match context.out.is_json() {
                true => context.out.json(unit)?,
                false => context.out.say(&in_words(unit))?,
            }
        }
        match page.into_iter().last() {
            Some(unit) if !context.out.is_gone() => last = Some(unit.serial),
            _ => return Ok(()),
        }
    }
}

fn in_words(unit: &UnitLine) -> Say {
    let UnitLine { serial, state, client_id, certificate_sn } = unit;
    let (serial, client_id) = (serial.as_str(), client_id.as_str());
    let sn = certificate_sn.map_or_else(|| "-".to_owned(), |sn| sn.to_string());
    let state = unit_state_said(*state).padded(10);
    Say::same(format!("{serial:<24} "))
        .with(&state)
        .with(&Say::same(format!(" {client_id:<24} {sn}")))
}
