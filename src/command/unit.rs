//! `station unit …`

use super::Context;
use super::person::{person, pin_of, reason, record};
use crate::app::adopt;
use crate::cli::{UnitAct, UnitCommand, UnitState};
use crate::config::Config;
use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::{Serial, WorkOrderId};
use crate::domain::local::Zone;
use crate::domain::record::{PersonAct, Record};
use crate::ledger::Reader;
use crate::ledger::states;
use crate::ledger::views::{AttemptStory, CertificateStory, UnitFilter, UnitLine, UnitStory};
use crate::report::{Exit, Failure};

/// Units that are read at a time.
const PAGE: u32 = 500;

/// Does what `station unit …` says.
pub(super) fn run(command: UnitCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    match command {
        UnitCommand::Show { serial } => show(&config, &serial, context)?,
        UnitCommand::List { state, work_order } => list(&config, state, work_order, context)?,
        UnitCommand::Void(act) => change(&config, context, act, false, Record::UnitVoided)?,
        UnitCommand::Rework { act, new_device } => {
            change(&config, context, act, new_device, Record::ReworkAllowed)?;
        }
        UnitCommand::Adopt { slot, reason: text, by } => {
            let serial =
                adopt::run(&config, &slot, reason(&text)?, person(by), |id| pin_of(&config, id))?;
            show(&config, &serial, context)?;
        }
        UnitCommand::Ship(args) => return super::ship::run(&config, args, context),
        UnitCommand::Scrap(act) => change(&config, context, act, false, Record::UnitScrapped)?,
    }
    Ok(Exit::Done)
}

fn change(
    config: &Config,
    context: &mut Context,
    act: UnitAct,
    new_device: bool,
    kind: fn(PersonAct) -> Record,
) -> Result<(), Failure> {
    let UnitAct { serial, reason: text, by } = act;
    let act =
        PersonAct { serial: serial.clone(), reason: reason(&text)?, by: person(by), new_device };
    record(config, context, kind(act))?;
    show(config, &serial, context)
}

fn reader(config: &Config) -> Result<Reader, Failure> {
    Ok(Reader::open(&config.station.data_dir, Some(&config.station.id))?)
}

fn list(
    config: &Config,
    state: Option<UnitState>,
    work_order: Option<WorkOrderId>,
    context: &mut Context,
) -> Result<(), Failure> {
    let reader = reader(config)?;
    let filter = UnitFilter { state: state.map(in_the_ledger), work_order };
    let mut last: Option<Serial> = None;
    loop {
        let page = reader.units(&filter, last.as_ref(), PAGE)?;
        for unit in &page {
            match context.out.is_json() {
                true => context.out.json(unit)?,
                false => context.out.line(line(unit))?,
            }
        }
        match page.into_iter().last() {
            Some(unit) if !context.out.is_gone() => last = Some(unit.serial),
            _ => return Ok(()),
        }
    }
}

fn line(unit: &UnitLine) -> String {
    let UnitLine { serial, state, client_id, certificate_sn } = unit;
    let (serial, client_id) = (serial.as_str(), client_id.as_str());
    let sn = certificate_sn.map_or_else(|| "-".to_owned(), |sn| sn.to_string());
    format!("{serial:<24} {:<10} {client_id:<24} {sn}", state.as_str())
}

const fn in_the_ledger(state: UnitState) -> states::UnitState {
    match state {
        UnitState::Reserved => states::UnitState::Reserved,
        UnitState::Issued => states::UnitState::Issued,
        UnitState::Uncertain => states::UnitState::Uncertain,
        UnitState::Failed => states::UnitState::Failed,
        UnitState::Proven => states::UnitState::Proven,
        UnitState::Registered => states::UnitState::Registered,
        UnitState::Shipped => states::UnitState::Shipped,
        UnitState::Rework => states::UnitState::Rework,
        UnitState::Void => states::UnitState::Void,
        UnitState::Scrapped => states::UnitState::Scrapped,
    }
}

fn show(config: &Config, serial: &Serial, context: &mut Context) -> Result<(), Failure> {
    let story = reader(config)?.unit_story(serial)?.ok_or_else(|| {
        Failure::new(Code::UnitUnknown, format!("the ledger knows no unit {serial}"))
    })?;
    if context.out.is_json() {
        return context.out.json(&story);
    }
    lines(&story, &config.station.zone).into_iter().try_for_each(|line| context.out.line(line))
}

fn lines(story: &UnitStory, zone: &Zone) -> Vec<String> {
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
