//! Saving a ledger while it is in use, by hand or by a rule, and bringing one back.

pub(super) mod copy;
mod forks;
pub(super) mod parcel;
mod persons;
mod rebuild;
pub(super) mod restore;
pub(super) mod schedule;
pub(super) mod segments;
pub(super) mod unfinished;
mod unpack;
