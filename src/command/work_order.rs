//! `station work-order …`

use std::path::Path;

use serde_json::{Value, json};

use super::context::Context;
use super::grants;
use super::person::{person, reason, record};
use crate::app::report_of::no_order;
use crate::cli::{NewWorkOrder, WorkOrderCommand};
use crate::config::Config;
use crate::domain::cause::Told;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::grant::GrantRow;
use crate::domain::ids::{HardwareId, WorkOrderId};
use crate::domain::operators::ProfileAccepted;
use crate::domain::record::{Record, WorkOrderAct, WorkOrderCreated};
use crate::domain::say::Say;
use crate::domain::work_order::{WorkOrder, WorkOrderRow};
use crate::domain::{bounds, list};
use crate::ledger::Reader;
use crate::say;
use crate::shell::{Exit, Failure};

/// Work orders that are read at a time.
const PAGE: u32 = 500;

/// Does what `station work-order …` says.
pub(super) fn run(command: WorkOrderCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    match command {
        WorkOrderCommand::Create(new) => create(&config, *new, context)?,
        WorkOrderCommand::List => list(&config, context)?,
        WorkOrderCommand::Show { id } => show(&config, &id, context)?,
        WorkOrderCommand::AcceptProfile { id, reason: text, by } => {
            let accepted = ProfileAccepted {
                work_order: id.clone(),
                profile: config.profile_digest()?,
                reason: reason(&text)?,
                by: person(by),
            };
            record(&config, context, Record::ProfileAccepted(accepted))?;
            show(&config, &id, context)?;
        }
        WorkOrderCommand::Key(command) => super::order_key::run(command, &config, context)?,
        WorkOrderCommand::Sign(new) => grants::sign(&config, *new, context)?,
        WorkOrderCommand::Take { file: Some(file), by, .. } => {
            let id = grants::take(&config, &file, by, context)?;
            show(&config, &id, context)?;
        }
        WorkOrderCommand::Take { file: None, by, .. } => {
            let (taken, refused) = grants::take_from_fleet(&config, by.as_ref(), context)?;
            for id in taken {
                show(&config, &id, context)?;
            }
            refused.map_or(Ok(()), Err)?;
        }
        WorkOrderCommand::GiveBack(asked) => grants::give_back(&config, *asked, context)?,
        WorkOrderCommand::Verify { file, ca } => {
            grants::verify(&config, &file, ca.as_deref(), context)?;
        }
        WorkOrderCommand::Close { id, by } => {
            let act = WorkOrderAct { work_order: id.clone(), by: person(by) };
            record(&config, context, Record::WorkOrderClosed(act))?;
            show(&config, &id, context)?;
            if config.cloud.is_some() {
                super::ship::report(&config, &id, context)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn create(config: &Config, new: NewWorkOrder, context: &mut Context) -> Result<(), Failure> {
    let hardware_ids = match &new.hardware_ids {
        Some(path) => hardware_ids(path)?,
        None => Vec::new(),
    };
    let work_order = WorkOrder {
        id: new.id.clone(),
        product: config.product.name.clone(),
        quantity: new.quantity,
        serial_pattern: new.serial_pattern.map(|pattern| pattern.as_str().to_owned()),
        serial_range: new.serial_range,
        check_character: new.check_character.unwrap_or(config.product.check_character),
        hardware_ids,
        profile: config.profile_digest()?,
    };
    let created = WorkOrderCreated { work_order, by: person(new.by) };
    record(config, context, Record::WorkOrderCreated(created))?;
    show(config, &new.id, context)
}

/// One hardware id a line, in hexadecimal or an IMEI; empty lines are passed over.
fn hardware_ids(path: &Path) -> Result<Vec<HardwareId>, Failure> {
    let text = bounds::open(path).and_then(|file| list::read(file, bounds::LIST));
    let text = text.map_err(|error| {
        let what = say!(
            "the hardware ids can't be read from {}",
            "无法从 {} 读取设备编号",
            path.display()
        );
        Failure::said(Code::Input, what).caused_by(&error)
    })?;
    let lines =
        text.lines().map(str::trim).enumerate().filter(|(_, line)| !list::is_empty_row(line));
    let ids = lines.map(|(index, line)| {
        HardwareId::from_label(line).map_err(|error| {
            let what =
                say!("{}:{} is no hardware id", "{}:{} 不是设备编号", path.display(), index + 1);
            Failure::said(Code::Input, what).caused_by(&error.sentence())
        })
    });
    let ids: Vec<HardwareId> = ids.collect::<Result<_, _>>()?;
    match ids.is_empty() {
        true => Err(Failure::said(
            Code::Input,
            say!("{} holds no hardware id", "{} 里没有设备编号", path.display()),
        )),
        false => Ok(ids),
    }
}

fn reader(config: &Config) -> Result<Reader, Failure> {
    Ok(Reader::open(&config.station.data_dir, Some(&config.station.id))?)
}

fn list(config: &Config, context: &mut Context) -> Result<(), Failure> {
    let reader = reader(config)?;
    let mut last: Option<WorkOrderId> = None;
    loop {
        let page = reader.work_orders(last.as_ref(), PAGE)?;
        for row in &page {
            print(row, &reader.grants(&row.work_order.id)?, context)?;
        }
        match page.into_iter().last() {
            Some(row) if !context.out.is_gone() => last = Some(row.work_order.id),
            _ => return Ok(()),
        }
    }
}

fn show(config: &Config, id: &WorkOrderId, context: &mut Context) -> Result<(), Failure> {
    let reader = reader(config)?;
    let row = reader.work_order(id)?.ok_or_else(|| no_order(id.as_str()))?;
    print(&row, &reader.grants(id)?, context)
}

fn print(row: &WorkOrderRow, granted: &[GrantRow], context: &mut Context) -> Result<(), Failure> {
    let now = context.now();
    if context.out.is_json() {
        return context.out.json(&as_json(row, granted, now));
    }
    context.out.say(&in_words(row))?;
    let mut lines = granted.iter().map(|grant| grants::row_in_words(grant, now));
    lines.try_for_each(|line| context.out.say(&line))
}

fn as_json(row: &WorkOrderRow, granted: &[GrantRow], now: Timestamp) -> Value {
    let WorkOrderRow { work_order, closed, proven, open } = row;
    json!({
        "id": work_order.id,
        "state": state(*closed),
        "product": work_order.product,
        "quantity": work_order.quantity,
        "proven": proven,
        "under_way": open,
        "serial_pattern": work_order.serial_pattern,
        "serial_range": work_order.serial_range,
        "check_character": work_order.check_character,
        "hardware_ids": work_order.hardware_ids,
        "profile": work_order.profile,
        "grants": grants::rows_as_json(granted, now),
        // Units that may still begin under them; none where the order has no grants.
        "grant_left": (!granted.is_empty()).then(|| grants::left(granted, now)),
    })
}

const fn state(closed: bool) -> &'static str {
    match closed {
        true => "closed",
        false => "open",
    }
}

fn in_words(row: &WorkOrderRow) -> Say {
    let WorkOrderRow { work_order: WorkOrder { id, product, quantity, .. }, .. } = row;
    let (id, proven, open) = (id.as_str(), row.proven, row.open);
    let chinese = if row.closed { "已关闭" } else { "未关闭" };
    let state = Say { english: state(row.closed).to_owned(), chinese: chinese.to_owned() };
    Say::same(format!("{id:<20} ")).with(&state.padded(7)).with(&say!(
        " {product}: {proven} of {quantity} proven, {open} under way",
        " {product}：已验证 {proven}/{quantity}，处理中 {open}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_hardware_id_names_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ids");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            hardware_ids(&path)
        };
        assert_eq!(read("00112233\n\n  aabbccdd\r\n").unwrap().len(), 2);
        let failure = read("00112233\nxyz\n").unwrap_err();
        assert!(failure.what.ends_with("ids:2 is no hardware id"), "{failure}");
        assert_eq!(read("\n").unwrap_err().code, Code::Input);
        assert_eq!(hardware_ids(Path::new("/nowhere")).unwrap_err().code, Code::Input);
    }
}
