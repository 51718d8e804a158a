//! `station sim firmware`: a program of somebody's own as a device.

use std::path::Path;

use crate::cli::SimFirmware;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sim::{self, ProgramOptions, StopFlag, WIRE_FAULTS, WireFaults};

use super::super::context::Context;
use super::device::{say_ready, stop_on_signal, unusable};
use super::faults::list_faults;

pub(super) fn run(firmware: &SimFirmware, context: &mut Context) -> Result<Exit, Failure> {
    if firmware.fault.as_deref() == Some("list") {
        return list_faults(WIRE_FAULTS, context);
    }
    let missing = |what| Failure::said(Code::Usage, say!("{what} is missing", "缺少 {what}"));
    let options = ProgramOptions {
        link: firmware.link.clone().ok_or_else(|| missing("--link"))?,
        command: firmware.command.clone(),
        folder: firmware.state.clone(),
        baud: firmware.baud,
        faults: faults(firmware)?,
        seed: firmware.seed,
    };
    if options.command.is_empty() {
        return Err(missing("-- CMD"));
    }
    let stop = StopFlag::new().map_err(unusable)?;
    stop_on_signal(&stop)?;
    let mut told = Ok(());
    let ready = |link: &Path| told = say_ready(context, &link.to_string_lossy());
    sim::run_program(&options, &stop, ready).map_err(unusable)?;
    told?;
    Ok(Exit::Done)
}

fn faults(firmware: &SimFirmware) -> Result<WireFaults, Failure> {
    let text = firmware.fault.as_deref().unwrap_or_default();
    text.parse().map_err(|error| Failure::told(Code::Usage, &error))
}
