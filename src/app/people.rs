//! Who may do what: a record that needs a supervisor, and the PIN that shows who asks.
//!
//! The command line and the screen both come through here. What needs a supervisor stands
//! in `domain::operators`; the ledger decides it again in the transaction of the record.

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{Pin, PinVerifier, may_approve, supervised};
use crate::domain::record::Record;
use crate::ledger::{Persons, Reader};
use crate::report::Failure;
use crate::secret::pin;

/// Finds out whether whoever asks for this record is who they say, where it needs a
/// supervisor. `ask` gives the PIN of the person named, and is called only where needed.
pub fn approve(
    reader: &Reader,
    persons: &Persons,
    record: &Record,
    ask: impl FnOnce(&OperatorId) -> Result<Pin, Failure>,
    now: Timestamp,
) -> Result<(), Failure> {
    match supervised(record) {
        Some(person) => approve_act(reader, persons, person.operator.as_ref(), ask, now),
        None => Ok(()),
    }
}

/// The same for an act that is no record.
pub fn approve_act(
    reader: &Reader,
    persons: &Persons,
    by: Option<&OperatorId>,
    ask: impl FnOnce(&OperatorId) -> Result<Pin, Failure>,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(id) = who_approves(reader, by, now)? else { return Ok(()) };
    let pin = ask(id)?;
    let verifier = persons.begin_try(id, now)??;
    is_right(id, &pin, &verifier)?;
    Ok(persons.was_right(id)?)
}

/// The same for a backup, which nobody can write to: tries are not counted there.
pub fn approve_restore(
    backup: &Reader,
    by: Option<&OperatorId>,
    ask: impl FnOnce(&OperatorId) -> Result<Pin, Failure>,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(id) = who_approves(backup, by, now)? else { return Ok(()) };
    let Some(verifier) = backup.pin_verifier(id)? else {
        return Err(Failure::new(Code::PinWrong, format!("{id} has no PIN")));
    };
    is_right(id, &ask(id)?, &verifier)
}

/// The supervisor whose PIN is wanted; none where no supervisor is known.
fn who_approves<'a>(
    reader: &Reader,
    by: Option<&'a OperatorId>,
    now: Timestamp,
) -> Result<Option<&'a OperatorId>, Failure> {
    if !reader.has_supervisor()? {
        return Ok(None);
    }
    let Some(id) = by else {
        let what = "this needs a supervisor, and nobody was named";
        return Err(Failure::new(Code::SupervisorNeeded, what));
    };
    may_approve(id, reader.operator(id, now)?.as_ref())?;
    Ok(Some(id))
}

fn is_right(id: &OperatorId, pin: &Pin, verifier: &PinVerifier) -> Result<(), Failure> {
    match pin::is_right(pin, verifier) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(Code::PinWrong, format!("that is not the PIN of {id}"))),
        Err(error) => Err(Failure::of(Code::Bug, &error)),
    }
}

/// What a new PIN will be held against.
pub fn verifier(pin: &Pin) -> Result<PinVerifier, Failure> {
    pin::verifier(pin).map_err(|error| Failure::of(Code::Bug, &error))
}
