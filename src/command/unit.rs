//! `station unit …`

use super::context::Context;
use super::person::{person, pin_of, reason, record};
use super::{find, partition, story};
use crate::app::adopt;
use crate::cli::{UnitAct, UnitCommand};
use crate::config::Config;
use crate::domain::record::{PersonAct, Record};
use crate::shell::{Exit, Failure};

/// Does what `station unit …` says.
pub(super) fn run(command: UnitCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    match command {
        UnitCommand::Show { any, slot: Some(slot), .. } => {
            partition::show(&config, any.as_ref(), &slot, context)?;
        }
        UnitCommand::Show { any: Some(any), .. } => find::show(&config, any.as_str(), context)?,
        // The command line asks for one of the two.
        UnitCommand::Show { any: None, slot: None, .. } => {}
        UnitCommand::List(wanted) => find::list(&config, wanted, context)?,
        UnitCommand::Void(act) => change(&config, context, act, false, Record::UnitVoided)?,
        UnitCommand::Rework { act, new_device } => {
            change(&config, context, act, new_device, Record::ReworkAllowed)?;
        }
        UnitCommand::Adopt { slot, reason: text, by } => {
            let serial =
                adopt::run(&config, &slot, reason(&text)?, person(by), |id| pin_of(&config, id))?;
            story::show(&config, &serial, context)?;
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
    story::show(config, &serial, context)
}
