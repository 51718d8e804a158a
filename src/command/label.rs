//! `station label …`

use serde_json::json;

use super::context::Context;
use super::person::{person, reason};
use super::story::said_of_label;
use crate::app::from_config;
use crate::app::label::{self, Card, Desk, Told};
use crate::app::one_scan::OneScan;
use crate::cli::LabelCommand;
use crate::config::{Config, ScannerKind};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{OperatorId, Serial, SlotName, WorkOrderId};
use crate::domain::labelling::{Delivery, LabelRow, LabelState};
use crate::domain::say::Say;
use crate::domain::text::escaped;
use crate::ledger::{Ledger, Reader};
use crate::say;
use crate::shell::{Exit, Failure};
use crate::text::label_state_said;

/// Does what `station label …` says.
pub(super) fn run(command: LabelCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    match command {
        LabelCommand::Print { serial, by } => print(&config, &serial, None, by, context),
        LabelCommand::Reprint { serial, reason: text, by } => {
            print(&config, &serial, Some(reason(&text)?), by, context)
        }
        LabelCommand::Read { serial, text, by } => {
            let scan = scanned(&config, text.as_deref())?;
            read(&config, serial.as_ref(), &scan, by, context)
        }
        LabelCommand::List => list(&config, context),
        LabelCommand::Badge { id } => badge(&config, &id, context),
        LabelCommand::Slot { name } => slot(&config, &name, context),
        LabelCommand::Sheet { work_order } => sheet(&config, &work_order, context),
    }
}

/// The desk, and the ledger that must live as long.
fn desk(config: &Config, context: &Context) -> Result<(Ledger, Desk), Failure> {
    label::settings(config)?;
    let ledger = from_config::open_existing_ledger(config, &context.clock())?;
    let desk = Desk::new(config, ledger.reader()?, ledger.writer())?;
    Ok((ledger, desk))
}

fn print(
    config: &Config,
    serial: &Serial,
    reason: Option<String>,
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let (_ledger, desk) = desk(config, context)?;
    let told = desk.prepare(serial).and_then(|job| desk.send(&job, reason, person(by)));
    let told = told.map_err(Failure::from)?;
    tell(config, serial, &told, context)?;
    Ok(if told.delivery == Delivery::Sent { Exit::Done } else { Exit::NotAll })
}

fn tell(
    config: &Config,
    serial: &Serial,
    told: &Told,
    context: &mut Context,
) -> Result<(), Failure> {
    let printer = label::settings(config)?.printer.to_string();
    let outcome = match told.delivery {
        Delivery::Sent => say!("sent", "已发送"),
        Delivery::NotSent => say!("not-sent", "未发送"),
        Delivery::Unclear => say!("unclear", "不明"),
    };
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "label",
            "serial": serial,
            "copy": told.copy,
            "outcome": outcome,
            "printer": printer,
            "digest": told.digest,
            "code": told.trouble.as_ref().map(|fault| fault.code),
            "message": told.trouble.as_ref().map(|fault| &fault.detail),
            "older_to_take_back": told.has_older,
        }))?,
        false => {
            let label = say!("label {} of {serial}", "{serial} 的标签 {}", told.copy);
            let printer = say!(", {printer}", "，{printer}");
            context.out.say(&label.then(&outcome).with(&printer))?;
        }
    }
    if told.has_older {
        let what = say!(
            "take the older label of {serial} back: the unit was burned anew",
            "收回 {serial} 的旧标签：该单元已重新烧录"
        );
        warn(Code::LabelStale, what, context);
    }
    if let Some(fault) = &told.trouble {
        Failure::from(fault).print(context.color);
    }
    Ok(())
}

fn warn(code: Code, what: Say, context: &Context) {
    crate::shell::warn(&Fault::said(code, what), context.color);
}

/// The scan that is given, or one of the scanner of station.toml.
fn scanned(config: &Config, text: Option<&std::ffi::OsStr>) -> Result<OneScan, Failure> {
    match (text, &config.scanner.port) {
        (Some(text), _) => Ok(OneScan::of_text(&config.scanner, text)),
        (None, Some(port)) if config.scanner.kind == ScannerKind::Serial => {
            OneScan::of_port(&config.scanner, &port.to_string())
        }
        (None, _) => OneScan::of_keyboard(&config.scanner),
    }
}

fn read(
    config: &Config,
    serial: Option<&Serial>,
    scan: &OneScan,
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let (_ledger, desk) = desk(config, context)?;
    let found = desk.read_back(&scan.text(), serial, person(by)).map_err(Failure::from)?;
    let state = if found.wrong.is_some() { LabelState::Wrong } else { LabelState::Right };
    let outcome = label_state_said(state);
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "label",
            "serial": found.serial,
            "outcome": outcome,
            "code": found.wrong.as_ref().map(|fault| fault.code),
            "message": found.wrong.as_ref().map(|fault| &fault.detail),
        }))?,
        false => {
            let label = say!("label of {}", "{} 的标签", found.serial);
            context.out.say(&label.then(&outcome))?;
        }
    }
    match &found.wrong {
        None => Ok(Exit::Done),
        Some(fault) => {
            Failure::from(fault).print(context.color);
            Ok(Exit::NotAll)
        }
    }
}

fn list(config: &Config, context: &mut Context) -> Result<Exit, Failure> {
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    for label in reader.open_labels()? {
        let LabelRow { serial, copy, state, message, changed_at, .. } = label;
        match context.out.is_json() {
            true => context.out.json(&json!({
                "serial": serial, "copy": copy, "state": state, "message": message,
                "changed_at": changed_at.to_string(),
            }))?,
            false => {
                let message = message.map(|message| said_of_label(state, &message));
                let message = message.map(|said| Say::same("  ").with(&said)).unwrap_or_default();
                let label = Say::same(format!("{serial:<24} {copy} "));
                let state = label_state_said(state).padded(8);
                context.out.say(&label.with(&state).with(&message))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn badge(config: &Config, id: &OperatorId, context: &mut Context) -> Result<Exit, Failure> {
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    let known = reader.operator(id, context.now())?;
    let known = known.filter(|row| !row.disabled).ok_or_else(|| {
        Failure::said(
            Code::OperatorUnknown,
            say!("nobody who may work is known as {id}", "没有可以上岗的人登记为 {id}"),
        )
    })?;
    let card = Card {
        title: id.to_string(),
        note: known.role.as_str().to_owned(),
        code: format!("{}{id}", config.station.badge_prefix),
    };
    send(config, "badge", id.as_str(), &card, context)
}

fn slot(config: &Config, name: &SlotName, context: &mut Context) -> Result<Exit, Failure> {
    if !config.slots.iter().any(|slot| slot.name == *name) {
        let what = say!("station.toml has no slot {name}", "station.toml 中没有工位 {name}");
        return Err(Failure::said(Code::ScanSlot, what));
    }
    let card = Card {
        title: name.to_string(),
        note: format!("slot of {}", config.station.id),
        code: format!("slot:{name}"),
    };
    send(config, "slot", name.as_str(), &card, context)
}

/// What the screen takes for a work order that is chosen.
const ORDER_LABEL: &str = "order:";

fn sheet(config: &Config, id: &WorkOrderId, context: &mut Context) -> Result<Exit, Failure> {
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    let row = reader.work_order(id)?.ok_or_else(|| {
        Failure::said(Code::WorkOrderUnknown, say!("there is no work order {id}", "没有工单 {id}"))
    })?;
    let order = &row.work_order;
    let range = order.serial_range.as_ref().map_or_else(String::new, |range| format!(", {range}"));
    let card = Card {
        title: id.to_string(),
        note: escaped(&format!("{} x {}{range}", order.quantity, order.product)),
        code: format!("{ORDER_LABEL}{id}"),
    };
    send(config, "sheet", id.as_str(), &card, context)
}

/// What a card is called.
fn card_said(kind: &str) -> Say {
    let chinese = match kind {
        "badge" => "工牌",
        "slot" => "工位条码",
        _ => "工单卡",
    };
    Say { english: kind.to_owned(), chinese: chinese.to_owned() }
}

fn send(
    config: &Config,
    kind: &'static str,
    name: &str,
    card: &Card,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let trouble = label::send_card(config, &format!("{kind}-{name}"), card)?;
    let outcome = label_state_said(match trouble {
        None => LabelState::Sent,
        Some(_) => LabelState::Unclear,
    });
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "card", "card": kind, "name": name, "outcome": outcome,
            "code": trouble.as_ref().map(|fault| fault.code),
        }))?,
        false => {
            let card = card_said(kind).with(&Say::same(format!(" {name}")));
            context.out.say(&card.then(&outcome))?;
        }
    }
    match &trouble {
        None => Ok(Exit::Done),
        Some(fault) => {
            Failure::from(fault).print(context.color);
            Ok(Exit::NotAll)
        }
    }
}
