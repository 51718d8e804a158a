//! Saving a ledger while it is in use, by hand or by a rule, and bringing one back.

pub(super) mod copy;
pub(super) mod schedule;
