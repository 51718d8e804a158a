//! `station sim …`: what is simulated, each in a process of its own.

mod cloud;
mod device;
mod firmware;
mod hand;

use serde::Serialize;

use crate::cli::SimCommand;
use crate::shell::{Exit, Failure};
use crate::sim::FaultName;

use super::Context;

#[derive(Serialize)]
struct FaultLine {
    fault: &'static str,
    example: &'static str,
    meaning: &'static str,
}

pub(super) fn run(command: &SimCommand, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        SimCommand::Device(device) => device::run(device, context),
        SimCommand::Firmware(firmware) => firmware::run(firmware, context),
        SimCommand::Pull(hand) => hand::pull(hand, context),
        SimCommand::Put(hand) => hand::put(hand, context),
        SimCommand::Move(moved) => hand::carry(moved, context),
        SimCommand::Next(hand) => hand::next(hand, context),
        SimCommand::Cloud(cloud) => cloud::run(cloud, context),
    }
}

/// What `--fault list` prints.
fn list_faults(faults: &[FaultName], context: &mut Context) -> Result<Exit, Failure> {
    let width = faults.iter().map(|fault| fault.example.len()).max().unwrap_or_default();
    for fault in faults {
        if context.out.is_json() {
            let (fault, example, meaning) = (fault.name, fault.example, fault.meaning);
            context.out.json(&FaultLine { fault, example, meaning })?;
        } else {
            context.out.line(format_args!("{:<width$} {}", fault.example, fault.meaning))?;
        }
    }
    Ok(Exit::Done)
}
