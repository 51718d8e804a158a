//! Who may do what: a record that needs a supervisor, and the PIN that shows who asks.
//!
//! The command line and the screen both come through here. What needs a supervisor stands
//! in `domain::operators`; the ledger decides it again in the transaction of the record.

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{Pin, PinTried, PinVerifier, may_approve};
use crate::domain::record::Record;
use crate::domain::supervised::supervised;
use crate::ledger::{Persons, Reader, Writer};
use crate::say;
use crate::secret::pin;
use crate::shell::Failure;

/// What is asked and written when a PIN is tried.
pub struct Desk<'a> {
    /// Who is known.
    pub reader: &'a Reader,
    /// What PINs are held against.
    pub persons: &'a Persons,
    /// Where wrong tries are recorded.
    pub writer: &'a Writer,
}

/// Finds out whether whoever asks for this record is who they say, where it needs a
/// supervisor. `ask` gives the PIN of the person named, and is called only where needed.
pub fn approve(
    desk: &Desk<'_>,
    record: &Record,
    ask: impl FnOnce(&OperatorId) -> Result<Pin, Failure>,
    now: Timestamp,
) -> Result<(), Failure> {
    match supervised(record) {
        Some(person) => approve_act(desk, person.operator.as_ref(), ask, now),
        None => Ok(()),
    }
}

/// The same for an act that is no record.
pub fn approve_act(
    desk: &Desk<'_>,
    by: Option<&OperatorId>,
    ask: impl FnOnce(&OperatorId) -> Result<Pin, Failure>,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(id) = who_approves(desk.reader, by, now)? else { return Ok(()) };
    let pin = ask(id)?;
    // Counted before it is looked at, so that neither a kill nor a second process gives more.
    let verifier = desk.persons.begin_try(id, now)??;
    let tried = PinTried { operator: id.clone(), uid: rustix::process::getuid().as_raw() };
    match is_right(id, &pin, &verifier) {
        Ok(()) if desk.persons.was_right(id)? => desk.record(Record::PinRight(tried)),
        Ok(()) => Ok(()),
        Err(wrong) => desk.record(Record::PinWrong(tried)).and(Err(wrong)),
    }
}

impl Desk<'_> {
    fn record(&self, record: Record) -> Result<(), Failure> {
        let done = self.writer.record(record);
        done.map(drop).map_err(|refusal| Failure::from(refusal.fault()))
    }
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
        return Err(Failure::said(Code::PinWrong, say!("{id} has no PIN", "{id} 没有 PIN")));
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
        let what =
            say!("this needs a supervisor, and nobody was named", "这需要主管，而没有指明是谁");
        return Err(Failure::said(Code::SupervisorNeeded, what));
    };
    may_approve(id, reader.operator(id, now)?.as_ref())?;
    Ok(Some(id))
}

fn is_right(id: &OperatorId, pin: &Pin, verifier: &PinVerifier) -> Result<(), Failure> {
    match pin::is_right(pin, verifier) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::said(
            Code::PinWrong,
            say!("that is not the PIN of {id}", "这不是 {id} 的 PIN"),
        )),
        Err(error) => Err(Failure::of(error.code(), &error)),
    }
}

/// What a new PIN will be held against.
pub fn verifier(pin: &Pin) -> Result<PinVerifier, Failure> {
    pin::verifier(pin).map_err(|error| Failure::of(error.code(), &error))
}
