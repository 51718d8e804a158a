//! Persons at the line: who they are to the ledger, and what only a supervisor may do.
//!
//! A person is an id in the journal. Names and PINs stand outside the chain, where they
//! can be changed and erased. As long as no supervisor is known, nobody is asked for a
//! PIN: a station on a bench works without persons. From the first one on, each act that
//! [`supervised`] names needs one, by id and PIN.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::clock::Timestamp;
use super::code::Code;
use super::device::Fault;
use super::ids::{OperatorId, ProfileDigest, WorkOrderId};
use super::record::{Person, Record};

/// After this many wrong PINs in a row a person's PIN is locked for [`LOCK_TIME`].
pub const WRONG_PINS: u32 = 5;

/// For how long a PIN is locked: four digits hold against guessing for weeks at this pace.
pub const LOCK_TIME: Duration = Duration::from_secs(300);

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Works at the line.
    Operator,
    /// Also approves what changes a unit's standing, a work order or the clock.
    Supervisor,
}

impl Role {
    /// Every role.
    pub const ALL: &[Role] = &[Role::Operator, Role::Supervisor];

    /// The word on the command line, in JSON and in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Supervisor => "supervisor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: write \"operator\" or \"supervisor\"")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Role::ALL.iter().find(|role| role.as_str() == text);
        found.copied().ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A person as the ledger knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRow {
    /// The id in the journal, and what a badge carries.
    pub id: OperatorId,
    /// What they may do.
    pub role: Role,
    /// They may do nothing any more.
    pub disabled: bool,
    /// Their name, where one was given and not erased.
    pub name: Option<String>,
    /// Whether they have a PIN.
    pub has_pin: bool,
    /// Until when their PIN is locked, where it is.
    pub locked_until: Option<Timestamp>,
}

/// A PIN as it was typed: wiped when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Zeroizing<String>);

/// Why a text can't be a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// It is too short to hold against guessing.
    #[error("a PIN has at least {} characters", Pin::SHORTEST)]
    Short,
    /// It is longer than anybody types.
    #[error("a PIN has at most {} characters", Pin::LONGEST)]
    Long,
    /// It has a character that no keyboard types.
    #[error("a PIN has no control characters")]
    Character,
}

impl Pin {
    /// The fewest characters.
    pub const SHORTEST: usize = 4;
    /// The most characters.
    pub const LONGEST: usize = 64;

    /// Takes what was typed.
    pub fn new(text: &str) -> Result<Pin, PinError> {
        let length = text.chars().count();
        if text.chars().any(char::is_control) {
            return Err(PinError::Character);
        }
        match length {
            0..Pin::SHORTEST => Err(PinError::Short),
            Pin::SHORTEST..=Pin::LONGEST => Ok(Pin(Zeroizing::new(text.to_owned()))),
            _ => Err(PinError::Long),
        }
    }

    /// The bytes. Don't copy them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// Whether a PIN that was locked at `since` is still locked. A clock that went back
/// unlocks nothing at once and locks nobody out for longer than [`LOCK_TIME`].
pub fn is_locked(since: Timestamp, now: Timestamp) -> bool {
    let lock = i64::try_from(LOCK_TIME.as_micros()).unwrap_or(i64::MAX);
    now.0.saturating_sub(since.0).saturating_abs() < lock
}

/// When a lock that began at `since` ends.
pub fn locked_until(since: Timestamp) -> Timestamp {
    let lock = i64::try_from(LOCK_TIME.as_micros()).unwrap_or(i64::MAX);
    Timestamp(since.0.saturating_add(lock))
}

/// A person becomes known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorAdded {
    /// Their id.
    pub operator: OperatorId,
    /// What they may do.
    pub role: Role,
    /// Who added them.
    pub by: Person,
}

/// A person may do nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorDisabled {
    /// Their id.
    pub operator: OperatorId,
    /// Who decided it.
    pub by: Person,
}

/// A person has another PIN. The PIN's verifier is not in here: see [`PinVerifier`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinChanged {
    /// Whose.
    pub operator: OperatorId,
    /// Who changed it.
    pub by: Person,
    /// It was changed with the CA's passphrase in place of a supervisor's PIN: the way out
    /// where no supervisor knows theirs.
    pub with_authority: bool,
}

/// A changed product profile is accepted for a work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileAccepted {
    /// The work order.
    pub work_order: WorkOrderId,
    /// The profile that it goes on with.
    pub profile: ProfileDigest,
    /// Why.
    pub reason: String,
    /// Who accepted it.
    pub by: Person,
}

/// The person at a line changed while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who works at the line from here on; none after somebody signed out.
    pub operator: Option<OperatorId>,
    /// The numeric id of the system's user.
    pub uid: u32,
}

/// What a PIN is held against, as text; it says nothing of the PIN to whoever reads it,
/// and a PIN of few digits can be guessed from it all the same: so it stays out of the
/// journal, which is copied and kept for years.
#[derive(Clone, PartialEq, Eq)]
pub struct PinVerifier(pub String);

impl fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinVerifier(…)")
    }
}

/// The person who must be a supervisor for this record, from the first supervisor on.
/// Records of the line and of a sync need none, and neither does what undoes nothing:
/// shipping, activating, exporting.
pub fn supervised(record: &Record) -> Option<&Person> {
    match record {
        Record::UnitVoided(act) | Record::ReworkAllowed(act) | Record::UnitScrapped(act) => {
            Some(&act.by)
        }
        Record::WorkOrderCreated(created) => Some(&created.by),
        Record::WorkOrderClosed(act) => Some(&act.by),
        Record::ProfileAccepted(accepted) => Some(&accepted.by),
        Record::ClockAccepted(accepted) => Some(&accepted.by),
        Record::Restored(restored) => Some(&restored.by),
        Record::GapAccepted(accepted) if !accepted.compared => Some(&accepted.by),
        Record::Adopted(adopted) => Some(&adopted.by),
        Record::IndicesRebuilt(rebuilt) => Some(&rebuilt.by),
        Record::Vouched(vouched) => Some(&vouched.by),
        Record::OperatorAdded(added) => Some(&added.by),
        Record::OperatorDisabled(disabled) => Some(&disabled.by),
        Record::PinChanged(changed) if !changed.with_authority => Some(&changed.by),
        Record::PinChanged(_)
        | Record::GapAccepted(_)
        | Record::SignedIn(_)
        | Record::LineStarted(_)
        | Record::AuthoritySeen(_)
        | Record::Begun(_)
        | Record::FailedEarly(_)
        | Record::Issued(_)
        | Record::CommitAsked(_)
        | Record::Proven(_)
        | Record::Finished(_)
        | Record::Denied(_)
        | Record::Ended(_)
        | Record::AuthorityRegistered(_)
        | Record::RegisteredByHand(_)
        | Record::Sent(_)
        | Record::Answered(_)
        | Record::Found(_)
        | Record::CloudChosen(_)
        | Record::ActivationAsked(_)
        | Record::Shipped(_)
        | Record::CrlIssued(_) => None,
    }
}

/// Whether somebody who is known like this may approve; says why not.
pub fn may_approve(id: &OperatorId, known: Option<&OperatorRow>) -> Result<(), Fault> {
    let refused = |code, detail| Err(Fault::new(code, detail));
    match known {
        None => refused(Code::OperatorUnknown, format!("nobody is known as {id}")),
        Some(row) if row.disabled => {
            refused(Code::OperatorDisabled, format!("{id} may do nothing any more"))
        }
        Some(row) if row.role != Role::Supervisor => {
            refused(Code::SupervisorNeeded, format!("{id} is no supervisor"))
        }
        Some(_) => Ok(()),
    }
}

/// Whether somebody may work at the line. Where nobody is known, anybody may.
pub fn may_sign_in(
    id: &OperatorId,
    known: Option<&OperatorRow>,
    somebody_is_known: bool,
) -> Result<(), Fault> {
    match known {
        Some(row) if row.disabled => {
            let detail = format!("{id} may do nothing any more");
            Err(Fault::new(Code::OperatorDisabled, detail))
        }
        None if somebody_is_known => {
            Err(Fault::new(Code::OperatorUnknown, format!("nobody is known as {id}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(role: Role, disabled: bool) -> OperatorRow {
        let id = "s04".parse().unwrap();
        OperatorRow { id, role, disabled, name: None, has_pin: true, locked_until: None }
    }

    #[test]
    fn only_an_enabled_supervisor_approves() {
        let id = "s04".parse().unwrap();
        let code =
            |known: Option<&OperatorRow>| may_approve(&id, known).map_err(|fault| fault.code);
        assert_eq!(code(Some(&row(Role::Supervisor, false))), Ok(()));
        assert_eq!(code(Some(&row(Role::Operator, false))), Err(Code::SupervisorNeeded));
        assert_eq!(code(Some(&row(Role::Supervisor, true))), Err(Code::OperatorDisabled));
        assert_eq!(code(None), Err(Code::OperatorUnknown));
    }

    #[test]
    fn anybody_signs_in_where_nobody_is_known() {
        let id = "p1".parse().unwrap();
        assert!(may_sign_in(&id, None, false).is_ok());
        assert!(may_sign_in(&id, None, true).is_err());
        assert!(may_sign_in(&id, Some(&row(Role::Operator, false)), true).is_ok());
        assert!(may_sign_in(&id, Some(&row(Role::Operator, true)), true).is_err());
    }

    #[test]
    fn a_lock_holds_for_its_time_whatever_the_clock_does() {
        let since = Timestamp(1_000_000_000_000);
        let at = |seconds: i64| Timestamp(since.0 + seconds * 1_000_000);
        assert!(is_locked(since, at(0)) && is_locked(since, at(299)) && is_locked(since, at(-299)));
        assert!(!is_locked(since, at(300)) && !is_locked(since, at(-86_400)));
        assert_eq!(locked_until(since), at(300));
    }

    #[test]
    fn a_pin_is_typed_and_never_shown() {
        assert_eq!(Pin::new("123"), Err(PinError::Short));
        assert_eq!(Pin::new(&"1".repeat(65)), Err(PinError::Long));
        assert_eq!(Pin::new("12\u{1b}34"), Err(PinError::Character));
        assert_eq!(format!("{:?}", Pin::new("2468").unwrap()), "Pin(…)");
    }
}
