//! `station unit ship`, and what `station work-order close` says of units that may not leave.

use std::path::Path;

use serde_json::json;

use super::context::Context;
use super::person::person;
use crate::app::ship::{self, Asking, Passed, Shipment};
use crate::cli::Ship;
use crate::config::Config;
use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{IdError, Serial, WorkOrderId};
use crate::domain::say::Say;
use crate::domain::{bounds, list};
use crate::ledger::Reader;
use crate::ledger::outbox::Gate;
use crate::say;
use crate::shell::{self, Exit, Failure};

/// Units of a work order that are judged at a time.
const PAGE: u32 = 500;

/// Does what `station unit ship` says.
pub(super) fn run(config: &Config, args: Ship, context: &mut Context) -> Result<Exit, Failure> {
    let mut serials = args.serials;
    if let Some(file) = &args.file {
        serials.extend(of_file(file)?);
    }
    let asking = if args.offline { Asking::Offline } else { Asking::Cloud };
    let by = person(args.by);
    let clock = context.clock();
    let sent = context.watching(|| ship::run(config, &clock, serials, asking, &by));
    let Shipment { units: passed, unasked } = sent?;
    if let Some(fault) = &unasked {
        shell::warn(fault, context.color);
    }
    let [mut shipped, mut before, mut refused] = [0_u64; 3];
    for (serial, passed) in &passed {
        match passed {
            Passed::Now(_) => shipped += 1,
            Passed::Before(_) => before += 1,
            Passed::Refused(_) => refused += 1,
        }
        tell(serial, passed, context)?;
    }
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "summary",
            "shipped": shipped,
            "already_shipped": before,
            "refused": refused,
            "cloud_asked": unasked.is_none(),
        }))?,
        false => context.out.say(&say!(
            "{shipped} shipped, {before} had left already, {refused} may not leave",
            "出厂 {shipped}，早已出厂 {before}，不得出厂 {refused}"
        ))?,
    }
    Ok(if refused == 0 { Exit::Done } else { Exit::NotAll })
}

fn of_file(path: &Path) -> Result<Vec<Serial>, Failure> {
    let text = bounds::open(path).and_then(|file| list::read(file, bounds::LIST));
    let text = text.map_err(|error| {
        let what =
            say!("the serials can't be read from {}", "无法从 {} 读取序列号", path.display());
        Failure::said(Code::Input, what).caused_by(&error)
    })?;
    let lines =
        text.lines().map(str::trim).enumerate().filter(|(_, line)| !list::is_empty_row(line));
    if lines.clone().nth(bounds::SERIALS).is_some() {
        let what = say!(
            "{} has more than {} serials; ship them in parts",
            "{} 的序列号多于 {} 个；请分几次出厂",
            path.display(),
            bounds::SERIALS
        );
        return Err(Failure::said(Code::Input, what));
    }
    lines
        .map(|(index, line)| {
            line.parse().map_err(|error: IdError| {
                let what =
                    say!("{}:{} is no serial", "{}:{} 不是序列号", path.display(), index + 1);
                Failure::said(Code::Input, what).caused_by(&error.sentence())
            })
        })
        .collect()
}

fn tell(serial: &Serial, passed: &Passed, context: &mut Context) -> Result<(), Failure> {
    let (outcome, cert, fault) = match passed {
        Passed::Now(cert) => ("shipped", Some(cert), None),
        Passed::Before(cert) => ("already_shipped", Some(cert), None),
        Passed::Refused(fault) => ("refused", None, Some(fault)),
    };
    if context.out.is_json() {
        let mut line = json!({ "event": "unit", "serial": serial, "outcome": outcome });
        if let Some(cert) = cert {
            line["certificate_sn"] = json!(cert);
        }
        if let Some(Fault { code, detail, .. }) = fault {
            line["code"] = json!(code);
            line["message"] = json!(detail);
        }
        context.out.json(&line)?;
    } else if fault.is_none() {
        let word = match passed {
            Passed::Before(_) => say!("already shipped", "早已出厂"),
            Passed::Now(_) | Passed::Refused(_) => say!("shipped", "已出厂"),
        };
        context.out.say(&Say::same(serial.to_string()).then(&word))?;
    }
    if let Some(fault) = fault {
        Failure::from(fault).print(context.color);
    }
    Ok(())
}

/// Tells which units of a work order could not leave as they are; gives how many.
pub(super) fn report(
    config: &Config,
    work_order: &WorkOrderId,
    context: &mut Context,
) -> Result<u64, Failure> {
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    let (mut count, mut last) = (0, None);
    loop {
        let page = reader.gates(work_order, last.as_ref(), PAGE)?;
        for (serial, gate) in &page {
            let why = match gate {
                Gate::Open(_) | Gate::Gone(_) => continue,
                Gate::Inactive(_) => {
                    say!("{serial} is not active in the cloud", "{serial} 在云端没有激活")
                }
                Gate::Shut(why) | Gate::Unlabelled(why) => why.clone(),
            };
            count += 1;
            let fault = Fault::said(Code::ShipNotActive, why);
            tell(serial, &Passed::Refused(fault), context)?;
        }
        match page.into_iter().last() {
            Some((serial, _)) => last = Some(serial),
            None => return Ok(count),
        }
    }
}
