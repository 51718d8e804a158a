//! Persons at the line: who they are to the ledger, and what only a supervisor may do.
//!
//! A person is an id in the journal. Names and PINs stand outside the chain, where they
//! can be changed and erased.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::clock::Timestamp;
use super::ids::OperatorId;

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

#[cfg(test)]
mod tests {
    use super::*;

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
