//! Persons at the line: who they are to the ledger, and who may approve.
//!
//! A person is an id in the journal. Names and PINs stand outside the chain, where they
//! can be changed and erased. As long as no supervisor is known, nobody is asked for a
//! PIN: a station on a bench works without persons. From the first one on, each act that
//! [`supervised`](super::supervised::supervised) names needs one, by id and PIN.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::cause::Told;
use super::clock::Timestamp;
use super::code::Code;
use super::device::Fault;
use super::ids::{OperatorId, ProfileDigest, WorkOrderId};
use super::person::Person;
use crate::say;

/// After this many wrong PINs a person's PIN is locked, and after as many again.
pub const WRONG_PINS: u32 = 5;

/// How long the first lock lasts; each further one lasts twice as long.
pub const FIRST_LOCK: Duration = Duration::from_secs(300);

/// The lock with this number ends by no clock, which whoever starts the program can choose:
/// so a PIN that nobody ever typed right is guessed twenty times at most.
pub const LAST_LOCK: u32 = 4;

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

impl Told for PinError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Short => format!("PIN 至少 {} 个字符", Pin::SHORTEST),
            Self::Long => format!("PIN 最多 {} 个字符", Pin::LONGEST),
            Self::Character => "PIN 不能有控制字符".to_owned(),
        })
    }
}

impl Pin {
    /// The fewest characters.
    pub const SHORTEST: usize = 4;
    /// Fewer than this are guessed in hours by whoever has a copy of the ledger.
    pub const ADVISED: usize = 6;
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

    /// Whether it is shorter than is advised.
    pub fn is_short(&self) -> bool {
        self.0.chars().count() < Pin::ADVISED
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

/// Whether a PIN may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It may.
    Open,
    /// Not before then.
    Until(Timestamp),
    /// Not before it is set anew.
    UntilReset,
}

impl Lock {
    /// By the tries since the last right one, and when the last of them locked the PIN. A
    /// clock that went back unlocks nothing at once, and locks nobody out for longer than the
    /// lock lasts.
    pub fn of(wrong: u32, since: Option<Timestamp>, now: Timestamp) -> Lock {
        if wrong >= WRONG_PINS * LAST_LOCK {
            return Lock::UntilReset;
        }
        let doubled = (wrong / WRONG_PINS).saturating_sub(1);
        let lasts = i64::try_from(FIRST_LOCK.as_micros()).unwrap_or(i64::MAX) << doubled;
        match since {
            Some(since) if now.0.saturating_sub(since.0).saturating_abs() < lasts => {
                Lock::Until(Timestamp(since.0.saturating_add(lasts)))
            }
            _ => Lock::Open,
        }
    }

    /// The end of a lock; one that ends by no clock has the end of all time.
    pub fn end(self) -> Option<Timestamp> {
        match self {
            Lock::Open => None,
            Lock::Until(end) => Some(end),
            Lock::UntilReset => Some(Timestamp::NO_EXPIRY),
        }
    }
}

/// Somebody typed a wrong PIN, or the right one behind wrong ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinTried {
    /// Whose PIN it was to be.
    pub operator: OperatorId,
    /// The numeric id of the system's user: who typed it is not known otherwise.
    pub uid: u32,
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

/// Whether somebody who is known like this may approve; says why not.
pub fn may_approve(id: &OperatorId, known: Option<&OperatorRow>) -> Result<(), Fault> {
    let refused = |code, detail| Err(Fault::said(code, detail));
    match known {
        None => {
            refused(Code::OperatorUnknown, say!("nobody is known as {id}", "没有登记工号 {id}"))
        }
        Some(row) if row.disabled => refused(
            Code::OperatorDisabled,
            say!("{id} may do nothing any more", "工号 {id} 已停用"),
        ),
        Some(row) if row.role != Role::Supervisor => {
            refused(Code::SupervisorNeeded, say!("{id} is no supervisor", "{id} 不是主管"))
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
            let detail = say!("{id} may do nothing any more", "工号 {id} 已停用");
            Err(Fault::said(Code::OperatorDisabled, detail))
        }
        None if somebody_is_known => {
            let detail = say!("nobody is known as {id}", "没有登记工号 {id}");
            Err(Fault::said(Code::OperatorUnknown, detail))
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
    fn a_lock_holds_for_its_time_whatever_the_clock_does_and_each_is_longer() {
        let since = Timestamp(1_000_000_000_000);
        let at = |seconds: i64| Timestamp(since.0 + seconds * 1_000_000);
        for (wrong, lasts) in [(5, 300), (10, 600), (15, 1_200)] {
            let lock = |seconds| Lock::of(wrong, Some(since), at(seconds));
            for inside in [0, lasts - 1, 1 - lasts] {
                assert_eq!(lock(inside), Lock::Until(at(lasts)), "{wrong}");
            }
            assert_eq!((lock(lasts), lock(-86_400)), (Lock::Open, Lock::Open));
        }
        let for_good = Lock::of(20, Some(since), at(1_000_000));
        assert_eq!(for_good, Lock::UntilReset, "whatever the clock says");
    }

    #[test]
    fn a_pin_is_typed_and_never_shown() {
        assert_eq!(Pin::new("123"), Err(PinError::Short));
        assert_eq!(Pin::new(&"1".repeat(65)), Err(PinError::Long));
        assert_eq!(Pin::new("12\u{1b}34"), Err(PinError::Character));
        assert_eq!(format!("{:?}", Pin::new("2468").unwrap()), "Pin(…)");
    }
}
