//! What a check found.

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::say::Say;
use crate::text;

/// How a check came out, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing stands in the way.
    Ok,
    /// The line can run; someone should look at it.
    Warn,
    /// The line can't run.
    Fail,
}

impl Status {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name.
    pub check: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found, one sentence with the values.
    pub detail: Say,
    /// What is wrong, where something is.
    pub code: Option<Code>,
}

/// Each check has a name in Chinese too.
fn named(check: &'static str) -> &'static str {
    debug_assert!(text::CHECKS.iter().any(|(name, _)| *name == check), "{check} has no name");
    check
}

impl Finding {
    /// Nothing stands in the way.
    pub fn ok(check: &'static str, detail: Say) -> Self {
        Self { check: named(check), status: Status::Ok, detail, code: None }
    }

    /// The line can run; someone should look at it.
    pub fn warn(check: &'static str, fault: Fault) -> Self {
        Self {
            check: named(check),
            status: Status::Warn,
            code: Some(fault.code),
            detail: text::told(&fault),
        }
    }

    /// The line can't run.
    pub fn fail(check: &'static str, fault: Fault) -> Self {
        Self {
            check: named(check),
            status: Status::Fail,
            code: Some(fault.code),
            detail: text::told(&fault),
        }
    }
}
