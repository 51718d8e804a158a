//! `station operator …`: who is known, and their PINs.

use std::path::Path;

use serde_json::json;

use super::context::Context;
use super::person::{self, person, sentence};
use crate::app::{from_config, people};
use crate::cli::{NewOperator, OperatorCommand};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::OperatorId;
use crate::domain::local::Zone;
use crate::domain::operators::{
    OperatorAdded, OperatorDisabled, OperatorRow, Pin, PinChanged, Role,
};
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::ledger::{Ledger, Private, Reader};
use crate::say;
use crate::secret::{self, Process};
use crate::shell::{Exit, Failure};

/// Does what `station operator …` says.
pub(super) fn run(command: OperatorCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    match command {
        OperatorCommand::Add(new) => add(&config, new, context)?,
        OperatorCommand::List => list(&config, context)?,
        OperatorCommand::Disable { id, erase_name, by } => {
            disable(&config, id, erase_name, by, context)?;
        }
        OperatorCommand::ResetPin { id, pin_file, with_authority, by } => {
            let changed = PinChanged { operator: id, by: person(by), with_authority };
            reset_pin(&config, changed, pin_file.as_deref(), context)?;
        }
    }
    Ok(Exit::Done)
}

fn add(config: &Config, new: NewOperator, context: &mut Context) -> Result<(), Failure> {
    let NewOperator { id, role, name, pin_file, by } = new;
    let name = name.map(|name| sentence("--name", &name)).transpose()?;
    let (ledger, _) = from_config::open_ledger(config, &context.clock())?;
    let added = OperatorAdded { operator: id.clone(), role, by: person(by) };
    let record = Record::OperatorAdded(added);
    person::approve(&ledger, &record, config, context)?;
    // Who approves nothing needs no PIN, and may have one.
    let pin = match role == Role::Supervisor || pin_file.is_some() {
        true => Some(people::verifier(&new_pin(&ledger, pin_file.as_deref())?)?),
        false => None,
    };
    write(&ledger, record, Private { operator: id.clone(), name, pin })?;
    show(config, &id, context)
}

fn disable(
    config: &Config,
    id: OperatorId,
    erase_name: bool,
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<(), Failure> {
    let (ledger, _) = from_config::open_ledger(config, &context.clock())?;
    let now = context.now();
    let known = ledger.reader()?.operator(&id, now)?;
    let record = OperatorDisabled { operator: id.clone(), by: person(by) };
    let record = Record::OperatorDisabled(record);
    person::approve(&ledger, &record, config, context)?;
    // Of somebody who is disabled already the name may be erased later.
    if !(erase_name && known.is_some_and(|row| row.disabled)) {
        let done = ledger.writer().record(record);
        done.map_err(|refusal| Failure::from(refusal.fault()))?;
    }
    if erase_name {
        ledger.persons()?.erase_name(&id)?;
    }
    show(config, &id, context)
}

fn reset_pin(
    config: &Config,
    changed: PinChanged,
    pin_file: Option<&Path>,
    context: &mut Context,
) -> Result<(), Failure> {
    let (ledger, _) = from_config::open_ledger(config, &context.clock())?;
    let id = changed.operator.clone();
    match changed.with_authority {
        // Whoever can open the CA could set up the whole station anew.
        true => drop(from_config::authority(config)?),
        false => {
            let record = Record::PinChanged(changed.clone());
            person::approve(&ledger, &record, config, context)?;
        }
    }
    let pin = people::verifier(&new_pin(&ledger, pin_file)?)?;
    let private = Private { operator: id.clone(), name: None, pin: Some(pin) };
    write(&ledger, Record::PinChanged(changed), private)?;
    show(config, &id, context)
}

/// A new PIN: from its file, its variable or the keyboard. For the first supervisor, whom
/// nobody approves, the variable of an approving PIN does too.
fn new_pin(ledger: &Ledger, file: Option<&Path>) -> Result<Pin, Failure> {
    let wanted = secret::new_operator_pin(file);
    let secret = match wanted.read_new(&Process) {
        Ok(secret) => secret,
        Err(error) if ledger.reader()?.has_supervisor()? || file.is_some() => {
            return Err(error.into());
        }
        Err(error) => secret::operator_pin(None).configured_only(&Process)?.ok_or(error)?,
    };
    person::pin(&secret)
}

fn write(ledger: &Ledger, record: Record, private: Private) -> Result<(), Failure> {
    let done = ledger.writer().record_with(record, private);
    done.map(drop).map_err(|refusal| Failure::from(refusal.fault()))
}

fn reader(config: &Config) -> Result<Reader, Failure> {
    Ok(Reader::open(&config.station.data_dir, Some(&config.station.id))?)
}

fn list(config: &Config, context: &mut Context) -> Result<(), Failure> {
    let rows = reader(config)?.operators(context.now())?;
    rows.iter().try_for_each(|row| tell(row, &config.station.zone, context))
}

fn show(config: &Config, id: &OperatorId, context: &mut Context) -> Result<(), Failure> {
    match reader(config)?.operator(id, context.now())? {
        Some(row) => tell(&row, &config.station.zone, context),
        None => Err(Failure::said(
            Code::OperatorUnknown,
            say!("nobody is known as {id}", "没有登记 {id}"),
        )),
    }
}

fn tell(row: &OperatorRow, zone: &Zone, context: &mut Context) -> Result<(), Failure> {
    let OperatorRow { id, role, disabled, name, has_pin, locked_until } = row;
    if context.out.is_json() {
        return context.out.json(&json!({
            "id": id, "role": role, "disabled": disabled, "name": name, "has_pin": has_pin,
            "locked_until": locked_until.map(|time| time.to_string()),
        }));
    }
    let state = match (disabled, locked_until.as_ref()) {
        (true, _) => say!("disabled", "停用"),
        (false, Some(&Timestamp::NO_EXPIRY)) => {
            say!("PIN locked until it is set anew", "PIN 锁定，须重设")
        }
        (false, Some(until)) => {
            let until = zone.show(*until);
            say!("PIN locked until {until}", "PIN 锁定到 {until}")
        }
        (false, None) if *has_pin => say!("PIN", "有 PIN"),
        (false, None) => say!("no PIN", "无 PIN"),
    };
    let role = match role {
        Role::Operator => say!("operator", "操作员"),
        Role::Supervisor => say!("supervisor", "主管"),
    };
    let (id, name) = (id.as_str(), name.as_deref().unwrap_or("-"));
    let (role, state) = (role.padded(10), state.padded(9));
    let line = Say::same(format!("{id:<16} ")).with(&role).with(&Say::same(" ")).with(&state);
    context.out.say(&line.with(&Say::same(format!(" {name}"))))
}
