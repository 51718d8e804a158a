//! `station ports`: which serial ports there are, where, and what answers.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use crate::app::from_config;
use crate::config::Config;
use crate::domain::device::{Fault, Seen};
use crate::domain::say::Say;
use crate::engine::SlotSettings;
use crate::link::discovery::{self, FoundPort};
use crate::link::port::Port;
use crate::link::{LinkError, Stop, driver};
use crate::shell::{Exit, Failure};
use crate::text::{Language, remedy, told};

/// One line: a port of the machine, a slot of station.toml, or both.
struct Row {
    path: PathBuf,
    place: Option<String>,
    product: Option<String>,
    slot: Option<SlotSettings>,
}

/// Lists the ports. Only those of slots are opened: what stands at another is unknown.
pub(super) fn run(context: &mut Context) -> Result<Exit, Failure> {
    let slots = slots(context)?;
    for row in rows(discovery::list(), slots) {
        let answer = row.slot.as_ref().map(ask);
        match context.out.is_json() {
            true => context.out.json(&as_json(&row, answer.as_ref()))?,
            false => context.out.say(&in_words(&row, answer.as_ref()))?,
        }
    }
    Ok(Exit::Done)
}

/// The slots of station.toml; without a file there are none, and the ports are listed
/// all the same: that is how one comes by the names to write into it.
fn slots(context: &Context) -> Result<Vec<SlotSettings>, Failure> {
    match context.global.config.exists() {
        true => context.config().map(|config: Config| from_config::slots(&config)),
        false => Ok(Vec::new()),
    }
}

fn rows(found: Vec<FoundPort>, slots: Vec<SlotSettings>) -> Vec<Row> {
    let mut rows: Vec<Row> = found
        .into_iter()
        .map(|FoundPort { path, place, product }| Row { path, place, product, slot: None })
        .collect();
    for slot in slots {
        let path = discovery::resolve(&slot.link.port.path);
        let path = path.unwrap_or_else(|_| PathBuf::from(&slot.link.port.path));
        let same = |row: &&mut Row| row.slot.is_none() && leads_to(&path, &row.path);
        match rows.iter_mut().find(same) {
            Some(row) => row.slot = Some(slot),
            None => rows.push(Row { path, place: None, product: None, slot: Some(slot) }),
        }
    }
    rows
}

fn leads_to(path: &Path, port: &Path) -> bool {
    path == port || path.canonicalize().is_ok_and(|real| real == port)
}

fn ask(slot: &SlotSettings) -> Result<Seen, Fault> {
    let identify = || -> Result<Seen, LinkError> {
        let port = Port::open(slot.link.port.clone(), Stop::new())?;
        driver::over(port, &slot.link)?.identify()
    };
    identify().map_err(Fault::from)
}

fn as_json(row: &Row, answer: Option<&Result<Seen, Fault>>) -> serde_json::Value {
    let seen = answer.and_then(|answer| answer.as_ref().ok());
    let fault = answer.and_then(|answer| answer.as_ref().err());
    json!({
        "path": row.path,
        "place": row.place,
        "adapter": row.product,
        "slot": row.slot.as_ref().map(|slot| &slot.name),
        "model": seen.map(|seen| &seen.model),
        "firmware": seen.map(|seen| &seen.firmware),
        "hardware_id": seen.map(|seen| &seen.hardware),
        "code": fault.map(|fault| fault.code),
        "message": fault.map(|fault| &fault.detail),
        "help": fault.map(|fault| remedy(fault.code, Language::English)),
    })
}

fn in_words(row: &Row, answer: Option<&Result<Seen, Fault>>) -> Say {
    let slot = row.slot.as_ref().map_or("-", |slot| slot.name.as_str());
    let place = row.place.as_deref().unwrap_or("-");
    let what = match answer {
        Some(Ok(seen)) => Say::same(format!("{} {}, {}", seen.model, seen.firmware, seen.hardware)),
        Some(Err(fault)) => Say::same(fault.code.to_string()).then(&told(fault)),
        None => Say::same(row.product.clone().unwrap_or_default()),
    };
    Say::same(format!("{slot:<6} {:<24} {place:<18} ", row.path.display())).with(&what)
}
