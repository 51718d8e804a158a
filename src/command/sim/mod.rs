//! `station sim …`: what is simulated, each in a process of its own.

mod cloud;
mod device;
mod esp;
mod faults;
mod firmware;
mod hand;
mod modem;

use crate::cli::SimCommand;
use crate::shell::{Exit, Failure};

use super::context::Context;

pub(super) fn run(command: &SimCommand, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        SimCommand::Device(device) => device::run(device, context),
        SimCommand::Firmware(firmware) => firmware::run(firmware, context),
        SimCommand::Modem(modem) => modem::run(modem, context),
        SimCommand::Esp(esp) => esp::run(esp, context),
        SimCommand::Pull(hand) => hand::pull(hand, context),
        SimCommand::Put(hand) => hand::put(hand, context),
        SimCommand::Move(moved) => hand::carry(moved, context),
        SimCommand::Next(hand) => hand::next(hand, context),
        SimCommand::Cloud(cloud) => cloud::run(cloud, context),
    }
}
