//! `station sim modem`: simulated modems behind a pseudo-terminal.

use std::path::Path;
use std::time::Duration;

use crate::cli::SimModem;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sim::StopFlag;
use crate::sim::modem::{self, MODEM_FAULTS, ModemFaults, ModemOptions};

use super::super::context::Context;
use super::device::{say_ready, stop_on_signal, unusable};
use super::faults::list_faults;

pub(super) fn run(asked: &SimModem, context: &mut Context) -> Result<Exit, Failure> {
    if asked.fault.as_deref() == Some("list") {
        return list_faults(MODEM_FAULTS, context);
    }
    let options = options(asked)?;
    let stop = StopFlag::new().map_err(unusable)?;
    stop_on_signal(&stop)?;
    let mut told = Ok(());
    let ready = |link: &Path| told = say_ready(context, &link.to_string_lossy());
    modem::run_modem(&options, &stop, ready).map_err(unusable)?;
    told?;
    Ok(Exit::Done)
}

fn options(asked: &SimModem) -> Result<ModemOptions, Failure> {
    let kind = asked.kind.ok_or_else(|| {
        let missing = Failure::said(Code::Usage, say!("--kind is missing", "缺少 --kind"));
        missing.with_help(say!(
            "say whose modems they are: nrf91, quectel, simcom or esp-at",
            "写明是谁的调制解调器：nrf91、quectel、simcom 或 esp-at"
        ))
    })?;
    let link = asked.link.clone().ok_or_else(|| {
        Failure::said(Code::Usage, say!("--link is missing", "缺少 --link"))
            .with_help(say!("name a path for the port", "指定端口的路径"))
    })?;
    let faults = asked.fault.as_deref().unwrap_or_default();
    let faults = ModemFaults::parse(faults).map_err(|error| Failure::told(Code::Usage, &error))?;
    Ok(ModemOptions {
        kind,
        link,
        state_dir: asked.state.clone(),
        baud: asked.baud,
        units: asked.units,
        faults,
        seed: asked.seed,
        boot: Duration::from_millis(asked.boot_ms),
        write: Duration::from_millis(asked.write_ms),
        stay: asked.stay,
    })
}
