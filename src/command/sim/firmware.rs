//! `station sim firmware`: a program of somebody's own as a device.

use std::path::Path;

use crate::cli::SimFirmware;
use crate::shell::{Exit, Failure};
use crate::sim::{self, ProgramOptions, StopFlag};

use super::super::context::Context;
use super::device::{say_ready, stop_on_signal, unusable};

pub(super) fn run(firmware: &SimFirmware, context: &mut Context) -> Result<Exit, Failure> {
    let options = ProgramOptions {
        link: firmware.link.clone(),
        command: firmware.command.clone(),
        folder: firmware.state.clone(),
        baud: firmware.baud,
    };
    let stop = StopFlag::new().map_err(unusable)?;
    stop_on_signal(&stop)?;
    let mut told = Ok(());
    let ready = |link: &Path| told = say_ready(context, &link.to_string_lossy());
    sim::run_program(&options, &stop, ready).map_err(unusable)?;
    told?;
    Ok(Exit::Done)
}
